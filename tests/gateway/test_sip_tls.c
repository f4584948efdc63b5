/* SIP over TLS: who is believed, and what half a connection costs. */
#include "tests/unit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/gateway/sip_driver.h"
#include "tests/gateway/sip_peer.h"
#include "tests/gateway/tls_kit.h"

enum { CALL = 2, MANY = 330 /* connections; more than one address may have */ };

struct fixture {
	struct tls_kit kit;
	struct sip_driver *driver;
	struct sip_peer peer;
	int listener;
	unsigned port;
	char sdp[512];
};

static int start_with(void **state, bool verify_clients)
{
	struct fixture *f = test_calloc(1, sizeof(*f));
	SipAgent__Tls tls = SIP_AGENT__TLS__INIT;

	signal(SIGPIPE, SIG_IGN);
	tls_kit_make(&f->kit);
	tls.certificate = f->kit.agent;
	tls.ca = f->kit.ca;
	tls.verify_clients = verify_clients;
	f->driver = sip_driver_start(&(struct sip_driver_options){ .tls = &tls });
	f->listener = tls_kit_listen(&f->port);
	sip_peer_sdp("", f->sdp, sizeof(f->sdp));
	*state = f;
	return 0;
}

static int start(void **state)
{
	return start_with(state, false);
}

static int start_strict(void **state)
{
	return start_with(state, true);
}

static int stop(void **state)
{
	struct fixture *f = *state;

	close(f->listener);
	sip_driver_stop(&f->driver);
	tls_kit_remove(&f->kit);
	test_free(f);
	return 0;
}

static void dial(struct fixture *f, const char *host)
{
	sip_driver_invite_host(f->driver, CALL, f->port, SIP_AGENT__TRANSPORT__TLS, host);
}

static void a_call_to_a_pbx_whose_certificate_names_its_host(void **state)
{
	struct fixture *f = *state;
	SSL *ssl;

	dial(f, "pbx.test");
	ssl = tls_kit_accept(f->listener, f->kit.pbx);
	assert_non_null(ssl);
	sip_peer_over_tls(&f->peer, ssl, f->port, sip_driver_tls_port(f->driver));
	sip_peer_expect(&f->peer, "INVITE sip:101@pbx.test ");
	assert_true(sip_peer_has(&f->peer, "Via: SIP/2.0/TLS 127.0.0.1"));
	assert_true(sip_peer_has(&f->peer, ";transport=tls>"));
	sip_peer_reply(&f->peer, 200, "pt", NULL, f->sdp);
	sip_peer_expect(&f->peer, "ACK ");
	assert_int_equal(sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_ANSWERED)
				 ->answered->dialog->next_hop->transport,
			 SIP_AGENT__TRANSPORT__TLS);
	sip_driver_hangup(f->driver, CALL);
	sip_peer_expect(&f->peer, "BYE "); /* on the same connection */
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_ENDED);
	tls_kit_close(ssl);
}

/* Whatever the reason, not one octet of SIP goes there, and the call fails at once. */
static void refused(struct fixture *f, const char *host, const char *file)
{
	const SipAgent__Ended *ended;
	char octet;
	SSL *ssl;

	dial(f, host);
	ssl = tls_kit_accept(f->listener, file);
	if (ssl)
		assert_true(SSL_read(ssl, &octet, 1) <= 0);
	ended = sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_ENDED)->ended;
	assert_int_equal(ended->code, 503);
	tls_kit_close(ssl);
}

static void a_pbx_whose_certificate_nobody_vouches_for_is_not_called(void **state)
{
	struct fixture *f = *state;

	refused(f, "pbx.test", f->kit.rogue);
}

static void a_pbx_whose_certificate_names_another_host_is_not_called(void **state)
{
	struct fixture *f = *state;

	refused(f, "other.test", f->kit.pbx);
	refused(f, "", f->kit.pbx); /* its address is not in it, either */
}

static void a_certificate_may_name_the_address(void **state)
{
	struct fixture *f = *state;
	SSL *ssl;

	dial(f, "");
	ssl = tls_kit_accept(f->listener, f->kit.agent);
	assert_non_null(ssl);
	sip_peer_over_tls(&f->peer, ssl, f->port, sip_driver_tls_port(f->driver));
	sip_peer_expect(&f->peer, "INVITE sip:101@pbx.test ");
	sip_peer_reply(&f->peer, 486, "pt", NULL, NULL);
	sip_peer_expect(&f->peer, "ACK ");
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_ENDED);
	tls_kit_close(ssl);
}

static void a_call_comes_in_and_is_hung_up_on_the_same_connection(void **state)
{
	struct fixture *f = *state;
	const SipAgent__Incoming *incoming;
	SSL *ssl = tls_kit_connect(sip_driver_tls_port(f->driver), NULL, 0);
	struct sip_peer_request invite = { .method = "INVITE", .call = "a", .cseq = 1 };
	struct sip_peer_request ack = { .method = "ACK", .call = "a", .cseq = 1, .to_tag = true };
	uint64_t call;

	assert_non_null(ssl);
	sip_peer_over_tls(&f->peer, ssl, f->port, sip_driver_tls_port(f->driver));
	invite.body = f->sdp;
	sip_peer_request(&f->peer, &invite);
	incoming = sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_INCOMING)->incoming;
	assert_int_equal(incoming->source->transport, SIP_AGENT__TRANSPORT__TLS);
	call = incoming->call;
	sip_driver_answer(f->driver, call);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	sip_peer_request(&f->peer, &ack);
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_CONFIRMED);
	sip_driver_hangup(f->driver, call);
	sip_peer_expect(&f->peer, "BYE ");
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_ENDED);
	tls_kit_close(ssl);
}

