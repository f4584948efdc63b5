/* Who calls and who is called, as the maps get them of a PBX's INVITE. */
#include "tests/gateway/sip_fixture.h"

#include <stdio.h>

static int start(void **state)
{
	return start_at(state, "127.0.0.20", NULL);
}

/* A call of its own; headers have their CRLF. */
static void invite(struct fixture *f, const char *to, const char *from, const char *headers)
{
	unsigned n = ++f->asked;
	char text[2048];
	int size = snprintf(text, sizeof(text),
			    "INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s:%u;branch=z9hG4bKi%u\r\n"
			    "From: <%s>;tag=t\r\nTo: <%s>\r\nCall-ID: i%u\r\nCSeq: 1 INVITE\r\n"
			    "Contact: <sip:%s:%u>\r\n%sContent-Length: 0\r\n\r\n",
			    to, f->peer.host, f->peer.port, n, from, to, n, f->peer.host,
			    f->peer.port, headers);

	sip_peer_send_raw(&f->peer, text, (size_t)size);
}

/* Expectations: E.164 tel URIs (RFC 3966).  The maps of the SIP side know sip URIs: the number at
 * our own address, without visual separators and parameters. */
static void a_tel_uri_is_called_as_the_number_at_our_address(void **state)
{
	static const struct {
		const char *target, *request_uri;
	} cases[] = {
		{ "tel:+46-70.123(45)67", "sip:+46701234567@127.0.0.1" },
		{ "TEL:101;phone-context=pbx.test", "sip:101@127.0.0.1" },
		{ "tel:+4670;isub=1;npdi;rn=+1", "sip:+4670@127.0.0.1" },
		{ "tel:%2321", "sip:%2321@127.0.0.1" },
		/* nobody's number: as it came, and the maps refuse it */
		{ "tel:-.", "tel:-." },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const SipAgent__Incoming *in;

		invite(f, cases[i].target, "tel:+46-8;phone-context=x", "");
		in = sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_INCOMING)->incoming;
		assert_string_equal(in->request_uri, cases[i].request_uri);
		assert_string_equal(in->from_uri, "sip:+468@127.0.0.20;user=phone");
	}
}

/* RFC 3325: one or two identities, in one header or two; the sip URI counts before the number. */
static void identities_come_in_one_header_or_two(void **state)
{
	static const struct {
		const char *headers;
		size_t n;
		const char *uris[2];
	} cases[] = {
		{ "P-Asserted-Identity: <tel:+46-8>\r\n", 1, { "sip:+468@127.0.0.20;user=phone" } },
		{ "P-Asserted-Identity: tel:+468, \"B, A\" <sip:9@pbx.test>\r\n",
		  2,
		  { "sip:9@pbx.test", "sip:+468@127.0.0.20;user=phone" } },
		{ "P-Asserted-Identity: <tel:+468>\r\nP-ASSERTED-identity: sip:9@pbx.test\r\n",
		  2,
		  { "sip:9@pbx.test", "sip:+468@127.0.0.20;user=phone" } },
		{ "P-Asserted-Identity: \"9\r\n", 0, { NULL } },
		{ "P-Asserted-Identity: *\r\n", 0, { NULL } },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const SipAgent__Incoming *in;

		invite(f, "sip:1@gw.test", "sip:100@pbx.test", cases[i].headers);
		in = sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_INCOMING)->incoming;
		if (in->n_asserted_uris != cases[i].n)
			fail_msg("%s: %zu", cases[i].headers, in->n_asserted_uris);
		for (size_t k = 0; k < cases[i].n; k++)
			assert_string_equal(in->asserted_uris[k], cases[i].uris[k]);
		sip_driver_hangup(f->driver, in->call);
		sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_ENDED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_tel_uri_is_called_as_the_number_at_our_address,
						start, stop),
		cmocka_unit_test_setup_teardown(identities_come_in_one_header_or_two, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
