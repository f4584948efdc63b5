#include "tests/unit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/clock.h"
#include "base/packet_queue.h"
#include "media/rtp.h"
#include "tests/gateway/relay_rig.h"
#include "tests/tools/loopback.h"

enum { PATIENCE_MS = 5000, MESSAGE = 65536, CONNECTIONS = 64 };

static const struct slice leg_key = { (const uint8_t *)"sixteen octets k", 16 };

static int64_t remaining(int64_t until_ms)
{
	int64_t left = until_ms - clock_mono_ms();

	return left > 0 ? left : 0;
}

static void spawn(struct rig *rig, const char *const *arguments)
{
	const char *argv[16] = { "gateway/cig-relay", "--run-dir", rig->dir, "--log", rig->log };
	size_t n = 5;

	while (arguments && *arguments && n < 15)
		argv[n++] = *arguments++;
	argv[n] = NULL;
	rig->pid = fork();
	if (rig->pid == 0) {
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	assert_true(rig->pid > 0);
}

/* What came in a packet with the message asked for, by the connection's descriptor. */
static struct unread {
	struct slice rest;
	uint8_t octets[MESSAGE];
} unread[CONNECTIONS];

static struct unread *unread_of(int control)
{
	assert_in_range(control, 0, CONNECTIONS - 1);
	return &unread[control];
}

int rig_connect(const struct rig *rig, bool bare)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	Relay__Hello hello = RELAY__HELLO__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;
	char path[128], name[] = "cig-server of a test";
	Relay__Event *welcome;
	int fd;

	snprintf(path, sizeof(path), "%s/cig-relay.sock", rig->dir);
	while ((fd = channel_connect(path)) < 0 && remaining(until)) {
		assert_int_equal(waitpid(rig->pid, NULL, WNOHANG), 0); /* it still runs */
		poll(NULL, 0, 5);
	}
	assert_true(fd >= 0);
	unread_of(fd)->rest = slice_of(NULL, 0); /* of another one that had the number before */
	if (bare)
		return fd;
	hello.version = 2;
	hello.program = name;
	command.of_case = RELAY__COMMAND__OF_HELLO;
	command.hello = &hello;
	rig_send(fd, &command);
	welcome = rig_await(fd, RELAY__EVENT__OF_WELCOME);
	assert_int_equal(welcome->welcome->version, 2);
	assert_int_equal(welcome->welcome->pid, rig->pid);
	relay__event__free_unpacked(welcome, NULL);
	return fd;
}

void rig_start(struct rig *rig, const char *const *arguments)
{
	snprintf(rig->dir, sizeof(rig->dir), "/tmp/relay-rig.XXXXXX");
	assert_non_null(mkdtemp(rig->dir));
	snprintf(rig->log, sizeof(rig->log), "%s/relay.log", rig->dir);
	spawn(rig, arguments);
	rig->control = rig_connect(rig, false);
}

void rig_stop(struct rig *rig)
{
	char path[128];
	int status;

	assert_int_equal(kill(rig->pid, SIGTERM), 0);
	assert_int_equal(waitpid(rig->pid, &status, 0), rig->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(rig->control);
	snprintf(path, sizeof(path), "%s/cig-relay.sock", rig->dir);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(unlink(rig->log), 0);
	assert_int_equal(rmdir(rig->dir), 0);
}

void rig_send(int control, const Relay__Command *command)
{
	uint8_t octets[4096];
	size_t n = relay__command__get_packed_size(command);

	assert_true(n <= sizeof(octets));
	relay__command__pack(command, octets);
	assert_int_equal(send(control, octets, n, MSG_NOSIGNAL), n);
}

/* One message within the time, or false at the end of the connection. */
static bool read_message(int control, int64_t until_ms, struct slice *message_out)
{
	struct unread *u = unread_of(control);
	struct pollfd p = { control, POLLIN, 0 };
	ssize_t n;

	if (packet_next(&u->rest, message_out))
		return true;
	do {
		assert_true(poll(&p, 1, (int)remaining(until_ms)) == 1);
		n = recv(control, u->octets, sizeof(u->octets), 0);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	u->rest = slice_of(u->octets, n > 0 ? (size_t)n : 0);
	return packet_next(&u->rest, message_out);
}

Relay__Event *rig_await(int control, Relay__Event__OfCase kind)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	struct slice message;

	for (;;) {
		Relay__Event *event;

		assert_true(read_message(control, until, &message));
		event = relay__event__unpack(NULL, message.n, message.p);
		assert_non_null(event);
		if (event->of_case == kind)
			return event;
		relay__event__free_unpacked(event, NULL);
	}
}

void rig_await_close(int control)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	struct slice message;

	while (read_message(control, until, &message))
		;
	close(control);
}

