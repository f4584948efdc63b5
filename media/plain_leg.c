/* plain_leg.c - a leg_core whose peer is where its SDP says; its port is learned at
 * most once. */
#include "media/plain_leg.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "media/leg_core.h"
#include "media/tones.h"

enum { CN_TYPE = 13, DEFAULT_PTIME_MS = 20, MAX_PTIME_MS = 60 };

struct plain_leg {
	struct leg_core core;
	struct plain_leg_config config; /* with defaults filled in */
	struct tones *tones;            /* NULL unless tones are made and detected */
	struct net_addr remote;
	uint32_t ssrc; /* our own */
	bool locked;   /* the port was learned or seen right */
	int64_t learn_until_ms;
	uint16_t left_port;    /* where the peer was before its SDP moved it, or 0 */
	int64_t left_until_ms; /* so long late packets may come from there */
	uint64_t strangers;
};

/* What a configuration needs and the leg may not have yet. */
struct parts {
	struct codec *codec;
	struct tones *tones;
	struct srtp *out, *in;
	uint32_t ssrc; /* of what is sent */
};

static bool is_valid(const struct plain_leg_config *c)
{
	return c->remote.len && net_port(&c->remote) && c->codec_pt < 128 && c->event_pt < 128 &&
	       c->cn_pt < 128 && (c->codec == MEDIA_PCMU || c->codec == MEDIA_PCMA) &&
	       (c->srtp == SRTP_NONE || srtp_salt_size(c->srtp) > 0);
}

/* RFC 4566's a=ptime is a wish: it is cut to what the sender's frames can be. */
static struct plain_leg_config with_defaults(struct plain_leg_config c)
{
	if (!c.cn_pt)
		c.cn_pt = CN_TYPE;
	if (!c.ptime_ms)
		c.ptime_ms = DEFAULT_PTIME_MS;
	if (c.ptime_ms > MAX_PTIME_MS)
		c.ptime_ms = MAX_PTIME_MS;
	c.ptime_ms = c.ptime_ms < 10 ? 10 : c.ptime_ms / 10 * 10;
	/* RFC 3550 11: the next port, unless a=rtcp says otherwise (RFC 3605). */
	if (!c.remote_rtcp.len) {
		c.remote_rtcp = c.remote;
		net_set_port(&c.remote_rtcp, (uint16_t)(net_port(&c.remote) + 1));
	}
	/* The SDP names no telephone-event: digits are left to be heard. */
	if (c.dtmf == PLAIN_DTMF_EVENTS && !c.event_pt)
		c.dtmf = PLAIN_DTMF_TONES;
	if (!c.event_pt)
		c.event_pt = RTP_NO_TYPE;
	return c;
}

static struct leg_format format_of(const struct plain_leg_config *c)
{
	return (struct leg_format){ .codec = c->codec,
				    .clock = MEDIA_RATE,
				    .event_clock = MEDIA_RATE,
				    .codec_pt = c->codec_pt,
				    .event_pt = c->event_pt,
				    .cn_pt = c->cn_pt,
				    .ptime_ms = c->ptime_ms };
}

/* A tone is told when it has ended: its beginning and its end together. */
static void on_tone(void *arg, char digit, unsigned duration_ms)
{
	struct plain_leg *leg = arg;
	struct dtmf_event start = { .digit = digit, .phase = DTMF_START };
	struct dtmf_event end = { .digit = digit, .phase = DTMF_END, .duration_ms = duration_ms };

	leg->core.ops->digit(leg->core.arg, &start);
	leg->core.ops->digit(leg->core.arg, &end);
}

static void on_audio(void *arg, const int16_t *pcm, size_t n)
{
	struct plain_leg *leg = arg;

	if (leg->tones)
		tones_detect(leg->tones, pcm, n, on_tone, leg);
	leg->core.ops->audio(leg->core.arg, pcm, n);
}

static void on_digit(void *arg, const struct dtmf_event *event)
{
	struct plain_leg *leg = arg;

	leg->core.ops->digit(leg->core.arg, event);
}

/* What the receiver calls: its audio passes the tone detector first. */
static const struct leg_ops own_ops = { .audio = on_audio, .digit = on_digit };

