/* Calls with other people's programs: SIPp, baresip, Kamailio.  Skipped where they
 * are not installed. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "tests/gateway/sip_driver.h"
#include "tests/gateway/sip_programs.h"

enum { CALL = 2 };

struct fixture {
	struct sip_driver *driver;
	char dir[64];
};

static int start(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	f->driver = sip_driver_start(NULL);
	program_make_dir(f->dir);
	*state = f;
	return 0;
}

static int stop(void **state)
{
	struct fixture *f = *state;

	sip_driver_stop(&f->driver);
	program_remove_dir(f->dir);
	test_free(f);
	return 0;
}

static const SipAgent__FromAgent *expect(struct fixture *f, SipAgent__FromAgent__BodyCase body)
{
	return sip_driver_expect(f->driver, body);
}

static const SipAgent__Ended *ended(struct fixture *f, SipAgent__Cause cause)
{
	const SipAgent__Ended *e = expect(f, SIP_AGENT__FROM_AGENT__BODY_ENDED)->ended;

	assert_int_equal(e->cause, cause);
	return e;
}

/* ---- SIPp ---- */

static pid_t sipp(struct fixture *f, const char *scenario, unsigned remote, unsigned local,
		  bool tcp)
{
	char file[512], to[64], port[16];
	const char *const argv[] = { program_path("sipp"),
				     to,
				     "-sf",
				     file,
				     "-s",
				     "+4670",
				     "-i",
				     "127.0.0.1",
				     "-p",
				     port,
				     "-mi",
				     "127.0.0.1",
				     "-m",
				     "1",
				     "-t",
				     tcp ? "t1" : "u1",
				     "-nostdin",
				     "-timeout",
				     "8s",
				     "-timeout_error",
				     NULL };

	if (!argv[0])
		skip();
	snprintf(file, sizeof(file), "%s/tests/gateway/sipp/%s", program_source_dir(), scenario);
	snprintf(to, sizeof(to), "127.0.0.1:%u", remote);
	snprintf(port, sizeof(port), "%u", local);
	return program_start(argv, f->dir);
}

static uint64_t take_call(struct fixture *f, SipAgent__Transport transport)
{
	const SipAgent__Incoming *in = expect(f, SIP_AGENT__FROM_AGENT__BODY_INCOMING)->incoming;
	uint64_t call = in->call;

	assert_int_equal(in->source->transport, transport);
	sip_driver_answer(f->driver, call);
	expect(f, SIP_AGENT__FROM_AGENT__BODY_CONFIRMED);
	return call;
}

/* CIG-020: SIP over UDP and TCP, here inbound; CIG-004: without registration. */
static void sipp_calls(struct fixture *f, bool tcp)
{
	SipAgent__Transport transport = tcp ? SIP_AGENT__TRANSPORT__TCP : SIP_AGENT__TRANSPORT__UDP;
	unsigned port = sip_driver_port(f->driver);
	pid_t pid = sipp(f, "uac.xml", port, program_free_port(), tcp);

	take_call(f, transport);
	ended(f, SIP_AGENT__CAUSE__PEER_BYE);
	assert_int_equal(program_wait(pid, f->dir), 0);
	pid = sipp(f, "uac_bye.xml", port, program_free_port(), tcp);
	sip_driver_hangup(f->driver, take_call(f, transport));
	assert_int_equal(ended(f, SIP_AGENT__CAUSE__OUR_HANGUP)->code, 200);
	assert_int_equal(program_wait(pid, f->dir), 0);
}

static void sipp_calls_over_udp(void **state)
{
	sipp_calls(*state, false);
}

static void sipp_calls_over_tcp(void **state)
{
	sipp_calls(*state, true);
}

/* A SIPp that waits to be called at the port returned. */
static unsigned sipp_waits(struct fixture *f, const char *scenario, bool tcp, pid_t *pid_out)
{
	unsigned port = program_free_port();

	*pid_out = sipp(f, scenario, sip_driver_port(f->driver), port, tcp);
	if (tcp) {
		int fd = program_connect(*pid_out, port, f->dir);

		assert_true(fd >= 0);
		close(fd);
	} else {
		assert_true(program_await_udp(*pid_out, port, f->dir));
	}
	return port;
}

