#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "umsg/frame.h"

static uint8_t id[FRAME_ID] = { 1, 2, 3 };
static uint8_t octets[FRAME_RECORD + FRAME_RECORD_TAG + 1];

#define FROM "tel:+46700000001"
#define TO "tel:+46700000002"

static ProtobufCBinaryData data(size_t n)
{
	return (ProtobufCBinaryData){ n, octets };
}

static ProtobufCBinaryData an_id(void)
{
	return (ProtobufCBinaryData){ sizeof(id), id };
}

/* One frame of every kind that the tests bend, all fields in their range. */
struct set {
	Umsg__Frame frame;
	Umsg__UpdateName name;
	Umsg__Register reg;
	Umsg__StreamIds ids, ids2;
	Umsg__StreamIds *streams[2];
	Umsg__Leg leg;
	Umsg__Bang bang;
	Umsg__Session session;
	Umsg__Hangup hangup;
	Umsg__Post post;
	Umsg__Deliver deliver;
	Umsg__UpdatePart part;
	Umsg__UpdateGet get;
	Umsg__ClientData client_data;
};

static void init(struct set *s)
{
	umsg__frame__init(&s->frame);
	s->frame.version = FRAME_VERSION;
	s->frame.from = frame_text(FROM);
	s->frame.to = frame_text(TO);
	umsg__update_name__init(&s->name);
	s->name.month = frame_text("2026-11");
	umsg__register__init(&s->reg);
	s->reg.device_id = an_id();
	s->reg.software = frame_text("cca 1.0.0");
	s->reg.newest = &s->name;
	umsg__stream_ids__init(&s->ids);
	s->ids.initiator_ssrc = 1;
	s->ids.responder_ssrc = 2;
	umsg__stream_ids__init(&s->ids2);
	s->ids2.initiator_ssrc = 3;
	s->ids2.responder_ssrc = 4;
	s->streams[0] = &s->ids;
	s->streams[1] = &s->ids2;
	umsg__leg__init(&s->leg);
	s->leg.leg_id = data(8);
	s->leg.leg_key = data(32);
	s->leg.relay_host = frame_text("192.0.2.1");
	s->leg.relay_port = 146;
	s->leg.n_streams = 2;
	s->leg.streams = s->streams;
	umsg__bang__init(&s->bang);
	s->bang.session_id = an_id();
	s->bang.i_message = data(700);
	s->bang.sealed = data(100);
	s->bang.streams = 2;
	umsg__session__init(&s->session);
	s->session.session_id = an_id();
	s->session.role = UMSG__CALL_ROLE__RESPONDER;
	s->session.answer_rand = an_id();
	s->session.sealed = data(16);
	umsg__hangup__init(&s->hangup);
	s->hangup.session = &s->session;
	s->hangup.who = UMSG__ENDED_BY__BY_RESPONDER;
	umsg__post__init(&s->post);
	s->post.message_id = an_id();
	s->post.kind = UMSG__MESSAGE_KIND__KIND_TEXT;
	s->post.i_message = data(700);
	s->post.record = data(17);
	s->post.total_length = 17;
	umsg__deliver__init(&s->deliver);
	s->deliver.post = &s->post;
	umsg__update_part__init(&s->part);
	s->part.name = &s->name;
	s->part.total = 100;
	s->part.offset = 60;
	s->part.data = data(40);
	umsg__update_get__init(&s->get);
	s->get.month = frame_text("2026-11");
	s->get.expected = &s->name;
	s->get.offset = 60;
	umsg__client_data__init(&s->client_data);
	s->client_data.name = frame_text("client-info");
}

