/* fuzz_store.c - what a Redis answers to the store's commands: any reply of its protocol, of
 * any shape, to any command.
 *
 * Input: steps.  An octet below 128 is a command of the store; from 128 on Redis gets to
 * answer what it was sent so far.  Each answer is made of further octets, down to arrays in
 * arrays; a step may also ask for the answer that is right, or hang up.  The replies are
 * well-formed: taking octets apart is hiredis's.
 *
 * Whatever comes: each command ends once, with a known outcome; items have a number, a
 * sender and an id; parts and fields are told with what they were asked for.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "rendezvous/store_priv.h"
#include "tests/fuzz/place.h"
#include "tests/fuzz/quiet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 100, NESTING = 4, ELEMENTS = 12, REPLY_MAX = 32768, HEARD_MAX = 65536 };
enum { PART_FROM = 3, PART_COUNT = 5 };

struct scene {
	struct event_base *base;
	struct store *store;
	int listening, fd; /* Redis's; fd -1: not connected */
	unsigned commands; /* that it was sent and has not answered */
	unsigned asked, ended;
	uint32_t next_part;
	uint8_t heard[HEARD_MAX];
	size_t heard_n;
};

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* ---- who waits for answers ---- */

static void on_done(void *arg, int err, uint64_t number)
{
	struct scene *s = arg;

	expect(err == 0 || err == -ENOSPC || err == -EPIPE || err == -EIO);
	expect(err == 0 || number == 0);
	expect(++s->ended <= s->asked);
}

static void on_item(void *arg, const struct store_item *item)
{
	uint8_t octets[STORE_HEAD_MAX], post[REPLY_MAX];
	struct slice head;

	(void)arg;
	expect(item->number != 0 && item->sender.n > 0 && item->id.n == 16);
	/* What is read can be written, unless a text is longer than any of ours. */
	if (item->sender.n + item->account.n + item->channel.n < STORE_HEAD_MAX - 64)
		expect(store_write_head(item, octets, &head) == 0);
	expect(item->post.n <= sizeof(post));
	if (item->post.n)
		memcpy(post, item->post.p, item->post.n); /* it is there */
}

static void on_part(void *arg, uint32_t index, struct slice frame)
{
	struct scene *s = arg;

	expect(index == s->next_part || index == PART_FROM);
	s->next_part = index + 1;
	expect(frame.n == 0 || frame.p != NULL);
}

static void on_field(void *arg, const char *what, const char *account, const char *uri,
		     const char *value)
{
	(void)arg;
	expect(strcmp(what, "post") == 0 && strcmp(account, "acme") == 0);
	expect(strlen(uri) + strlen(value) < REPLY_MAX);
}

static void on_up(void *arg, uint64_t epoch)
{
	(void)arg;
	(void)epoch;
}

static void on_down(void *arg)
{
	struct scene *s = arg;

	expect(s->ended == s->asked); /* nobody waits for a Redis that is gone */
}

static const struct store_ops ops = { on_up, on_down };

static void command(struct scene *s, unsigned kind)
{
	const struct slice uri = slice_str("tel:+1");
	const uint8_t id[16] = { 1 };
	const struct store_item item = { .sender = slice_str("tel:+2"),
					 .id = slice_of(id, sizeof(id)),
					 .account = slice_str("acme"),
					 .kind = 1,
					 .parts = 1,
					 .post = slice_str("post") };
	const struct store_page page = { .count = 10 };
	int err = 0;

	s->asked++;
	switch (kind % 9) {
	case 0:
		err = store_add(s->store, uri, &item, 1800000000, on_done, s);
		break;
	case 1:
		err = store_read(s->store, uri, &page, on_item, on_done, s);
		break;
	case 2:
		err = store_part_add(s->store, uri, "ab", uri, on_done, s);
		break;
	case 3:
		err = store_part_read(s->store, uri, "ab", PART_FROM, PART_COUNT, on_part, on_done,
				      s);
		break;
	case 4:
		err = store_read_hash(s->store, "post", "acme", on_field, on_done, s);
		break;
	case 5:
		err = store_read_field(s->store, "post", "acme", "tel:+1", on_field, on_done, s);
		break;
	case 6:
		err = store_set_field(s->store, "post", "acme", "tel:+1", "7", on_done, s);
		break;
	case 7:
		err = store_barrier(s->store, on_done, s);
		break;
	default:
		s->asked--;
		store_delete(s->store, uri, 5);
		store_count(s->store, "post", "acme", "tel:+1", 1);
		return;
	}
	if (err)
		s->asked--;
}