/* CIG-020, CIG-036: outbound over either transport; CIG-035: to the port asked for. */
static void sipp_is_called(struct fixture *f, bool tcp)
{
	pid_t pid;
	unsigned port = sipp_waits(f, "uas.xml", tcp, &pid);

	sip_driver_invite(f->driver, CALL, port,
			  tcp ? SIP_AGENT__TRANSPORT__TCP : SIP_AGENT__TRANSPORT__UDP);
	assert_int_equal(expect(f, SIP_AGENT__FROM_AGENT__BODY_RINGING)->ringing->code, 180);
	assert_int_equal(
		expect(f, SIP_AGENT__FROM_AGENT__BODY_ANSWERED)->answered->audio->n_formats, 1);
	sip_driver_hangup(f->driver, CALL);
	assert_int_equal(ended(f, SIP_AGENT__CAUSE__OUR_HANGUP)->code, 200);
	assert_int_equal(program_wait(pid, f->dir), 0);
}

static void sipp_is_called_over_udp(void **state)
{
	sipp_is_called(*state, false);
}

static void sipp_is_called_over_tcp(void **state)
{
	sipp_is_called(*state, true);
}

/* CIG-013: CANCEL towards the PBX, its 487 acknowledged over both transports. */
static void sipp_is_cancelled(struct fixture *f, bool tcp)
{
	pid_t pid;
	unsigned port = sipp_waits(f, "uas_cancel.xml", tcp, &pid);

	sip_driver_invite(f->driver, CALL, port,
			  tcp ? SIP_AGENT__TRANSPORT__TCP : SIP_AGENT__TRANSPORT__UDP);
	expect(f, SIP_AGENT__FROM_AGENT__BODY_RINGING);
	sip_driver_hangup(f->driver, CALL);
	ended(f, SIP_AGENT__CAUSE__OUR_HANGUP);
	assert_int_equal(program_wait(pid, f->dir), 0);
}

static void sipp_is_cancelled_over_udp(void **state)
{
	sipp_is_cancelled(*state, false);
}

static void sipp_is_cancelled_over_tcp(void **state)
{
	sipp_is_cancelled(*state, true);
}

static void authorize(struct fixture *f, const char *password)
{
	const SipAgent__Challenged *c =
		expect(f, SIP_AGENT__FROM_AGENT__BODY_CHALLENGED)->challenged;
	const struct digest_account account = { "alice", password };
	SipAgent__Authorize message = SIP_AGENT__AUTHORIZE__INIT;
	struct digest_session session = { 0 };
	struct digest_challenge list[DIGEST_MAX_CHALLENGES];
	const struct digest_asked asked = { list, c->n_challenges, c->number, c->method, c->uri };
	struct digest_headers headers;

	for (size_t i = 0; i < c->n_challenges; i++)
		assert_int_equal(wire_challenge_get(c->challenges[i], &list[i]), 0);
	assert_int_equal(digest_session_answer(&session, &asked, &account, &headers), 0);
	message.call = c->call;
	message.number = c->number;
	message.authorization = headers.authorization;
	message.proxy_authorization = headers.proxy_authorization;
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_AUTHORIZE, &message);
}

/* CIG-027, CIG-028: SIPp knows the password, too, and compares. */
static void sipp_verifies_our_digest(void **state)
{
	struct fixture *f = *state;
	const struct {
		const char *password;
		unsigned code;
	} tries[] = { { "s3cret", 486 }, { "wrong", 403 } };

	for (size_t i = 0; i < COUNT(tries); i++) {
		pid_t pid;
		unsigned port = sipp_waits(f, "uas_auth.xml", false, &pid);

		sip_driver_invite(f->driver, CALL, port, SIP_AGENT__TRANSPORT__UDP);
		authorize(f, tries[i].password);
		assert_int_equal(ended(f, SIP_AGENT__CAUSE__FAILED)->code, tries[i].code);
		assert_int_equal(program_wait(pid, f->dir), 0);
	}
}

/* ---- Kamailio in between ---- */

