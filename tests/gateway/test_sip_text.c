/* SIP MESSAGE, and digits by INFO, against a real cig-sip. */
#include "tests/gateway/sip_fixture.h"

#include <stdio.h>
#include <string.h>

enum { TEXT = 2, CALL = 4 };

static int start(void **state)
{
	return start_at(state, "127.0.0.1", &(struct sip_driver_options){ .texts = true });
}

/* ---- texts ---- */

static void send_text_within(struct fixture *f, const char *to, const char *body,
			     unsigned answer_ms)
{
	SipAgent__Text text = SIP_AGENT__TEXT__INIT;
	SipAgent__Target target = SIP_AGENT__TARGET__INIT;
	char address[] = "127.0.0.1", from[] = "sip:+4670@gw.test", name[] = "Åsa";
	char type[] = "text/plain;charset=UTF-8", uri[64], asserted[] = "sip:+4671@gw.test";

	snprintf(uri, sizeof(uri), "%s", to);
	target.address = address;
	target.port = f->peer.port;
	text.text = TEXT;
	text.request_uri = text.to_uri = uri;
	text.from_uri = from;
	text.from_name = name;
	text.target = &target;
	text.content_type = type;
	text.asserted_uri = asserted;
	text.answer_ms = answer_ms;
	text.body.data = (uint8_t *)(uintptr_t)body;
	text.body.len = strlen(body);
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_TEXT, &text);
}

static void send_text(struct fixture *f, const char *to, const char *body)
{
	send_text_within(f, to, body, 0);
}

static void done(struct fixture *f, unsigned code)
{
	const SipAgent__TextDone *d = expect(f, SIP_AGENT__FROM_AGENT__BODY_TEXT_DONE)->text_done;

	assert_int_equal(d->text, TEXT);
	assert_int_equal(d->code, code);
}

static void a_text_goes_out_octet_by_octet(void **state)
{
	struct fixture *f = *state;

	send_text(f, "sip:101@pbx.test", "Grüße\r\n\r\nund =20 mehr");
	sip_peer_expect(&f->peer, "MESSAGE sip:101@pbx.test SIP/2.0\r\n");
	assert_true(sip_peer_has(&f->peer, "From: \"Åsa\" <sip:+4670@gw.test>;tag="));
	assert_true(sip_peer_has(&f->peer, "P-Asserted-Identity: <sip:+4671@gw.test>\r\n"));
	assert_true(sip_peer_has(&f->peer, "Content-Type: text/plain;charset=UTF-8\r\n"));
	assert_true(sip_peer_has(&f->peer, "\r\n\r\nGrüße\r\n\r\nund =20 mehr"));
	sip_peer_reply(&f->peer, 202, "x", NULL, NULL);
	done(f, 202);
}

static void a_text_is_refused_with_its_reason(void **state)
{
	struct fixture *f = *state;
	const SipAgent__TextDone *d;

	send_text(f, "sip:101@pbx.test", "x");
	sip_peer_expect(&f->peer, "MESSAGE ");
	sip_peer_reply(&f->peer, 503, "x", "Retry-After: 3\r\nWarning: 399 pbx \"full\"\r\n", NULL);
	d = expect(f, SIP_AGENT__FROM_AGENT__BODY_TEXT_DONE)->text_done;
	assert_int_equal(d->retry_after_s, 3);
	assert_string_equal(d->warning, "399 pbx \"full\"");
	send_text(f, "sip:1@h?x=y", "x");
	done(f, 400);
}

/* The next server is tried long before timer F (32 s); a driver waits for some seconds only. */
static void silence_ends_with_the_time_that_was_given(void **state)
{
	struct fixture *f = *state;

	send_text_within(f, "sip:101@pbx.test", "x", 200);
	sip_peer_expect(&f->peer, "MESSAGE ");
	done(f, 408);
}

/* It is there, and may be slow: elsewhere the text would arrive a second time. */
static void a_server_that_has_begun_is_not_given_up(void **state)
{
	struct fixture *f = *state;

	send_text_within(f, "sip:101@pbx.test", "x", 600);
	sip_peer_expect(&f->peer, "MESSAGE ");
	sip_peer_reply(&f->peer, 100, NULL, NULL, NULL);
	assert_false(sip_peer_await(&f->peer, "ACK ", 900)); /* time passes */
	sip_peer_reply(&f->peer, 200, "x", NULL, NULL);
	done(f, 200);
}