/* ---- Redis ---- */

static void put_text(struct buf *b, char kind, struct slice text)
{
	buf_put_char(b, kind);
	for (size_t i = 0; i < text.n; i++) /* a line ends where it ends */
		buf_put_char(b, text.p[i] == '\r' || text.p[i] == '\n' ? '.' : (char)text.p[i]);
	buf_put_str(b, "\r\n");
}

static void put_bulk(struct buf *b, struct slice octets)
{
	buf_printf(b, "$%zu\r\n", octets.n);
	buf_put_slice(b, octets);
	buf_put_str(b, "\r\n");
}

/* One message, or some of them as one entry holds them, as many as it says, or nearly. */
static void put_messages(struct buf *b, struct cursor *c, struct slice message)
{
	uint8_t octets[4 * (STORE_HEAD_MAX + 4) + 2], said = cursor_u8(c);
	struct buf pack = BUF_OF(octets);

	if (said % 8 < 4) {
		put_bulk(b, message);
		return;
	}
	buf_put_u8(&pack, STORE_PACK_VERSION);
	buf_put_u8(&pack, said % 32 == 5 ? said : said % 4 + 1);
	for (unsigned i = 0; i <= said % 4 && message.n < STORE_HEAD_MAX; i++) {
		buf_put_u32(&pack, (uint32_t)message.n + (said == 7));
		buf_put_slice(&pack, message);
	}
	put_bulk(b, buf_slice(&pack));
}

/* An entry of a stream whose message has a head as the store writes it. */
static void put_entry(struct buf *b, struct cursor *c)
{
	struct slice id = cursor_take(c, 16), sender = cursor_take(c, cursor_u8(c) & 31);
	struct store_item item = { .sender = sender, .id = id, .account = slice_str("acme") };
	uint8_t octets[STORE_HEAD_MAX];
	struct slice head = { NULL, 0 };

	item.kind = cursor_u8(c);
	item.parts = cursor_u8(c);
	if (id.n != 16 || store_write_head(&item, octets, &head))
		head = id;
	buf_printf(b, "*2\r\n$5\r\n170-%u\r\n*2\r\n$1\r\nm\r\n", cursor_u8(c) % 10);
	head = slice_of(head.p, head.n - (head.n ? cursor_u8(c) % head.n : 0));
	put_messages(b, c, head);
}

static void put_reply(struct buf *b, struct cursor *c, unsigned depth)
{
	static const char *const refusals[] = { "OOM command",  "MISCONF disk", "EXECABORT of",
						"LOADING data", "ERR",          "" };
	unsigned octet = cursor_u8(c), n = octet >> 4, how = octet & 15;

	switch (depth == NESTING ? how % 6 : how % 9) {
	case 0:
		put_text(b, '+', cursor_take(c, n));
		break;
	case 1:
		put_text(b, '-', slice_str(refusals[n % 6]));
		break;
	case 2:
		buf_printf(b, ":%u\r\n", cursor_u32(c));
		break;
	case 3:
		put_bulk(b, cursor_take(c, n * 3));
		break;
	case 4:
		buf_put_str(b, n & 1 ? "$-1\r\n" : "*-1\r\n");
		break;
	case 5:
		buf_put_str(b, "$5\r\n170-1\r\n"); /* XADD's */
		break;
	case 6:
		put_entry(b, c);
		break;
	default:
		n %= ELEMENTS + 1;
		buf_printf(b, "*%u\r\n", n);
		while (n-- > 0)
			put_reply(b, c, depth + 1);
	}
}