#define BODY(set, case_, member, value)                                                            \
	((set)->frame.body_case = UMSG__FRAME__BODY_##case_, (set)->frame.member = &(set)->value)

static void bang(struct set *s)
{
	BODY(s, BANG, bang, bang);
}
static void bang_with_leg(struct set *s)
{
	bang(s);
	s->bang.leg = &s->leg;
}
static void bang_equal_ssrcs(struct set *s)
{
	bang_with_leg(s);
	s->ids2.responder_ssrc = 1;
}
static void bang_zero_ssrc(struct set *s)
{
	bang_with_leg(s);
	s->ids.initiator_ssrc = 0;
}
static void bang_too_few_streams(struct set *s)
{
	bang_with_leg(s);
	s->leg.n_streams = 1;
}
static void bang_relay_not_a_host(struct set *s)
{
	bang_with_leg(s);
	s->leg.relay_host = frame_text("a b");
}
static void bang_short_session_id(struct set *s)
{
	bang(s);
	s->bang.session_id.len = 15;
}
static void bang_without_i_message(struct set *s)
{
	bang(s);
	s->bang.i_message.len = 0;
}
static void bang_to_channel(struct set *s)
{
	bang(s);
	s->frame.to = frame_text("urn:uuid:01234567-89ab-cdef-0123-456789abcdef");
}
static void bang_to_nobody(struct set *s)
{
	bang(s);
	s->frame.to = frame_text("");
}
static void bang_with_extension(struct set *s)
{
	bang(s);
	s->frame.to = frame_text(TO ";101");
}
static void bang_from_text(struct set *s)
{
	bang(s);
	s->frame.from = frame_text("mallory");
}
static void bang_by_server(struct set *s)
{
	bang_with_leg(s);
	s->frame.by_server = 1;
}
static void talk(struct set *s)
{
	BODY(s, TALK, talk, session);
}
static void talk_of_initiator(struct set *s)
{
	talk(s);
	s->session.role = UMSG__CALL_ROLE__INITIATOR;
	s->session.answer_rand.len = 0;
}
static void talk_without_rand(struct set *s)
{
	talk(s);
	s->session.answer_rand.len = 0;
}
static void signal_of_initiator(struct set *s)
{
	BODY(s, SIGNAL, signal, session);
	s->session.role = UMSG__CALL_ROLE__INITIATOR;
	s->session.answer_rand.len = 0;
}
static void signal_unknown_role(struct set *s)
{
	BODY(s, SIGNAL, signal, session);
	s->session.role = (Umsg__CallRole)7;
}
static void hangup(struct set *s)
{
	BODY(s, HANGUP, hangup, hangup);
}
static void hangup_unsealed(struct set *s)
{
	hangup(s);
	s->session.sealed.len = 0;
}
static void hangup_of_initiator_unsealed(struct set *s)
{
	hangup_unsealed(s);
	s->session.role = UMSG__CALL_ROLE__INITIATOR;
	s->session.answer_rand.len = 0;
	s->hangup.who = UMSG__ENDED_BY__BY_INITIATOR;
}
static void hangup_by_another(struct set *s)
{
	hangup(s);
	s->hangup.who = UMSG__ENDED_BY__BY_INITIATOR;
}
static void hangup_by_server(struct set *s)
{
	hangup_unsealed(s);
	s->frame.by_server = 1;
	s->frame.from = frame_text("");
	s->hangup.who = UMSG__ENDED_BY__BY_RENDEZVOUS;
}
static void hangup_by_server_sealed(struct set *s)
{
	hangup_by_server(s);
	s->session.sealed.len = 16;
}
static void hangup_without_session(struct set *s)
{
	hangup(s);
	s->hangup.session = NULL;
}
static void post(struct set *s)
{
	BODY(s, POST, post, post);
}
static void post_longest(struct set *s)
{
	post(s);
	s->post.record = data(FRAME_RECORD + FRAME_RECORD_TAG);
	s->post.total_length = FRAME_RECORD + FRAME_RECORD_TAG;
}
static void post_of_parts(struct set *s)
{
	post_longest(s);
	s->post.total_length += 17;
}
static void post_too_long_record(struct set *s)
{
	post(s);
	s->post.record = data(FRAME_RECORD + FRAME_RECORD_TAG + 1);
	s->post.total_length = FRAME_RECORD + FRAME_RECORD_TAG + 1;
}
static void post_short_first_record(struct set *s)
{
	post_of_parts(s);
	s->post.record.len--;
}
static void post_wrong_total(struct set *s)
{
	post(s);
	s->post.total_length++;
}
static void post_empty_body(struct set *s)
{
	post(s);
	s->post.record.len = 16;
	s->post.total_length = 16;
}
static void post_unknown_kind(struct set *s)
{
	post(s);
	s->post.kind = (Umsg__MessageKind)9;
}
static void deliver(struct set *s)
{
	BODY(s, DELIVER, deliver, deliver);
}
static void deliver_nothing(struct set *s)
{
	deliver(s);
	s->deliver.post = NULL;
}
static void registers(struct set *s)
{
	BODY(s, REGISTER, register_, reg);
	s->frame.to = frame_text("");
}
static void register_bad_month(struct set *s)
{
	registers(s);
	s->name.month = frame_text("2026-13");
}
static void register_control_text(struct set *s)
{
	registers(s);
	s->reg.software = frame_text("cca\n1");
}
static void register_not_utf8(struct set *s)
{
	registers(s);
	s->reg.software = frame_text("\xc0\xaf");
}
static void update_part(struct set *s)
{
	BODY(s, UPDATE_PART, update_part, part);
	s->frame.from = frame_text("");
}
static void update_part_beyond_total(struct set *s)
{
	update_part(s);
	s->part.offset = 61;
}
static void update_part_offset_wraps(struct set *s)
{
	update_part(s);
	s->part.offset = 0xffffffff;
}
static void update_get(struct set *s)
{
	BODY(s, UPDATE_GET, update_get, get);
	s->frame.to = frame_text("");
}
static void update_get_begins(struct set *s)
{
	update_get(s);
	s->get.offset = 0;
	s->get.expected = NULL;
}
static void update_get_begins_with_no_name(struct set *s)
{
	update_get(s);
	s->get.offset = 0;
	s->name.month = frame_text("");
}
static void update_get_goes_on_with_no_name(struct set *s)
{
	update_get(s);
	s->name.month = frame_text("");
}
static void update_get_revision_alone(struct set *s)
{
	update_get_begins_with_no_name(s);
	s->name.revision = 1;
}
static void client_data(struct set *s)
{
	BODY(s, CLIENT_DATA, client_data, client_data);
	s->frame.to = frame_text("");
}
static void client_data_path(struct set *s)
{
	client_data(s);
	s->client_data.name = frame_text("../x");
}
static void no_body(struct set *s)
{
	(void)s;
}
static void newer_version(struct set *s)
{
	bang(s);
	s->frame.version = 2;
}
static void no_version(struct set *s)
{
	bang(s);
	s->frame.version = 0;
}

enum { OK = 0, BAD = -EBADMSG, UNKNOWN = -ENOTSUP };

static const struct {
	const char *name;
	void (*make)(struct set *s);
	int from_client, from_server; /* what frame_check says */
} cases[] = {
	{ "bang", bang, OK, BAD },
	{ "bang with leg", bang_with_leg, BAD, OK },
	{ "bang, equal SSRCs", bang_equal_ssrcs, BAD, BAD },
	{ "bang, SSRC 0", bang_zero_ssrc, BAD, BAD },
	{ "bang, too few streams", bang_too_few_streams, BAD, BAD },
	{ "bang, no host", bang_relay_not_a_host, BAD, BAD },
	{ "bang, session id short", bang_short_session_id, BAD, BAD },
	{ "bang, no I_MESSAGE", bang_without_i_message, BAD, BAD },
	{ "bang to a channel", bang_to_channel, BAD, BAD },
	{ "bang to nobody", bang_to_nobody, BAD, BAD },
	{ "bang, part behind ;", bang_with_extension, OK, BAD },
	{ "bang from no URI", bang_from_text, BAD, BAD },
	{ "bang by server", bang_by_server, BAD, BAD },
	{ "talk", talk, OK, OK },
	{ "talk of the initiator", talk_of_initiator, BAD, BAD },
	{ "talk without answer_rand", talk_without_rand, BAD, BAD },
	{ "signal of the initiator", signal_of_initiator, OK, OK },
	{ "signal of an unknown role", signal_unknown_role, BAD, BAD },
	{ "hangup", hangup, OK, OK },
	{ "hangup of who could not open", hangup_unsealed, OK, OK },
	{ "hangup of the initiator, not sealed", hangup_of_initiator_unsealed, BAD, BAD },
	{ "hangup by another than says", hangup_by_another, BAD, BAD },
	{ "hangup by server", hangup_by_server, BAD, OK },
	{ "hangup by server, sealed", hangup_by_server_sealed, BAD, BAD },
	{ "hangup without session", hangup_without_session, BAD, BAD },
	{ "post", post, OK, BAD },
	{ "post, longest record", post_longest, OK, BAD },
	{ "post, first of two records", post_of_parts, OK, BAD },
	{ "post, one octet too long", post_too_long_record, BAD, BAD },
	{ "post, first record not whole", post_short_first_record, BAD, BAD },
	{ "post, total is not the record", post_wrong_total, BAD, BAD },
	{ "post, empty body", post_empty_body, BAD, BAD },
	{ "post, unknown kind", post_unknown_kind, BAD, BAD },
	{ "deliver", deliver, BAD, OK },
	{ "deliver nothing", deliver_nothing, BAD, BAD },
	{ "register", registers, OK, BAD },
	{ "register, no month", register_bad_month, BAD, BAD },
	{ "register, control character", register_control_text, BAD, BAD },
	{ "register, not UTF-8", register_not_utf8, BAD, BAD },
	{ "update part", update_part, BAD, OK },
	{ "update part, beyond the end", update_part_beyond_total, BAD, BAD },
	{ "update part, offset wraps", update_part_offset_wraps, BAD, BAD },
	{ "update get", update_get, OK, BAD },
	{ "update get, the first", update_get_begins, OK, BAD },
	{ "update get, the first, a name without fields", update_get_begins_with_no_name, OK, BAD },
	{ "update get, of what", update_get_goes_on_with_no_name, BAD, BAD },
	{ "update get, a name without month", update_get_revision_alone, BAD, BAD },
	{ "client data", client_data, OK, BAD },
	{ "client data, name is a path", client_data_path, BAD, BAD },
	{ "no body", no_body, UNKNOWN, UNKNOWN },
	{ "newer version", newer_version, UNKNOWN, UNKNOWN },
	{ "no version", no_version, BAD, BAD },
};

static void checks_each_field_of_each_body(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct set s;
		int client, server;

		init(&s);
		cases[i].make(&s);
		client = frame_check(&s.frame, FRAME_FROM_CLIENT);
		server = frame_check(&s.frame, FRAME_FROM_SERVER);
		if (client != cases[i].from_client || server != cases[i].from_server)
			fail_msg("%s: %d, %d", cases[i].name, client, server);
	}
}

