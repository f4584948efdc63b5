#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "umsg/websocket.h"

enum { MAX = 65536 };

/* What a reader handed out. */
struct seen {
	unsigned messages, pings, pongs, closes, code;
	uint8_t last[MAX];
	size_t last_n;
	bool stop;
};

static bool note(void *arg, enum ws_kind kind, struct slice payload, unsigned code)
{
	struct seen *seen = arg;

	seen->messages += kind == WS_BINARY;
	seen->pings += kind == WS_PING;
	seen->pongs += kind == WS_PONG;
	seen->closes += kind == WS_CLOSE;
	seen->code = code;
	assert_true(payload.n <= sizeof(seen->last));
	if (payload.n)
		memcpy(seen->last, payload.p, payload.n);
	seen->last_n = payload.n;
	return !seen->stop;
}

struct fixture {
	struct ws_engine *engine;
	struct ws_reader reader;
	struct seen seen;
	unsigned code;
};

static struct fixture *begin(enum ws_role role)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->engine = ws_engine_new();
	assert_non_null(f->engine);
	ws_reader_init(&f->reader, role, MAX);
	return f;
}

static void end(struct fixture *f)
{
	ws_reader_done(&f->reader);
	ws_engine_free(&f->engine);
	free(f);
}

static int feed(struct fixture *f, const void *p, size_t n)
{
	return ws_read(f->engine, &f->reader, slice_of(p, n), note, &f->seen, &f->code);
}

static void what_one_end_writes_the_other_reads(void **state)
{
	static const size_t lengths[] = { 0, 1, 125, 126, 127, 4095, 4096, 4097, 65535, 65536 };
	static uint8_t body[MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 7);
	for (int role = WS_CLIENT; role <= WS_SERVER; role++) {
		struct fixture *f = begin(role == WS_CLIENT ? WS_SERVER : WS_CLIENT);

		for (size_t i = 0; i < COUNT(lengths); i++) {
			struct ws_out out = { 0 };

			assert_int_equal(ws_write(f->engine, (enum ws_role)role, WS_BINARY,
						  slice_of(body, lengths[i]), &out),
					 0);
			assert_int_equal(feed(f, out.p, out.n), 0);
			assert_int_equal(f->seen.messages, i + 1);
			assert_int_equal(f->seen.last_n, lengths[i]);
			assert_memory_equal(f->seen.last, body, lengths[i]);
			assert_false(ws_reader_busy(&f->reader));
			assert_null(f->reader.message.p); /* nothing is held while idle */
			ws_out_done(&out);
		}
		end(f);
	}
}

static void octets_may_come_one_by_one(void **state)
{
	struct fixture *f = begin(WS_SERVER);
	struct ws_out out = { 0 };
	uint8_t body[300] = { 9, 8, 7 };

	(void)state;
	assert_int_equal(
		ws_write(f->engine, WS_CLIENT, WS_BINARY, slice_of(body, sizeof(body)), &out), 0);
	assert_int_equal(ws_write(f->engine, WS_CLIENT, WS_PING, slice_str("now"), &out), 0);
	for (size_t i = 0; i < out.n; i++) {
		unsigned before = f->seen.messages + f->seen.pings;

		assert_int_equal(feed(f, out.p + i, 1), 0);
		/* busy until the octet that completes a message */
		assert_int_equal(ws_reader_busy(&f->reader),
				 f->seen.messages + f->seen.pings == before);
	}
	assert_int_equal(f->seen.messages, 1);
	assert_int_equal(f->seen.pings, 1);
	assert_false(ws_reader_busy(&f->reader));
	ws_out_done(&out);
	end(f);
}

/* wslay masked these; fragments of a message stand around a ping. */
static void octets_may_be_cut_anywhere(void **state)
{
	struct ws_out out = { 0 };
	struct fixture *writer = begin(WS_CLIENT);
	uint8_t body[200];

	(void)state;
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 11);
	for (size_t n = 0; n < sizeof(body); n += 33)
		assert_int_equal(
			ws_write(writer->engine, WS_CLIENT, WS_BINARY, slice_of(body, n), &out), 0);
	assert_int_equal(ws_out_put(&out, slice_of("\x02\x81\x01\x02\x03\x04\x60", 7)), 0);
	assert_int_equal(ws_write(writer->engine, WS_CLIENT, WS_PING, slice_str("now"), &out), 0);
	assert_int_equal(ws_out_put(&out, slice_of("\x80\x82\x01\x02\x03\x04\x63\x61", 8)), 0);
	for (size_t cut = 0; cut <= out.n; cut++) {
		struct fixture *f = begin(WS_SERVER);

		assert_int_equal(feed(f, out.p, cut), 0);
		assert_int_equal(feed(f, out.p + cut, out.n - cut), 0);
		assert_int_equal(f->seen.messages, 8);
		assert_int_equal(f->seen.pings, 1);
		assert_int_equal(f->seen.last_n, 3);
		assert_memory_equal(f->seen.last, "abc", 3);
		assert_false(ws_reader_busy(&f->reader));
		end(f);
	}
	ws_out_done(&out);
	end(writer);
}

