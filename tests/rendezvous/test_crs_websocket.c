/* A real crs under a raw client: RFC 6455's rules on framing, control frames, UTF-8 and close
 * codes, a row each.  A row is sent twice, in one piece and octet by octet, and what is heard
 * until the answer to a last ping, or until the connection ends, is written down. */
#include "tests/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/rendezvous/raw.h"
#include "tests/rendezvous/cast.h"
#include "tests/rendezvous/scene.h"
#include "umsg/frame.h"
#include "umsg/upgrade.h"

enum {
	SMALL = 400, /* octets that are worth to be sent one by one */
	PADDED = 70000,
};

/* ---- what is sent ---- */

/* How a frame is written, beside its first octet. */
enum form {
	PLAIN,   /* masked, the length in the fewest octets */
	LONG16,  /* two octets of length, though one is enough */
	LONG64,  /* eight */
	HUGE_N,  /* 2^63 octets, and none of them follows */
	OPEN,    /* not masked */
	NO_MASK, /* masked with zeros */
};

struct sent {
	uint8_t first;       /* FIN, reserved bits, opcode; 0 and no payload: no frame */
	const char *payload; /* NULL: octets at to end of a good request */
	size_t n, at;
	enum form form;
};

enum { REST = 9999 }; /* n: to the end of the request */

/* A frame of ours that is answered in any state: by an error, as nobody is registered. */
static struct slice request(void)
{
	static uint8_t octets[64];
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Fetch fetch = UMSG__FETCH__INIT;
	uint8_t *made = NULL;
	size_t n = 0;

	frame.request = 7;
	frame.from = frame_text(RAW_URI);
	frame.body_case = UMSG__FRAME__BODY_FETCH;
	frame.fetch = &fetch;
	assert_int_equal(frame_encode(&frame, &made, &n), 0);
	assert_true(n <= sizeof(octets));
	memcpy(octets, made, n);
	free(made);
	return slice_of(octets, n);
}

static struct slice payload_of(const struct sent *sent)
{
	struct slice all;

	if (sent->payload)
		return slice_of(sent->payload, sent->n);
	all = slice_from(request(), sent->at);
	return slice_of(all.p, sent->n < all.n ? sent->n : all.n);
}

/* Writes the header's length; returns its octets. */
static size_t put_length(uint8_t *out, size_t n, enum form form)
{
	unsigned octets = form == LONG64 || form == HUGE_N || n > UINT16_MAX ? 8 : 2;

	if (form != LONG16 && octets == 2 && n < 126) {
		out[0] = (uint8_t)n;
		return 1;
	}
	out[0] = octets == 8 ? 127 : 126;
	for (unsigned i = 0; i < octets; i++)
		out[1 + i] = (uint8_t)((uint64_t)n >> (8 * (octets - 1 - i)));
	if (form == HUGE_N)
		out[1] = 0x80;
	return 1 + octets;
}

/* Writes a frame as it stands on the wire; returns its octets. */
static size_t put_frame(uint8_t *out, uint8_t first, struct slice payload, enum form form)
{
	static const uint8_t masks[2][4] = { { 0x5a, 0x00, 0xff, 0x13 }, { 0 } };
	const uint8_t *mask = masks[form == NO_MASK];
	size_t n = 1;

	out[0] = first;
	n += put_length(out + n, payload.n, form);
	if (form == OPEN) {
		memcpy(out + n, payload.p, payload.n);
		return n + payload.n;
	}
	out[1] |= 0x80;
	memcpy(out + n, mask, 4);
	n += 4;
	for (size_t i = 0; i < payload.n; i++)
		out[n + i] = payload.p[i] ^ mask[i % 4];
	return n + payload.n;
}

static struct slice put_all(uint8_t *out, const struct sent *sent, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count && (sent[i].first || sent[i].payload || sent[i].n); i++)
		n += put_frame(out + n, sent[i].first, payload_of(&sent[i]), sent[i].form);
	return slice_of(out, n);
}