/* The sample configuration with its two ports filled in. */
static void write_proxy_config(struct fixture *f, unsigned proxy, unsigned phone)
{
	char path[512], out[16384];
	struct buf b = BUF_OF(out);
	uint8_t *text;
	size_t n;

	snprintf(path, sizeof(path), "%s/tests/gateway/kamailio.cfg", program_source_dir());
	assert_int_equal(file_read(path, 8192, &text, &n), 0);
	for (const char *p = (const char *)text; *p;) {
		if (strncmp(p, "PROXY_PORT", 10) == 0 || strncmp(p, "PHONE_PORT", 10) == 0) {
			buf_printf(&b, "%u", p[1] == 'R' ? proxy : phone);
			p += 10;
		} else {
			buf_put_char(&b, *p++);
		}
	}
	free(text);
	assert_true(buf_ok(&b));
	snprintf(path, sizeof(path), "%s/kamailio.cfg", f->dir);
	assert_int_equal(file_write_atomic(path, 0600, buf_slice(&b)), 0);
}

static pid_t start_proxy(struct fixture *f, unsigned proxy, unsigned phone)
{
	char config[128], pidfile[128];
	const char *const argv[] = { program_path("kamailio"),
				     "-f",
				     config,
				     "-DD",
				     "-E",
				     "-Y",
				     f->dir,
				     "-P",
				     pidfile,
				     "-m",
				     "32",
				     "-M",
				     "4",
				     NULL };
	pid_t pid;
	int fd;

	if (!argv[0])
		skip();
	snprintf(config, sizeof(config), "%s/kamailio.cfg", f->dir);
	snprintf(pidfile, sizeof(pidfile), "%s/pid", f->dir);
	write_proxy_config(f, proxy, phone);
	pid = program_start(argv, f->dir);
	fd = program_connect(pid, proxy, f->dir); /* its TCP comes last */
	assert_true(fd >= 0);
	close(fd);
	return pid;
}

/* CIG-027: a 407, then a dialog along the proxy's Record-Route. */
static void a_call_passes_a_proxy_that_asks_who_we_are(void **state)
{
	struct fixture *f = *state;
	unsigned proxy, phone;
	pid_t sipp_pid, proxy_pid;

	if (!program_path("kamailio") || !program_path("sipp"))
		skip();
	phone = sipp_waits(f, "uas.xml", false, &sipp_pid);
	proxy = program_free_port();
	proxy_pid = start_proxy(f, proxy, phone);
	sip_driver_invite(f->driver, CALL, proxy, SIP_AGENT__TRANSPORT__UDP);
	authorize(f, "s3cret");
	expect(f, SIP_AGENT__FROM_AGENT__BODY_RINGING);
	assert_int_equal(
		expect(f, SIP_AGENT__FROM_AGENT__BODY_ANSWERED)->answered->dialog->n_routes, 1);
	sip_driver_hangup(f->driver, CALL);
	assert_int_equal(ended(f, SIP_AGENT__CAUSE__OUR_HANGUP)->code, 200);
	assert_int_equal(program_wait(sipp_pid, f->dir), 0);
	program_end(proxy_pid);
}

/* ---- baresip ---- */

struct phone {
	pid_t pid;
	int control;
	unsigned port;
};

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(file_write_atomic(path, 0600, slice_str(text)), 0);
}

static void write_phone_config(struct fixture *f, unsigned sip, unsigned control)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "sip_listen 127.0.0.1:%u\nnet_interface 127.0.0.1\n"
		 "audio_player aubridge,sink\naudio_alert aubridge,alert\n"
		 "audio_source aubridge,source\nausrc_srate 8000\nauplay_srate 8000\n"
		 "ausrc_channels 1\nauplay_channels 1\nmodule_path /usr/lib/baresip/modules\n"
		 "module g711.so\nmodule aubridge.so\nmodule_tmp uuid.so\nmodule_tmp account.so\n"
		 "module_app menu.so\nmodule_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:%u\n",
		 sip, control);
	write_file(f->dir, "config", text);
	write_file(f->dir, "accounts",
		   "<sip:101@127.0.0.1>;regint=0;answermode=auto;audio_codecs=PCMA\n");
	write_file(f->dir, "contacts", "");
}

static struct phone start_phone(struct fixture *f)
{
	const char *const argv[] = { program_path("baresip"), "-f", f->dir, "-s", NULL };
	struct phone p = { .control = -1 };

