/* What no honest peer sends must hurt neither cig-sip nor the other calls. */
#include "tests/unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "tests/gateway/sip_driver.h"
#include "tests/gateway/sip_peer.h"

struct fixture {
	struct sip_driver *driver;
	struct sip_peer peer;
	char sdp[512];
	unsigned probes;
	uint64_t call; /* one that stands throughout */
};

/* OPTIONS are still answered; repeated as SIP does over UDP, where noise may have
 * filled the socket. */
static void alive(struct fixture *f)
{
	struct sip_peer_request options = { "OPTIONS", "alive", NULL, NULL, 0, false, false };
	char cseq[32];

	options.cseq = ++f->probes;
	snprintf(cseq, sizeof(cseq), "CSeq: %u OPTIONS", options.cseq);
	for (int i = 0; i < 20; i++) {
		sip_peer_request(&f->peer, &options);
		while (sip_peer_await(&f->peer, "SIP/2.0 200", 250))
			if (sip_peer_has(&f->peer, cseq))
				return;
	}
	fail_msg("the agent is silent");
}

static int start(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));
	struct sip_peer_request r = { "INVITE", "c1", NULL, NULL, 1, false, false };

	f->driver = sip_driver_start(&(struct sip_driver_options){ .max_calls = 64 });
	sip_peer_open(&f->peer, "127.0.0.20", sip_driver_port(f->driver));
	r.body = sip_peer_sdp("", f->sdp, sizeof(f->sdp));
	sip_peer_request(&f->peer, &r);
	f->call =
		sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_INCOMING)->incoming->call;
	sip_driver_answer(f->driver, f->call);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	r = (struct sip_peer_request){ "ACK", "c1", NULL, NULL, 1, true, false };
	sip_peer_request(&f->peer, &r);
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_CONFIRMED);
	*state = f;
	return 0;
}

/* The standing call still stands: it ends by our BYE, not otherwise. */
static int stop(void **state)
{
	struct fixture *f = *state;

	alive(f);
	sip_driver_settle(f->driver, true);
	sip_driver_hangup(f->driver, f->call);
	sip_peer_expect(&f->peer, "BYE sip:100@127.0.0.20:");
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
	sip_peer_close(&f->peer);
	sip_driver_stop(&f->driver);
	test_free(f);
	return 0;
}

#define VIA "Via: SIP/2.0/UDP 127.0.0.20:5060;branch=z9hG4bK"
#define REST                                                                                       \
	"Max-Forwards: 70\r\nFrom: <sip:100@pbx.test>;tag=f\r\nTo: <sip:1@gw.test>\r\n"            \
	"Call-ID: m#\r\nContact: <sip:100@127.0.0.20>\r\n"