/* ---- the table ---- */

#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN

enum { MESSAGES = 4 };

static const struct {
	const char *what;
	const char *heard; /* "message": the error that answers a good request */
	struct sent sent[MESSAGES];
} rows[] = {
	/* framing, 5.2 and 5.4 */
	{ "a message", "message; ", { { 0x82, NULL, REST, 0, PLAIN } } },
	{ "a mask of zeros", "message; ", { { 0x82, NULL, REST, 0, NO_MASK } } },
	{ "two fragments",
	  "message; ",
	  { { 0x02, NULL, 5, 0, PLAIN }, { 0x80, NULL, REST, 5, PLAIN } } },
	{ "empty fragments",
	  "message; ",
	  { { 0x02, NULL, 0, 0, PLAIN },
	    { 0x00, "", 0, 0, NO_MASK },
	    { 0x00, NULL, 9, 0, PLAIN },
	    { 0x80, NULL, REST, 9, PLAIN } } },
	{ "a ping between fragments",
	  "pong Hello; message; ",
	  { { 0x02, NULL, 5, 0, PLAIN },
	    { 0x89, "Hello", 5, 0, PLAIN },
	    { 0x80, NULL, REST, 5, PLAIN } } },
	{ "a pong between fragments",
	  "message; ",
	  { { 0x02, NULL, 5, 0, PLAIN },
	    { 0x8a, "Hello", 5, 0, PLAIN },
	    { 0x80, NULL, REST, 5, PLAIN } } },
	{ "a close between fragments",
	  "close 1000; ",
	  { { 0x02, NULL, 5, 0, PLAIN }, { 0x88, "\x03\xe8", 2, 0, PLAIN } } },
	{ "a second message before the end of the first",
	  "close 1002; ",
	  { { 0x02, NULL, 5, 0, PLAIN }, { 0x82, NULL, REST, 0, PLAIN } } },
	{ "text before the end of the first",
	  "close 1003; ",
	  { { 0x02, NULL, 5, 0, PLAIN }, { 0x81, "a", 1, 0, PLAIN } } },
	{ "a last fragment of nothing", "close 1002; ", { { 0x80, NULL, REST, 0, PLAIN } } },
	{ "a fragment of nothing", "close 1002; ", { { 0x00, "x", 1, 0, PLAIN } } },
	{ "a fragment behind the last one",
	  "message; close 1002; ",
	  { { 0x02, NULL, 5, 0, PLAIN },
	    { 0x80, NULL, REST, 5, PLAIN },
	    { 0x80, "x", 1, 0, PLAIN } } },
	{ "reserved bit 1", "close 1002; ", { { 0xc2, NULL, REST, 0, PLAIN } } },
	{ "reserved bit 2", "close 1002; ", { { 0xa2, NULL, REST, 0, PLAIN } } },
	{ "reserved bit 3", "close 1002; ", { { 0x92, NULL, REST, 0, PLAIN } } },
	{ "all reserved bits", "close 1002; ", { { 0xf2, NULL, REST, 0, PLAIN } } },
	{ "a reserved bit in a ping", "close 1002; ", { { 0xc9, "Hello", 5, 0, PLAIN } } },
	{ "a reserved bit in a close", "close 1002; ", { { 0xa8, "\x03\xe8", 2, 0, PLAIN } } },
	{ "a reserved bit behind a good ping",
	  "pong Hello; close 1002; ",
	  { { 0x89, "Hello", 5, 0, PLAIN }, { 0xd2, NULL, REST, 0, PLAIN } } },
	{ "opcode 3", "close 1002; ", { { 0x83, "", 0, 0, PLAIN } } },
	{ "opcode 4", "close 1002; ", { { 0x84, "x", 1, 0, PLAIN } } },
	{ "opcode 5", "close 1002; ", { { 0x85, "x", 1, 0, PLAIN } } },
	{ "opcode 6", "close 1002; ", { { 0x86, "x", 1, 0, PLAIN } } },
	{ "opcode 7", "close 1002; ", { { 0x87, "x", 1, 0, PLAIN } } },
	{ "opcode 11", "close 1002; ", { { 0x8b, "", 0, 0, PLAIN } } },
	{ "opcode 12", "close 1002; ", { { 0x8c, "x", 1, 0, PLAIN } } },
	{ "opcode 13", "close 1002; ", { { 0x8d, "x", 1, 0, PLAIN } } },
	{ "opcode 14", "close 1002; ", { { 0x8e, "x", 1, 0, PLAIN } } },
	{ "opcode 15", "close 1002; ", { { 0x8f, "x", 1, 0, PLAIN } } },
	{ "no mask", "close 1002; ", { { 0x82, NULL, REST, 0, OPEN } } },
	{ "a ping without a mask", "close 1002; ", { { 0x89, "Hello", 5, 0, OPEN } } },
	{ "a close without a mask", "close 1002; ", { { 0x88, "\x03\xe8", 2, 0, OPEN } } },
	{ "two octets of length for few", "close 1002; ", { { 0x82, NULL, REST, 0, LONG16 } } },
	{ "eight octets of length for few", "close 1002; ", { { 0x82, NULL, REST, 0, LONG64 } } },
	{ "two octets of length for a ping's",
	  "close 1002; ",
	  { { 0x89, "Hello", 5, 0, LONG16 } } },
	{ "a length of 2^63", "close 1002; ", { { 0x82, "", 0, 0, HUGE_N } } },
	{ "a control frame of 2^63", "close 1002; ", { { 0x89, "", 0, 0, HUGE_N } } },
	/* control frames, 5.5 */
	{ "a ping of nothing", "pong ; ", { { 0x89, "", 0, 0, PLAIN } } },
	{ "a ping with a mask of zeros", "pong Hello; ", { { 0x89, "Hello", 5, 0, NO_MASK } } },
	{ "pings in a row",
	  "pong a; pong b; pong c; pong d; ",
	  { { 0x89, "a", 1, 0, PLAIN },
	    { 0x89, "b", 1, 0, PLAIN },
	    { 0x89, "c", 1, 0, PLAIN },
	    { 0x89, "d", 1, 0, PLAIN } } },
	{ "a ping of other octets",
	  "pong \xff\xfe\xfd; ",
	  { { 0x89, "\xff\xfe\xfd", 3, 0, PLAIN } } },
	{ "a ping of 125 octets",
	  "pong " FIFTY FIFTY TEN TEN "01234; ",
	  { { 0x89, FIFTY FIFTY TEN TEN "01234", 125, 0, PLAIN } } },
	{ "a ping of 126 octets",
	  "close 1002; ",
	  { { 0x89, FIFTY FIFTY TEN TEN "012345", 126, 0, PLAIN } } },
	{ "a pong of 126 octets",
	  "close 1002; ",
	  { { 0x8a, FIFTY FIFTY TEN TEN "012345", 126, 0, PLAIN } } },
	{ "a pong nobody asked for", "", { { 0x8a, "", 0, 0, PLAIN } } },
	{ "pongs nobody asked for",
	  "pong Hello; ",
	  { { 0x8a, "x", 1, 0, PLAIN },
	    { 0x8a, "y", 1, 0, PLAIN },
	    { 0x89, "Hello", 5, 0, PLAIN } } },
	{ "a ping in fragments",
	  "close 1002; ",
	  { { 0x09, "Hel", 3, 0, PLAIN }, { 0x80, "lo", 2, 0, PLAIN } } },
	{ "a pong in fragments",
	  "close 1002; ",
	  { { 0x0a, "Hel", 3, 0, PLAIN }, { 0x80, "lo", 2, 0, PLAIN } } },
	{ "a close in fragments",
	  "close 1002; ",
	  { { 0x08, "\x03", 1, 0, PLAIN }, { 0x80, "\xe8", 1, 0, PLAIN } } },
	/* text, which the protocol has none of: 1003 whatever it holds, 7.4.1 */
	{ "text", "close 1003; ", { { 0x81, "Hello", 5, 0, PLAIN } } },
	{ "text of nothing", "close 1003; ", { { 0x81, "", 0, 0, PLAIN } } },
	{ "text that is no UTF-8", "close 1003; ", { { 0x81, "\xc0\xaf", 2, 0, PLAIN } } },
	{ "text in fragments",
	  "close 1003; ",
	  { { 0x01, "\xc3", 1, 0, PLAIN }, { 0x80, "\xa4", 1, 0, PLAIN } } },
	/* closing, 5.5.1 and 7 */
	{ "a close without a code", "close; ", { { 0x88, "", 0, 0, PLAIN } } },
	{ "half a close code", "close 1002; ", { { 0x88, "\x03", 1, 0, PLAIN } } },
	{ "a reason",
	  "close 1000; ",
	  { { 0x88,
	      "\x03\xe8"
	      "bye",
	      5, 0, PLAIN } } },
	{ "a reason of other letters",
	  "close 1000; ",
	  { { 0x88, "\x03\xe8\xc3\xa4\xf0\x9f\x98\x80", 8, 0, PLAIN } } },
	{ "a reason of 123 octets",
	  "close 1000; ",
	  { { 0x88, "\x03\xe8" FIFTY FIFTY TEN TEN "012", 125, 0, PLAIN } } },
	{ "a reason of 124 octets",
	  "close 1002; ",
	  { { 0x88, "\x03\xe8" FIFTY FIFTY TEN TEN "0123", 126, 0, PLAIN } } },
	{ "a reason that is no UTF-8",
	  "close 1007; ",
	  { { 0x88, "\x03\xe8\xce\xba\xff", 5, 0, PLAIN } } },
	{ "a reason cut in a letter",
	  "close 1007; ",
	  { { 0x88, "\x03\xe8\xf0\x9f\x98", 5, 0, PLAIN } } },
	{ "a reason with a surrogate",
	  "close 1007; ",
	  { { 0x88, "\x03\xe8\xed\xa0\x80", 5, 0, PLAIN } } },
	{ "a reason in overlong form",
	  "close 1007; ",
	  { { 0x88, "\x03\xe8\xc0\xaf", 4, 0, PLAIN } } },
	{ "a reason above U+10FFFF",
	  "close 1007; ",
	  { { 0x88, "\x03\xe8\xf4\x90\x80\x80", 6, 0, PLAIN } } },
	{ "a ping behind a close",
	  "close 1000; ",
	  { { 0x88, "\x03\xe8", 2, 0, PLAIN }, { 0x89, "Hello", 5, 0, PLAIN } } },
	{ "a message behind a close",
	  "close 1000; ",
	  { { 0x88, "\x03\xe8", 2, 0, PLAIN }, { 0x82, NULL, REST, 0, PLAIN } } },
	{ "two closes",
	  "close 1000; ",
	  { { 0x88, "\x03\xe8", 2, 0, PLAIN }, { 0x88, "\x03\xe9", 2, 0, PLAIN } } },
	{ "a message, then a close",
	  "message; close 1001; ",
	  { { 0x82, NULL, REST, 0, PLAIN }, { 0x88, "\x03\xe9", 2, 0, PLAIN } } },
};