static bool same_key(const struct srtp_key *a, const struct srtp_key *b)
{
	return CRYPTO_memcmp(a, b, sizeof(*a)) == 0;
}

/* A key that stays keeps its context, with counters and replay window; one that goes takes
 * it along.  The peer's SSRC is whatever authenticates first. */
static int make_srtp(const struct plain_leg *leg, const struct plain_leg_config *c,
		     struct parts *parts)
{
	bool same = leg->config.srtp == c->srtp;
	int err = 0;

	parts->out = same && same_key(&leg->config.own_key, &c->own_key) ? leg->core.out : NULL;
	parts->in = same && same_key(&leg->config.peer_key, &c->peer_key) ? leg->core.in : NULL;
	if (c->srtp == SRTP_NONE)
		return 0;
	if (!parts->out)
		err = srtp_new(c->srtp, SRTP_SEND, &c->own_key, parts->ssrc, &parts->out);
	if (!err && !parts->in)
		err = srtp_new(c->srtp, SRTP_RECEIVE, &c->peer_key, 0, &parts->in);
	return err;
}

/* Frees what the leg does not have: all that was made for nothing. */
static void drop_parts(const struct plain_leg *leg, struct parts *parts)
{
	if (parts->codec != leg->core.codec)
		codec_free(&parts->codec);
	if (parts->tones != leg->tones)
		tones_free(&parts->tones);
	if (parts->out != leg->core.out)
		srtp_free(&parts->out);
	if (parts->in != leg->core.in)
		srtp_free(&parts->in);
	/* All that may fail is made before anything is changed: a re-INVITE that is refused leaves
	 * the call as it was. */
}

static int make_parts(const struct plain_leg *leg, const struct plain_leg_config *c,
		      struct parts *parts)
{
	bool same = leg->core.codec && leg->config.codec == c->codec;
	int err;

	parts->codec = same ? leg->core.codec : codec_new(c->codec);
	parts->tones = leg->tones;
	if (c->dtmf == PLAIN_DTMF_TONES && !leg->tones)
		parts->tones = tones_new();
	err = make_srtp(leg, c, parts);
	if (!err && (!parts->codec || (c->dtmf == PLAIN_DTMF_TONES && !parts->tones)))
		err = -ENOMEM;
	if (err)
		drop_parts(leg, parts);
	return err;
}

/* The peer is where a new SDP says, or at another port of that host, which will be learned. A
 * re-INVITE that moves it is answered while it still sends from where it was: those packets
 * would teach the port that it is about to close. */
static void take_remote(struct plain_leg *leg, const struct net_addr *remote, int64_t now_ms)
{
	bool moved = leg->remote.len && net_port(remote) != net_port(&leg->config.remote);

	leg->left_port = moved ? net_port(&leg->remote) : 0;
	leg->left_until_ms = now_ms + PLAIN_LATE_MS;
	leg->remote = *remote;
	leg->locked = false;
	leg->learn_until_ms = now_ms + PLAIN_LEARN_MS;
}

/* The leg has what parts has, and nothing else. */
static void take_parts(struct plain_leg *leg, const struct plain_leg_config *c,
		       const struct parts *parts, int64_t now_ms)
{
	/* What the leg had is dropped unless it has it still: drop_parts() compares. */
	struct parts before = { leg->core.codec, leg->tones, leg->core.out, leg->core.in, 0 };

	leg->core.codec = parts->codec;
	leg->tones = parts->tones;
	leg->core.out = parts->out;
	leg->core.in = parts->in;
	drop_parts(leg, &before);
	if (c->dtmf != PLAIN_DTMF_TONES)
		tones_free(&leg->tones);
	take_remote(leg, &c->remote, now_ms);
	leg->config = *c;
	leg->core.sender.mute = c->no_send;
}

static int start(struct plain_leg *leg, const struct plain_leg_config *config, int64_t now_ms)
{
	struct plain_leg_config c = with_defaults(*config);
	struct parts parts = { .ssrc = 0 };
	struct leg_format format = format_of(&c);
	int err;

	if (RAND_bytes((unsigned char *)&leg->ssrc, sizeof(leg->ssrc)) != 1)
		return -EIO;
	parts.ssrc = leg->ssrc;
	err = make_parts(leg, &c, &parts);
	if (err)
		return err;
	take_parts(leg, &c, &parts, now_ms);
	err = leg_core_start(&leg->core, &format, leg->ssrc, &own_ops, leg, now_ms);
	leg->core.sender.mute = c.no_send;
	return err;
}