	if (!argv[0])
		skip();
	for (int i = 0; i < 3 && p.control < 0; i++) { /* another test may take a port */
		unsigned ports[2];

		program_free_ports(ports, 2);
		write_phone_config(f, ports[0], ports[1]);
		p.port = ports[0];
		p.pid = program_start(argv, f->dir);
		p.control = program_connect(p.pid, ports[1], f->dir);
		if (p.control < 0)
			program_end(p.pid);
	}
	assert_true(p.control >= 0);
	return p;
}

/* ctrl_tcp takes netstrings of JSON. */
static void tell_phone(const struct phone *p, const char *command)
{
	char json[64], text[96];
	int n;

	snprintf(json, sizeof(json), "{\"command\":\"%s\"}", command);
	n = snprintf(text, sizeof(text), "%zu:%s,", strlen(json), json);
	assert_int_equal(send(p->control, text, (size_t)n, MSG_NOSIGNAL), n);
}

static void accept_change(struct fixture *f, SipAgent__Direction theirs, SipAgent__Direction ours)
{
	SipAgent__ChangeAnswer answer = SIP_AGENT__CHANGE_ANSWER__INIT;
	struct wire_audio audio;

	assert_int_equal(expect(f, SIP_AGENT__FROM_AGENT__BODY_CHANGE)->change->offer->direction,
			 theirs);
	sip_driver_audio(&audio, ours);
	answer.call = CALL;
	answer.audio = &audio.pb;
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_CHANGE_ANSWER, &answer);
	expect(f, SIP_AGENT__FROM_AGENT__BODY_DIALOG_CHANGED);
	expect(f, SIP_AGENT__FROM_AGENT__BODY_CONFIRMED);
}

static void a_phone_answers_holds_resumes_and_hangs_up(void **state)
{
	struct fixture *f = *state;
	struct phone p = start_phone(f);
	const SipAgent__Answered *answered;

	sip_driver_invite(f->driver, CALL, p.port, SIP_AGENT__TRANSPORT__UDP);
	expect(f, SIP_AGENT__FROM_AGENT__BODY_RINGING);
	answered = expect(f, SIP_AGENT__FROM_AGENT__BODY_ANSWERED)->answered;
	assert_int_equal(answered->audio->formats[0]->encoding, SIP_AGENT__ENCODING__PCMA);
	tell_phone(&p, "hold");
	accept_change(f, SIP_AGENT__DIRECTION__SENDONLY, SIP_AGENT__DIRECTION__RECVONLY);
	tell_phone(&p, "resume");
	accept_change(f, SIP_AGENT__DIRECTION__SENDRECV, SIP_AGENT__DIRECTION__SENDRECV);
	tell_phone(&p, "hangup");
	ended(f, SIP_AGENT__CAUSE__PEER_BYE);
	close(p.control);
	program_end(p.pid);
}

static void a_phone_calls_and_is_hung_up_on(void **state)
{
	struct fixture *f = *state;
	struct phone p = start_phone(f);
	char json[160], text[192];
	int n;

	snprintf(json, sizeof(json), "{\"command\":\"dial\",\"params\":\"sip:+4670@127.0.0.1:%u\"}",
		 sip_driver_port(f->driver));
	n = snprintf(text, sizeof(text), "%zu:%s,", strlen(json), json);
	assert_int_equal(send(p.control, text, (size_t)n, MSG_NOSIGNAL), n);
	sip_driver_hangup(f->driver, take_call(f, SIP_AGENT__TRANSPORT__UDP));
	assert_int_equal(ended(f, SIP_AGENT__CAUSE__OUR_HANGUP)->code, 200);
	close(p.control);
	program_end(p.pid);
}

#define PEER_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(sipp_calls_over_udp),
		PEER_TEST(sipp_calls_over_tcp),
		PEER_TEST(sipp_is_called_over_udp),
		PEER_TEST(sipp_is_called_over_tcp),
		PEER_TEST(sipp_is_cancelled_over_udp),
		PEER_TEST(sipp_is_cancelled_over_tcp),
		PEER_TEST(sipp_verifies_our_digest),
		PEER_TEST(a_call_passes_a_proxy_that_asks_who_we_are),
		PEER_TEST(a_phone_answers_holds_resumes_and_hangs_up),
		PEER_TEST(a_phone_calls_and_is_hung_up_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