static int open_scene(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	*state = scene;
	scene_open(scene, "");
	scene_start(scene);
	scene_note_workers(scene);
	return 0;
}

static void play(const struct scene *scene, struct slice octets, bool one_by_one, struct raw *raw)
{
	uint8_t ping[16];

	raw_open(raw, scene);
	raw_upgrade(raw);
	raw_say(raw, octets, one_by_one);
	rude_link_say(&raw->link, slice_of(ping, put_frame(ping, 0x89, slice_str("end"), PLAIN)));
	raw_listen(raw);
	rude_link_close(&raw->link);
}

static void every_rule_of_rfc_6455_is_kept(void **state)
{
	static uint8_t octets[SMALL * 2];
	static struct raw raw;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice all = put_all(octets, rows[i].sent, MESSAGES);

		for (int one_by_one = 0; one_by_one < 2; one_by_one++) {
			play(*state, all, one_by_one && all.n <= SMALL, &raw);
			if (strcmp(raw.heard, rows[i].heard) != 0)
				fail_msg("%s%s: heard \"%s\", not \"%s\"", rows[i].what,
					 one_by_one ? ", octet by octet" : "", raw.heard,
					 rows[i].heard);
		}
	}
}

/* RFC 6455 7.4: which codes a close frame may have. */
static void a_close_code_is_answered_or_refused(void **state)
{
	static const struct {
		unsigned code;
		bool good;
	} codes[] = {
		{ 0, false },     { 999, false },  { 1000, true },  { 1001, true },
		{ 1002, true },   { 1003, true },  { 1004, false }, { 1005, false },
		{ 1006, false },  { 1007, true },  { 1008, true },  { 1009, true },
		{ 1010, true },   { 1011, true },  { 1015, false }, { 1016, false },
		{ 1100, false },  { 2000, false }, { 2999, false }, { 3000, true },
		{ 3999, true },   { 4000, true },  { 4999, true },  { 5000, false },
		{ 65535, false },
	};
	static struct raw raw;

	for (size_t i = 0; i < COUNT(codes); i++) {
		const uint8_t code[] = { (uint8_t)(codes[i].code >> 8), (uint8_t)codes[i].code };
		char wanted[32];
		uint8_t octets[16];

		snprintf(wanted, sizeof(wanted), "close %u; ",
			 codes[i].good ? codes[i].code : 1002);
		play(*state, slice_of(octets, put_frame(octets, 0x88, slice_of(code, 2), PLAIN)),
		     false, &raw);
		if (strcmp(raw.heard, wanted) != 0)
			fail_msg("code %u: heard \"%s\"", codes[i].code, raw.heard);
	}
}

