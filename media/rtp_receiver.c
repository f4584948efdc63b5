/* rtp_receiver.c - a packet's way: counted, put in order, and by its payload type to
 * playout or to the digits. */
#include "media/rtp_receiver.h"

#include <errno.h>

static void start_playout(struct rtp_receiver *r, int64_t now_ms)
{
	playout_init(&r->playout, r->config.codec, r->config.clock, now_ms, r->ops->audio, r->arg);
}

void rtp_receiver_init(struct rtp_receiver *r, const struct rtp_receiver_config *config,
		       const struct leg_ops *ops, void *arg, int64_t now_ms)
{
	r->config = *config;
	r->ops = ops;
	r->arg = arg;
	r->octets = r->late = r->malformed = r->ignored = 0;
	rtp_source_init(&r->source, config->clock);
	reorder_init(&r->reorder);
	dtmf_receiver_init(&r->dtmf, config->event_clock);
	start_playout(r, now_ms);
}

/* Order and SSRC are not touched: they go on over a re-INVITE.  So does dry_ms, how far the
 * listener has audio: set anew, it would play a hole or pile up delay. */
void rtp_receiver_change(struct rtp_receiver *r, const struct rtp_receiver_config *config,
			 int64_t now_ms)
{
	uint64_t concealed = r->playout.concealed;
	int64_t dry_ms = r->playout.dry_ms;

	r->config = *config;
	r->source.clock = config->clock;
	r->dtmf.clock = config->event_clock;
	start_playout(r, now_ms);
	r->playout.concealed = concealed;
	r->playout.dry_ms = dry_ms;
}

bool rtp_receiver_knows(const struct rtp_receiver *r, uint8_t pt)
{
	return pt == r->config.codec_pt || pt == r->config.event_pt || pt == r->config.cn_pt;
}

/* An event takes the place of audio (RFC 4733 2.1): the hole that it leaves is rest, not loss. */
static int take_event(struct rtp_receiver *r, const struct rtp *rtp, int64_t now_ms)
{
	struct dtmf_event events[3];
	int n = dtmf_receive(&r->dtmf, rtp->timestamp, rtp->payload, now_ms, events);

	if (n < 0)
		return n;
	playout_rest(&r->playout, -1);
	for (int i = 0; i < n; i++)
		r->ops->digit(r->arg, &events[i]);
	return 0;
}

/* A packet whose turn has come. */
static int use(struct rtp_receiver *r, const struct rtp *rtp, bool lost, int64_t now_ms)
{
	int err = 0;

	/* One without audio only keeps a NAT's way open (RFC 6263 4): later baresips begin with
	 * one. */
	if (rtp->payload_type == r->config.codec_pt && rtp->payload.n == 0)
		r->ignored++;
	else if (rtp->payload_type == r->config.event_pt)
		err = take_event(r, rtp, now_ms);
	/* RFC 3389: the first octet is the noise level, in -dBov. */
	else if (rtp->payload_type == r->config.cn_pt)
		playout_rest(&r->playout, rtp->payload.n ? rtp->payload.p[0] & 0x7f : -1);
	else if (rtp->payload_type == r->config.codec_pt)
		err = playout_packet(&r->playout, rtp->timestamp, lost, rtp->payload, now_ms);
	if (err)
		r->malformed++;
	return err;
}

/* A hole is filled by a packet or given up by the tick: both come here. */
static void use_held(struct rtp_receiver *r, int64_t now_ms)
{
	struct reorder_item item;

	while (reorder_pop(&r->reorder, now_ms, &item))
		use(r, &item.rtp, item.lost > 0, now_ms);
}

int rtp_receiver_packet(struct rtp_receiver *r, const struct rtp *rtp, int64_t now_ms)
{
	int got, err = 0;

	if (!rtp_receiver_knows(r, rtp->payload_type)) {
		/* RFC 3550 5.1: to be ignored; keep-alives have such a type (RFC 6263 4.6). */
		r->ignored++;
		return -ENOTSUP;
	}
	/* Another SSRC begins a sequence and a time base of its own (RFC 3550 8.2). */
	if (r->source.started && rtp->ssrc != r->source.ssrc) {
		reorder_init(&r->reorder);
		playout_restart(&r->playout);
	}
	/* Only audio tells when it was sent: the packets of an event repeat one timestamp (RFC
	 * 4733 2.2.1). */
	rtp_source_packet(&r->source, rtp, rtp->payload_type == r->config.codec_pt, now_ms);
	r->octets += rtp->payload.n;
	got = reorder_push(&r->reorder, rtp, now_ms);
	if (got < 0) {
		r->late++;
		return got == -EALREADY ? got : -EBADMSG;
	}
	if (got == 1)
		err = use(r, rtp, false, now_ms);
	use_held(r, now_ms);
	return err;
}

void rtp_receiver_tick(struct rtp_receiver *r, int64_t now_ms)
{
	struct dtmf_event event;

	use_held(r, now_ms);
	if (dtmf_receiver_tick(&r->dtmf, now_ms, &event))
		r->ops->digit(r->arg, &event);
	playout_tick(&r->playout, now_ms);
}

void rtp_receiver_stats(const struct rtp_receiver *r, struct leg_stats *stats)
{
	stats->packets_received = rtp_source_received(&r->source);
	stats->octets_received = r->octets;
	stats->lost = rtp_source_lost(&r->source);
	stats->late = r->late;
	stats->malformed += r->malformed;
	stats->ignored += r->ignored;
	stats->concealed_ms = r->playout.concealed / MEDIA_SAMPLES_PER_MS;
	stats->jitter_us = rtp_source_jitter_us(&r->source);
}