Relay__Event *rig_open(int control, uint64_t id, uint32_t low, uint32_t high, uint32_t timeout_ms)
{
	Relay__PortRange range = RELAY__PORT_RANGE__INIT;
	Relay__Open open = RELAY__OPEN__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;
	struct loopback own = loopback_own();

	range.low = low;
	range.high = high;
	open.call_id = id;
	open.plain_ip = open.secure_ip = own.text;
	open.plain_ports = &range;
	open.media_timeout_ms = timeout_ms;
	command.of_case = RELAY__COMMAND__OF_OPEN;
	command.open = &open;
	rig_send(control, &command);
	return rig_await(control, RELAY__EVENT__OF_OPENED);
}

void rig_simple(int control, Relay__Command__OfCase kind, uint64_t id)
{
	Relay__Answered answered = RELAY__ANSWERED__INIT;
	Relay__Close closing = RELAY__CLOSE__INIT;
	Relay__StatsRequest stats = RELAY__STATS_REQUEST__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;

	answered.call_id = closing.call_id = stats.call_id = id;
	command.of_case = kind;
	if (kind == RELAY__COMMAND__OF_ANSWERED)
		command.answered = &answered;
	else if (kind == RELAY__COMMAND__OF_CLOSE)
		command.close = &closing;
	else
		command.stats_request = &stats;
	rig_send(control, &command);
}

static int loopback_socket(void)
{
	struct net_addr any;
	int fd;

	assert_int_equal(net_parse("127.0.0.1:0", 0, &any), 0);
	fd = net_udp_socket(&any, false);
	assert_true(fd >= 0);
	return fd;
}

static uint16_t port_of(int fd)
{
	struct net_addr local;

	assert_int_equal(net_local(fd, &local), 0);
	return net_port(&local);
}

void rig_set_plain(int control, const struct rig_call *call, enum media_codec codec,
		   bool no_receive)
{
	Relay__SetPlain plain = RELAY__SET_PLAIN__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;
	char ip[] = "127.0.0.1";

	plain.call_id = call->id;
	plain.remote_ip = ip;
	plain.remote_port = port_of(call->pbx_fd);
	plain.codec = codec == MEDIA_PCMA ? RELAY__PLAIN_CODEC__PCMA : RELAY__PLAIN_CODEC__PCMU;
	plain.codec_pt = (uint32_t)codec;
	plain.event_pt = 101;
	plain.no_receive = no_receive;
	command.of_case = RELAY__COMMAND__OF_SET_PLAIN;
	command.set_plain = &plain;
	rig_send(control, &command);
}

/* Keys of the two directions, from the call's id. */
static void keys_of(const struct rig_call *call, struct srtp_key *gateway, struct srtp_key *caller)
{
	memset(gateway, (int)(call->id & 0x7f), sizeof(*gateway));
	memset(caller, (int)(call->id & 0x7f) + 0x80, sizeof(*caller));
}

static ProtobufCBinaryData data_of(const void *p, size_t n)
{
	return (ProtobufCBinaryData){ n, (uint8_t *)(uintptr_t)p };
}

void rig_set_secure(int control, const struct rig_call *call, enum media_codec codec,
		    enum srtp_profile profile)
{
	Relay__SetSecure secure = RELAY__SET_SECURE__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;
	struct srtp_key gateway, caller;
	char ip[] = "127.0.0.1";

	keys_of(call, &gateway, &caller);
	secure.call_id = call->id;
	secure.relay_ip = ip;
	secure.relay_port = port_of(call->crs_fd);
	secure.leg_id = data_of("leg-0123456789ab", 16);
	secure.leg_key = data_of(leg_key.p, leg_key.n);
	secure.own_ssrc = (uint32_t)call->id * 2 + 1;
	secure.peer_ssrc = (uint32_t)call->id * 2 + 2;
	secure.profile = profile == SRTP_AEAD_AES_128_GCM
				 ? RELAY__SECURE_PROFILE__AEAD_AES_128_GCM
				 : RELAY__SECURE_PROFILE__AES_CM_128_HMAC_SHA1_80;
	secure.own_key = data_of(gateway.key, 16);
	secure.own_salt = data_of(gateway.salt, srtp_salt_size(profile));
	secure.peer_key = data_of(caller.key, 16);
	secure.peer_salt = data_of(caller.salt, srtp_salt_size(profile));
	secure.codec = codec == MEDIA_OPUS   ? RELAY__SECURE_CODEC__OPUS
		       : codec == MEDIA_PCMA ? RELAY__SECURE_CODEC__SECURE_PCMA
					     : RELAY__SECURE_CODEC__SECURE_PCMU;
	secure.codec_pt = (uint32_t)codec;
	secure.event_pt = 102;
	secure.event_clock = codec_clock(codec);
	command.of_case = RELAY__COMMAND__OF_SET_SECURE;
	command.set_secure = &secure;
	rig_send(control, &command);
}

