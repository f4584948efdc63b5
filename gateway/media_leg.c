/* media_leg.c - commands to cig-relay about one call.  Messages point into the
 * caller's memory: relay_link_send() packs them before it returns. */
#include "gateway/media_leg.h"

static ProtobufCBinaryData octets(struct slice s)
{
	return (ProtobufCBinaryData){ .len = s.n, .data = (uint8_t *)s.p };
}

static Relay__PortRange range(const struct cig_port_range *ports)
{
	Relay__PortRange out = RELAY__PORT_RANGE__INIT;

	out.low = ports->low;
	out.high = ports->high;
	return out;
}

int media_leg_open(struct relay_link *link, uint64_t number, const struct cig_config *config)
{
	Relay__Command command = RELAY__COMMAND__INIT;
	Relay__Open open = RELAY__OPEN__INIT;
	Relay__PortRange plain = range(&config->sip.common.rtp);
	Relay__PortRange secure = range(&config->tel.common.rtp);

	open.call_id = number;
	open.plain_ip = (char *)(config->sip.common.bind_media[0] ? config->sip.common.bind_media
								  : "0.0.0.0");
	open.plain_ports = &plain;
	open.secure_ip = (char *)config->tel.common.bind_media;
	open.secure_ports = &secure;
	open.media_timeout_ms = config->sip.media_timeout_s * 1000;
	command.of_case = RELAY__COMMAND__OF_OPEN;
	command.open = &open;
	return relay_link_send(link, &command);
}

/* Digits that go by INFO are only told; where the PBX takes no events, tones stand in. */
static Relay__DtmfMode dtmf_mode(const struct media_plain *plain)
{
	if (plain->dtmf == CIG_DTMF_INFO)
		return RELAY__DTMF_MODE__DTMF_REPORT;
	return plain->audio.event_pt && plain->dtmf == CIG_DTMF_EVENTS
		       ? RELAY__DTMF_MODE__DTMF_EVENTS
		       : RELAY__DTMF_MODE__DTMF_TONES;
}

static Relay__PlainSrtp plain_srtp(SipAgent__Suite suite)
{
	switch (suite) {
	case SIP_AGENT__SUITE__AES_CM_128_HMAC_SHA1_80:
		return RELAY__PLAIN_SRTP__PLAIN_AES_CM_128_HMAC_SHA1_80;
	case SIP_AGENT__SUITE__AES_CM_128_HMAC_SHA1_32:
		return RELAY__PLAIN_SRTP__PLAIN_AES_CM_128_HMAC_SHA1_32;
	/* RFC 6188 names AES_256_CM, some PBXs AES_CM_256 of its drafts: the same cipher. */
	case SIP_AGENT__SUITE__AES_256_CM_HMAC_SHA1_80:
	case SIP_AGENT__SUITE__AES_CM_256_HMAC_SHA1_80:
		return RELAY__PLAIN_SRTP__PLAIN_AES_256_CM_HMAC_SHA1_80;
	case SIP_AGENT__SUITE__AES_256_CM_HMAC_SHA1_32:
	case SIP_AGENT__SUITE__AES_CM_256_HMAC_SHA1_32:
		return RELAY__PLAIN_SRTP__PLAIN_AES_256_CM_HMAC_SHA1_32;
	case SIP_AGENT__SUITE__NO_SUITE:
	case _SIP_AGENT__SUITE_IS_INT_SIZE:
		break;
	}
	return RELAY__PLAIN_SRTP__PLAIN_RTP;
}

int media_leg_set_plain(struct relay_link *link, uint64_t number, const struct cig_config *config,
			const struct media_plain *what)
{
	const struct pbx_audio *audio = &what->audio;
	Relay__Command command = RELAY__COMMAND__INIT;
	Relay__SetPlain plain = RELAY__SET_PLAIN__INIT;
	const char *address = cig_config_override(&config->sip.common, audio->address);

	plain.call_id = number;
	/* held from the first offer on: nobody has this address */
	plain.remote_ip = (char *)(address[0] ? address : "0.0.0.0");
	plain.remote_port = audio->port;
	plain.remote_rtcp_port = audio->rtcp_port;
	plain.remote_rtcp_ip =
		(char *)cig_config_override(&config->sip.common, audio->rtcp_address);
	plain.codec =
		audio->codec == PBX_PCMU ? RELAY__PLAIN_CODEC__PCMU : RELAY__PLAIN_CODEC__PCMA;
	plain.codec_pt = audio->codec_pt;
	plain.event_pt = audio->event_pt;
	plain.cn_pt = audio->cn_pt;
	plain.ptime_ms = audio->ptime_ms;
	plain.dtmf = dtmf_mode(what);
	plain.secure_held = what->secure_held;
	if (audio->suite) {
		size_t n = pbx_suite_key_size(audio->suite);

		plain.srtp = plain_srtp(audio->suite);
		plain.own_srtp_key = octets(slice_of(what->own_key, n));
		plain.peer_srtp_key = octets(slice_of(audio->peer_key, n));
	}
	plain.no_send = !audio->peer_listens || !audio->address[0];
	/* who holds may play music or not: its silence is no fault */
	plain.no_receive = !audio->peer_sends || !audio->peer_listens;
	command.of_case = RELAY__COMMAND__OF_SET_PLAIN;
	command.set_plain = &plain;
	return relay_link_send(link, &command);
}

