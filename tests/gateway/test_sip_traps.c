/* Faults of Debian 12's SIP library, each under the number that docs/sip-library.md gives it.
 * Others have their place where they matter: that page says where. */
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "tests/gateway/sip_driver.h"
#include "tests/gateway/sip_peer.h"

enum { CALL = 2, QUIET_MS = 100 };

struct fixture {
	struct sip_driver *driver;
	struct sip_peer peer; /* the PBX, on 127.0.0.20 */
	struct sip_peer callee;
	struct sip_peer
		named; /* whom the name "localhost" names, on another port than the callee */
	unsigned asked;
	char sdp[512];
};

static int start(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	f->driver = sip_driver_start(NULL);
	sip_peer_open(&f->peer, "127.0.0.20", sip_driver_port(f->driver));
	sip_peer_open(&f->callee, "127.0.0.1", sip_driver_port(f->driver));
	sip_peer_open(&f->named, "127.0.0.1", sip_driver_port(f->driver));
	sip_peer_sdp("", f->sdp, sizeof(f->sdp));
	*state = f;
	return 0;
}

static int stop(void **state)
{
	struct fixture *f = *state;

	sip_peer_close(&f->peer);
	sip_peer_close(&f->callee);
	sip_peer_close(&f->named);
	sip_driver_stop(&f->driver);
	test_free(f);
	return 0;
}

/* A request with a Via of that port, a Call-ID of its own and no body. */
static void ask(struct fixture *f, const char *line, unsigned via_port, const char *via_more,
		const char *from)
{
	unsigned number = ++f->asked;
	char text[2048], method[64];
	int n;

	snprintf(method, sizeof(method), "%.*s", (int)strcspn(line, " "), line);
	n = snprintf(text, sizeof(text),
		     "%s SIP/2.0\r\nVia: SIP/2.0/UDP %s:%u;branch=z9hG4bKtrap%u%s\r\n"
		     "From: <%s>;tag=t\r\nTo: <sip:1@gw.test>\r\nCall-ID: trap%u\r\n"
		     "CSeq: 1 %s\r\nContact: <sip:%s:%u>\r\nMax-Forwards: 70\r\n"
		     "Content-Length: 0\r\n\r\n",
		     line, f->peer.host, via_port, number, via_more, from, number, method,
		     f->peer.host, f->peer.port);
	sip_peer_send_raw(&f->peer, text, (size_t)n);
}

static void still_answers(struct fixture *f)
{
	ask(f, "OPTIONS sip:gw.test", f->peer.port, "", "sip:100@pbx.test");
	sip_peer_expect(&f->peer, "SIP/2.0 200");
}

/* S3: its resolver aborts on some answers, and its getaddrinfo() holds up the loop.  The name
 * that a peer writes into a header, here one that every host knows, is looked up by nobody. */
static void s3_names_that_peers_write_are_not_looked_up(void **state)
{
	struct fixture *f = *state;
	char headers[128];

	ask(f, "OPTIONS sip:gw.test", f->named.port, ";maddr=localhost", "sip:100@pbx.test");
	still_answers(f);
	assert_true(sip_peer_silent(&f->named, QUIET_MS));

	sip_driver_invite(f->driver, CALL, f->callee.port, SIP_AGENT__TRANSPORT__UDP);
	sip_peer_expect(&f->callee, "INVITE ");
	snprintf(headers, sizeof(headers),
		 "Contact: <sip:101@localhost:%u>\r\nRecord-Route: <sip:localhost:%u;lr>\r\n",
		 f->named.port, f->named.port);
	sip_peer_reply(&f->callee, 200, "ct", headers, f->sdp);
	sip_peer_expect(&f->callee, "ACK ");
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_ANSWERED);
	sip_driver_hangup(f->driver, CALL);
	sip_peer_expect(&f->callee, "BYE ");
	sip_peer_reply(&f->callee, 200, NULL, NULL, NULL);
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_ENDED);
	assert_true(sip_peer_silent(&f->named, QUIET_MS));
}

/* S6: an 18x that comes late, in whatever dialog and with whatever SDP, is over and done with. */
static void s6_ringing_behind_the_answer_changes_nothing(void **state)
{
	struct fixture *f = *state;

	sip_driver_invite(f->driver, CALL, f->callee.port, SIP_AGENT__TRANSPORT__UDP);
	sip_peer_expect(&f->callee, "INVITE ");
	sip_peer_reply(&f->callee, 200, "ct", NULL, f->sdp);
	sip_peer_reply(&f->callee, 183, "ct", NULL, f->sdp);
	sip_peer_reply(&f->callee, 180, "fork", NULL, NULL);
	sip_peer_expect(&f->callee, "ACK ");
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_ANSWERED);
	assert_int_equal(sip_driver_counters(f->driver).calls, 1); /* and no event before it */
	sip_driver_hangup(f->driver, CALL);
	sip_peer_expect(&f->callee, "BYE ");
	sip_peer_reply(&f->callee, 200, NULL, NULL, NULL);
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_ENDED);
}

