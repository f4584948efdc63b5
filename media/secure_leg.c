#include "media/secure_leg.h"

#include <errno.h>
#include <stdlib.h>

#include "media/leg_rtcp.h"
#include "media/rtp_receiver.h"
#include "media/rtp_sender.h"
#include "media/stun_client.h"

enum { FIRST_COMPLEXITY = 5, MAX_LOSS_PERCENT = 25 };

struct secure_leg {
	const struct leg_ops *ops;
	void *arg;
	uint32_t peer_ssrc;
	bool has_events;
	struct codec *codec;
	struct srtp *out, *in;
	struct rtp_sender sender;
	struct rtp_receiver receiver;
	struct leg_rtcp rtcp;
	struct stun_client stun;
	int64_t heard_ms;
	int complexity, loss_percent; /* as the encoder was tuned */
	uint64_t auth_failures, replays, malformed;
};

/* With equal SSRCs both directions would use the same key stream where the keys are equal, too. */
static bool is_valid(const struct secure_leg_config *c)
{
	size_t frame = (c->ptime_ms ? c->ptime_ms : 20) * MEDIA_SAMPLES_PER_MS;

	return c->own_ssrc && c->peer_ssrc && c->own_ssrc != c->peer_ssrc && c->codec_pt < 128 &&
	       c->event_pt < 128 && codec_takes_frame(c->codec, frame) && frame % 80 == 0 &&
	       srtp_salt_size(c->profile) > 0 &&
	       (c->event_pt == 0 || c->event_clock == 8000 || c->event_clock == 48000);
}

/* What cannot be sealed is not sent: never in clear. */
static void send_rtp(void *arg, uint8_t *packet, size_t n, size_t cap)
{
	struct secure_leg *leg = arg;

	if (srtp_seal(leg->out, packet, &n, cap) == 0)
		leg->ops->send(leg->arg, slice_of(packet, n), false);
}

static int init_halves(struct secure_leg *leg, const struct secure_leg_config *c, int64_t now_ms)
{
	uint32_t event_clock = c->event_pt ? c->event_clock : MEDIA_RATE;
	uint8_t event_pt = c->event_pt ? c->event_pt : RTP_NO_TYPE;
	struct rtp_receiver_config hear = { .codec = leg->codec,
					    .clock = codec_clock(c->codec),
					    .codec_pt = c->codec_pt,
					    .event_pt = event_pt,
					    .cn_pt = RTP_NO_TYPE,
					    .event_clock = event_clock };
	struct rtp_sender_config speak = { .codec = leg->codec,
					   .kind = c->codec,
					   .codec_pt = c->codec_pt,
					   .event_pt = event_pt,
					   .event_clock = event_clock };

	speak.frame = (c->ptime_ms ? c->ptime_ms : 20) * MEDIA_SAMPLES_PER_MS;
	rtp_receiver_init(&leg->receiver, &hear, leg->ops, leg->arg, now_ms);
	return rtp_sender_init(&leg->sender, &speak, c->own_ssrc, send_rtp, leg);
}

static int init_leg(struct secure_leg *leg, const struct secure_leg_config *c, int64_t now_ms)
{
	int err;

	leg->codec = codec_new(c->codec);
	if (!leg->codec)
		return -ENOMEM;
	err = stun_client_init(&leg->stun, c->leg_id, c->leg_key, c->own_ssrc, now_ms);
	if (!err)
		err = leg_rtcp_init(&leg->rtcp, now_ms);
	if (!err)
		err = init_halves(leg, c, now_ms);
	if (!err)
		err = srtp_new(c->profile, SRTP_RECEIVE, &c->peer_key, c->peer_ssrc, &leg->in);
	if (!err)
		err = srtp_new(c->profile, SRTP_SEND, &c->own_key, c->own_ssrc, &leg->out);
	return err;
}

int secure_leg_new(const struct secure_leg_config *config, const struct leg_ops *ops, void *arg,
		   int64_t now_ms, struct secure_leg **leg_out)
{
	struct secure_leg *leg;
	int err;

	if (!is_valid(config))
		return -EINVAL;
	leg = calloc(1, sizeof(*leg));
	if (!leg)
		return -ENOMEM;
	leg->ops = ops;
	leg->arg = arg;
	leg->peer_ssrc = config->peer_ssrc;
	leg->has_events = config->event_pt != 0;
	leg->heard_ms = now_ms;
	leg->complexity = FIRST_COMPLEXITY;
	err = init_leg(leg, config, now_ms);
	if (err) {
		secure_leg_free(&leg);
		return err;
	}
	*leg_out = leg;
	return 0;
}

void secure_leg_free(struct secure_leg **legp)
{
	struct secure_leg *leg = *legp;

	if (!leg)
		return;
	*legp = NULL;
	srtp_free(&leg->out);
	srtp_free(&leg->in);
	codec_free(&leg->codec);
	stun_client_wipe(&leg->stun);
	free(leg);
}

/* Sends what the STUN client has to say now. */
static void poll_stun(struct secure_leg *leg, int64_t now_ms)
{
	uint8_t packet[STUN_MAX_MESSAGE];
	int n = stun_client_poll(&leg->stun, now_ms, packet, sizeof(packet));

	if (n > 0)
		leg->ops->send(leg->arg, slice_of(packet, (size_t)n), false);
}

static int receive_stun(struct secure_leg *leg, struct slice packet, int64_t now_ms)
{
	int got = stun_client_receive(&leg->stun, packet, now_ms);

	if (got > 0)
		poll_stun(leg, now_ms);
	return got < 0 ? got : 0;
}