/* A request with a field that nobody knows, so that the whole has n octets. */
static struct slice padded(size_t n)
{
	static uint8_t octets[PADDED];
	struct slice good = request();
	size_t left = n - good.n, head = left - 3 < 128 ? 3 : left - 4 < 16384 ? 4 : 5;
	size_t value = left - head;

	memset(octets, 'x', n);
	memcpy(octets, good.p, good.n);
	octets[good.n] = 0xfa; /* field 2047, of length and octets */
	octets[good.n + 1] = 0x7f;
	for (size_t i = 2; i < head; i++, value >>= 7)
		octets[good.n + i] = (uint8_t)((value & 0x7f) | (i + 1 < head ? 0x80 : 0));
	return slice_of(octets, n);
}

/* Lengths around each way of writing them, up to the largest frame and one more. */
static void messages_of_every_kind_of_length_are_read(void **state)
{
	static const struct {
		size_t n;
		const char *heard;
	} sizes[] = {
		{ 125, "message; " },      { 126, "message; " },   { 127, "message; " },
		{ 128, "message; " },      { 16383, "message; " }, { 16384, "message; " },
		{ 16385, "message; " },    { 65535, "message; " }, { 65536, "message; " },
		{ 65537, "close 1009; " },
	};
	static uint8_t octets[PADDED + 64];
	static struct raw raw;

	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct slice whole = padded(sizes[i].n);
		size_t half = whole.n / 2, n;

		play(*state, slice_of(octets, put_frame(octets, 0x82, whole, PLAIN)), false, &raw);
		assert_string_equal(raw.heard, sizes[i].heard);
		n = put_frame(octets, 0x02, slice_of(whole.p, half), PLAIN);
		n += put_frame(octets + n, 0x80, slice_from(whole, half), PLAIN);
		play(*state, slice_of(octets, n), false, &raw);
		assert_string_equal(raw.heard, sizes[i].heard);
	}
}

