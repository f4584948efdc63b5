/* call_media.c - one call's sound: frames of a file by the clock, what comes into another file,
 * and the socket to the relay.
 *
 * Frames are counted by the monotonic clock, not by timers that fire: a tick that comes late
 * sends all that is due.
 */
#include "caller/call_media.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/net.h"
#include "base/timer.h"
#include "media/secure_leg.h"
#include "media/wav.h"

enum {
	FRAME = LEG_TICK_MS * MEDIA_SAMPLES_PER_MS,
	CATCH_UP_FRAMES = 10, /* after the process was held up for longer, time is lost */
	DIGIT_MS = 120,
	PACKETS_PER_TURN = 32,
};

struct call_media {
	struct call_media_options options;
	struct secure_leg *leg;
	struct wav_writer *recording;
	int fd;
	struct event *readable, *tick;
	int64_t next_ms;    /* when the next frame is due */
	int64_t give_up_ms; /* where the relay has not bound us by then */
	size_t played;
	bool told_played;
};

/* ---- what the leg asks for ---- */

static void send_packet(void *arg, struct slice packet, bool rtcp)
{
	struct call_media *m = arg;

	(void)rtcp; /* one address for both (RFC 5761) */
	/* A datagram that is not taken is lost, as any other may be. */
	if (send(m->fd, packet.p, packet.n, MSG_DONTWAIT) < 0)
		return;
}

static void take_audio(void *arg, const int16_t *pcm, size_t n)
{
	struct call_media *m = arg;

	if (m->recording)
		wav_writer_put(m->recording, pcm, n);
}

static void take_digit(void *arg, const struct dtmf_event *event)
{
	struct call_media *m = arg;

	/* Told once, at its end, when its length is known. */
	if (event->phase == DTMF_END)
		m->options.digit(m->options.arg, event->digit, event->duration_ms);
}

static const struct leg_ops leg_ops = { send_packet, take_audio, take_digit };

/* ---- the loop ---- */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct call_media *m = arg;
	uint8_t packet[LEG_MAX_PACKET];

	(void)what;
	for (int i = 0; i < PACKETS_PER_TURN; i++) {
		ssize_t n = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);

		if (n < 0)
			return; /* nothing more, or an ICMP error: the tick goes on trying */
		secure_leg_receive(m->leg, packet, (size_t)n, clock_mono_ms());
	}
}

static void send_frame(struct call_media *m)
{
	int16_t frame[FRAME] = { 0 };
	size_t left = m->options.play_n - m->played, n = left < FRAME ? left : FRAME;

	if (n)
		memcpy(frame, m->options.play + m->played, n * sizeof(*frame));
	m->played += n;
	secure_leg_send_audio(m->leg, frame, FRAME);
}

static void arm_tick(struct call_media *m, int64_t now_ms)
{
	timer_arm(m->tick, m->next_ms - now_ms);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct call_media *m = arg;
	int64_t now_ms = clock_mono_ms();

	(void)fd;
	(void)what;
	/* Held up for long (a suspended machine): what was due would arrive in a burst, and be
	 * thrown away as late. */
	if (now_ms - m->next_ms > CATCH_UP_FRAMES * LEG_TICK_MS)
		m->next_ms = now_ms;
	for (; m->next_ms <= now_ms; m->next_ms += LEG_TICK_MS) {
		secure_leg_tick(m->leg, now_ms);
		/* What is said before the relay knows us would be lost. */
		if (secure_leg_bound(m->leg))
			send_frame(m);
	}
	arm_tick(m, now_ms);
	if (m->options.play && m->played == m->options.play_n && !m->told_played) {
		m->told_played = true;
		m->options.played(m->options.arg); /* last: it may stop us */
	} else if (now_ms >= m->give_up_ms && !secure_leg_bound(m->leg)) {
		m->give_up_ms = INT64_MAX;
		m->options.lost(m->options.arg); /* as that */
	}
}

/* ---- life ---- */

static int resolve(const char *host, uint16_t port, struct net_addr *out, struct diag *diag)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *found = NULL;
	int result;

	if (net_parse(host, port, out) == 0)
		return 0;
	/* Blocking, at the start of a call: a caller has one call and nothing else to do. */
	result = getaddrinfo(host, NULL, &hints, &found);
	if (result || found->ai_addrlen > sizeof(out->in6)) {
		diag_error(diag, NULL, "media relay %s: %s", host,
			   result ? gai_strerror(result) : "no address of a usable kind");
		if (found)
			freeaddrinfo(found);
		return -EHOSTUNREACH;
	}
	memcpy(&out->sa, found->ai_addr, found->ai_addrlen);
	out->len = found->ai_addrlen;
	net_set_port(out, port);
	freeaddrinfo(found);
	return 0;
}

