/* bench_media.c - what the real cig-relay costs, at the pace of real calls.
 *
 * Prints name, value, unit, reference, ratio, separated by tabs; CPU time of the
 * process under test.  Calls are paced at 20 ms in both directions.
 *
 * BENCH_SECONDS=60 in the environment measures for so long, not for 5 seconds, and has told
 * on standard error what was lost.
 *
 * media.bridge.N     us a packet, N calls, SRTP/PCMA <-> RTP/PCMA; the reference is
 *                    a thread that forwards as many packets on one port.
 * media.transcode.N  calls a core, N calls, SRTP/Opus <-> RTP/PCMU; the reference is
 *                    codecs and SRTP in a loop and two packets of that forwarder.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/clock.h"
#include "base/packet_queue.h"
#include "gateway/relay_control.pb-c.h"
#include "media/codec.h"
#include "media/g711.h"
#include "media/rtp.h"
#include "media/srtp.h"
#include "media/stun.h"
#include "media/udp_batch.h"
#include "tests/bench/bench.h"
#include "tests/media/speech.h"

enum {
	PACKET_ROOM = 512,
	SLICES = 10,
	SLICE_MS = 2,
	WARM_MS = 3000,
	MEASURE_S = 5,
	MEASURE_MAX_S = 3600,
	SPEECH = 8000 * 4
};

struct call {
	struct srtp *srtp;
	struct net_addr plain, secure; /* of cig-relay */
	uint16_t seq;
};

/* What cig-relay said of itself, once a second. */
struct told {
	unsigned polls, cpu_sum, cpu_max, late_max, complexity_sum;
	uint64_t dropped; /* packets, since it began */
};

struct scene {
	enum media_codec plain, secure;
	size_t n;
	struct call *calls;
	int pbx_fd, crs_fd, control;
	struct udp_outbox *to_plain, *to_secure;
	struct udp_inbox *inbox;
	struct told told;
	pid_t pid;
	char dir[64];
};

static const struct slice leg_key = { (const uint8_t *)"sixteen octets k", 16 };
static const uint8_t zeros[SRTP_KEY_SIZE];

static int measure_ms = MEASURE_S * 1000; /* set once, by main() */
static int16_t speech[SPEECH];
static uint8_t opus_payload[SPEECH / 160][MEDIA_MAX_PAYLOAD];
static int opus_length[SPEECH / 160];
static uint8_t pcmu[SPEECH / 160][160], pcma[SPEECH / 160][160];

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench_media: %s failed (%s)\n", what, strerror(errno));
	exit(1);
}

