#include "tests/unit.h"

#include "tests/gateway/sip_driver.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/packet_queue.h"
#include "base/process.h"

enum { PATIENCE_MS = 5000, PACKET_MAX = 128 * 1024 };

struct sip_driver {
	int fd;
	pid_t pid;
	unsigned port, tls_port;
	SipAgent__FromAgent *event;
	uint8_t packet[PACKET_MAX];
	struct slice unread; /* of a packet of events */
	uint8_t events[PACKET_MAX];
};

static bool send_message(struct sip_driver *d, SipAgent__ToAgent__BodyCase body, void *message)
{
	SipAgent__ToAgent to = SIP_AGENT__TO_AGENT__INIT;
	size_t n;

	to.body_case = body;
	to.ping = message; /* a union of pointers */
	n = sip_agent__to_agent__pack(&to, d->packet);
	return send(d->fd, d->packet, n, MSG_NOSIGNAL) == (ssize_t)n;
}

void sip_driver_send(struct sip_driver *d, SipAgent__ToAgent__BodyCase body, void *message)
{
	assert_true(send_message(d, body, message));
}

static const SipAgent__FromAgent *next_event(struct sip_driver *d)
{
	struct slice event;

	if (d->event)
		sip_agent__from_agent__free_unpacked(d->event, NULL);
	d->event = NULL;
	while (!packet_next(&d->unread, &event)) {
		struct pollfd p = { d->fd, POLLIN, 0 };
		ssize_t n;

		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		n = recv(d->fd, d->events, sizeof(d->events), 0);
		assert_true(n > 0); /* 0: the agent died */
		d->unread = slice_of(d->events, (size_t)n);
	}
	d->event = sip_agent__from_agent__unpack(NULL, event.n, event.p);
	assert_non_null(d->event);
	return d->event;
}

const SipAgent__FromAgent *sip_driver_expect(struct sip_driver *d,
					     SipAgent__FromAgent__BodyCase body)
{
	for (;;) {
		const SipAgent__FromAgent *event = next_event(d);

		if (event->body_case == body)
			return event;
		if (event->body_case == SIP_AGENT__FROM_AGENT__BODY_ENDED)
			print_message("ended: cause %d code %u %s\n", event->ended->cause,
				      event->ended->code, event->ended->phrase);
		if (event->body_case == SIP_AGENT__FROM_AGENT__BODY_FAILURE)
			print_message("failure: %s\n", event->failure->text);
		if (event->body_case != SIP_AGENT__FROM_AGENT__BODY_PONG &&
		    event->body_case != SIP_AGENT__FROM_AGENT__BODY_REFUSED &&
		    event->body_case != SIP_AGENT__FROM_AGENT__BODY_TRYING)
			fail_msg("event %d instead of %d", event->body_case, body);
	}
}

SipAgent__Counters sip_driver_counters(struct sip_driver *d)
{
	SipAgent__Ping ping = SIP_AGENT__PING__INIT;
	const SipAgent__FromAgent *event;

	ping.token = 42;
	sip_driver_send(d, SIP_AGENT__TO_AGENT__BODY_PING, &ping);
	event = sip_driver_expect(d, SIP_AGENT__FROM_AGENT__BODY_PONG);
	assert_int_equal(event->pong->token, 42);
	assert_non_null(event->pong->counters);
	return *event->pong->counters;
}

SipAgent__Counters sip_driver_settle(struct sip_driver *d, bool hangup)
{
	SipAgent__Ping ping = SIP_AGENT__PING__INIT;
	const SipAgent__FromAgent *event;

	sip_driver_send(d, SIP_AGENT__TO_AGENT__BODY_PING, &ping);
	for (;;) {
		event = next_event(d);
		if (event->body_case == SIP_AGENT__FROM_AGENT__BODY_PONG)
			return *event->pong->counters;
		if (hangup && event->body_case == SIP_AGENT__FROM_AGENT__BODY_INCOMING)
			sip_driver_hangup(d, event->incoming->call);
	}
}

static void configure(struct sip_driver *d, const struct sip_driver_options *o)
{
	SipAgent__Configure c = SIP_AGENT__CONFIGURE__INIT;
	char *network = (char *)(uintptr_t)(o->network ? o->network : "127.0.0.0/8");
	const SipAgent__FromAgent *event;
	char *address = (char *)(uintptr_t)(o->address ? o->address : "127.0.0.1");
	char agent[] = "Tandem/test";
	SipAgent__Hep hep = SIP_AGENT__HEP__INIT;

	c.address = address;
	c.port = o->port;
	c.udp = c.tcp = true;
	c.user_agent = agent;
	c.n_networks = 1;
	c.networks = &network;
	c.max_calls = o->max_calls;
	c.answer_ms = o->answer_ms;
	c.udp_mtu = o->udp_mtu;
	c.texts = o->texts;
	c.trace = (char *)(uintptr_t)(o->trace ? o->trace : "");
	if (o->hep_port) {
		hep.address = address;
		hep.port = o->hep_port;
		c.hep = &hep;
	}
	c.session_expires_s = o->session_s;
	c.min_session_expires_s = o->min_session_s;
	c.tls = (SipAgent__Tls *)(uintptr_t)o->tls;
	c.first_call = o->first_call ? o->first_call : 1;
	sip_driver_send(d, SIP_AGENT__TO_AGENT__BODY_CONFIGURE, &c);
	event = sip_driver_expect(d, SIP_AGENT__FROM_AGENT__BODY_READY);
	assert_string_equal(event->ready->address, address);
	d->port = event->ready->port;
	d->tls_port = event->ready->tls_port;
}