/* Commands begin with '*' in the first column; words are counted, so a text cannot be
 * taken for one. */
static unsigned count_commands(struct scene *s)
{
	size_t at = 0, end;
	unsigned commands = 0, words;

	while (at < s->heard_n && s->heard[at] == '*') {
		words = (unsigned)strtoul((const char *)s->heard + at + 1, NULL, 10);
		end = at + strcspn((const char *)s->heard + at, "\n") + 1;
		for (; words > 0 && end < s->heard_n; words--) {
			size_t n = strtoul((const char *)s->heard + end + 1, NULL, 10);

			end += strcspn((const char *)s->heard + end, "\n") + 1 + n + 2;
		}
		if (words || end > s->heard_n)
			break; /* the rest is on its way */
		at = end;
		commands++;
	}
	memmove(s->heard, s->heard + at, s->heard_n - at + 1);
	s->heard_n -= at;
	return commands;
}

static void turn(struct scene *s)
{
	ssize_t n;

	event_base_loop(s->base, EVLOOP_NONBLOCK);
	if (s->fd < 0) {
		s->fd = accept4(s->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		event_base_loop(s->base, EVLOOP_NONBLOCK);
	}
	if (s->fd < 0)
		return;
	while ((n = recv(s->fd, s->heard + s->heard_n, HEARD_MAX - 1 - s->heard_n, 0)) > 0)
		s->heard_n += (size_t)n;
	s->heard[s->heard_n] = '\0';
	s->commands += count_commands(s);
}

static void hang_up(struct scene *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->commands = 0;
	s->heard_n = 0;
	turn(s);
}

static void say(struct scene *s, struct slice octets)
{
	(void)!send(s->fd, octets.p, octets.n, MSG_NOSIGNAL);
}

/* To EXISTS and INFO, with which the store begins. */
static void open_well(struct scene *s)
{
	turn(s);
	say(s, slice_str(":0\r\n"));
	turn(s);
	turn(s);
	say(s, slice_str("$26\r\nx\r\nrun_id:0123456789abcdef\r\n"));
	s->commands = 0;
	turn(s);
}

static void answer_all(struct scene *s, struct cursor *c)
{
	static uint8_t octets[REPLY_MAX];

	for (turn(s); s->commands > 0 && c->left > 0; s->commands--) {
		struct buf b = buf_over(octets, sizeof(octets));

		put_reply(&b, c, 0);
		if (!buf_ok(&b) || s->fd < 0)
			return hang_up(s);
		say(s, buf_slice(&b));
	}
	turn(s);
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	expect(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	expect(listen(fd, 4) == 0);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scene s; /* too large for a stack */
	struct cursor c = cursor_of(slice_of(data, size));
	char path[96];

	quiet();
	snprintf(path, sizeof(path), "%s/redis.sock", place());
	s = (struct scene){ .base = event_base_new(), .listening = listen_at(path), .fd = -1 };
	expect(s.base != NULL);
	s.store = store_new(s.base, place(), "redis", &ops, &s);
	expect(s.store != NULL);
	if (size > 0 && data[0] != 255)
		open_well(&s);
	for (int i = 0; i < STEPS && c.left > 0; i++) {
		unsigned what = cursor_u8(&c);

		if (what < 128)
			command(&s, what);
		else if (what < 250)
			answer_all(&s, &c);
		else
			hang_up(&s);
	}
	turn(&s);
	store_free(&s.store);
	expect(s.ended == s.asked);
	if (s.fd >= 0)
		close(s.fd);
	close(s.listening);
	unlink(path);
	event_base_free(s.base);
	return 0;
}
