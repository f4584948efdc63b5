/* REGISTER, against a real cig-sip and a registrar that is played: what goes out, and what is made
 * of its answers. */
#include "tests/gateway/sip_fixture.h"

#include <stdio.h>
#include <string.h>

enum { NUMBER = 7, ASKED_S = 1800 };

static int start(void **state)
{
	return start_at(state, "127.0.0.1", NULL);
}

/* What goes out; a test changes a member to break it. */
struct registering {
	const char *uri, *aor, *contact_user, *call_id, *address, *authorization;
	SipAgent__Transport transport;
};

static struct registering usual(void)
{
	return (struct registering){
		"sip:pbx.test",           "sip:gw@pbx.test", "gw", "an-id@gw", "127.0.0.1", "",
		SIP_AGENT__TRANSPORT__UDP
	};
}

#define TEXT(text) ((char *)(uintptr_t)(text))

static void send_register(struct fixture *f, const struct registering *r)
{
	SipAgent__Register out = SIP_AGENT__REGISTER__INIT;
	SipAgent__Target target = SIP_AGENT__TARGET__INIT;

	target.address = TEXT(r->address);
	target.port = f->peer.port;
	target.transport = r->transport;
	out.registration = NUMBER;
	out.request_uri = TEXT(r->uri);
	out.aor = TEXT(r->aor);
	out.contact_user = TEXT(r->contact_user);
	out.target = &target;
	out.expires_s = ASKED_S;
	out.call_id = TEXT(r->call_id);
	out.cseq = 41 + ++f->asked;
	out.authorization = TEXT(r->authorization);
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_REGISTER, &out);
}

static const SipAgent__Registered *registered(struct fixture *f, unsigned code)
{
	const SipAgent__Registered *r =
		expect(f, SIP_AGENT__FROM_AGENT__BODY_REGISTERED)->registered;

	assert_int_equal(r->registration, NUMBER);
	assert_int_equal(r->code, code);
	return r;
}

/* Call-ID and CSeq are the server's, over all requests of a registration (RFC 3261 10.2.4). */
static void a_registration_goes_out_as_the_server_has_it(void **state)
{
	struct fixture *f = *state;
	struct registering r = usual();
	char contact[64];

	r.authorization = "Digest username=\"gw\"";
	send_register(f, &r);
	sip_peer_expect(&f->peer, "REGISTER sip:pbx.test SIP/2.0\r\n");
	snprintf(contact, sizeof(contact), "Contact: <sip:gw@127.0.0.1:%u>",
		 sip_driver_port(f->driver));
	assert_true(sip_peer_has(&f->peer, contact));
	assert_true(sip_peer_has(&f->peer, "From: <sip:gw@pbx.test>;tag="));
	assert_true(sip_peer_has(&f->peer, "To: <sip:gw@pbx.test>\r\n"));
	assert_true(sip_peer_has(&f->peer, "Call-ID: an-id@gw\r\n"));
	assert_true(sip_peer_has(&f->peer, "CSeq: 42 REGISTER\r\n"));
	assert_true(sip_peer_has(&f->peer, "Expires: 1800\r\n"));
	assert_true(sip_peer_has(&f->peer, "Authorization: Digest username=\"gw\"\r\n"));
	/* Provisional ones tell the server nothing. */
	sip_peer_reply(&f->peer, 183, "x", NULL, NULL);
	sip_peer_reply(&f->peer, 200, "x", "Expires: 600\r\n", NULL);
	assert_int_equal(registered(f, 200)->expires_s, 600);
}