static double cpu_s(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_of(pid_t pid)
{
	clockid_t clock;

	must(clock_getcpuclockid(pid, &clock) == 0, "clock_getcpuclockid");
	return cpu_s(clock);
}

static int udp_socket(struct net_addr *addr_out)
{
	struct net_addr addr;
	int fd, size = 4 << 20;

	must(net_parse("127.0.0.1:0", 0, &addr) == 0, "net_parse");
	fd = net_udp_socket(&addr, false);
	must(fd >= 0 && net_local(fd, addr_out) == 0, "socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

/* The connection to cig-relay. */

static void tell(const struct scene *s, const Relay__Command *command)
{
	uint8_t octets[1024];
	size_t n = relay__command__pack(command, octets);

	must(send(s->control, octets, n, 0) == (ssize_t)n, "send");
}

static Relay__Event *await(const struct scene *s, Relay__Event__OfCase kind)
{
	static uint8_t octets[65536];
	static struct slice unread; /* of the packet there */

	for (;;) {
		struct pollfd p = { s->control, POLLIN, 0 };
		Relay__Event *event;
		struct slice message;

		if (!packet_next(&unread, &message)) {
			must(poll(&p, 1, 5000) == 1, "waiting for cig-relay");
			unread = slice_of(octets,
					  (size_t)recv(s->control, octets, sizeof(octets), 0));
			must(unread.n <= sizeof(octets) && packet_next(&unread, &message),
			     "reading from cig-relay");
		}
		event = relay__event__unpack(NULL, message.n, message.p);
		must(event, "understanding cig-relay");
		if (event->of_case == kind)
			return event;
		relay__event__free_unpacked(event, NULL);
	}
}

static void start_relay(struct scene *s)
{
	char path[96], program[] = "bench_media";
	Relay__Hello hello = RELAY__HELLO__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;

	snprintf(s->dir, sizeof(s->dir), "/tmp/bench-media.XXXXXX");
	must(mkdtemp(s->dir) != NULL, "mkdtemp");
	s->pid = fork();
	if (s->pid == 0) {
		if (freopen("/dev/null", "w", stderr))
			execl("gateway/cig-relay", "cig-relay", "--run-dir", s->dir, "--threads",
			      "1", "--max-calls", "5000", "--max-load", "0", NULL);
		_exit(127);
	}
	snprintf(path, sizeof(path), "%s/cig-relay.sock", s->dir);
	while ((s->control = channel_connect(path)) < 0) {
		must(waitpid(s->pid, NULL, WNOHANG) == 0, "starting gateway/cig-relay");
		poll(NULL, 0, 5);
	}
	hello.version = 2;
	hello.program = program;
	command.of_case = RELAY__COMMAND__OF_HELLO;
	command.hello = &hello;
	tell(s, &command);
	relay__event__free_unpacked(await(s, RELAY__EVENT__OF_WELCOME), NULL);
}

static void open_call(struct scene *s, size_t i)
{
	Relay__Open open = RELAY__OPEN__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;
	char ip[] = "127.0.0.1";
	Relay__Event *event;

	open.call_id = i + 1;
	open.plain_ip = open.secure_ip = ip;
	command.of_case = RELAY__COMMAND__OF_OPEN;
	command.open = &open;
	tell(s, &command);
	event = await(s, RELAY__EVENT__OF_OPENED);
	net_parse(ip, (uint16_t)event->opened->plain_port, &s->calls[i].plain);
	net_parse(ip, (uint16_t)event->opened->secure_port, &s->calls[i].secure);
	relay__event__free_unpacked(event, NULL);
}

static void set_plain(const struct scene *s, size_t i, uint16_t port)
{
	Relay__SetPlain plain = RELAY__SET_PLAIN__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;
	char ip[] = "127.0.0.1";

	plain.call_id = i + 1;
	plain.remote_ip = ip;
	plain.remote_port = port;
	plain.codec = s->plain == MEDIA_PCMA ? RELAY__PLAIN_CODEC__PCMA : RELAY__PLAIN_CODEC__PCMU;
	plain.codec_pt = (uint32_t)s->plain;
	plain.event_pt = 101;
	command.of_case = RELAY__COMMAND__OF_SET_PLAIN;
	command.set_plain = &plain;
	tell(s, &command);
}

static ProtobufCBinaryData data_of(const void *p, size_t n)
{
	return (ProtobufCBinaryData){ n, (uint8_t *)(uintptr_t)p };
}

static void set_secure(const struct scene *s, size_t i, uint16_t port)
{
	Relay__SetSecure secure = RELAY__SET_SECURE__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;
	char ip[] = "127.0.0.1";

	secure.call_id = i + 1;
	secure.relay_ip = ip;
	secure.relay_port = port;
	secure.leg_id = data_of("leg-0123456789ab", 16);
	secure.leg_key = data_of(leg_key.p, leg_key.n);
	secure.own_ssrc = (uint32_t)(2 * i + 1);
	secure.peer_ssrc = (uint32_t)(2 * i + 2);
	secure.own_key = secure.peer_key = data_of(zeros, 16);
	secure.own_salt = secure.peer_salt = data_of(zeros, 14);
	secure.codec = s->secure == MEDIA_OPUS ? RELAY__SECURE_CODEC__OPUS
					       : RELAY__SECURE_CODEC__SECURE_PCMA;
	secure.codec_pt = (uint32_t)s->secure;
	command.of_case = RELAY__COMMAND__OF_SET_SECURE;
	command.set_secure = &secure;
	tell(s, &command);
}

static void open_scene(struct scene *s)
{
	static const struct srtp_key key;
	struct net_addr pbx, crs;

	s->calls = calloc(s->n, sizeof(*s->calls));
	s->pbx_fd = udp_socket(&pbx);
	s->crs_fd = udp_socket(&crs);
	s->to_plain = udp_outbox_new(s->pbx_fd);
	s->to_secure = udp_outbox_new(s->crs_fd);
	s->inbox = udp_inbox_new();
	must(s->calls && s->to_plain && s->to_secure && s->inbox, "memory");
	start_relay(s);
	for (size_t i = 0; i < s->n; i++) {
		must(srtp_new(SRTP_AES128_CM_SHA1_80, SRTP_SEND, &key, (uint32_t)(2 * i + 2),
			      &s->calls[i].srtp) == 0,
		     "srtp_new");
		open_call(s, i);
		set_plain(s, i, net_port(&pbx));
		set_secure(s, i, net_port(&crs));
	}
}

static void close_scene(struct scene *s)
{
	char path[96];

	kill(s->pid, SIGTERM);
	waitpid(s->pid, NULL, 0);
	snprintf(path, sizeof(path), "%s/cig-relay.sock", s->dir);
	unlink(path);
	rmdir(s->dir);
	for (size_t i = 0; i < s->n; i++)
		srtp_free(&s->calls[i].srtp);
	free(s->calls);
	udp_outbox_free(&s->to_plain);
	udp_outbox_free(&s->to_secure);
	udp_inbox_free(&s->inbox);
	close(s->pbx_fd);
	close(s->crs_fd);
	close(s->control);
}

/* Both far ends. */

static size_t payload_of(enum media_codec codec, unsigned frame, uint8_t *out)
{
	unsigned at = frame % (SPEECH / 160);

	if (codec == MEDIA_OPUS) {
		memcpy(out, opus_payload[at], (size_t)opus_length[at]);
		return (size_t)opus_length[at];
	}
	memcpy(out, codec == MEDIA_PCMA ? pcma[at] : pcmu[at], 160);
	return 160;
}

static void send_frames(struct scene *s, size_t slice, unsigned frame)
{
	for (size_t i = slice; i < s->n; i += SLICES) {
		struct call *c = &s->calls[i];
		uint8_t packet[PACKET_ROOM];
		struct rtp rtp = { .seq = c->seq++, .timestamp = frame * 160 };
		size_t n;

		rtp.payload_type = (uint8_t)s->plain & 0x7f;
		rtp.ssrc = (uint32_t)i + 1;
		rtp_write_header(&rtp, packet);
		n = RTP_HEADER_SIZE + payload_of(s->plain, frame, packet + RTP_HEADER_SIZE);
		udp_send(s->to_plain, slice_of(packet, n), &c->plain);
		rtp.payload_type = (uint8_t)s->secure & 0x7f;
		rtp.ssrc = (uint32_t)(2 * i + 2);
		rtp.timestamp = frame * (codec_clock(s->secure) / 50);
		rtp_write_header(&rtp, packet);
		n = RTP_HEADER_SIZE + payload_of(s->secure, frame, packet + RTP_HEADER_SIZE);
		must(srtp_seal(c->srtp, packet, &n, sizeof(packet)) == 0, "srtp_seal");
		udp_send(s->to_secure, slice_of(packet, n), &c->secure);
	}
	udp_flush(s->to_plain);
	udp_flush(s->to_secure);
}

/* Bindings are answered, media is counted. */
static uint64_t drain(struct scene *s, int fd)
{
	uint64_t media = 0;
	int n;

	while ((n = udp_receive(s->inbox, fd)) > 0) {
		for (int i = 0; i < n; i++) {
			uint8_t answer[STUN_MAX_MESSAGE];
			struct stun_message m;
			struct net_addr from;
			size_t octets;
			uint8_t *packet = udp_packet(s->inbox, i, &octets, &from);

			if (stun_parse(slice_of(packet, octets), &m)) {
				media++;
				continue;
			}
			octets = stun_build_success(m.transaction, &from, leg_key, answer,
						    sizeof(answer));
			udp_send(s->to_secure, slice_of(answer, octets), &from);
		}
		udp_flush(s->to_secure);
	}
	return media;
}

static void take_polled(struct told *told, const Relay__Polled *polled)
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

/* As a cig-server does: cig-relay lets go of one that says nothing.  The answer to the last time
 * is there by now, and what it tells besides. */
static void keep_alive(struct scene *s)
{
	Relay__Poll poll_message = RELAY__POLL__INIT;
	Relay__Command command = RELAY__COMMAND__INIT;
	uint8_t octets[65536];
	ssize_t n;

	while ((n = recv(s->control, octets, sizeof(octets), MSG_DONTWAIT)) > 0) {
		struct slice packet = slice_of(octets, (size_t)n), message;

		while (packet_next(&packet, &message)) {
			Relay__Event *event = relay__event__unpack(NULL, message.n, message.p);

			must(event, "understanding cig-relay");
			if (event->of_case == RELAY__EVENT__OF_POLLED)
				take_polled(&s->told, event->polled);
			relay__event__free_unpacked(event, NULL);
		}
	}
	command.of_case = RELAY__COMMAND__OF_POLL;
	command.poll = &poll_message;
	tell(s, &command);
}

/* Runs for so long; returns the packets that came back. */
static uint64_t run(struct scene *s, unsigned *frame, int ms)
{
	int64_t start = clock_mono_ms();
	uint64_t came = 0;

	for (int slice = 0; slice * SLICE_MS < ms; slice++) {
		int64_t wait = start + slice * SLICE_MS - clock_mono_ms();

		if (wait > 0)
			poll(NULL, 0, (int)wait);
		send_frames(s, (size_t)slice % SLICES, *frame);
		*frame += slice % SLICES == SLICES - 1;
		came += drain(s, s->pbx_fd) + drain(s, s->crs_fd);
		if (s->pid && slice % (1000 / SLICE_MS) == 0)
			keep_alive(s);
	}
	return came;
}

/* What cig-relay says of the packets that came to it, on both legs of all calls. */
static void tell_losses(struct scene *s)
{
	const struct told *told = &s->told;
	uint64_t received = 0, lost = 0, late = 0;

	for (size_t i = 0; i < s->n; i++) {
		Relay__StatsRequest request = RELAY__STATS_REQUEST__INIT;
		Relay__Command command = RELAY__COMMAND__INIT;
		Relay__Event *event;

		request.call_id = i + 1;
		command.of_case = RELAY__COMMAND__OF_STATS_REQUEST;
		command.stats_request = &request;
		tell(s, &command);
		event = await(s, RELAY__EVENT__OF_STATS);
		received += event->stats->plain->packets_received +
			    event->stats->secure->packets_received;
		lost += event->stats->plain->lost + event->stats->secure->lost +
			event->stats->plain->dropped;
		late += event->stats->plain->late + event->stats->secure->late;
		relay__event__free_unpacked(event, NULL);
	}
	fprintf(stderr,
		"bench_media: %zu calls for %d s: cig-relay received %llu packets, %llu were lost, "
		"%llu late; it was busy for %u %% (at most %u %%), served its timer %u ms late at "
		"most, encoded at complexity %.1f, did not read %llu packets in time\n",
		s->n, measure_ms / 1000, (unsigned long long)received, (unsigned long long)lost,
		(unsigned long long)late, told->polls ? told->cpu_sum / told->polls : 0,
		told->cpu_max, told->late_max,
		told->polls ? (double)told->complexity_sum / told->polls : 0,
		(unsigned long long)told->dropped);
}

/* CPU seconds of cig-relay while measure_ms pass, and the packets it sent. */
static double measure(enum media_codec plain, enum media_codec secure, size_t n, uint64_t *came_out)
{
	struct scene s = { .plain = plain, .secure = secure, .n = n };
	unsigned frame = 0;
	double before;

	open_scene(&s);
	run(&s, &frame, WARM_MS);
	s.told = (struct told){ 0 };
	before = cpu_of(s.pid);
	*came_out = run(&s, &frame, measure_ms);
	before = cpu_of(s.pid) - before;
	if (measure_ms != MEASURE_S * 1000)
		tell_losses(&s);
	close_scene(&s);
	return before;
}

/* The plain forwarder: what comes goes to where the scene's far ends listen. */

struct forwarder {
	int fd;
	struct net_addr to;
	double cpu;
	uint64_t packets;
};

/* Each packet by itself, as the system takes them from anybody. */
static void send_on(struct forwarder *f, struct udp_inbox *in, int n)
{
	struct mmsghdr messages[UDP_BATCH] = { 0 };
	struct iovec vectors[UDP_BATCH];

	for (int i = 0; i < n; i++) {
		struct net_addr from;
		size_t octets;

		vectors[i].iov_base = udp_packet(in, i, &octets, &from);
		vectors[i].iov_len = octets;
		messages[i].msg_hdr.msg_iov = &vectors[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		messages[i].msg_hdr.msg_name = &f->to.sa;
		messages[i].msg_hdr.msg_namelen = f->to.len;
	}
	for (int sent = 0; sent < n;) {
		int k = sendmmsg(f->fd, messages + sent, (unsigned)(n - sent), 0);

		must(k > 0, "sendmmsg");
		sent += k;
	}
	f->packets += (uint64_t)n;
}

static void *forward(void *arg)
{
	struct forwarder *f = arg;
	struct udp_inbox *in = udp_inbox_new();
	struct pollfd p = { f->fd, POLLIN, 0 };
	double before = cpu_s(CLOCK_THREAD_CPUTIME_ID);
	bool go_on = in != NULL;

	while (go_on && poll(&p, 1, 1000) == 1) {
		int n = udp_receive(in, f->fd);
		struct net_addr from;
		size_t octets = 0;

		if (n <= 0)
			continue;
		(void)udp_packet(in, n - 1, &octets, &from);
		go_on = octets > 1; /* one octet: the end */
		send_on(f, in, n);
	}
	f->cpu = cpu_s(CLOCK_THREAD_CPUTIME_ID) - before;
	udp_inbox_free(&in);
	return NULL;
}

/* us a packet, with as many packets at the same pace as n calls make. */
static double measure_forwarder(size_t n)
{
	struct net_addr addr, sink;
	struct forwarder f = { .fd = udp_socket(&addr) };
	struct scene s = { .plain = MEDIA_PCMA, .secure = MEDIA_PCMA, .n = n };
	static const struct srtp_key key;
	unsigned frame = 0;
	pthread_t thread;

	s.calls = calloc(n, sizeof(*s.calls));
	s.pbx_fd = udp_socket(&sink);
	s.crs_fd = udp_socket(&f.to);
	s.to_plain = udp_outbox_new(s.pbx_fd);
	s.to_secure = udp_outbox_new(s.crs_fd);
	s.inbox = udp_inbox_new();
	must(s.calls && s.to_plain && s.to_secure && s.inbox, "memory");
	for (size_t i = 0; i < n; i++) {
		s.calls[i].plain = s.calls[i].secure = addr;
		must(srtp_new(SRTP_AES128_CM_SHA1_80, SRTP_SEND, &key, (uint32_t)(2 * i + 2),
			      &s.calls[i].srtp) == 0,
		     "srtp_new");
	}
	must(pthread_create(&thread, NULL, forward, &f) == 0, "pthread_create");
	run(&s, &frame, MEASURE_S * 1000);
	udp_send(s.to_plain, slice_of("x", 1), &addr);
	udp_flush(s.to_plain);
	pthread_join(thread, NULL);
	for (size_t i = 0; i < n; i++)
		srtp_free(&s.calls[i].srtp);
	free(s.calls);
	udp_outbox_free(&s.to_plain);
	udp_outbox_free(&s.to_secure);
	udp_inbox_free(&s.inbox);
	close(s.pbx_fd);
	close(s.crs_fd);
	close(f.fd);
	return f.cpu * 1e6 / (double)f.packets;
}

/* us a 20 ms frame of one call: Opus and G.711 both ways, SRTP both ways. */
static double measure_primitives(void)
{
	enum { ROUNDS = 5 };
	static const struct srtp_key key;
	struct codec *opus = codec_new(MEDIA_OPUS), *plain = codec_new(MEDIA_PCMU);
	struct srtp *in, *out;
	double before = cpu_s(CLOCK_THREAD_CPUTIME_ID);
	uint16_t seq = 0;

	must(opus && plain && !srtp_new(SRTP_AES128_CM_SHA1_80, SRTP_SEND, &key, 1, &out) &&
		     !srtp_new(SRTP_AES128_CM_SHA1_80, SRTP_RECEIVE, &key, 1, &in),
	     "memory");
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < SPEECH / 160; i++) {
			uint8_t packet[PACKET_ROOM], octets[MEDIA_MAX_PAYLOAD];
			int16_t pcm[MEDIA_MAX_FRAME];
			struct rtp rtp = { .seq = seq++, .ssrc = 1 };
			int n = codec_encode(plain, speech + i * 160, 160, octets, sizeof(octets));
			size_t length;

			codec_decode(plain, slice_of(octets, (size_t)n), pcm);
			n = codec_encode(opus, pcm, 160, packet + RTP_HEADER_SIZE, 400);
			rtp_write_header(&rtp, packet);
			length = RTP_HEADER_SIZE + (size_t)n;
			must(srtp_seal(out, packet, &length, sizeof(packet)) == 0, "srtp_seal");
			must(srtp_open(in, packet, &length) == 0, "srtp_open");
			codec_decode(opus, slice_of(packet + RTP_HEADER_SIZE, (size_t)n), pcm);
		}
	}
	before = cpu_s(CLOCK_THREAD_CPUTIME_ID) - before;
	codec_free(&opus);
	codec_free(&plain);
	srtp_free(&in);
	srtp_free(&out);
	return before * 1e6 / (ROUNDS * (SPEECH / 160));
}

static void prepare_speech(void)
{
	struct codec *opus = codec_new(MEDIA_OPUS);

	must(opus, "memory");
	speech_make(1, speech, SPEECH);
	for (size_t i = 0; i < SPEECH / 160; i++) {
		opus_length[i] = codec_encode(opus, speech + i * 160, 160, opus_payload[i], 400);
		must(opus_length[i] > 0, "codec_encode");
		g711_law_encode(g711_mu_law(), speech + i * 160, 160, pcmu[i]);
		g711_law_encode(g711_a_law(), speech + i * 160, 160, pcma[i]);
	}
	codec_free(&opus);
}

static void check_complete(uint64_t came, size_t n)
{
	double wanted = (double)n * 2 * measure_ms / 20;

	if ((double)came < wanted * 0.98)
		fprintf(stderr,
			"bench_media: %zu calls: only %.1f %% of the packets came through\n", n,
			(double)came * 100 / wanted);
}

static void bench_bridge(size_t n)
{
	double forwarder = measure_forwarder(n), value;
	uint64_t came;

	value = measure(MEDIA_PCMA, MEDIA_PCMA, n, &came) * 1e6 / (double)came;
	check_complete(came, n);
	printf("media.bridge.%zu\t%.2f\tus/packet\t%.2f\t%.2f\n", n, value, forwarder,
	       value / forwarder);
}

static void bench_transcode(size_t n)
{
	double reference = measure_primitives() + 2 * measure_forwarder(n), cost;
	uint64_t came;

	cost = measure(MEDIA_PCMU, MEDIA_OPUS, n, &came) * 1e6 / ((double)n * measure_ms / 20);
	check_complete(came, n);
	printf("media.transcode.%zu\t%.0f\tcalls/core\t%.0f\t%.2f\n", n, 20000 / cost,
	       20000 / reference, cost / reference);
}

static void read_seconds(void)
{
	const char *text = getenv("BENCH_SECONDS");
	long s = text ? strtol(text, NULL, 10) : MEASURE_S;

	must(s > 0 && s <= MEASURE_MAX_S, "reading BENCH_SECONDS");
	measure_ms = (int)s * 1000;
}

int main(int argc, char *argv[])
{
	read_seconds();
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	prepare_speech();
	if (bench_wants(argc, argv, "media.bridge.50"))
		bench_bridge(50);
	if (bench_wants(argc, argv, "media.bridge.500"))
		bench_bridge(500);
	if (bench_wants(argc, argv, "media.transcode.30"))
		bench_transcode(30);
	if (bench_wants(argc, argv, "media.transcode.300"))
		bench_transcode(300);
	return 0;
}