int plain_leg_new(const struct plain_leg_config *config, const struct leg_ops *ops, void *arg,
		  int64_t now_ms, struct plain_leg **leg_out)
{
	struct plain_leg *leg;
	int err;

	if (!is_valid(config))
		return -EINVAL;
	leg = calloc(1, sizeof(*leg));
	if (!leg)
		return -ENOMEM;
	leg->core.ops = ops;
	leg->core.arg = arg;
	err = start(leg, config, now_ms);
	if (err) {
		plain_leg_free(&leg);
		return err;
	}
	*leg_out = leg;
	return 0;
}

void plain_leg_free(struct plain_leg **legp)
{
	struct plain_leg *leg = *legp;

	if (!leg)
		return;
	*legp = NULL;
	leg_core_done(&leg->core);
	tones_free(&leg->tones);
	OPENSSL_cleanse(&leg->config, sizeof(leg->config)); /* keys */
	free(leg);
}

int plain_leg_set(struct plain_leg *leg, const struct plain_leg_config *config, int64_t now_ms)
{
	struct plain_leg_config c;
	struct parts parts = { .ssrc = leg->ssrc };
	struct leg_format format;
	int err;

	if (!is_valid(config))
		return -EINVAL;
	c = with_defaults(*config);
	err = make_parts(leg, &c, &parts);
	if (err)
		return err;
	take_parts(leg, &c, &parts, now_ms);
	format = format_of(&c);
	leg_core_change(&leg->core, &format, now_ms);
	return 0;
}

/* May source be the peer of this SDP address? */
static bool is_peer_host(const struct net_addr *sdp, const struct net_addr *source)
{
	return net_same_host(sdp, source) || (net_is_loopback(sdp) && net_is_loopback(source));
}

/* The host is the SDP's in any case.  Another port of it is believed once, by the first good
 * packet and within the time for learning: symmetric RTP through a NAT, but nobody takes a call
 * over. */
static bool is_stranger(const struct plain_leg *leg, const struct net_addr *source, int64_t now_ms)
{
	if (!is_peer_host(&leg->config.remote, source))
		return true;
	return net_port(source) != net_port(&leg->remote) &&
	       (leg->locked || now_ms > leg->learn_until_ms);
}

/* What the peer has protected, open in room, which holds LEG_MAX_PACKET. */
static int unprotect(struct plain_leg *leg, bool rtcp, struct slice *packet, uint8_t *room)
/* A packet is opened in a copy: the caller's batch stays as it came. */
{
	size_t n = packet->n;
	int err;

	if (!leg->core.in)
		return 0;
	if (n > LEG_MAX_PACKET)
		return -EBADMSG;
	memcpy(room, packet->p, n);
	err = rtcp ? srtcp_open(leg->core.in, room, &n) : srtp_open(leg->core.in, room, &n);
	*packet = slice_of(room, n);
	return err;
}

/* Was it sent before the peer moved to where its new SDP says? */
static bool is_late(const struct plain_leg *leg, const struct net_addr *source, int64_t now_ms)
{
	uint16_t port = net_port(source);

	return port == leg->left_port && port != net_port(&leg->remote) &&
	       now_ms < leg->left_until_ms;
}

static int receive_rtp(struct plain_leg *leg, struct slice packet, const struct net_addr *source,
		       int64_t now_ms)
{
	uint8_t room[LEG_MAX_PACKET];
	struct rtp rtp;
	int err;

	/* Not counted as malformed: whoever found the port could make that number grow. */
	if (is_stranger(leg, source, now_ms)) {
		leg->strangers++;
		return -EACCES;
	}
	err = unprotect(leg, false, &packet, room);
	if (!err)
		err = rtp_parse(packet, &rtp) ? -EBADMSG : 0;
	if (err)
		return leg_core_count(&leg->core, err);
	err = rtp_receiver_packet(&leg->core.receiver, &rtp, now_ms);
	/* A repeated or late packet is its peer's all the same; one that is no RTP of this
	 * call teaches no port. */
	if (err == -EBADMSG || err == -ENOTSUP)
		return err;
	leg->core.heard_ms = now_ms;
	if (!leg->locked && !is_late(leg, source, now_ms)) {
		net_set_port(&leg->remote, net_port(source));
		leg->locked = true;
	}
	return err;
}