/* RFC 6455 7.1.1: the server ends TCP, also for a client that does not answer its close. */
static void the_server_ends_the_connection_first(void **state)
{
	static struct raw raw;
	uint8_t octets[16];
	size_t n = put_frame(octets, 0x83, slice_str(""), PLAIN);

	raw_open(&raw, *state);
	raw_upgrade(&raw);
	assert_int_equal(rude_link_say(&raw.link, slice_of(octets, n)), 0);
	raw_listen(&raw);
	assert_string_equal(raw.heard, "close 1002; ");
	raw_listen(&raw);
	assert_string_equal(raw.heard, "close 1002; gone; ");
	/* TLS has ended in order, and then TCP. */
	assert_int_equal(SSL_get_shutdown(raw.link.ssl) & SSL_RECEIVED_SHUTDOWN,
			 SSL_RECEIVED_SHUTDOWN);
	assert_int_equal(recv(raw.link.peer.fd, octets, sizeof(octets), 0), 0);
	rude_link_close(&raw.link);
}

#define HOST "Host: a\r\n"
#define GOOD                                                                                       \
	"Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"   \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define OURS "Sec-WebSocket-Protocol: chat, umsg.1\r\n"

/* RFC 6455 4.2: what an opening handshake must have. */
static void an_opening_handshake_has_all_its_parts(void **state)
{
	static const struct {
		int status;
		const char *head;
	} heads[] = {
		{ 101, "GET / HTTP/1.1\r\n" HOST GOOD OURS "\r\n" },
		{ 101, "GET / HTTP/1.1\r\nHOST: a\r\nX-Other: 1\r\n" GOOD OURS
		       "Origin: http://x\r\n\r\n" },
		{ 101, "GET / HTTP/1.1\r\n" HOST GOOD OURS
		       "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\n" GOOD OURS "\r\n" },
		{ 400, "GET / HTTP/1.1\r\n" HOST HOST GOOD OURS "\r\n" },
		{ 400, "GET / HTTP/1.1\r\n" HOST GOOD "\r\n" },
		{ 400, "GET / HTTP/1.1\r\n" HOST GOOD "Sec-WebSocket-Protocol: umsg.2\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\n" HOST GOOD OURS
		       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\n" HOST GOOD OURS "Content-Length: 5\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\n" HOST GOOD OURS "Folded: a\r\n b\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\nHost: a\n\r\n\r\n" },
		{ 400, "nonsense\r\n\r\n" },
		{ 404, "GET /chat HTTP/1.1\r\n" HOST GOOD OURS "\r\n" },
		{ 405, "POST / HTTP/1.1\r\n" HOST GOOD OURS "\r\n" },
		{ 426, "GET / HTTP/1.1\r\n" HOST OURS "\r\n" },
		{ 505, "GET / HTTP/1.0\r\n" HOST GOOD OURS "\r\n" },
	};
	static struct raw raw;

	for (size_t i = 0; i < COUNT(heads); i++) {
		int status;

		raw_open(&raw, *state);
		raw_say(&raw, slice_str(heads[i].head), i % 2);
		status = rude_link_head(&raw.link);
		if (status != heads[i].status)
			fail_msg("%d and not %d for\n%s", status, heads[i].status, heads[i].head);
		if (status != 101)
			assert_string_equal(rude_link_hear(&raw.link), "end");
		rude_link_close(&raw.link);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_opening_handshake_has_all_its_parts),
		cmocka_unit_test(every_rule_of_rfc_6455_is_kept),
		cmocka_unit_test(a_close_code_is_answered_or_refused),
		cmocka_unit_test(messages_of_every_kind_of_length_are_read),
		cmocka_unit_test(the_server_ends_the_connection_first),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, open_scene, cast_close_unharmed);
}
