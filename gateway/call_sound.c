/* call_sound.c - a call's media: what cig-relay is told of either side, early media, hold. */
#include <inttypes.h>
#include <stdio.h>

#include <openssl/crypto.h>

#include "base/log.h"
#include "gateway/call_priv.h"
#include "gateway/calls_priv.h"
#include "gateway/resolver.h"

#define MODULE "call"

/* ---- the PBX's side ---- */

static const struct cig_pbx *pbx_of(const struct call *call)
{
	return call->in == ROUTE_TEL ? cig_config_pbx_of_host(call->config, call->target.host)
				     : cig_config_pbx_from(call->config, &call->target_addr.sa);
}

const char *call_no_audio(const struct call *call)
{
	return call->pbx.srtp == CIG_SRTP_REQUIRED ? "the PBX has no SRTP with G.711"
						   : "the PBX has neither PCMU nor PCMA in clear";
}

bool call_choose_srtp(struct call *call, const struct cig_pbx *pbx, enum sip_transport transport)
{
	call->pbx.srtp = cig_pbx_srtp(pbx, transport);
	return !pbx || pbx->srtp != CIG_SRTP_REQUIRED || call->pbx.srtp == CIG_SRTP_REQUIRED;
}

enum cig_dtmf call_dtmf(const struct call *call)
{
	const struct cig_pbx *pbx = pbx_of(call);

	return pbx ? pbx->dtmf : CIG_DTMF_EVENTS;
}

void call_set_plain(struct call *call)
{
	struct media_plain plain = { .audio = call->pbx.audio,
				     .own_key = pbx_leg_own_key(&call->pbx),
				     .dtmf = call_dtmf(call),
				     .secure_held = call->secure_held };

	if (!call->pbx.has_audio)
		return; /* a late offer: its answer comes with the ACK */
	media_leg_set_plain(call->calls->world.relay, call->number, call->config, &plain);
	OPENSSL_cleanse(plain.audio.peer_key, sizeof(plain.audio.peer_key));
}

/* ---- the secure side ---- */

static void on_relay_resolved(void *arg, int err, const struct net_addr *addr, const char *text)
{
	struct call *call = arg;
	const struct umsg_media *media = call->secure ? umsg_call_media(call->secure) : NULL;
	struct media_secure secure;

	(void)text;
	call->resolution = NULL;
	if (err || !media) {
		call_end(call, UMSG__END_REASON__END_NO_RELAY, "the media relay has no address");
		return;
	}
	secure = (struct media_secure){
		.relay_port = net_port(addr),
		.leg_id = slice_of(media->leg_id, media->leg_id_len),
		.leg_key = slice_of(media->leg_key, media->leg_key_len),
		.own_ssrc = media->own_ssrc,
		.peer_ssrc = media->peer_ssrc,
		.gcm = media->profile == UMSG__SRTP_PROFILE__AEAD_AES_128_GCM,
		.own_key = slice_of(media->own_key, sizeof(media->own_key)),
		.own_salt = slice_of(media->own_salt, media->salt_len),
		.peer_key = slice_of(media->peer_key, sizeof(media->peer_key)),
		.peer_salt = slice_of(media->peer_salt, media->salt_len),
		.codec = media->codec == UMSG_PCMU   ? MEDIA_SECURE_PCMU
			 : media->codec == UMSG_PCMA ? MEDIA_SECURE_PCMA
						     : MEDIA_SECURE_OPUS,
		.codec_pt = media->codec_pt,
		.event_pt = media->event_pt,
		.event_clock = media->event_clock,
		.ptime_ms = media->ptime_ms,
	};
	net_format_host(addr, secure.relay_ip);
	if (media_leg_set_secure(call->calls->world.relay, call->number, &secure)) {
		call_end(call, UMSG__END_REASON__END_MEDIA_LOST, "cig-relay takes no commands");
		return;
	}
	call->secure_set = true;
	call_send_early_digits(call);
}

/* The secure leg's keys are used once (design of cig-relay), so it is joined once, by early
 * media or by the answer. */
static void join(struct call *call)
{
	struct calls_world *world = &call->calls->world;
	const struct umsg_media *media = call->secure ? umsg_call_media(call->secure) : NULL;
	const char *host;

	if (!media || call->joined)
		return; /* it has ended meanwhile */
	call->joined = true;
	host = cig_config_override(&call->config->tel.common, media->relay_host);
	call->resolution =
		resolver_start(world->resolver, host, media->relay_port, on_relay_resolved, call);
	if (!call->resolution)
		call_end(call, UMSG__END_REASON__END_CONGESTION, "out of memory");
}

/* An address that is known, as a rule, is found behind what this turn of the loop has begun: by
 * then the other words are written, and all go to cig-relay as one packet, behind that. */
void call_join_media(struct call *call)
{
	join(call);
	if (call->ended_ms)
		return; /* by that */
	call_set_plain(call);
	if (call->joined && call->phase == PHASE_UP)
		media_leg_answered(call->calls->world.relay, call->number);
}

/* RFC 3960: 183, and 180 as well, with SDP.  Without a codec in common the caller hears
 * ringing, and the answer decides. */
void call_early_media(struct call *call, const SipAgent__Audio *audio)
{
	struct pbx_audio early;
	struct umsg_audio_wish wish;

	if (!call->secure || call->phase != PHASE_RINGING ||
	    pbx_audio_read(audio, call->pbx.srtp, &early))
		return;
	pbx_leg_take_audio(&call->pbx, &early);
	wish = call_audio_wish(call);
	if (umsg_call_ring_early(call->secure, &wish))
		return;
	call_set_plain(call);
	join(call);
}

/* ---- hold by the secure side ---- */

void call_secure_hold(struct call *call)
{
	bool held = call->secure && umsg_call_held(call->secure);

	if (call->phase != PHASE_UP || held == call->secure_held)
		return;
	call->secure_held = held;
	log_info(MODULE, "call=%" PRIu64 " %s by the secure side", call->number,
		 held ? "held" : "resumed");
	call->pbx.we_hold = held;
	pbx_leg_reoffer(&call->pbx);
	call_set_plain(call);
}

void call_sip_changed(struct call *call, const SipAgent__Changed *changed)
{
	struct pbx_audio audio;

	if (changed->code != 200 || !changed->audio ||
	    pbx_audio_read(changed->audio, call->pbx.srtp, &audio)) {
		log_warn(MODULE, "call=%" PRIu64 " the PBX refuses a change: %u", call->number,
			 changed->code);
		return;
	}
	pbx_leg_take_audio(&call->pbx, &audio);
	call_set_plain(call);
}

/* ---- digits that go another way than as RTP events ---- */

void call_digit_to_pbx(struct call *call, char digit, unsigned duration_ms)
{
	const char text[2] = { digit, '\0' };

	if (call->phase != PHASE_UP)
		return;
	if (call_dtmf(call) == CIG_DTMF_INFO)
		pbx_leg_send_digit(&call->pbx, text, duration_ms);
	else
		media_leg_send_digit(call->calls->world.relay, call->number, RELAY__SIDE__PLAIN,
				     text, duration_ms);
}
