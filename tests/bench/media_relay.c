#include "tests/bench/media_relay.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/packet_queue.h"
#include "gateway/relay_control.pb-c.h"
#include "media/srtp.h"
#include "tests/bench/bench.h"

enum { PATIENCE_MS = 5000, CONTROL_OCTETS = 65536 };

struct media_relay {
	pid_t pid;
	int control;
	char dir[64];
	uint8_t octets[CONTROL_OCTETS];
	struct slice unread; /* of the packet in octets */
	struct relay_told told;
};

static const uint8_t zeros[SRTP_KEY_SIZE];

static void tell(const struct media_relay *relay, const Relay__Command *command)
{
	uint8_t octets[1024];
	size_t n = relay__command__pack(command, octets);

	bench_must(send(relay->control, octets, n, 0) == (ssize_t)n, "send");
}

static Relay__Event *await(struct media_relay *relay, Relay__Event__OfCase kind)
{
	for (;;) {
		struct pollfd p = { relay->control, POLLIN, 0 };
		Relay__Event *event;
		struct slice message;

		if (!packet_next(&relay->unread, &message)) {
			bench_must(poll(&p, 1, PATIENCE_MS) == 1, "waiting for cig-relay");
			relay->unread =
				slice_of(relay->octets, (size_t)recv(relay->control, relay->octets,
								     sizeof(relay->octets), 0));
			bench_must(relay->unread.n <= sizeof(relay->octets) &&
					   packet_next(&relay->unread, &message),
				   "reading from cig-relay");
		}
		event = relay__event__unpack(NULL, message.n, message.p);
		bench_must(event, "understanding cig-relay");
		if (event->of_case == kind)
			return event;
		relay__event__free_unpacked(event, NULL);
	}
}

static void start(struct media_relay *relay)
{
	char path[96], program[] = "bench_media";
	Relay__Hello hello = RELAY__HELLO__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;

	snprintf(relay->dir, sizeof(relay->dir), "/tmp/bench-media.XXXXXX");
	bench_must(mkdtemp(relay->dir) != NULL, "mkdtemp");
	relay->pid = fork();
	if (relay->pid == 0) {
		if (freopen("/dev/null", "w", stderr))
			execl("gateway/cig-relay", "cig-relay", "--run-dir", relay->dir,
			      "--threads", "1", "--max-calls", "5000", "--max-load", "0", NULL);
		_exit(127);
	}
	snprintf(path, sizeof(path), "%s/cig-relay.sock", relay->dir);
	while ((relay->control = channel_connect(path)) < 0) {
		bench_must(waitpid(relay->pid, NULL, WNOHANG) == 0, "starting gateway/cig-relay");
		poll(NULL, 0, 5);
	}
	hello.version = 2;
	hello.program = program;
	command.of_case = RELAY__COMMAND__OF_HELLO;
	command.hello = &hello;
	tell(relay, &command);
	relay__event__free_unpacked(await(relay, RELAY__EVENT__OF_WELCOME), NULL);
}

static void open_call(struct media_relay *relay, size_t i, struct end_call *call)
{
	Relay__Open open = RELAY__OPEN__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;
	char ip[] = "127.0.0.1";
	Relay__Event *event;

	open.call_id = i + 1;
	open.plain_ip = open.secure_ip = ip;
	command.of_case = RELAY__COMMAND__OF_OPEN;
	command.open = &open;
	tell(relay, &command);
	event = await(relay, RELAY__EVENT__OF_OPENED);
	net_parse(ip, (uint16_t)event->opened->plain_port, &call->plain);
	net_parse(ip, (uint16_t)event->opened->secure_port, &call->secure);
	relay__event__free_unpacked(event, NULL);
}

static void set_plain(const struct media_relay *relay, size_t i, const struct media_ends *ends)
{
	Relay__SetPlain plain = RELAY__SET_PLAIN__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;
	char ip[] = "127.0.0.1";

	plain.call_id = i + 1;
	plain.remote_ip = ip;
	plain.remote_port = net_port(&ends->pbx);
	plain.codec =
		ends->plain == MEDIA_PCMA ? RELAY__PLAIN_CODEC__PCMA : RELAY__PLAIN_CODEC__PCMU;
	plain.codec_pt = (uint32_t)ends->plain;
	plain.event_pt = 101;
	command.of_case = RELAY__COMMAND__OF_SET_PLAIN;
	command.set_plain = &plain;
	tell(relay, &command);
}

static ProtobufCBinaryData data_of(const void *p, size_t n)
{
	return (ProtobufCBinaryData){ n, (uint8_t *)(uintptr_t)p };
}