/* The far ends. */

static void keep_audio(int16_t *room, size_t *used, const int16_t *pcm, size_t n)
{
	if (*used + n > RIG_ROOM)
		n = RIG_ROOM - *used;
	memcpy(room + *used, pcm, n * sizeof(*pcm));
	*used += n;
}

static void keep_digit(char *digits, size_t size, const struct dtmf_event *event)
{
	size_t at = strlen(digits);

	if (event->phase == DTMF_END)
		snprintf(digits + at, size - at, "%c", event->digit);
}

static void pbx_sends(void *arg, struct slice packet, bool rtcp)
{
	struct rig_call *call = arg;

	if (!rtcp)
		sendto(call->pbx_fd, packet.p, packet.n, 0, &call->gateway_plain.sa,
		       call->gateway_plain.len);
}

static void pbx_hears(void *arg, const int16_t *pcm, size_t n)
{
	struct rig_call *call = arg;

	keep_audio(call->pbx_heard, &call->n_pbx_heard, pcm, n);
}

static void pbx_digit(void *arg, const struct dtmf_event *event)
{
	struct rig_call *call = arg;

	keep_digit(call->pbx_digits, sizeof(call->pbx_digits), event);
}

/* The caller's own binding is answered on the spot. */
static void caller_sends(void *arg, struct slice packet, bool rtcp)
{
	struct rig_call *call = arg;
	uint8_t answer[STUN_MAX_MESSAGE];
	struct stun_message m;
	size_t n;

	(void)rtcp;
	if (!stun_is(packet)) {
		sendto(call->crs_fd, packet.p, packet.n, 0, &call->gateway_secure.sa,
		       call->gateway_secure.len);
		return;
	}
	assert_int_equal(stun_parse(packet, &m), 0);
	n = stun_build_success(m.transaction, &call->gateway_plain, leg_key, answer,
			       sizeof(answer));
	assert_int_equal(secure_leg_receive(call->caller, answer, n, clock_mono_ms()), 0);
}

static void caller_hears(void *arg, const int16_t *pcm, size_t n)
{
	struct rig_call *call = arg;

	keep_audio(call->caller_heard, &call->n_caller_heard, pcm, n);
}

static void caller_digit(void *arg, const struct dtmf_event *event)
{
	struct rig_call *call = arg;

	keep_digit(call->caller_digits, sizeof(call->caller_digits), event);
}

static const struct leg_ops pbx_ops = { pbx_sends, pbx_hears, pbx_digit };
static const struct leg_ops caller_ops = { caller_sends, caller_hears, caller_digit };

/* What crs-relay does with a binding request: 438 first, then yes. */
static void answer_binding(struct rig_call *call, struct slice packet, const struct net_addr *from)
{
	uint8_t answer[STUN_MAX_MESSAGE];
	char nonce[STUN_NONCE_SIZE];
	struct stun_message m;
	size_t n;

	assert_int_equal(stun_parse(packet, &m), 0);
	assert_int_equal(stun_verify(&m, packet, leg_key), 0);
	assert_true(slice_eq_str(m.username, "leg-0123456789ab"));
	assert_int_equal(stun_packet_ssrc(packet), (uint32_t)call->id * 2 + 1);
	stun_make_nonce(leg_key, m.username, from, 0, nonce);
	if (slice_eq(m.nonce, slice_of(nonce, sizeof(nonce))) || call->bindings) {
		call->bindings++;
		n = stun_build_success(m.transaction, from, leg_key, answer, sizeof(answer));
	} else {
		call->stale_nonces++;
		n = stun_build_error(m.transaction, STUN_STALE_NONCE,
				     slice_of(nonce, sizeof(nonce)), leg_key, answer,
				     sizeof(answer));
	}
	sendto(call->crs_fd, answer, n, 0, &from->sa, from->len);
}