struct sip_driver *sip_driver_start(const struct sip_driver_options *options)
{
	const char *const argv[] = { "gateway/cig-sip", NULL };
	struct process_spec spec = { .argv = argv, .output_fd = -1 };
	struct sip_driver *d = calloc(1, sizeof(*d));
	int fds[2];

	assert_non_null(d);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	spec.pass_fd = fds[1];
	d->fd = fds[0];
	d->pid = process_spawn(&spec);
	assert_true(d->pid > 0);
	close(fds[1]);
	configure(d, options ? options : &(struct sip_driver_options){ 0 });
	return d;
}

static int finish(struct sip_driver **driverp)
{
	struct sip_driver *d = *driverp;
	int status;

	while (waitpid(d->pid, &status, 0) < 0)
		;
	if (d->event)
		sip_agent__from_agent__free_unpacked(d->event, NULL);
	close(d->fd);
	free(d);
	*driverp = NULL;
	return status;
}

void sip_driver_stop(struct sip_driver **driverp)
{
	SipAgent__Quit quit = SIP_AGENT__QUIT__INIT;

	send_message(*driverp, SIP_AGENT__TO_AGENT__BODY_QUIT, &quit); /* it may be gone */
	assert_int_equal(finish(driverp), 0); /* no leak, no sanitizer's finding */
}

void sip_driver_kill(struct sip_driver **driverp)
{
	kill((*driverp)->pid, SIGKILL);
	assert_true(WIFSIGNALED(finish(driverp)));
}

unsigned sip_driver_descriptors(const struct sip_driver *d)
{
	char path[64];
	unsigned n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", d->pid);
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2; /* . and .. */
}

unsigned sip_driver_port(const struct sip_driver *d)
{
	return d->port;
}

unsigned sip_driver_tls_port(const struct sip_driver *d)
{
	return d->tls_port;
}

const SipAgent__Refused *sip_driver_refused(struct sip_driver *d)
{
	return sip_driver_expect(d, SIP_AGENT__FROM_AGENT__BODY_REFUSED)->refused;
}

void sip_driver_audio(struct wire_audio *audio, SipAgent__Direction direction)
{
	static const struct sdp_audio ours = {
		.address = "127.0.0.1",
		.port = 30000,
		.formats = { { 8, SDP_PCMA }, { 101, SDP_TELEPHONE_EVENT } },
		.nformats = 2,
		.ptime_ms = 20,
	};

	wire_audio_put(&ours, audio);
	audio->pb.direction = direction;
}

void sip_driver_answer(struct sip_driver *d, uint64_t call)
{
	SipAgent__Answer answer = SIP_AGENT__ANSWER__INIT;
	struct wire_audio audio;

	sip_driver_audio(&audio, SIP_AGENT__DIRECTION__SENDRECV);
	answer.call = call;
	answer.audio = &audio.pb;
	sip_driver_send(d, SIP_AGENT__TO_AGENT__BODY_ANSWER, &answer);
}

void sip_driver_hangup(struct sip_driver *d, uint64_t call)
{
	SipAgent__Hangup hangup = SIP_AGENT__HANGUP__INIT;
	char reason[] = "Q.850;cause=16";

	hangup.call = call;
	hangup.reason = reason;
	sip_driver_send(d, SIP_AGENT__TO_AGENT__BODY_HANGUP, &hangup);
}

static void invite_at(struct sip_driver *d, uint64_t call, const char *address, unsigned port,
		      SipAgent__Transport transport, const char *host)
{
	SipAgent__Invite invite = SIP_AGENT__INVITE__INIT;
	SipAgent__Target target = SIP_AGENT__TARGET__INIT;
	struct wire_audio audio;
	char uri[] = "sip:101@pbx.test", from[] = "sip:+4670@gw.test";
	char user[] = "4670", name[] = "A \"quoted\" name";

	sip_driver_audio(&audio, SIP_AGENT__DIRECTION__SENDRECV);
	target.address = (char *)(uintptr_t)address;
	target.port = port;
	target.transport = transport;
	target.name = (char *)(uintptr_t)host;
	invite.call = call;
	invite.request_uri = invite.to_uri = uri;
	invite.from_uri = from;
	invite.from_name = name;
	invite.contact_user = user;
	invite.target = &target;
	invite.offer = &audio.pb;
	sip_driver_send(d, SIP_AGENT__TO_AGENT__BODY_INVITE, &invite);
}

void sip_driver_invite(struct sip_driver *d, uint64_t call, unsigned port,
		       SipAgent__Transport transport)
{
	sip_driver_invite_host(d, call, port, transport, "");
}

void sip_driver_invite_host(struct sip_driver *d, uint64_t call, unsigned port,
			    SipAgent__Transport transport, const char *host)
{
	invite_at(d, call, "127.0.0.1", port, transport, host);
}

void sip_driver_invite_v6(struct sip_driver *d, uint64_t call, unsigned port)
{
	invite_at(d, call, "::1", port, SIP_AGENT__TRANSPORT__UDP, "");
}