/* CIG-027 holds for texts, too. */
static void a_challenged_text_goes_out_again(void **state)
{
	struct fixture *f = *state;
	SipAgent__TextAuthorize message = SIP_AGENT__TEXT_AUTHORIZE__INIT;
	const struct digest_account account = { "alice", "s3cret" };
	struct digest_session session = { 0 };
	struct digest_challenge challenge;
	struct digest_asked asked = { .challenges = &challenge, .n = 1, .method = "MESSAGE" };
	struct digest_headers headers;
	const SipAgent__TextChallenged *c;

	send_text(f, "sip:101@pbx.test", "hello");
	sip_peer_expect(&f->peer, "MESSAGE ");
	sip_peer_reply(&f->peer, 407, "x",
		       "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n",
		       NULL);
	c = expect(f, SIP_AGENT__FROM_AGENT__BODY_TEXT_CHALLENGED)->text_challenged;
	assert_int_equal(c->n_challenges, 1);
	assert_int_equal(wire_challenge_get(c->challenges[0], &challenge), 0);
	asked.number = c->number;
	asked.uri = c->uri;
	assert_int_equal(digest_session_answer(&session, &asked, &account, &headers), 0);
	message.text = TEXT;
	message.number = c->number;
	message.authorization = headers.authorization;
	message.proxy_authorization = headers.proxy_authorization;
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_TEXT_AUTHORIZE, &message);
	sip_peer_expect(&f->peer, "MESSAGE ");
	assert_true(sip_peer_has(&f->peer, "CSeq: 2 MESSAGE\r\n"));
	assert_true(sip_peer_has(&f->peer, "Proxy-Authorization: Digest username=\"alice\""));
	assert_true(sip_peer_has(&f->peer, "\r\n\r\nhello"));
	sip_peer_reply(&f->peer, 200, "x", NULL, NULL);
	done(f, 200);
}

static void a_text_comes_in_and_is_answered_when_it_is_safe(void **state)
{
	struct fixture *f = *state;
	SipAgent__TextReply reply = SIP_AGENT__TEXT_REPLY__INIT;
	const SipAgent__TextIn *in;
	char text[1024];
	int n = snprintf(
		text, sizeof(text),
		"MESSAGE sip:+4670@127.0.0.1 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKm\r\n"
		"From: <sip:100@pbx.test>;tag=a\r\nTo: <sip:+4670@gw.test>\r\nCall-ID: m1\r\n"
		"CSeq: 1 MESSAGE\r\nMax-Forwards: 9\r\nContent-Type: text/plain\r\n"
		"Authorization: Digest username=\"u\", realm=\"r\"\r\nPrivacy: id\r\n"
		"Content-Length: 5\r\n\r\nhello",
		f->peer.port);

	sip_peer_send_raw(&f->peer, text, (size_t)n);
	in = expect(f, SIP_AGENT__FROM_AGENT__BODY_TEXT_IN)->text_in;
	reply.text = in->text;
	assert_int_equal(in->text % 2, 1);
	assert_string_equal(in->from_uri, "sip:100@pbx.test");
	assert_string_equal(in->content_type, "text/plain");
	assert_int_equal(in->body.len, 5);
	assert_memory_equal(in->body.data, "hello", 5);
	assert_int_equal(in->n_authorizations, 1);
	assert_string_equal(in->authorizations[0], "Digest username=\"u\",realm=\"r\"");
	assert_true(in->anonymous);
	sip_peer_send_raw(&f->peer, text, (size_t)n); /* again: no second event */
	reply.code = 202;
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_TEXT_REPLY, &reply);
	sip_peer_expect(&f->peer, "SIP/2.0 202");
	sip_driver_counters(f->driver); /* fails on a second TextIn */
}

static void a_text_is_challenged(void **state)
{
	struct fixture *f = *state;
	char first[] = "Digest realm=\"r\", nonce=\"n\"", split[] = "Digest\r\nX: y";
	char second[] = "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256";
	char *challenges[] = { first, split, second };
	SipAgent__TextReply reply = SIP_AGENT__TEXT_REPLY__INIT;
	char text[512];
	int n = snprintf(text, sizeof(text),
			 "MESSAGE sip:+4670@127.0.0.1 SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKc\r\n"
			 "From: <sip:100@pbx.test>;tag=a\r\nTo: <sip:+4670@gw.test>\r\n"
			 "Call-ID: m2\r\nCSeq: 1 MESSAGE\r\nMax-Forwards: 9\r\n"
			 "Content-Length: 0\r\n\r\n",
			 f->peer.port);

	sip_peer_send_raw(&f->peer, text, (size_t)n);
	reply.text = expect(f, SIP_AGENT__FROM_AGENT__BODY_TEXT_IN)->text_in->text;
	reply.code = 401;
	reply.challenges = challenges;
	reply.n_challenges = COUNT(challenges);
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_TEXT_REPLY, &reply);
	sip_peer_expect(&f->peer, "SIP/2.0 401");
	assert_true(sip_peer_has(&f->peer, "\r\nWWW-Authenticate: Digest realm=\"r\""));
	assert_true(sip_peer_has(&f->peer, "algorithm=SHA-256"));
	assert_false(sip_peer_has(&f->peer, "X: y"));
}