static int open_socket(struct call_media *m, struct diag *diag)
{
	const struct umsg_media *media = m->options.media;
	struct net_addr relay;
	int err = resolve(media->relay_host, media->relay_port, &relay, diag);

	if (err)
		return err;
	m->fd = socket(relay.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* Connected, so that only the relay's packets come, and its ICMP errors. */
	if (m->fd < 0 || connect(m->fd, &relay.sa, relay.len) < 0) {
		err = -errno;
		diag_error(diag, NULL, "media relay %s: %s", media->relay_host, strerror(errno));
	}
	return err;
}

static enum media_codec codec_of(enum umsg_audio_codec codec)
{
	switch (codec) {
	case UMSG_PCMU:
		return MEDIA_PCMU;
	case UMSG_PCMA:
		return MEDIA_PCMA;
	default:
		return MEDIA_OPUS;
	}
}

static int open_leg(struct call_media *m)
{
	const struct umsg_media *media = m->options.media;
	struct secure_leg_config config = {
		.own_ssrc = media->own_ssrc,
		.peer_ssrc = media->peer_ssrc,
		.profile = media->profile == UMSG__SRTP_PROFILE__AEAD_AES_128_GCM
				   ? SRTP_AEAD_AES_128_GCM
				   : SRTP_AES128_CM_SHA1_80,
		.codec = codec_of(media->codec),
		.codec_pt = media->codec_pt,
		.event_pt = media->event_pt,
		.event_clock = media->event_clock,
		.ptime_ms = media->ptime_ms,
		.leg_id = slice_of(media->leg_id, media->leg_id_len),
		.leg_key = slice_of(media->leg_key, media->leg_key_len),
	};
	int err;

	memcpy(config.own_key.key, media->own_key, sizeof(media->own_key));
	memcpy(config.own_key.salt, media->own_salt, media->salt_len);
	memcpy(config.peer_key.key, media->peer_key, sizeof(media->peer_key));
	memcpy(config.peer_key.salt, media->peer_salt, media->salt_len);
	err = secure_leg_new(&config, &leg_ops, m, clock_mono_ms(), &m->leg);
	/* The leg has its own copy of the keys. */
	explicit_bzero(&config, sizeof(config));
	return err;
}

static int start(struct call_media *m, struct diag *diag)
{
	int err = open_socket(m, diag);

	if (!err && m->options.record)
		err = wav_writer_open(m->options.record, &m->recording);
	if (err && !diag_errors(diag))
		diag_error(diag, NULL, "%s: %s", m->options.record, strerror(-err));
	if (!err)
		err = open_leg(m);
	if (err)
		return err;
	m->readable = event_new(m->options.base, m->fd, EV_READ | EV_PERSIST, on_readable, m);
	m->tick = evtimer_new(m->options.base, on_tick, m);
	if (!m->readable || !m->tick || event_add(m->readable, NULL) < 0)
		return -ENOMEM;
	m->next_ms = clock_mono_ms();
	m->give_up_ms = m->next_ms + CALL_MEDIA_RELAY_MS;
	arm_tick(m, m->next_ms);
	return 0;
}

int call_media_start(const struct call_media_options *options, struct call_media **media_out,
		     struct diag *diag)
{
	struct call_media *m = calloc(1, sizeof(*m));
	int err;

	if (!m)
		return -ENOMEM;
	m->options = *options;
	m->fd = -1;
	err = start(m, diag);
	if (err) {
		call_media_stop(&m);
		return err;
	}
	*media_out = m;
	return 0;
}

int call_media_send_digit(struct call_media *media, char digit)
{
	return secure_leg_send_digit(media->leg, digit, DIGIT_MS);
}

void call_media_stats(const struct call_media *media, struct leg_stats *stats_out)
{
	secure_leg_stats(media->leg, stats_out);
}

int call_media_stop(struct call_media **mediap)
{
	struct call_media *m = *mediap;
	int err;

	if (!m)
		return 0;
	*mediap = NULL;
	if (m->readable)
		event_free(m->readable);
	if (m->tick)
		event_free(m->tick);
	/* Behind the events, which use it, and before the recording, which it writes to. */
	secure_leg_free(&m->leg);
	err = wav_writer_close(&m->recording);
	if (m->fd >= 0)
		close(m->fd);
	free(m);
	return err;
}