static void a_frame_survives_encoding(void **state)
{
	Umsg__Frame *back;
	struct set s;
	uint8_t *text;
	size_t n;

	(void)state;
	init(&s);
	post_longest(&s);
	s.frame.request = 77;
	assert_int_equal(frame_encode(&s.frame, &text, &n), 0);
	assert_int_equal(frame_decode(slice_of(text, n), FRAME_FROM_CLIENT, &back), 0);
	assert_int_equal(back->request, 77);
	assert_string_equal(back->from, FROM);
	assert_int_equal(back->post->record.len, FRAME_RECORD + FRAME_RECORD_TAG);
	assert_string_equal(frame_name(back), "post");
	assert_true(slice_eq(frame_message_id(back), slice_of(id, FRAME_ID)));
	assert_int_equal(frame_session_id(back).n, 0);
	frame_free(&back);
	assert_null(back);
	free(text);
}

static void a_frame_over_the_limit_is_neither_made_nor_read(void **state)
{
	static uint8_t much[FRAME_MAX + 1];
	Umsg__Frame *back;
	struct set s;
	uint8_t *text;
	size_t n;

	(void)state;
	init(&s);
	bang(&s);
	s.bang.sealed = (ProtobufCBinaryData){ sizeof(much), much };
	assert_int_equal(frame_encode(&s.frame, &text, &n), -EMSGSIZE);
	assert_int_equal(frame_decode(slice_of(much, sizeof(much)), FRAME_FROM_CLIENT, &back),
			 -EMSGSIZE);
	assert_null(back);
}