static void serve_socket(struct rig_call *call, int fd)
{
	for (;;) {
		uint8_t packet[2048];
		struct net_addr from = { .len = sizeof(from.in6) };
		ssize_t n = recvfrom(fd, packet, sizeof(packet), MSG_DONTWAIT, &from.sa, &from.len);

		if (n < 0)
			return;
		if (fd == call->pbx_fd) {
			assert_int_equal(net_port(&from), call->plain_port);
			plain_leg_receive(call->pbx, slice_of(packet, (size_t)n), &from,
					  clock_mono_ms());
		} else if (stun_is(slice_of(packet, (size_t)n))) {
			assert_int_equal(net_port(&from), call->secure_port);
			answer_binding(call, slice_of(packet, (size_t)n), &from);
		} else {
			secure_leg_receive(call->caller, packet, (size_t)n, clock_mono_ms());
		}
	}
}

static void make_legs(struct rig_call *call, enum media_codec plain, enum media_codec secure,
		      enum srtp_profile profile)
{
	struct plain_leg_config pbx = { .codec = plain,
					.codec_pt = (uint8_t)plain,
					.event_pt = 101 };
	struct secure_leg_config caller = { .own_ssrc = (uint32_t)call->id * 2 + 2,
					    .peer_ssrc = (uint32_t)call->id * 2 + 1,
					    .profile = profile,
					    .codec = secure,
					    .codec_pt = (uint8_t)secure,
					    .event_pt = 102,
					    .event_clock = codec_clock(secure),
					    .leg_id = slice_str("leg-of-a-caller"),
					    .leg_key = leg_key };

	keys_of(call, &caller.peer_key, &caller.own_key);
	pbx.remote = call->gateway_plain;
	assert_int_equal(plain_leg_new(&pbx, &pbx_ops, call, clock_mono_ms(), &call->pbx), 0);
	assert_int_equal(secure_leg_new(&caller, &caller_ops, call, clock_mono_ms(), &call->caller),
			 0);
}

void rig_connect_call(int control, struct rig_call *call, enum media_codec plain,
		      enum media_codec secure, enum srtp_profile profile)
{
	struct loopback own = loopback_own();

	call->pbx_fd = loopback_socket();
	call->crs_fd = loopback_socket();
	assert_int_equal(net_parse(own.text, call->plain_port, &call->gateway_plain), 0);
	assert_int_equal(net_parse(own.text, call->secure_port, &call->gateway_secure), 0);
	make_legs(call, plain, secure, profile);
	rig_set_plain(control, call, plain, false);
	rig_set_secure(control, call, secure, profile);
}

void rig_done_call(struct rig_call *call)
{
	plain_leg_free(&call->pbx);
	secure_leg_free(&call->caller);
	close(call->pbx_fd);
	close(call->crs_fd);
}

static void tick_call(struct rig_call *call, const int16_t *pbx_says, const int16_t *caller_says,
		      size_t at)
{
	if (pbx_says && at + 160 <= RIG_SAMPLES)
		plain_leg_send_audio(call->pbx, pbx_says + at, 160);
	if (caller_says && at + 160 <= RIG_SAMPLES)
		secure_leg_send_audio(call->caller, caller_says + at, 160);
	plain_leg_tick(call->pbx, clock_mono_ms());
	secure_leg_tick(call->caller, clock_mono_ms());
}

void rig_run(struct rig_call *calls, size_t n, const int16_t *pbx_says, const int16_t *caller_says,
	     int ms)
{
	int64_t start = clock_mono_ms();
	struct pollfd fds[16];
	int ticks = 0;

	assert_true(2 * n <= COUNT(fds));
	for (size_t i = 0; i < n; i++) {
		fds[2 * i] = (struct pollfd){ calls[i].pbx_fd, POLLIN, 0 };
		fds[2 * i + 1] = (struct pollfd){ calls[i].crs_fd, POLLIN, 0 };
	}
	while (ticks * LEG_TICK_MS < ms) {
		if (clock_mono_ms() >= start + ticks * LEG_TICK_MS) {
			for (size_t i = 0; i < n; i++)
				tick_call(&calls[i], pbx_says, caller_says, (size_t)ticks * 160);
			ticks++;
		}
		poll(fds, 2 * n, (int)remaining(start + ticks * LEG_TICK_MS));
		for (size_t i = 0; i < 2 * n; i++)
			if (fds[i].revents)
				serve_socket(&calls[i / 2], fds[i].fd);
	}
}