/* In the manner of RFC 4475; # is a number that makes each its own call. */
static const char *const torture[] = {
	/* 3.1.1: valid, but unusual */
	"INVITE sip:1@gw.test SIP/2.0\r\nTO :\r\n sip:1@gw.test ;   x = y\r\nfrom : \"J\\\\\\\"\" "
	"<sip:100@pbx.test>\r\n  ;\r\n  tag = f\r\nmAx-fOrWaRdS: 0068\r\nCall-ID: m#\r\n"
	"CSeq: 0009\r\n  INVITE\r\nv: SIP / 2.0 / UDP\r\n  127.0.0.20;branch = z9hG4bKq\r\n"
	"s :\r\nNewFangledHeader:   x\r\n more\r\nm: <sip:100@127.0.0.20>\r\nl: 0\r\n\r\n",
	"!interesting-Method0123456789_*+`.%indeed'~ sip:1@gw.test SIP/2.0\r\n" VIA "a\r\n" REST
	"CSeq: 1 !interesting-Method0123456789_*+`.%indeed'~\r\nContent-Length: 0\r\n\r\n",
	"INVITE sip:sips%3Auser%40example.com@gw.test SIP/2.0\r\n" VIA "b\r\n" REST
	"CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
	"REGISTER sip:gw.test SIP/2.0\r\n" VIA "c\r\n" REST
	"Contact: <sip:%00@h>\r\nCSeq: 1 REGISTER\r\nl: 0\r\n\r\n",
	"OPTIONS sip:1@gw.test SIP/2.0\r\n" VIA "d\r\n" REST
	"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\nINVITE sip:2@gw.test SIP/2.0\r\nCall-ID: "
	"x\r\n",
	/* RFC 2543: without tags and branches */
	"INVITE sip:1@gw.test SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.20:5060\r\nFrom: "
	"<sip:100@pbx.test>\r\n"
	"To: <sip:1@gw.test>\r\nCall-ID: m#\r\nContact: <sip:100@127.0.0.20>\r\nCSeq: 1 INVITE\r\n"
	"Content-Length: 0\r\n\r\n",
	/* 3.1.2: invalid */
	"INVITE sip:1@gw.test SIP/2.0\r\n" VIA "e;;,;,,\r\n" REST "CSeq: 1 INVITE\r\n"
	"Contact: \"\" <>\r\nContent-Length: 0\r\n\r\n",
	"INVITE sip:1@gw.test SIP/2.0\r\n" VIA "f\r\n" REST "CSeq: 1 INVITE\r\n"
	"Content-Length: 9999\r\n\r\nv=0\r\n",
	"INVITE sip:1@gw.test SIP/2.0\r\n" VIA "g\r\n" REST "CSeq: 1 INVITE\r\n"
	"Content-Length: -999\r\n\r\nv=0\r\n",
	"REGISTER sip:gw.test SIP/2.0\r\n" VIA "h\r\n" REST
	"CSeq: 36893488147419103232 REGISTER\r\nExpires: 10000000000000\r\nContent-Length: "
	"0\r\n\r\n",
	"SIP/2.0 503 Unavailable\r\n" VIA "i\r\n" REST
	"CSeq: 9292394834772304023312 OPTIONS\r\nRetry-After: 949302838503028349304023988\r\n\r\n",
	"INVITE sip:1@gw.test SIP/2.0\r\n" VIA "j\r\nMax-Forwards: 70\r\n"
	"From: <sip:100@pbx.test>;tag=f\r\nTo: \"Mr. X <sip:1@gw.test>\r\nCall-ID: m#\r\n"
	"CSeq: 1 INVITE\r\nContact: <sip:1@127.0.0.20>\r\nContent-Length: 0\r\n\r\n",
	"INVITE <sip:1@gw.test> SIP/2.0\r\n" VIA "k\r\n" REST "CSeq: 1 INVITE\r\n\r\n",
	"INVITE sip:1@gw.test; lr SIP/2.0\r\n" VIA "l\r\n" REST "CSeq: 1 INVITE\r\n\r\n",
	"INVITE  sip:1@gw.test  SIP/2.0\r\n" VIA "m\r\n" REST "CSeq: 1 INVITE\r\n\r\n",
	"OPTIONS sip:1@gw.test SIP/2.0  \r\n" VIA "n\r\n" REST "CSeq: 1 OPTIONS\r\n\r\n",
	"INVITE sip:1@gw.test?Route=%3Csip:x%3E SIP/2.0\r\n" VIA "o\r\n" REST
	"CSeq: 1 INVITE\r\nDate: Fri, 30 Feb 2010 16:00:00 EST\r\n\r\n",
	"OPTIONS sip:1@gw.test SIP/7.0\r\n" VIA "p;maddr=pbx.test\r\n" REST
	"CSeq: 1 OPTIONS\r\n\r\n",
	"OPTIONS sip:1@gw.test SIP/2.0\r\n" VIA "q\r\n" REST "CSeq: 1 INVITE\r\n\r\n",
	"NEWMETHOD sip:1@gw.test SIP/2.0\r\n" VIA "r\r\n" REST "CSeq: 1 OTHER\r\n\r\n",
	"SIP/2.0 4294967301 better\r\n" VIA "s\r\n" REST "CSeq: 1 INVITE\r\n\r\n",
	"OPTIONS sip:1@gw.test SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.20;branch=z9hG4bK\r\n" REST
	"CSeq: 1 OPTIONS\r\n\r\n",
	"INVITE sip:1@gw.test SIP/2.0\r\nCSeq: 193942 INVITE\r\n" VIA
	"t\r\nContent-Length: 0\r\n\r\n",
	"OPTIONS nobodyKnowsThisScheme:totallyopaque SIP/2.0\r\n" VIA "u\r\n" REST
	"CSeq: 1 OPTIONS\r\n\r\n",
	"INVITE sip:1@gw.test SIP/2.0\r\n" VIA "v\r\n" REST "CSeq: 1 INVITE\r\n"
	"Content-Type: multipart/mixed\r\nContent-Length: 0\r\n\r\n",
	"INVITE sip:1@gw.test SIP/2.0\r\n" VIA "w\r\n" REST "CSeq: 1 INVITE\r\n"
	"Content-Type: multipart/mixed;boundary=x\r\nContent-Length: 5\r\n\r\n--x--",
	"INVITE sip:1@gw.test SIP/2.0\r\n" VIA "x\r\nVia: SIP/2.0/UDP\r\nFrom: \r\nFrom: a\r\n" REST
	"CSeq: 1 INVITE\r\nCSeq: 2 INVITE\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
	"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1\r\n" REST
	"CSeq: 1 INVITE\r\n\r\n",
	"INVITE sip:1@gw.test SIP/2.0\r\n" VIA "y\r\nMax-Forwards: 0\r\nFrom: <sip:1@h>\r\n"
	"To: <sip:1@h>\r\nCall-ID: m#\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
	"INVITE sip:1@gw.test SIP/2.0\r\n" VIA "z\r\n" REST "CSeq: 1 INVITE\r\nRequire: a, b\r\n"
	"Proxy-Require: c\r\nContent-Length: 0\r\n\r\n",
	"INVITE tel:+4670;1234 SIP/2.0\r\n" VIA "A\r\n" REST
	"CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
	"INVITE urn:service:sos SIP/2.0\r\n" VIA "B\r\n" REST
	"CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
	"ACK sip:1@gw.test SIP/2.0\r\n" VIA "C\r\n" REST "CSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
	"CANCEL sip:1@gw.test SIP/2.0\r\n" VIA "D\r\n" REST "CSeq: 1 CANCEL\r\n\r\n",
	"SIP/2.0\r\n\r\n",
	"INVITE\r\n\r\n",
	"\r\n\r\n",
	"",
};