/* 32,000 empty messages in 64 KiB would take megabytes of heap. */
static void a_frame_cannot_make_us_take_much_memory(void **state)
{
	static uint8_t text[FRAME_MAX];
	Umsg__Frame *back;
	size_t n = 0, inner = 65528;

	(void)state;
	text[n++] = 0x08; /* version 1 */
	text[n++] = 1;
	text[n++] = 0xca; /* field 73, update_news */
	text[n++] = 0x04;
	text[n++] = (uint8_t)(inner & 0x7f) | 0x80;
	text[n++] = (uint8_t)(inner >> 7 & 0x7f) | 0x80;
	text[n++] = (uint8_t)(inner >> 14);
	for (size_t i = 0; i + 1 < inner; i += 2) {
		text[n++] = 0x0a; /* an empty UpdateName */
		text[n++] = 0;
	}
	assert_int_equal(frame_decode(slice_of(text, n), FRAME_FROM_SERVER, &back), -EBADMSG);
	assert_null(back);
}

static void every_cut_of_a_frame_is_survived(void **state)
{
	struct set s;
	uint8_t *text;
	size_t n, whole = 0;

	(void)state;
	init(&s);
	bang_with_leg(&s);
	assert_int_equal(frame_encode(&s.frame, &text, &n), 0);
	for (size_t i = 0; i <= n; i++) {
		Umsg__Frame *back;

		if (frame_decode(slice_of(text, i), FRAME_FROM_SERVER, &back) == 0)
			whole++;
		frame_free(&back);
	}
	assert_int_equal(whole, 1);
	free(text);
}