/* The header is what a binding without its own has; and of all bindings only ours counts. */
static void the_time_granted_is_that_of_our_own_binding(void **state)
{
	static const struct {
		const char *headers;
		uint32_t granted;
	} cases[] = {
		{ "Contact: <sip:gw@127.0.0.1:1>;expires=120\r\nExpires: 600\r\n", 120 },
		{ "Contact: <sip:gw@10.0.0.1>;expires=10, <sip:other@127.0.0.1>;expires=20, "
		  "<sip:gw@127.0.0.1;line=x>;q=0.5;expires=120\r\n",
		  120 },
		{ "Contact: <sip:gw@127.0.0.1>;expires=0\r\nExpires: 600\r\n", 0 },
		{ "Contact: <sip:gw@127.0.0.1>\r\nExpires: 600\r\n", 600 },
		{ "Contact: <sip:gw@10.0.0.1>;expires=10\r\nExpires: 600\r\n", 600 },
		{ "Contact: <sip:10.0.0.1>;expires=10, <tel:+1>;expires=10\r\n", ASKED_S },
		/* None of ours, and nothing said: what was asked for. */
		{ "Contact: <sip:other@127.0.0.1>;expires=20\r\n", ASKED_S },
	};
	struct fixture *f = *state;
	struct registering r = usual();

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t granted;

		send_register(f, &r);
		sip_peer_expect(&f->peer, "REGISTER ");
		sip_peer_reply(&f->peer, 200, "x", cases[i].headers, NULL);
		granted = registered(f, 200)->expires_s;
		if (granted != cases[i].granted)
			fail_msg("%s grants %u", cases[i].headers, granted);
	}
}

static void a_refusal_is_told_with_what_the_registrar_asks_for(void **state)
{
	struct fixture *f = *state;
	struct registering r = usual();
	const SipAgent__Registered *told;

	send_register(f, &r);
	sip_peer_expect(&f->peer, "REGISTER ");
	sip_peer_reply(&f->peer, 401, "x",
		       "WWW-Authenticate: Digest realm=\"pbx\", nonce=\"n\", algorithm=MD5\r\n",
		       NULL);
	told = registered(f, 401);
	assert_int_equal(told->n_challenges, 1);
	assert_string_equal(told->challenges[0]->realm, "pbx");
	assert_int_equal(told->expires_s, 0);

	send_register(f, &r);
	sip_peer_expect(&f->peer, "REGISTER ");
	sip_peer_reply(&f->peer, 423, "x", "Min-Expires: 3600\r\n", NULL);
	assert_int_equal(registered(f, 423)->min_expires_s, 3600);

	send_register(f, &r);
	sip_peer_expect(&f->peer, "REGISTER ");
	sip_peer_reply(&f->peer, 503, "x", "Retry-After: 30\r\nExpires: 600\r\n", NULL);
	told = registered(f, 503);
	assert_int_equal(told->retry_after_s, 30);
	assert_int_equal(told->expires_s, 0); /* nothing was granted */
}

/* The server's mistakes do not reach the wire. */
static void what_cannot_be_sent_is_answered_by_400(void **state)
{
	struct fixture *f = *state;
	struct registering cases[9];

	for (size_t i = 0; i < COUNT(cases); i++)
		cases[i] = usual();
	cases[0].uri = "no uri";
	cases[1].aor = "sip:gw@pbx.test>\r\nX: y";
	cases[2].call_id = "";
	cases[3].call_id = "a\r\nX: y";
	cases[4].contact_user = "gw@evil.test";
	cases[5].contact_user = "gw\"";
	cases[6].address = "no address";
	cases[7].authorization = "Digest\r\nX: y";
	cases[8].transport = SIP_AGENT__TRANSPORT__TLS; /* without a certificate */
	for (size_t i = 0; i < COUNT(cases); i++) {
		send_register(f, &cases[i]);
		registered(f, 400);
	}
	assert_true(sip_peer_silent(&f->peer, 0));
}

/* An agent that is told to end does so, with registrations that nobody has answered. */
static void an_end_forgets_what_is_under_way(void **state)
{
	struct fixture *f = *state;
	struct registering r = usual();

	for (unsigned i = 0; i < 3; i++) {
		send_register(f, &r);
		sip_peer_expect(&f->peer, "REGISTER ");
	}
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_registration_goes_out_as_the_server_has_it),
		TEST(the_time_granted_is_that_of_our_own_binding),
		TEST(a_refusal_is_told_with_what_the_registrar_asks_for),
		TEST(what_cannot_be_sent_is_answered_by_400),
		TEST(an_end_forgets_what_is_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
