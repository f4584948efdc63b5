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
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "media/rtp.h"
#include "media/srtp.h"
#include "media/udp_batch.h"
#include "tests/bench/bench.h"
#include "tests/bench/media_ends.h"
#include "tests/bench/media_relay.h"

enum { PACKET_ROOM = 512, WARM_MS = 3000, MEASURE_S = 5, MEASURE_MAX_S = 3600 };

/* What all figures are measured with. */
struct bench {
	struct media_speech *speech;
	int ms;
};

/* What cig-relay says of itself, and of the packets that came to it. */
static void tell_losses(struct media_relay *relay, size_t n, int ms)
{
	struct relay_told told = media_relay_told(relay);
	struct relay_losses losses = media_relay_losses(relay, n);

	fprintf(stderr,
		"bench_media: %zu calls for %d s: cig-relay received %llu packets, %llu were lost, "
		"%llu late; it was busy for %u %% (at most %u %%), served its timer %u ms late at "
		"most, encoded at complexity %.1f, did not read %llu packets in time\n",
		n, ms / 1000, (unsigned long long)losses.received, (unsigned long long)losses.lost,
		(unsigned long long)losses.late, told.polls ? told.cpu_sum / told.polls : 0,
		told.cpu_max, told.late_max,
		told.polls ? (double)told.complexity_sum / told.polls : 0,
		(unsigned long long)told.dropped);
}

/* CPU seconds of cig-relay while bench->ms pass, and the packets it sent. */
static double measure(const struct bench *bench, enum media_codec plain, enum media_codec secure,
		      size_t n, uint64_t *came_out)
{
	struct media_ends ends;
	struct media_relay *relay;
	double before;

	media_ends_open(&ends, bench->speech, plain, secure, n);
	relay = media_relay_start(&ends);
	media_ends_run(&ends, WARM_MS, media_relay_keep_alive, relay);
	(void)media_relay_told(relay);
	before = media_relay_cpu(relay);
	*came_out = media_ends_run(&ends, bench->ms, media_relay_keep_alive, relay);
	before = media_relay_cpu(relay) - before;
	if (bench->ms != MEASURE_S * 1000)
		tell_losses(relay, n, bench->ms);
	media_relay_stop(&relay);
	media_ends_close(&ends);
	return before;
}

/* The plain forwarder: what comes goes to where the far ends listen. */

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

		bench_must(k > 0, "sendmmsg");
		sent += k;
	}
	f->packets += (uint64_t)n;
}

static void *forward(void *arg)
{
	struct forwarder *f = arg;
	struct udp_inbox *in = udp_inbox_new();
	struct pollfd p = { f->fd, POLLIN, 0 };
	double before = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
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
	f->cpu = bench_seconds(CLOCK_THREAD_CPUTIME_ID) - before;
	udp_inbox_free(&in);
	return NULL;
}

/* us a packet, with as many packets at the same pace as n calls make. */
static double measure_forwarder(const struct bench *bench, size_t n)
{
	struct net_addr addr;
	struct forwarder f = { .fd = media_ends_socket(&addr) };
	struct media_ends ends;
	pthread_t thread;

	media_ends_open(&ends, bench->speech, MEDIA_PCMA, MEDIA_PCMA, n);
	f.to = ends.crs;
	for (size_t i = 0; i < n; i++)
		ends.calls[i].plain = ends.calls[i].secure = addr;
	bench_must(pthread_create(&thread, NULL, forward, &f) == 0, "pthread_create");
	media_ends_run(&ends, MEASURE_S * 1000, NULL, NULL);
	udp_send(ends.to_plain, slice_of("x", 1), &addr);
	udp_flush(ends.to_plain);
	pthread_join(thread, NULL);
	media_ends_close(&ends);
	close(f.fd);
	return f.cpu * 1e6 / (double)f.packets;
}