static void probe(struct fixture *f)
{
	SipAgent__Probe message = SIP_AGENT__PROBE__INIT;
	SipAgent__Target target = SIP_AGENT__TARGET__INIT;
	char address[] = "127.0.0.1", to[] = "sip:pbx.test", from[] = "sip:gateway@gw.test";

	target.address = address;
	target.port = f->named.port;
	message.probe = 1;
	message.request_uri = to;
	message.from_uri = from;
	message.target = &target;
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_PROBE, &message);
	sip_peer_expect(&f->named, "OPTIONS ");
}

/* S8: where its upper layer ends with something under way, it crashes or leaks.  Ours owns what
 * it started, and gives it back first: the driver sees that cig-sip leaves without a leak. */
static void s8_the_agent_ends_in_the_middle_of_everything(void **state)
{
	struct fixture *f = *state;

	ask(f, "INVITE sip:1@gw.test", f->peer.port, "", "sip:100@pbx.test");
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_INCOMING);
	sip_driver_invite(f->driver, CALL, f->callee.port, SIP_AGENT__TRANSPORT__UDP);
	sip_peer_expect(&f->callee, "INVITE ");
	sip_driver_invite(f->driver, CALL + 2, f->callee.port, SIP_AGENT__TRANSPORT__UDP);
	sip_peer_expect(&f->callee, "INVITE ");
	sip_peer_reply(&f->callee, 180, "ct", NULL, NULL);
	probe(f);
	sip_driver_stop(&f->driver);
	f->driver = sip_driver_start(NULL); /* for what follows each test */
}

/* S18: it has no urn scheme, and takes one all the same: an emergency call (RFC 5031) comes as it
 * is, and the maps refuse it with 416. */
static void s18_a_urn_is_left_to_the_maps_to_refuse(void **state)
{
	struct fixture *f = *state;
	const SipAgent__Incoming *in;

	ask(f, "INVITE urn:service:sos", f->peer.port, "", "sip:100@pbx.test");
	in = sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_INCOMING)->incoming;
	assert_string_equal(in->request_uri, "urn:service:sos");
	still_answers(f);
}

/* S19: RFC 4475 3.1.1.2 "intmeth" is valid, but its parser drops it before we hear of it: it is
 * counted, and what follows is answered. */
static void s19_a_method_of_odd_characters_is_counted_and_the_next_request_answered(void **state)
{
	struct fixture *f = *state;

	ask(f,
	    "!interesting-Method0123456789_*+`.%indeed'~ "
	    "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too."
	    "(doesn't-it)@gw.test",
	    f->peer.port, "", "sip:100@pbx.test");
	still_answers(f);
	assert_int_equal(sip_driver_counters(f->driver).malformed, 1);
}

/* S20: url_make() keeps an empty user, and takes what follows a number's ";" for parameters.
 * The maps see the text as it came, but for a tel URI of the PBX, which is its number alone. */
static void s20_uris_are_given_to_the_maps_as_they_came(void **state)
{
	static const struct {
		const char *line, *request_uri, *from, *from_uri;
	} cases[] = {
		{ "INVITE sip:@gw.test", "sip:@gw.test", "sip:@pbx.com", "sip:@pbx.com" },
		{ "INVITE sip:9;x@gw.test;y=", "sip:9;x@gw.test;y=", "sip:1;2@pbx.com;z",
		  "sip:1;2@pbx.com;z" },
		{ "INVITE tel:+8888;1234", "sip:+8888@127.0.0.1", "tel:+8888;1234",
		  "sip:+8888@127.0.0.20;user=phone" },
		{ "INVITE tel:+8888;", "sip:+8888@127.0.0.1", "tel:+8888;",
		  "sip:+8888@127.0.0.20;user=phone" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const SipAgent__Incoming *in;

		ask(f, cases[i].line, f->peer.port, "", cases[i].from);
		in = sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_INCOMING)->incoming;
		assert_string_equal(in->request_uri, cases[i].request_uri);
		assert_string_equal(in->from_uri, cases[i].from_uri);
	}
}

#define TRAP_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TRAP_TEST(s3_names_that_peers_write_are_not_looked_up),
		TRAP_TEST(s6_ringing_behind_the_answer_changes_nothing),
		TRAP_TEST(s8_the_agent_ends_in_the_middle_of_everything),
		TRAP_TEST(s18_a_urn_is_left_to_the_maps_to_refuse),
		TRAP_TEST(s19_a_method_of_odd_characters_is_counted_and_the_next_request_answered),
		TRAP_TEST(s20_uris_are_given_to_the_maps_as_they_came),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