static int receive_rtcp(struct plain_leg *leg, struct slice packet, const struct net_addr *source,
			int64_t now_ms)
{
	uint8_t room[LEG_MAX_PACKET];
	int err;

	/* The port of RTCP is not held against it: NATs give any.  Where a=rtcp names another
	 * host than c=, that says where reports go, not which of the two sends them. */
	if (!is_peer_host(&leg->config.remote_rtcp, source) &&
	    !is_peer_host(&leg->config.remote, source)) {
		leg->strangers++;
		return -EACCES;
	}
	err = unprotect(leg, true, &packet, room);
	if (!err)
		err = leg_rtcp_receive(&leg->core.rtcp, packet, &leg->core.sender,
				       &leg->core.receiver.source, now_ms);
	if (err)
		return leg_core_count(&leg->core, err);
	leg->core.heard_ms = now_ms;
	return 0;
}

int plain_leg_receive(struct plain_leg *leg, struct slice packet, const struct net_addr *source,
		      int64_t now_ms)
{
	switch (packet_kind(packet)) {
	case PACKET_RTP:
		return receive_rtp(leg, packet, source, now_ms);
	case PACKET_RTCP:
		return receive_rtcp(leg, packet, source, now_ms);
	case PACKET_STUN:
	case PACKET_UNKNOWN:
		break;
	}
	return leg_core_count(&leg->core, -EBADMSG);
}

void plain_leg_tick(struct plain_leg *leg, int64_t now_ms)
{
	leg_core_tick(&leg->core, now_ms);
}

void plain_leg_send_audio(struct plain_leg *leg, const int16_t *pcm, size_t n)
{
	/* The caller's audio is not ours to change. */
	int16_t with_tones[MEDIA_MAX_FRAME];

	if (leg->tones && tones_busy(leg->tones) && n <= MEDIA_MAX_FRAME) {
		memcpy(with_tones, pcm, n * sizeof(*pcm));
		tones_generate(leg->tones, with_tones, n);
		pcm = with_tones;
	}
	rtp_sender_audio(&leg->core.sender, pcm, n);
}

int plain_leg_send_digit(struct plain_leg *leg, char digit, unsigned duration_ms)
{
	switch (leg->config.dtmf) {
	case PLAIN_DTMF_EVENTS:
		return dtmf_send(&leg->core.sender.dtmf, digit, duration_ms);
	case PLAIN_DTMF_TONES:
		return tones_send(leg->tones, digit);
	case PLAIN_DTMF_NONE:
		break;
	}
	return -ENOTSUP;
}

int plain_leg_pass_digit(struct plain_leg *leg, const struct dtmf_event *event)
{
	switch (leg->config.dtmf) {
	case PLAIN_DTMF_EVENTS:
		return dtmf_pass(&leg->core.sender.dtmf, event);
	/* The start is enough: a tone has a length of its own, and its end says nothing more. */
	case PLAIN_DTMF_TONES:
		return event->phase == DTMF_START ? tones_send(leg->tones, event->digit) : 0;
	case PLAIN_DTMF_NONE:
		break;
	}
	return -ENOTSUP;
}

int64_t plain_leg_heard_ms(const struct plain_leg *leg)
{
	return leg->core.heard_ms;
}

void plain_leg_stats(const struct plain_leg *leg, struct leg_stats *stats_out)
{
	leg_core_stats(&leg->core, stats_out);
	stats_out->strangers = leg->strangers;
}

const struct net_addr *plain_leg_remote(const struct plain_leg *leg)
{
	return &leg->remote;
}

const struct net_addr *plain_leg_remote_rtcp(const struct plain_leg *leg)
{
	return &leg->config.remote_rtcp;
}