/* The client's side of these: frames of a server are not masked. */
static const struct {
	const char *name;
	const char *octets;
	size_t n;
	int err;
	unsigned code; /* to close with, or that came */
	unsigned messages, closes;
} cases[] = {
	{ "empty message", "\x82\x00", 2, 0, 0, 1, 0 },
	{ "two fragments, a ping between",
	  "\x02\x01"
	  "a\x89\x00\x80\x01"
	  "b",
	  8, 0, 0, 1, 0 },
	{ "text", "\x81\x01x", 3, -EPROTO, WS_CODE_UNSUPPORTED, 0, 0 },
	{ "masked by a server", "\x82\x81\x01\x02\x03\x04z", 7, -EPROTO, WS_CODE_PROTOCOL, 0, 0 },
	{ "reserved bit", "\xc2\x01x", 3, -EPROTO, WS_CODE_PROTOCOL, 0, 0 },
	{ "unknown opcode", "\x83\x01x", 3, -EPROTO, WS_CODE_PROTOCOL, 0, 0 },
	{ "unknown control opcode", "\x8b\x01x", 3, -EPROTO, WS_CODE_PROTOCOL, 0, 0 },
	{ "continues nothing", "\x80\x01x", 3, -EPROTO, WS_CODE_PROTOCOL, 0, 0 },
	{ "begins within a message",
	  "\x02\x01"
	  "a\x82\x01"
	  "b",
	  6, -EPROTO, WS_CODE_PROTOCOL, 0, 0 },
	{ "2 octets of length for 125", "\x82\x7e\x00\x7d", 4, -EPROTO, WS_CODE_PROTOCOL, 0, 0 },
	{ "8 octets of length for 65,535", "\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", 10, -EPROTO,
	  WS_CODE_PROTOCOL, 0, 0 },
	{ "fragmented ping", "\x09\x00", 2, -EPROTO, WS_CODE_PROTOCOL, 0, 0 },
	{ "ping of 126 octets", "\x89\x7e\x00\x7e", 4, -EPROTO, WS_CODE_PROTOCOL, 0, 0 },
	{ "65,537 octets", "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x01x", 11, -EMSGSIZE,
	  WS_CODE_TOO_LARGE, 0, 0 },
	{ "2^63 octets", "\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00x", 11, -EPROTO, WS_CODE_PROTOCOL,
	  0, 0 },
	{ "close, 1000", "\x88\x02\x03\xe8", 4, 0, 1000, 0, 1 },
	{ "close without code", "\x88\x00", 2, 0, 1005, 0, 1 },
	{ "close of one octet", "\x88\x01\x03", 3, -EPROTO, WS_CODE_PROTOCOL, 0, 0 },
	{ "close with 1005", "\x88\x02\x03\xed", 4, -EPROTO, WS_CODE_PROTOCOL, 0, 0 },
	{ "close, and a reason that is no UTF-8", "\x88\x04\x03\xe8\xc0\xaf", 6, -EPROTO,
	  WS_CODE_NO_UTF8, 0, 0 },
	{ "close with 999", "\x88\x02\x03\xe7", 4, -EPROTO, WS_CODE_PROTOCOL, 0, 0 },
};

static void the_rules_of_rfc6455_are_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture *f = begin(WS_CLIENT);
		int err = feed(f, cases[i].octets, cases[i].n);
		unsigned code = err ? f->code : f->seen.code;

		if (err != cases[i].err || code != cases[i].code ||
		    f->seen.messages != cases[i].messages || f->seen.closes != cases[i].closes)
			fail_msg("%s: %d, code %u, %u messages", cases[i].name, err, code,
				 f->seen.messages);
		end(f);
	}
}

static void a_server_refuses_frames_without_a_mask(void **state)
{
	struct fixture *f = begin(WS_SERVER);

	(void)state;
	assert_int_equal(feed(f, "\x82\x01x", 3), -EPROTO);
	assert_int_equal(f->code, WS_CODE_PROTOCOL);
	end(f);
}

/* 3 x 30,000 octets: each fits, all together do not. */
static void fragments_add_up_to_the_limit(void **state)
{
	struct fixture *f = begin(WS_CLIENT);
	static uint8_t frame[4 + 30000] = { 0x02, 0x7e, 0x75, 0x30 };

	(void)state;
	assert_int_equal(feed(f, frame, sizeof(frame)), 0);
	frame[0] = 0x00;
	assert_int_equal(feed(f, frame, sizeof(frame)), 0);
	assert_int_equal(feed(f, frame, sizeof(frame)), -EMSGSIZE);
	assert_int_equal(f->code, WS_CODE_TOO_LARGE);
	end(f);
}

static void reading_stops_where_the_owner_says_so(void **state)
{
	struct fixture *f = begin(WS_CLIENT);

	(void)state;
	f->seen.stop = true;
	assert_int_equal(feed(f, "\x82\x01x\x82\x01y", 6), -ECANCELED);
	assert_int_equal(f->seen.messages, 1);
	end(f);
}

static void a_control_frame_has_at_most_125_octets(void **state)
{
	struct ws_engine *engine = ws_engine_new();
	struct ws_out out = { 0 };
	uint8_t much[126] = { 0 };

	(void)state;
	assert_int_equal(ws_write(engine, WS_SERVER, WS_PING, slice_of(much, 126), &out),
			 -EMSGSIZE);
	assert_int_equal(ws_write(engine, WS_SERVER, WS_PING, slice_of(much, 125), &out), 0);
	assert_int_equal(out.n, 127);
	ws_out_done(&out);
	ws_engine_free(&engine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_one_end_writes_the_other_reads),
		cmocka_unit_test(octets_may_come_one_by_one),
		cmocka_unit_test(octets_may_be_cut_anywhere),
		cmocka_unit_test(the_rules_of_rfc6455_are_kept),
		cmocka_unit_test(a_server_refuses_frames_without_a_mask),
		cmocka_unit_test(fragments_add_up_to_the_limit),
		cmocka_unit_test(reading_stops_where_the_owner_says_so),
		cmocka_unit_test(a_control_frame_has_at_most_125_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