/* protobuf-c takes number 0 when it is spelled in two octets, and writes it in one, which
 * no reader takes (found by fuzz_frame). */
static void a_field_whose_number_cannot_be_is_refused(void **state)
{
	static const struct {
		uint8_t text[16];
		size_t n;
		int want;
	} numbers[] = {
		{ { 0x08, 1, 0x6a, 0, 0xa0, 1, 1 }, 7, 0 },                       /* 20 */
		{ { 0x08, 1, 0x6a, 0, 0x80, 0, 0 }, 7, -EBADMSG },                /* 0 */
		{ { 0x08, 1, 0x6a, 3, 0x80, 0, 0 }, 7, -EBADMSG },                /* inside */
		{ { 0x08, 1, 0x6a, 0, 0xf8, 0xff, 0xff, 0xff, 0x0f, 0 }, 10, 0 }, /* 2^29-1 */
		{ { 0x08, 1, 0x6a, 0, 0x80, 0x80, 0x80, 0x80, 0x10, 0 }, 10, -EBADMSG }, /* 2^29 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		Umsg__Frame *back;

		assert_int_equal(frame_decode(slice_of(numbers[i].text, numbers[i].n),
					      FRAME_FROM_SERVER, &back),
				 numbers[i].want);
		assert_true((back != NULL) == (numbers[i].want == 0));
		frame_free(&back);
	}
}

static void an_unknown_body_is_told_from_a_bad_one(void **state)
{
	static const uint8_t text[] = { 0x08, 1, 0x10, 5, 0xca, 0x0c, 0 }; /* body 201 */
	Umsg__Frame *back;

	(void)state;
	assert_int_equal(frame_decode(slice_of(text, sizeof(text)), FRAME_FROM_CLIENT, &back),
			 -ENOTSUP);
	assert_non_null(back);
	assert_int_equal(back->request, 5);
	frame_free(&back);
}

static void what_follows_a_semicolon_is_left_out(void **state)
{
	(void)state;
	assert_true(slice_eq_str(frame_bare("tel:+8888;101"), "tel:+8888"));
	assert_true(slice_eq_str(frame_bare("tel:+8888"), "tel:+8888"));
	assert_true(slice_eq_str(frame_bare(""), ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_each_field_of_each_body),
		cmocka_unit_test(a_frame_survives_encoding),
		cmocka_unit_test(a_frame_over_the_limit_is_neither_made_nor_read),
		cmocka_unit_test(a_frame_cannot_make_us_take_much_memory),
		cmocka_unit_test(every_cut_of_a_frame_is_survived),
		cmocka_unit_test(a_field_whose_number_cannot_be_is_refused),
		cmocka_unit_test(an_unknown_body_is_told_from_a_bad_one),
		cmocka_unit_test(what_follows_a_semicolon_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
