/* fuzz_passing.c - what stands before a frame on its way between two workers: what is read
 * lies within the octets, and can be written and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rendezvous/passing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void inside(struct slice part, struct slice whole)
{
	expect(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void look_up(const struct passed_up *up, struct slice octets)
{
	uint8_t head[PASSING_HEAD_MAX];
	struct passed_down down;
	struct passed_up again;
	struct slice at;

	inside(up->frame, octets);
	if (passing_write_up(up, head, &at))
		return; /* longer than a head of ours */
	expect(passing_read(at, &again, &down) == PASSING_UP);
	expect(again.connection == up->connection && again.frame.n == 0);
	expect(strcmp(again.from, up->from) == 0 && strcmp(again.account, up->account) == 0 &&
	       strcmp(again.uri, up->uri) == 0);
}

static void look_down(const struct passed_down *down, struct slice octets)
{
	uint8_t head[PASSING_HEAD_MAX];
	struct passed_down again;
	struct passed_up up;
	struct slice at;

	inside(down->frame, octets);
	inside(down->session_id, octets);
	inside(down->post_answered, octets);
	if (passing_write_down(down, head, &at))
		return;
	expect(passing_read(at, &up, &again) == PASSING_DOWN);
	expect(again.connection == down->connection && again.session_over == down->session_over &&
	       again.lost == down->lost && again.request_answered == down->request_answered);
	expect(slice_eq(again.session_id, down->session_id) &&
	       slice_eq(again.post_answered, down->post_answered));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice octets = slice_of(data, size);
	struct passed_down down;
	struct passed_up up;

	switch (passing_read(octets, &up, &down)) {
	case PASSING_UP:
		look_up(&up, octets);
		break;
	case PASSING_DOWN:
		look_down(&down, octets);
		break;
	case PASSING_BAD:
		break;
	}
	return 0;
}