/* Writes form with its # as number and its $ as body.  Returns the length. */
static size_t fill(const char *form, unsigned number, const char *body, char *out, size_t outsz)
{
	struct buf b = buf_over(out, outsz);

	for (; *form; form++) {
		if (*form == '#')
			buf_printf(&b, "%u", number);
		else if (*form == '$')
			buf_printf(&b, "%zu\r\n\r\n%s", strlen(body), body);
		else
			buf_put_char(&b, *form);
	}
	assert_true(buf_ok(&b));
	return b.len;
}

static void tortured_messages_are_answered_or_dropped(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(torture); i++) {
		char text[4096];
		size_t n = fill(torture[i], (unsigned)i, "", text, sizeof(text));

		sip_peer_send_raw(&f->peer, text, n);
		alive(f);
		sip_driver_settle(f->driver, true);
	}
	assert_true(sip_driver_settle(f->driver, true).malformed > 10);
}

/* A generator of its own, so that a failure can be run again. */
static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void changed_octets_do_no_harm(void **state)
{
	struct fixture *f = *state;
	const char *form =
		"INVITE sip:1@gw.test SIP/2.0\r\n" VIA
		"#\r\nRecord-Route: <sip:127.0.0.20;lr>\r\n" REST "CSeq: 1 INVITE\r\nContent-Type: "
		"application/sdp\r\nP-Asserted-Identity: <sip:9@h>\r\n"
		"Privacy: id\r\nReason: Q.850;cause=16\r\nContent-Length: $";
	uint32_t seed = 4475;

	for (unsigned i = 0; i < 1500; i++) {
		char text[4096];
		size_t n = fill(form, i, f->sdp, text, sizeof(text));
		unsigned changes = 1 + next_random(&seed) % 4;

		for (unsigned c = 0; c < changes; c++)
			text[next_random(&seed) % n] = (char)next_random(&seed);
		sip_peer_send_raw(&f->peer, text,
				  next_random(&seed) % 8 ? n : next_random(&seed) % n);
		if (i % 16 == 0) {
			alive(f);
			sip_driver_settle(f->driver, true);
		}
	}
}

static void datagrams_of_noise_are_counted_and_forgotten(void **state)
{
	struct fixture *f = *state;
	uint32_t seed = 1;
	char noise[600];

	for (unsigned i = 0; i < 300; i++) {
		size_t n = next_random(&seed) % sizeof(noise);

		for (size_t k = 0; k < n; k++)
			noise[k] = (char)next_random(&seed);
		sip_peer_send_raw(&f->peer, noise, n);
	}
	alive(f);
}

static int tcp_connect(struct fixture *f)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_port = htons((uint16_t)sip_driver_port(f->driver));
	inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* sofia-sip-traps.md S11: neither harm nor a descriptor lost.  (What is no SIP at all
 * keeps its descriptor until it was idle for long: only friends get that far.) */