static void options_over(struct fixture *f, SSL *ssl)
{
	struct sip_peer_request options = { .method = "OPTIONS", .call = "o", .cseq = 1 };

	assert_non_null(ssl);
	sip_peer_over_tls(&f->peer, ssl, f->port, sip_driver_tls_port(f->driver));
	sip_peer_request(&f->peer, &options);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	tls_kit_close(ssl);
}

/* S17 of docs/sip-library.md: with SIP and SIPS on one address its own set-up fails. */
static void s17_sip_and_sips_are_served_on_one_address(void **state)
{
	struct sip_peer_request options = { .method = "OPTIONS", .call = "u", .cseq = 1 };
	struct fixture *f = *state;

	assert_int_not_equal(sip_driver_port(f->driver), sip_driver_tls_port(f->driver));
	options_over(f, tls_kit_connect(sip_driver_tls_port(f->driver), NULL, 0));
	sip_peer_open(&f->peer, "127.0.0.1", sip_driver_port(f->driver));
	sip_peer_request(&f->peer, &options);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	assert_true(sip_peer_has(&f->peer, "Via: SIP/2.0/UDP 127.0.0.1"));
	sip_peer_close(&f->peer);
}

static void who_connects_must_show_a_certificate_where_that_is_asked_for(void **state)
{
	struct fixture *f = *state;
	unsigned port = sip_driver_tls_port(f->driver);
	char octet;
	SSL *ssl = tls_kit_connect(port, NULL, 0);

	if (ssl) /* TLS 1.3: the client hears of it when it reads */
		assert_true(SSL_read(ssl, &octet, 1) <= 0);
	tls_kit_close(ssl);
	ssl = tls_kit_connect(port, f->kit.rogue, 0);
	if (ssl)
		assert_true(SSL_read(ssl, &octet, 1) <= 0);
	tls_kit_close(ssl);
	options_over(f, tls_kit_connect(port, f->kit.pbx, 0));
}

static void versions_below_1_2_are_refused(void **state)
{
	struct fixture *f = *state;
	unsigned port = sip_driver_tls_port(f->driver);

	assert_null(tls_kit_connect(port, NULL, TLS1_1_VERSION));
	options_over(f, tls_kit_connect(port, NULL, TLS1_2_VERSION));
	options_over(f, tls_kit_connect(port, NULL, TLS1_3_VERSION));
}

/* Connections that say nothing, half a hello, or what is no TLS. */
static void half_open_connections_end_and_the_others_do_not_notice(void **state)
{
	static const char *const beginnings[] = { "", "\x16\x03\x01\x02",
						  "OPTIONS sip:a SIP/2.0\r\n\r\n" };
	struct fixture *f = *state;
	unsigned port = sip_driver_tls_port(f->driver);
	unsigned before = sip_driver_descriptors(f->driver);
	int fds[MANY];

	for (int i = 0; i < MANY; i++) {
		const char *text = beginnings[i % 3];

		fds[i] = tls_kit_connect_plain(port, "127.0.0.9");
		(void)send(fds[i], text, strlen(text), MSG_NOSIGNAL);
	}
	options_over(f, tls_kit_connect(port, NULL, 0)); /* from another address */
	assert_true(sip_driver_descriptors(f->driver) < before + 210);
	assert_true(sip_driver_counters(f->driver).overload > 0);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	for (int i = 0; i < 100 && sip_driver_descriptors(f->driver) > before + 2; i++)
		options_over(f, tls_kit_connect(port, NULL, 0));
	assert_in_range(sip_driver_descriptors(f->driver), before, before + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_call_to_a_pbx_whose_certificate_names_its_host,
						start, stop),
		cmocka_unit_test_setup_teardown(
			a_pbx_whose_certificate_nobody_vouches_for_is_not_called, start, stop),
		cmocka_unit_test_setup_teardown(
			a_pbx_whose_certificate_names_another_host_is_not_called, start, stop),
		cmocka_unit_test_setup_teardown(a_certificate_may_name_the_address, start, stop),
		cmocka_unit_test_setup_teardown(
			a_call_comes_in_and_is_hung_up_on_the_same_connection, start, stop),
		cmocka_unit_test_setup_teardown(s17_sip_and_sips_are_served_on_one_address, start,
						stop),
		cmocka_unit_test_setup_teardown(
			who_connects_must_show_a_certificate_where_that_is_asked_for, start_strict,
			stop),
		cmocka_unit_test_setup_teardown(versions_below_1_2_are_refused, start, stop),
		cmocka_unit_test_setup_teardown(
			half_open_connections_end_and_the_others_do_not_notice, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
