#include "tests/bench/media_ends.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "media/rtp.h"
#include "media/srtp.h"
#include "media/stun.h"
#include "media/udp_batch.h"
#include "tests/bench/bench.h"

/* The calls take turns within the 20 ms of a frame, as those of different callers do. */
enum { PACKET_ROOM = 512, SLICES = 10, SLICE_MS = 2 };

const struct slice media_ends_leg_key = { (const uint8_t *)"sixteen octets k", 16 };

int media_ends_socket(struct net_addr *addr_out)
{
	struct net_addr addr;
	int fd, size = 4 << 20;

	bench_must(net_parse("127.0.0.1:0", 0, &addr) == 0, "net_parse");
	fd = net_udp_socket(&addr, false);
	bench_must(fd >= 0 && net_local(fd, addr_out) == 0, "socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

void media_ends_open(struct media_ends *ends, const struct media_speech *speech,
		     enum media_codec plain, enum media_codec secure, size_t n)
{
	static const struct srtp_key key;

	*ends = (struct media_ends){ .speech = speech, .plain = plain, .secure = secure, .n = n };
	ends->calls = calloc(n, sizeof(*ends->calls));
	ends->pbx_fd = media_ends_socket(&ends->pbx);
	ends->crs_fd = media_ends_socket(&ends->crs);
	ends->to_plain = udp_outbox_new(ends->pbx_fd);
	ends->to_secure = udp_outbox_new(ends->crs_fd);
	ends->inbox = udp_inbox_new();
	bench_must(ends->calls && ends->to_plain && ends->to_secure && ends->inbox, "memory");
	for (size_t i = 0; i < n; i++)
		bench_must(srtp_new(SRTP_AES128_CM_SHA1_80, SRTP_SEND, &key, (uint32_t)(2 * i + 2),
				    &ends->calls[i].srtp) == 0,
			   "srtp_new");
}

void media_ends_close(struct media_ends *ends)
{
	for (size_t i = 0; i < ends->n; i++)
		srtp_free(&ends->calls[i].srtp);
	free(ends->calls);
	udp_outbox_free(&ends->to_plain);
	udp_outbox_free(&ends->to_secure);
	udp_inbox_free(&ends->inbox);
	close(ends->pbx_fd);
	close(ends->crs_fd);
}

static void send_frames(struct media_ends *ends, size_t slice)
{
	for (size_t i = slice; i < ends->n; i += SLICES) {
		struct end_call *call = &ends->calls[i];
		uint8_t packet[PACKET_ROOM];
		struct rtp rtp = { .seq = call->seq++, .timestamp = ends->frame * SPEECH_FRAME };
		size_t n;

		rtp.payload_type = (uint8_t)ends->plain & 0x7f;
		rtp.ssrc = (uint32_t)i + 1;
		rtp_write_header(&rtp, packet);
		n = RTP_HEADER_SIZE + media_speech_payload(ends->speech, ends->plain, ends->frame,
							   packet + RTP_HEADER_SIZE);
		udp_send(ends->to_plain, slice_of(packet, n), &call->plain);
		rtp.payload_type = (uint8_t)ends->secure & 0x7f;
		rtp.ssrc = (uint32_t)(2 * i + 2);
		rtp.timestamp = ends->frame * (codec_clock(ends->secure) / 50);
		rtp_write_header(&rtp, packet);
		n = RTP_HEADER_SIZE + media_speech_payload(ends->speech, ends->secure, ends->frame,
							   packet + RTP_HEADER_SIZE);
		bench_must(srtp_seal(call->srtp, packet, &n, sizeof(packet)) == 0, "srtp_seal");
		udp_send(ends->to_secure, slice_of(packet, n), &call->secure);
	}
	udp_flush(ends->to_plain);
	udp_flush(ends->to_secure);
}

/* Bindings are answered, media is counted. */
static uint64_t drain(struct media_ends *ends, int fd)
{
	uint64_t media = 0;
	int n;

	while ((n = udp_receive(ends->inbox, fd)) > 0) {
		for (int i = 0; i < n; i++) {
			uint8_t answer[STUN_MAX_MESSAGE];
			struct stun_message m;
			struct net_addr from;
			size_t octets;
			uint8_t *packet = udp_packet(ends->inbox, i, &octets, &from);

			if (stun_parse(slice_of(packet, octets), &m)) {
				media++;
				continue;
			}
			octets = stun_build_success(m.transaction, &from, media_ends_leg_key,
						    answer, sizeof(answer));
			udp_send(ends->to_secure, slice_of(answer, octets), &from);
		}
		udp_flush(ends->to_secure);
	}
	return media;
}

uint64_t media_ends_run(struct media_ends *ends, int ms, void (*each_second)(void *arg), void *arg)
{
	int64_t start = clock_mono_ms();
	uint64_t came = 0;

	for (int slice = 0; slice * SLICE_MS < ms; slice++) {
		int64_t wait = start + slice * SLICE_MS - clock_mono_ms();

		if (wait > 0)
			poll(NULL, 0, (int)wait);
		send_frames(ends, (size_t)slice % SLICES);
		ends->frame += slice % SLICES == SLICES - 1;
		came += drain(ends, ends->pbx_fd) + drain(ends, ends->crs_fd);
		if (each_second && slice % (1000 / SLICE_MS) == 0)
			each_second(arg);
	}
	return came;
}