/* us a 20 ms frame of one call: Opus and G.711 both ways, SRTP both ways. */
static double measure_primitives(const struct media_speech *speech)
{
	enum { ROUNDS = 5 };
	static const struct srtp_key key;
	struct codec *opus = codec_new(MEDIA_OPUS), *plain = codec_new(MEDIA_PCMU);
	struct srtp *in, *out;
	double before = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
	uint16_t seq = 0;

	bench_must(opus && plain && !srtp_new(SRTP_AES128_CM_SHA1_80, SRTP_SEND, &key, 1, &out) &&
			   !srtp_new(SRTP_AES128_CM_SHA1_80, SRTP_RECEIVE, &key, 1, &in),
		   "memory");
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < SPEECH_FRAMES; i++) {
			uint8_t packet[PACKET_ROOM], octets[MEDIA_MAX_PAYLOAD];
			int16_t pcm[MEDIA_MAX_FRAME];
			struct rtp rtp = { .seq = seq++, .ssrc = 1 };
			int n = codec_encode(plain, speech->pcm[i], SPEECH_FRAME, octets,
					     sizeof(octets));
			size_t length;

			codec_decode(plain, slice_of(octets, (size_t)n), pcm);
			n = codec_encode(opus, pcm, SPEECH_FRAME, packet + RTP_HEADER_SIZE, 400);
			rtp_write_header(&rtp, packet);
			length = RTP_HEADER_SIZE + (size_t)n;
			bench_must(srtp_seal(out, packet, &length, sizeof(packet)) == 0,
				   "srtp_seal");
			bench_must(srtp_open(in, packet, &length) == 0, "srtp_open");
			codec_decode(opus, slice_of(packet + RTP_HEADER_SIZE, (size_t)n), pcm);
		}
	}
	before = bench_seconds(CLOCK_THREAD_CPUTIME_ID) - before;
	codec_free(&opus);
	codec_free(&plain);
	srtp_free(&in);
	srtp_free(&out);
	return before * 1e6 / (ROUNDS * SPEECH_FRAMES);
}

static void check_complete(const struct bench *bench, uint64_t came, size_t n)
{
	double wanted = (double)n * 2 * bench->ms / 20;

	if ((double)came < wanted * 0.98)
		fprintf(stderr,
			"bench_media: %zu calls: only %.1f %% of the packets came through\n", n,
			(double)came * 100 / wanted);
}

static void bench_bridge(const struct bench *bench, size_t n)
{
	double forwarder = measure_forwarder(bench, n), value;
	uint64_t came;

	value = measure(bench, MEDIA_PCMA, MEDIA_PCMA, n, &came) * 1e6 / (double)came;
	check_complete(bench, came, n);
	printf("media.bridge.%zu\t%.2f\tus/packet\t%.2f\t%.2f\n", n, value, forwarder,
	       value / forwarder);
}

static void bench_transcode(const struct bench *bench, size_t n)
{
	double reference = measure_primitives(bench->speech) + 2 * measure_forwarder(bench, n),
	       cost;
	uint64_t came;

	cost = measure(bench, MEDIA_PCMU, MEDIA_OPUS, n, &came) * 1e6 /
	       ((double)n * bench->ms / 20);
	check_complete(bench, came, n);
	printf("media.transcode.%zu\t%.0f\tcalls/core\t%.0f\t%.2f\n", n, 20000 / cost,
	       20000 / reference, cost / reference);
}

static int measure_ms(void)
{
	const char *text = getenv("BENCH_SECONDS");
	long s = text ? strtol(text, NULL, 10) : MEASURE_S;

	bench_must(s > 0 && s <= MEASURE_MAX_S, "reading BENCH_SECONDS");
	return (int)s * 1000;
}

int main(int argc, char *argv[])
{
	struct bench bench = { .ms = measure_ms() };

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	bench.speech = media_speech_new();
	if (bench_wants(argc, argv, "media.bridge.50"))
		bench_bridge(&bench, 50);
	if (bench_wants(argc, argv, "media.bridge.500"))
		bench_bridge(&bench, 500);
	if (bench_wants(argc, argv, "media.transcode.30"))
		bench_transcode(&bench, 30);
	if (bench_wants(argc, argv, "media.transcode.300"))
		bench_transcode(&bench, 300);
	free(bench.speech);
	return 0;
}