static void heard(struct secure_leg *leg, int64_t now_ms)
{
	leg->heard_ms = now_ms;
	stun_client_heard(&leg->stun, now_ms);
}

static int receive_rtp(struct secure_leg *leg, uint8_t *packet, size_t n, int64_t now_ms)
{
	struct rtp rtp;
	int err;

	if (packet_ssrc(slice_of(packet, n)) != leg->peer_ssrc)
		return -EBADMSG;
	err = srtp_open(leg->in, packet, &n);
	if (!err)
		err = rtp_parse(slice_of(packet, n), &rtp);
	if (err)
		return err;
	heard(leg, now_ms);
	rtp_receiver_packet(&leg->receiver, &rtp, now_ms); /* counts its own */
	return 0;
}

/* FEC grows with the loss that the peer reports, but not without bounds. */
static void tune(struct secure_leg *leg, int complexity)
{
	int loss = leg->rtcp.loss_percent > MAX_LOSS_PERCENT ? MAX_LOSS_PERCENT
							     : (int)leg->rtcp.loss_percent;

	if (complexity == leg->complexity && loss == leg->loss_percent)
		return;
	leg->complexity = complexity;
	leg->loss_percent = loss;
	codec_tune(leg->codec, complexity, loss);
}

void secure_leg_set_complexity(struct secure_leg *leg, int complexity)
{
	tune(leg, complexity);
}

static int receive_rtcp(struct secure_leg *leg, uint8_t *packet, size_t n, int64_t now_ms)
{
	int err;

	if (packet_ssrc(slice_of(packet, n)) != leg->peer_ssrc)
		return -EBADMSG;
	err = srtcp_open(leg->in, packet, &n);
	if (err)
		return err;
	heard(leg, now_ms);
	err = leg_rtcp_receive(&leg->rtcp, slice_of(packet, n), &leg->sender, &leg->receiver.source,
			       now_ms);
	/* The report may have changed what is known of the loss. */
	tune(leg, leg->complexity);
	return err;
}

static int count(struct secure_leg *leg, int err)
{
	if (err == -EACCES)
		leg->auth_failures++;
	else if (err == -EALREADY)
		leg->replays++;
	else if (err)
		leg->malformed++;
	return err;
}

int secure_leg_receive(struct secure_leg *leg, uint8_t *packet, size_t n, int64_t now_ms)
{
	struct slice whole = slice_of(packet, n);

	switch (packet_kind(whole)) {
	case PACKET_STUN:
		return count(leg, receive_stun(leg, whole, now_ms));
	case PACKET_RTP:
		return count(leg, receive_rtp(leg, packet, n, now_ms));
	case PACKET_RTCP:
		return count(leg, receive_rtcp(leg, packet, n, now_ms));
	case PACKET_UNKNOWN:
		break;
	}
	return count(leg, -EBADMSG);
}

static void send_rtcp(struct secure_leg *leg, int64_t now_ms)
{
	uint8_t packet[RTCP_MAX_REPORT + SRTP_MAX_TRAILER];
	size_t n = leg_rtcp_tick(&leg->rtcp, &leg->sender, &leg->receiver.source, now_ms, packet,
				 RTCP_MAX_REPORT);

	if (n && srtcp_seal(leg->out, packet, &n, sizeof(packet)) == 0)
		leg->ops->send(leg->arg, slice_of(packet, n), true);
}

void secure_leg_tick(struct secure_leg *leg, int64_t now_ms)
{
	poll_stun(leg, now_ms);
	rtp_sender_tick(&leg->sender);
	rtp_receiver_tick(&leg->receiver, now_ms);
	send_rtcp(leg, now_ms);
}

void secure_leg_send_audio(struct secure_leg *leg, const int16_t *pcm, size_t n)
{
	rtp_sender_audio(&leg->sender, pcm, n);
}

int secure_leg_send_digit(struct secure_leg *leg, char digit, unsigned duration_ms)
{
	return leg->has_events ? dtmf_send(&leg->sender.dtmf, digit, duration_ms) : -ENOTSUP;
}

int secure_leg_pass_digit(struct secure_leg *leg, const struct dtmf_event *event)
{
	if (!leg->has_events)
		return -ENOTSUP;
	return dtmf_pass(&leg->sender.dtmf, event);
}

bool secure_leg_digits_sent(const struct secure_leg *leg)
{
	return !dtmf_sender_busy(&leg->sender.dtmf);
}

void secure_leg_rebind(struct secure_leg *leg, int64_t now_ms)
{
	stun_client_rebind(&leg->stun, now_ms);
	poll_stun(leg, now_ms);
}

bool secure_leg_bound(const struct secure_leg *leg)
{
	return leg->stun.bound;
}

int64_t secure_leg_heard_ms(const struct secure_leg *leg)
{
	return leg->heard_ms;
}

void secure_leg_stats(const struct secure_leg *leg, struct leg_stats *stats_out)
{
	*stats_out = (struct leg_stats){ .packets_sent = leg->sender.packets,
					 .octets_sent = leg->sender.octets,
					 .auth_failures = leg->auth_failures,
					 .replays = leg->replays,
					 .malformed = leg->malformed,
					 .peer_lost = leg->rtcp.peer_lost,
					 .peer_jitter_us = leg->rtcp.peer_jitter_us };
	rtp_receiver_stats(&leg->receiver, stats_out);
}