static void set_secure(const struct media_relay *relay, size_t i, const struct media_ends *ends)
{
	Relay__SetSecure secure = RELAY__SET_SECURE__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;
	char ip[] = "127.0.0.1";

	secure.call_id = i + 1;
	secure.relay_ip = ip;
	secure.relay_port = net_port(&ends->crs);
	secure.leg_id = data_of("leg-0123456789ab", 16);
	secure.leg_key = data_of(media_ends_leg_key.p, media_ends_leg_key.n);
	secure.own_ssrc = (uint32_t)(2 * i + 1);
	secure.peer_ssrc = (uint32_t)(2 * i + 2);
	secure.own_key = secure.peer_key = data_of(zeros, 16);
	secure.own_salt = secure.peer_salt = data_of(zeros, 14);
	secure.codec = ends->secure == MEDIA_OPUS ? RELAY__SECURE_CODEC__OPUS
						  : RELAY__SECURE_CODEC__SECURE_PCMA;
	secure.codec_pt = (uint32_t)ends->secure;
	command.of_case = RELAY__COMMAND__OF_SET_SECURE;
	command.set_secure = &secure;
	tell(relay, &command);
}

struct media_relay *media_relay_start(struct media_ends *ends)
{
	struct media_relay *relay = calloc(1, sizeof(*relay));

	bench_must(relay, "memory");
	start(relay);
	for (size_t i = 0; i < ends->n; i++) {
		open_call(relay, i, &ends->calls[i]);
		set_plain(relay, i, ends);
		set_secure(relay, i, ends);
	}
	return relay;
}

void media_relay_stop(struct media_relay **relayp)
{
	struct media_relay *relay = *relayp;
	char path[96];

	kill(relay->pid, SIGTERM);
	waitpid(relay->pid, NULL, 0);
	snprintf(path, sizeof(path), "%s/cig-relay.sock", relay->dir);
	unlink(path);
	rmdir(relay->dir);
	close(relay->control);
	free(relay);
	*relayp = NULL;
}

double media_relay_cpu(const struct media_relay *relay)
{
	clockid_t clock;

	bench_must(clock_getcpuclockid(relay->pid, &clock) == 0, "clock_getcpuclockid");
	return bench_seconds(clock);
}

static void take_polled(struct relay_told *told, const Relay__Polled *polled)
{
	told->polls++;
	told->cpu_sum += polled->cpu_percent;
	told->complexity_sum += polled->complexity;
	if (polled->cpu_percent > told->cpu_max)
		told->cpu_max = polled->cpu_percent;
	if (polled->late_ms > told->late_max)
		told->late_max = polled->late_ms;
	told->dropped = polled->dropped;
}

void media_relay_keep_alive(void *arg)
{
	struct media_relay *relay = arg;
	Relay__Poll poll_message = RELAY__POLL__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;
	uint8_t octets[CONTROL_OCTETS];
	ssize_t n;

	/* The answer to the last time is there by now, and what it tells besides. */
	while ((n = recv(relay->control, octets, sizeof(octets), MSG_DONTWAIT)) > 0) {
		struct slice packet = slice_of(octets, (size_t)n), message;

		while (packet_next(&packet, &message)) {
			Relay__Event *event = relay__event__unpack(NULL, message.n, message.p);

			bench_must(event, "understanding cig-relay");
			if (event->of_case == RELAY__EVENT__OF_POLLED)
				take_polled(&relay->told, event->polled);
			relay__event__free_unpacked(event, NULL);
		}
	}
	command.of_case = RELAY__COMMAND__OF_POLL;
	command.poll = &poll_message;
	tell(relay, &command);
}

struct relay_told media_relay_told(struct media_relay *relay)
{
	struct relay_told told = relay->told;

	relay->told = (struct relay_told){ 0 };
	return told;
}

struct relay_losses media_relay_losses(struct media_relay *relay, size_t calls)
{
	struct relay_losses losses = { 0 };

	for (size_t i = 0; i < calls; i++) {
		Relay__StatsRequest request = RELAY__STATS_REQUEST__INIT;
		Relay__Command command = RELAY__COMMAND__INIT;
		Relay__Event *event;

		request.call_id = i + 1;
		command.of_case = RELAY__COMMAND__OF_STATS_REQUEST;
		command.stats_request = &request;
		tell(relay, &command);
		event = await(relay, RELAY__EVENT__OF_STATS);
		losses.received += event->stats->plain->packets_received +
				   event->stats->secure->packets_received;
		losses.lost += event->stats->plain->lost + event->stats->secure->lost +
			       event->stats->plain->dropped;
		losses.late += event->stats->plain->late + event->stats->secure->late;
		relay__event__free_unpacked(event, NULL);
	}
	return losses;
}