static Relay__SecureCodec secure_codec(const struct media_secure *secure)
{
	switch (secure->codec) {
	case MEDIA_SECURE_PCMU:
		return RELAY__SECURE_CODEC__SECURE_PCMU;
	case MEDIA_SECURE_PCMA:
		return RELAY__SECURE_CODEC__SECURE_PCMA;
	default:
		return RELAY__SECURE_CODEC__OPUS;
	}
}

int media_leg_set_secure(struct relay_link *link, uint64_t number,
			 const struct media_secure *secure)
{
	Relay__Command command = RELAY__COMMAND__INIT;
	Relay__SetSecure body = RELAY__SET_SECURE__INIT;

	body.call_id = number;
	body.relay_ip = (char *)secure->relay_ip;
	body.relay_port = secure->relay_port;
	body.leg_id = octets(secure->leg_id);
	body.leg_key = octets(secure->leg_key);
	body.own_ssrc = secure->own_ssrc;
	body.peer_ssrc = secure->peer_ssrc;
	body.profile = secure->gcm ? RELAY__SECURE_PROFILE__AEAD_AES_128_GCM
				   : RELAY__SECURE_PROFILE__AES_CM_128_HMAC_SHA1_80;
	body.own_key = octets(secure->own_key);
	body.own_salt = octets(secure->own_salt);
	body.peer_key = octets(secure->peer_key);
	body.peer_salt = octets(secure->peer_salt);
	body.codec = secure_codec(secure);
	body.codec_pt = secure->codec_pt;
	body.event_pt = secure->event_pt;
	body.event_clock = secure->event_clock;
	body.ptime_ms = secure->ptime_ms;
	command.of_case = RELAY__COMMAND__OF_SET_SECURE;
	command.set_secure = &body;
	return relay_link_send(link, &command);
}

int media_leg_answered(struct relay_link *link, uint64_t number)
{
	Relay__Command command = RELAY__COMMAND__INIT;
	Relay__Answered body = RELAY__ANSWERED__INIT;

	body.call_id = number;
	command.of_case = RELAY__COMMAND__OF_ANSWERED;
	command.answered = &body;
	return relay_link_send(link, &command);
}

int media_leg_send_digit(struct relay_link *link, uint64_t number, Relay__Side to,
			 const char *digit, unsigned duration_ms)
{
	Relay__Command command = RELAY__COMMAND__INIT;
	Relay__SendDigit body = RELAY__SEND_DIGIT__INIT;

	body.call_id = number;
	body.to = to;
	body.digit = (char *)digit;
	body.duration_ms = duration_ms;
	command.of_case = RELAY__COMMAND__OF_SEND_DIGIT;
	command.send_digit = &body;
	return relay_link_send(link, &command);
}

int media_leg_close(struct relay_link *link, uint64_t number)
{
	Relay__Command command = RELAY__COMMAND__INIT;
	Relay__Close body = RELAY__CLOSE__INIT;

	body.call_id = number;
	command.of_case = RELAY__COMMAND__OF_CLOSE;
	command.close = &body;
	return relay_link_send(link, &command);
}

int media_leg_ask_stats(struct relay_link *link, uint64_t number)
{
	Relay__Command command = RELAY__COMMAND__INIT;
	Relay__StatsRequest body = RELAY__STATS_REQUEST__INIT;

	body.call_id = number;
	command.of_case = RELAY__COMMAND__OF_STATS_REQUEST;
	command.stats_request = &body;
	return relay_link_send(link, &command);
}
