/* passing.c - writing and reading the heads of frames between a holder and a home.
 *
 * A head is the kind (1 octet) and the members of the struct in their order: numbers big-endian,
 * texts and ids behind a length of 2 octets. The frame has no length: it goes on to the end of
 * the message.
 */
#include "rendezvous/passing.h"

#include <errno.h>

#include "base/buf.h"
#include "base/cursor.h"

/* With its NUL, so that the reader can use it where it lies. */
static void put_text(struct buf *b, const char *text)
{
	buf_put_l16(b, slice_of(text, strlen(text) + 1));
}

static int head_of(const struct buf *b, struct slice *head_out)
{
	*head_out = buf_slice(b);
	return buf_ok(b) ? 0 : -EMSGSIZE;
}

int passing_write_up(const struct passed_up *up, uint8_t head[PASSING_HEAD_MAX],
		     struct slice *head_out)
{
	struct buf b = buf_over(head, PASSING_HEAD_MAX);

	buf_put_u8(&b, PASSING_UP);
	buf_put_u64(&b, up->connection);
	put_text(&b, up->from);
	put_text(&b, up->account);
	put_text(&b, up->uri);
	return head_of(&b, head_out);
}

/* The flags of a passed_down. */
enum { SESSION_OVER = 1, ANSWER_LOST = 2, REQUEST_ANSWERED = 4 };

int passing_write_down(const struct passed_down *down, uint8_t head[PASSING_HEAD_MAX],
		       struct slice *head_out)
{
	struct buf b = buf_over(head, PASSING_HEAD_MAX);

	buf_put_u8(&b, PASSING_DOWN);
	buf_put_u64(&b, down->connection);
	buf_put_u8(&b, (uint8_t)((down->session_over ? SESSION_OVER : 0) |
				 (down->lost ? ANSWER_LOST : 0) |
				 (down->request_answered ? REQUEST_ANSWERED : 0)));
	/* Few frames have it: messages and signals of calls answer nobody. */
	if (down->request_answered)
		buf_put_u64(&b, down->request_answered);
	buf_put_l16(&b, down->session_id);
	buf_put_l16(&b, down->post_answered);
	return head_of(&b, head_out);
}

static const char *take_text(struct cursor *c)
{
	struct slice text = cursor_l16(c);

	/* It is used as a C string where it lies. */
	if (text.n == 0 || text.p[text.n - 1] != '\0')
		c->bad = true;
	return c->bad ? "" : (const char *)text.p;
}

enum passing passing_read(struct slice octets, struct passed_up *up, struct passed_down *down)
{
	struct cursor c = cursor_of(octets);
	uint8_t kind = cursor_u8(&c), flags;

	if (kind == PASSING_UP) {
		up->connection = cursor_u64(&c);
		up->from = take_text(&c);
		up->account = take_text(&c);
		up->uri = take_text(&c);
		up->frame = slice_of(c.p, c.left);
	} else if (kind == PASSING_DOWN) {
		down->connection = cursor_u64(&c);
		flags = cursor_u8(&c);
		down->session_over = flags & SESSION_OVER;
		down->lost = flags & ANSWER_LOST;
		down->request_answered = flags & REQUEST_ANSWERED ? cursor_u64(&c) : 0;
		down->session_id = cursor_l16(&c);
		down->post_answered = cursor_l16(&c);
		down->frame = slice_of(c.p, c.left);
	} else {
		return PASSING_BAD;
	}
	return cursor_ok(&c) ? (enum passing)kind : PASSING_BAD;
}
