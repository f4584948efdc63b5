/* secure_leg.c - a leg_core behind STUN and SRTP: only what authenticates is looked
 * at. */
#include "media/secure_leg.h"

#include <errno.h>
#include <stdlib.h>

#include "media/leg_core.h"
#include "media/stun_client.h"

/* The encoder is set for no more loss than that: what in-band FEC adds beyond is not heard, and
 * takes from the voice. */
enum { FIRST_COMPLEXITY = 5, MAX_LOSS_PERCENT = 25 };

struct secure_leg {
	struct leg_core core;
	uint32_t peer_ssrc;
	bool has_events;
	struct stun_client stun;
	int complexity, loss_percent; /* as the encoder was tuned */
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

static struct leg_format format_of(const struct secure_leg_config *c)
{
	return (struct leg_format){ .codec = c->codec,
				    .clock = codec_clock(c->codec),
				    .event_clock = c->event_pt ? c->event_clock : MEDIA_RATE,
				    .codec_pt = c->codec_pt,
				    .event_pt = c->event_pt ? c->event_pt : RTP_NO_TYPE,
				    .cn_pt = RTP_NO_TYPE,
				    .ptime_ms = c->ptime_ms ? c->ptime_ms : 20 };
}

static int init_leg(struct secure_leg *leg, const struct secure_leg_config *c, int64_t now_ms)
{
	struct leg_core *core = &leg->core;
	struct leg_format format = format_of(c);
	int err;

	/* The codec before what needs it; what has been made when one of them fails is freed by
	 * secure_leg_free(). */
	core->codec = codec_new(c->codec);
	if (!core->codec)
		return -ENOMEM;
	err = stun_client_init(&leg->stun, c->leg_id, c->leg_key, c->own_ssrc, now_ms);
	if (!err)
		err = leg_core_start(core, &format, c->own_ssrc, core->ops, core->arg, now_ms);
	if (!err)
		err = srtp_new(c->profile, SRTP_RECEIVE, &c->peer_key, c->peer_ssrc, &core->in);
	if (!err)
		err = srtp_new(c->profile, SRTP_SEND, &c->own_key, c->own_ssrc, &core->out);
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
	leg->core.ops = ops;
	leg->core.arg = arg;
	leg->peer_ssrc = config->peer_ssrc;
	leg->has_events = config->event_pt != 0;
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
	leg_core_done(&leg->core);
	stun_client_wipe(&leg->stun);
	free(leg);
}

/* Sends what the STUN client has to say now. */
static void poll_stun(struct secure_leg *leg, int64_t now_ms)
{
	uint8_t packet[STUN_MAX_MESSAGE];
	int n = stun_client_poll(&leg->stun, now_ms, packet, sizeof(packet));

	if (n > 0)
		leg->core.ops->send(leg->core.arg, slice_of(packet, (size_t)n), false);
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
	leg->core.heard_ms = now_ms;
	stun_client_heard(&leg->stun, now_ms);
}

static int receive_rtp(struct secure_leg *leg, uint8_t *packet, size_t n, int64_t now_ms)
{
	struct rtp rtp;
	int err;

	/* Before the MAC is computed: a stranger's packet costs no more than a look. */
	if (packet_ssrc(slice_of(packet, n)) != leg->peer_ssrc)
		return -EBADMSG;
	err = srtp_open(leg->core.in, packet, &n);
	if (!err)
		err = rtp_parse(slice_of(packet, n), &rtp);
	if (err)
		return err;
	heard(leg, now_ms);
	rtp_receiver_packet(&leg->core.receiver, &rtp, now_ms); /* counts its own */
	return 0;
}

/* FEC grows with the loss that the peer reports, but not without bounds. */
static void tune(struct secure_leg *leg, int complexity)
{
	int loss = leg->core.rtcp.loss_percent > MAX_LOSS_PERCENT
			   ? MAX_LOSS_PERCENT
			   : (int)leg->core.rtcp.loss_percent;

	if (complexity == leg->complexity && loss == leg->loss_percent)
		return;
	leg->complexity = complexity;
	leg->loss_percent = loss;
	codec_tune(leg->core.codec, complexity, loss);
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
	err = srtcp_open(leg->core.in, packet, &n);
	if (err)
		return err;
	heard(leg, now_ms);
	err = leg_rtcp_receive(&leg->core.rtcp, slice_of(packet, n), &leg->core.sender,
			       &leg->core.receiver.source, now_ms);
	/* The report may have changed what is known of the loss. */
	tune(leg, leg->complexity);
	return err;
}

int secure_leg_receive(struct secure_leg *leg, uint8_t *packet, size_t n, int64_t now_ms)
{
	struct slice whole = slice_of(packet, n);

	switch (packet_kind(whole)) {
	case PACKET_STUN:
		return leg_core_count(&leg->core, receive_stun(leg, whole, now_ms));
	case PACKET_RTP:
		return leg_core_count(&leg->core, receive_rtp(leg, packet, n, now_ms));
	case PACKET_RTCP:
		return leg_core_count(&leg->core, receive_rtcp(leg, packet, n, now_ms));
	case PACKET_UNKNOWN:
		break;
	}
	return leg_core_count(&leg->core, -EBADMSG);
}

void secure_leg_tick(struct secure_leg *leg, int64_t now_ms)
{
	poll_stun(leg, now_ms);
	leg_core_tick(&leg->core, now_ms);
}

void secure_leg_send_audio(struct secure_leg *leg, const int16_t *pcm, size_t n)
{
	rtp_sender_audio(&leg->core.sender, pcm, n);
}

int secure_leg_send_digit(struct secure_leg *leg, char digit, unsigned duration_ms)
{
	return leg->has_events ? dtmf_send(&leg->core.sender.dtmf, digit, duration_ms) : -ENOTSUP;
}

int secure_leg_pass_digit(struct secure_leg *leg, const struct dtmf_event *event)
{
	if (!leg->has_events)
		return -ENOTSUP;
	return dtmf_pass(&leg->core.sender.dtmf, event);
}

bool secure_leg_digits_sent(const struct secure_leg *leg)
{
	return !dtmf_sender_busy(&leg->core.sender.dtmf);
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
	return leg->core.heard_ms;
}

void secure_leg_stats(const struct secure_leg *leg, struct leg_stats *stats_out)
{
	leg_core_stats(&leg->core, stats_out);
}