static void broken_tcp_streams_do_no_harm(void **state)
{
	static const char *const begun[] = {
		"INVITE sip:1@gw.test SIP/2.0\r\n",
		"\r\n\r\n\r\n",
		("INVITE sip:1@gw.test SIP/2.0\r\nVia: SIP/2.0/TCP x;branch=z9hG4bK1\r\n"
		 "Content-Length: 99999999\r\n\r\nabc"),
		"SIP/2.0 200 OK\r\n\r\n",
	};
	struct fixture *f = *state;
	unsigned before = sip_driver_descriptors(f->driver);

	for (size_t i = 0; i < 20 * COUNT(begun); i++) {
		struct linger reset = { 1, 0 };
		int fd = tcp_connect(f);

		assert_true(send(fd, begun[i % COUNT(begun)], strlen(begun[i % COUNT(begun)]), 0) >
			    0);
		if (i % 3 == 0)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
		alive(f);
	}
	for (int i = 0; i < 50 && sip_driver_descriptors(f->driver) > before; i++)
		alive(f);
	assert_int_equal(sip_driver_descriptors(f->driver), before);
}

/* Responses that belong to nothing, or to a call in a state that does not wait for them. */
static void responses_out_of_place_are_ignored(void **state)
{
	static const char *const codes[] = { "100", "180", "200", "302", "401", "500" };
	static const char *const methods[] = { "INVITE", "CANCEL", "BYE", "ACK", "OPTIONS" };
	struct fixture *f = *state;

	sip_driver_invite(f->driver, 2, f->peer.port, SIP_AGENT__TRANSPORT__UDP);
	for (size_t c = 0; c < COUNT(codes); c++) {
		for (size_t m = 0; m < COUNT(methods); m++) {
			char text[1024];
			int n = snprintf(
				text, sizeof(text),
				"SIP/2.0 %s X\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKx\r\n"
				"From: <sip:1@h>;tag=a\r\nTo: <sip:2@h>;tag=b\r\nCall-ID: s%zu\r\n"
				"CSeq: 1 %s\r\nContact: <sip:x@127.0.0.20:%u>\r\n\r\n",
				codes[c], f->peer.agent_port, c, methods[m], f->peer.port);

			sip_peer_send_raw(&f->peer, text, (size_t)n);
		}
	}
	alive(f);
}

/* The library aborts on a CANCEL's answer that comes before any to the INVITE, were the
 * CANCEL its own. */
static void an_answer_to_a_cancel_that_was_never_sent_is_ignored(void **state)
{
	struct fixture *f = *state;
	struct sip_peer pbx;
	char via[256], from[256], to[256], id[128], cseq[64], text[2048];
	unsigned seq;
	int n;

	sip_peer_open(&pbx, "127.0.0.1", sip_driver_port(f->driver));
	sip_driver_invite(f->driver, 2, pbx.port, SIP_AGENT__TRANSPORT__UDP);
	sip_peer_expect(&pbx, "INVITE ");
	sip_peer_header(&pbx, "Via", via, sizeof(via));
	sip_peer_header(&pbx, "From", from, sizeof(from));
	sip_peer_header(&pbx, "To", to, sizeof(to));
	sip_peer_header(&pbx, "Call-ID", id, sizeof(id));
	sip_peer_header(&pbx, "CSeq", cseq, sizeof(cseq));
	assert_int_equal(sscanf(cseq, "%u INVITE", &seq), 1);
	sip_driver_hangup(f->driver, 2);
	sip_driver_settle(f->driver, false);
	n = snprintf(text, sizeof(text),
		     "SIP/2.0 200 OK\r\nVia: %s\r\nFrom: %s\r\nTo: %s;tag=x\r\nCall-ID: %s\r\n"
		     "CSeq: %u CANCEL\r\nContent-Length: 0\r\n\r\n",
		     via, from, to, id, seq);
	sip_peer_send_raw(&pbx, text, (size_t)n);
	alive(f);
	sip_peer_reply(&pbx, 487, "x", NULL, NULL);
	sip_peer_expect(&pbx, "ACK ");
	sip_peer_close(&pbx);
}

#define ROBUST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROBUST(tortured_messages_are_answered_or_dropped),
		ROBUST(changed_octets_do_no_harm),
		ROBUST(datagrams_of_noise_are_counted_and_forgotten),
		ROBUST(broken_tcp_streams_do_no_harm),
		ROBUST(responses_out_of_place_are_ignored),
		ROBUST(an_answer_to_a_cancel_that_was_never_sent_is_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