/* ---- digits ---- */

static void establish(struct fixture *f)
{
	sip_driver_invite(f->driver, CALL, f->peer.port, SIP_AGENT__TRANSPORT__UDP);
	sip_peer_expect(&f->peer, "INVITE ");
	sip_peer_reply(&f->peer, 200, "pt", NULL, f->sdp);
	sip_peer_expect(&f->peer, "ACK ");
	expect(f, SIP_AGENT__FROM_AGENT__BODY_ANSWERED);
}

static void send_digit(struct fixture *f, const char *text)
{
	SipAgent__Digit digit = SIP_AGENT__DIGIT__INIT;
	char copy[4];

	snprintf(copy, sizeof(copy), "%s", text);
	digit.call = CALL;
	digit.digit = copy;
	digit.duration_ms = 200;
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_DIGIT, &digit);
}

/* CIG-005, where the PBX takes no RFC 4733. */
static void digits_go_out_one_after_the_other(void **state)
{
	struct fixture *f = *state;

	establish(f);
	send_digit(f, "5");
	send_digit(f, "#");
	send_digit(f, "x"); /* none */
	sip_peer_expect(&f->peer, "INFO sip:101@127.0.0.1:");
	assert_true(sip_peer_has(&f->peer, "\r\n\r\nSignal=5\r\nDuration=200\r\n"));
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
	sip_peer_expect(&f->peer, "INFO ");
	assert_true(sip_peer_has(&f->peer, "\r\n\r\nSignal=#\r\n"));
	sip_peer_reply(&f->peer, 415, NULL, NULL, NULL);
	assert_int_equal(expect(f, SIP_AGENT__FROM_AGENT__BODY_DIGIT_REFUSED)->digit_refused->code,
			 415);
}

static const struct {
	const char *type, *body, *status, *digit;
	unsigned ms;
} infos[] = {
	{ "application/dtmf-relay", "Signal= 5\r\nDuration= 160\r\n", "SIP/2.0 200", "5", 160 },
	{ "application/dtmf-relay", "Duration=70\nsignal=*", "SIP/2.0 200", "*", 70 },
	{ "application/dtmf-relay", "Signal=11\r\n", "SIP/2.0 200", "#", 0 },
	{ "application/dtmf", "d\r\n", "SIP/2.0 200", "D", 0 },
	{ "application/dtmf-relay", "Signal=\r\n", "SIP/2.0 400", NULL, 0 },
	{ "application/dtmf-relay", "=\r\n\r\nSignal", "SIP/2.0 400", NULL, 0 },
	{ "application/dtmf", "55", "SIP/2.0 400", NULL, 0 },
	{ "text/plain", "5", "SIP/2.0 415", NULL, 0 },
};

static void the_peers_digits_come_in(void **state)
{
	struct fixture *f = *state;
	char id[128], tag[64], from[256], text[1024];

	establish(f);
	sip_peer_header(&f->peer, "Call-ID", id, sizeof(id));
	sip_peer_header(&f->peer, "From", from, sizeof(from));
	snprintf(tag, sizeof(tag), "%s", f->peer.to_tag);
	for (size_t i = 0; i < COUNT(infos); i++) {
		const SipAgent__DigitIn *in;
		int n = snprintf(
			text, sizeof(text),
			"INFO sip:4670@127.0.0.1 SIP/2.0\r\n"
			"Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKi%zu\r\n"
			"From: <sip:101@pbx.test>;tag=pt\r\nTo: <sip:+4670@gw.test>;tag=%s\r\n"
			"Call-ID: %s\r\nCSeq: %zu INFO\r\nMax-Forwards: 9\r\n"
			"Content-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
			f->peer.port, i, tag, id, i + 1, infos[i].type, strlen(infos[i].body),
			infos[i].body);

		sip_peer_send_raw(&f->peer, text, (size_t)n);
		sip_peer_expect(&f->peer, infos[i].status);
		if (!infos[i].digit)
			continue;
		in = expect(f, SIP_AGENT__FROM_AGENT__BODY_DIGIT_IN)->digit_in;
		assert_string_equal(in->digit, infos[i].digit);
		assert_int_equal(in->duration_ms, infos[i].ms);
	}
}

#define TEXT_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEXT_TEST(a_text_goes_out_octet_by_octet),
		TEXT_TEST(a_text_is_refused_with_its_reason),
		TEXT_TEST(silence_ends_with_the_time_that_was_given),
		TEXT_TEST(a_server_that_has_begun_is_not_given_up),
		TEXT_TEST(a_text_is_challenged),
		TEXT_TEST(a_challenged_text_goes_out_again),
		TEXT_TEST(a_text_comes_in_and_is_answered_when_it_is_safe),
		TEXT_TEST(digits_go_out_one_after_the_other),
		TEXT_TEST(the_peers_digits_come_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
