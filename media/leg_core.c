/* leg_core.c - what both kinds of leg do alike: SRTP stands between the two halves
 * and the owner's socket. */
#include "media/leg_core.h"

#include <errno.h>

static struct rtp_sender_config speaking(const struct leg_format *f, struct codec *codec)
{
	return (struct rtp_sender_config){ .codec = codec,
					   .kind = f->codec,
					   .codec_pt = f->codec_pt,
					   .event_pt = f->event_pt,
					   .event_clock = f->event_clock,
					   .frame = f->ptime_ms * MEDIA_SAMPLES_PER_MS };
}

static struct rtp_receiver_config hearing(const struct leg_format *f, struct codec *codec)
{
	return (struct rtp_receiver_config){ .codec = codec,
					     .clock = f->clock,
					     .codec_pt = f->codec_pt,
					     .event_pt = f->event_pt,
					     .cn_pt = f->cn_pt,
					     .event_clock = f->event_clock };
}

/* What cannot be sealed is not sent: never in clear. */
static void send_rtp(void *arg, uint8_t *packet, size_t n, size_t cap)
{
	struct leg_core *core = arg;

	if (!core->out || srtp_seal(core->out, packet, &n, cap) == 0)
		core->ops->send(core->arg, slice_of(packet, n), false);
}

int leg_core_start(struct leg_core *core, const struct leg_format *format, uint32_t ssrc,
		   const struct leg_ops *heard_ops, void *heard_arg, int64_t now_ms)
{
	struct rtp_receiver_config hear = hearing(format, core->codec);
	struct rtp_sender_config speak = speaking(format, core->codec);
	int err;

	/* A peer that never sends anything is silent from here on. */
	core->heard_ms = now_ms;
	rtp_receiver_init(&core->receiver, &hear, heard_ops, heard_arg, now_ms);
	err = rtp_sender_init(&core->sender, &speak, ssrc, send_rtp, core);
	return err ? err : leg_rtcp_init(&core->rtcp, now_ms);
}

void leg_core_change(struct leg_core *core, const struct leg_format *format, int64_t now_ms)
{
	struct rtp_receiver_config hear = hearing(format, core->codec);
	struct rtp_sender_config speak = speaking(format, core->codec);

	rtp_receiver_change(&core->receiver, &hear, now_ms);
	rtp_sender_change(&core->sender, &speak);
}

void leg_core_done(struct leg_core *core)
{
	srtp_free(&core->out);
	srtp_free(&core->in);
	codec_free(&core->codec);
}

int leg_core_count(struct leg_core *core, int err)
{
	if (err == -EACCES)
		core->auth_failures++;
	else if (err == -EALREADY)
		core->replays++;
	else if (err == -ENOMSG)
		core->ignored++;
	else if (err)
		core->malformed++;
	return err;
}

/* SRTP needs room behind the report for its index and tag (RFC 3711 3.4). */
static void send_report(struct leg_core *core, int64_t now_ms)
{
	uint8_t report[RTCP_MAX_REPORT + SRTP_MAX_TRAILER];
	size_t n = leg_rtcp_tick(&core->rtcp, &core->sender, &core->receiver.source, now_ms, report,
				 RTCP_MAX_REPORT);

	if (n && (!core->out || srtcp_seal(core->out, report, &n, sizeof(report)) == 0))
		core->ops->send(core->arg, slice_of(report, n), true);
}

void leg_core_tick(struct leg_core *core, int64_t now_ms)
{
	rtp_sender_tick(&core->sender);
	rtp_receiver_tick(&core->receiver, now_ms);
	send_report(core, now_ms);
}

void leg_core_stats(const struct leg_core *core, struct leg_stats *stats_out)
{
	*stats_out = (struct leg_stats){ .packets_sent = core->sender.packets,
					 .octets_sent = core->sender.octets,
					 .auth_failures = core->auth_failures,
					 .replays = core->replays,
					 .malformed = core->malformed,
					 .ignored = core->ignored,
					 .peer_lost = core->rtcp.peer_lost,
					 .peer_jitter_us = core->rtcp.peer_jitter_us };
	rtp_receiver_stats(&core->receiver, stats_out);
}
