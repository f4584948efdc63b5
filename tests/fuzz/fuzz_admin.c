/* fuzz_admin.c - frames of a remote administrator who has authenticated and obeys no other
 * rule, to the worker that holds his connection (holder_admin.c), between them what the
 * supervisor answers.
 *
 * Input: steps of an octet and what it needs.
 *   0  a frame as it is: length (2 octets), octets
 *   1  a request of a known shape: action, offset, how much data, last or not
 *   2  the supervisor's answer: octets of a message, whatever it is
 *   3  its answer in good form: error, how much data, more or not
 *   4  time passes
 *   5  the supervisor goes, or is back
 *   6  the connection ends, another one begins
 * Whatever comes: what he is sent are frames that cra accepts; the supervisor is asked in his
 * name, one thing at a time, and what it is to apply is there, as long as what was sent (it may
 * also be asked whether that may come, without a file); when the connection is gone, so is the
 * file.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "tests/fuzz/fake_clock.h"
#include "tests/fuzz/fake_link.h"
#include "tests/fuzz/fake_worker.h"
#include "tests/fuzz/place.h"
#include "tests/fuzz/quiet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 200, KINDS = 7 };

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void check_sent(void *arg, struct link *link, struct slice octets)
{
	Umsg__Frame *frame;

	(void)arg;
	(void)link;
	expect(frame_decode(octets, FRAME_FROM_SERVER, &frame) == 0);
	expect(frame->body_case == UMSG__FRAME__BODY_ADMIN_ANSWER ||
	       frame->body_case == UMSG__FRAME__BODY_ERROR);
	frame_free(&frame);
}

static struct client *come(struct worker *worker)
{
	struct client *client = fake_worker_client(worker, "", "", 0);

	client->admin = fake_worker_copy(slice_str("bob"));
	expect(client->admin != NULL);
	return client;
}

/* A frame; what it makes the supervisor hear is his, and whole. */
static void hear(struct worker *worker, struct client *client, struct slice octets)
{
	bool waited = client->admin_waits;
	const CrsWorker__AdminAsk *ask;
	struct stat st;

	client_admin_frame(client, octets);
	if (!client->admin_waits || waited) {
		expect(client->admin_waits == waited);
		return;
	}
	expect(worker->told && worker->told->body_case == CRS_WORKER__CONTROL__BODY_ADMIN_ASK);
	ask = worker->told->admin_ask;
	expect(strcmp(ask->admin, "bob") == 0 && ask->connection == client_connection(client));
	if (ask->action != UMSG__ADMIN_ACTION__ADMIN_APPLY)
		expect(ask->path[0] == '\0');
	else if (ask->path[0])
		expect(stat(ask->path, &st) == 0 && st.st_size <= STEPS * FRAME_UPDATE_DATA);
}

static void say_shape(struct worker *worker, struct client *client, struct cursor *c)
{
	static uint8_t octets_of_any[FRAME_UPDATE_DATA];
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__AdminRequest request = UMSG__ADMIN_REQUEST__INIT;
	uint8_t *octets;
	size_t n;

	request.action = (Umsg__AdminAction)(cursor_u8(c) % 8);
	request.account = (char *)(uintptr_t) "acme";
	request.offset = cursor_u16(c);
	request.data = frame_data(slice_of(octets_of_any, cursor_u16(c) % FRAME_UPDATE_DATA));
	request.last = cursor_u8(c) & 1;
	frame.request = 7;
	frame.body_case = UMSG__FRAME__BODY_ADMIN_REQUEST;
	frame.admin_request = &request;
	if (frame_encode(&frame, &octets, &n))
		return;
	hear(worker, client, slice_of(octets, n));
	free(octets);
}

static void answer_octets(struct worker *worker, struct slice octets)
{
	CrsWorker__AdminReply *reply =
		crs_worker__admin_reply__unpack(NULL, octets.n, octets.p ? octets.p : (void *)"");

	if (!reply)
		return;
	/* The supervisor is ours: it names the error codes that frames have, and its texts and
	 * data fit into them. */
	if (reply->error <= UMSG__ERROR_CODE__ERROR_TOO_LARGE && reply->data.len <= 100)
		holder_admin_reply(worker->holder, reply);
	crs_worker__admin_reply__free_unpacked(reply, NULL);
}

static void answer(struct worker *worker, const struct client *client, struct cursor *c)
{
	static uint8_t text[100] = "{\"a\":1}";
	CrsWorker__AdminReply reply = CRS_WORKER__ADMIN_REPLY__INIT;

	reply.connection = client_connection(client) + (cursor_u8(c) & 1);
	reply.error = cursor_u8(c) % 3;
	reply.data = frame_data(slice_of(text, cursor_u8(c) % sizeof(text)));
	reply.more = cursor_u8(c) & 1;
	holder_admin_reply(worker->holder, &reply);
	if (reply.connection == client_connection(client) && !reply.more)
		expect(!client->admin_waits);
}

static void step(struct worker *worker, struct cursor *c)
{
	struct client *client = TAILQ_FIRST(&worker->holder->all);

	if (!client)
		client = come(worker);
	switch (cursor_u8(c) % KINDS) {
	case 0:
		hear(worker, client, cursor_l16(c));
		break;
	case 1:
		say_shape(worker, client, c);
		break;
	case 2:
		answer_octets(worker, cursor_l16(c));
		break;
	case 3:
		answer(worker, client, c);
		break;
	case 4:
		fake_clock_add_ms(cursor_u8(c) * 1000);
		break;
	case 5:
		worker->supervisor_up = !worker->supervisor_up;
		break;
	default:
		client_end(client, "gone");
	}
	fake_worker_run(worker);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_of(slice_of(data, size));
	struct worker *worker;
	struct client *client;

	quiet();
	fake_clock_reset();
	fake_link_on_sent(check_sent, NULL);
	worker = fake_worker_new();
	worker->setup.run_dir = (char *)(uintptr_t)place();
	worker->supervisor_up = true;
	for (int i = 0; i < STEPS && c.left > 0 && cursor_ok(&c); i++)
		step(worker, &c);
	while ((client = TAILQ_FIRST(&worker->holder->all)))
		client_end(client, "gone");
	expect(rmdir(place()) == 0 && mkdir(place(), 0700) == 0); /* no upload is left */
	fake_worker_free(&worker);
	return 0;
}
