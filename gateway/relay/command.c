/* command.c - cig-server is trusted, its messages are not: each number and length is
 * checked here, and the media threads rely on it. */
#include "gateway/relay/command.h"

#include <errno.h>
#include <stdio.h>

#include <openssl/crypto.h>

static int wrong(char text[COMMAND_TEXT], const char *field)
{
	snprintf(text, COMMAND_TEXT, "%s", field);
	return -EINVAL;
}

int command_open(const Relay__Open *in, struct command_open *out, char text[COMMAND_TEXT])
{
	/* An empty secure_ip is any address: most machines have one way to the rendezvous. */
	const char *secure_ip = in->secure_ip[0] ? in->secure_ip : "0.0.0.0";

	if (net_parse(in->plain_ip, 0, &out->plain_ip) || net_port(&out->plain_ip))
		return wrong(text, "plain_ip: not an IP address");
	if (net_parse(secure_ip, 0, &out->secure_ip) || net_port(&out->secure_ip))
		return wrong(text, "secure_ip: not an IP address");
	out->plain_low = in->plain_ports ? in->plain_ports->low : 0;
	out->plain_high = in->plain_ports ? in->plain_ports->high : 0;
	out->secure_low = in->secure_ports ? in->secure_ports->low : 0;
	out->secure_high = in->secure_ports ? in->secure_ports->high : 0;
	out->timeout_ms = in->media_timeout_ms;
	return 0;
}

static int parse_remote(const char *ip, uint32_t port, struct net_addr *out)
{
	if (port == 0 || port > UINT16_MAX || net_parse(ip, 0, out) || net_port(out))
		return -EINVAL;
	net_set_port(out, (uint16_t)port);
	return 0;
}

static bool is_type(uint32_t payload_type)
{
	return payload_type < 128;
}

/* Key and salt behind each other, as a=crypto has them. */
static bool copy_both(enum srtp_profile profile, ProtobufCBinaryData in, struct srtp_key *out)
{
	size_t key = srtp_key_size(profile), salt = srtp_salt_size(profile);

	if (in.len != key + salt)
		return false;
	memcpy(out->key, in.data, key);
	memcpy(out->salt, in.data + key, salt);
	return true;
}

/* Returns what is wrong, or NULL. */
static const char *set_srtp(const Relay__SetPlain *in, struct plain_leg_config *leg)
{
	/* by Relay__PlainSrtp */
	static const enum srtp_profile profiles[] = { SRTP_NONE, SRTP_AES128_CM_SHA1_80,
						      SRTP_AES128_CM_SHA1_32,
						      SRTP_AES256_CM_SHA1_80,
						      SRTP_AES256_CM_SHA1_32 };

	/* protobuf-c keeps numbers that its enum does not have: a later cig-server may know
	 * more. */
	if ((unsigned)in->srtp >= sizeof(profiles) / sizeof(profiles[0]))
		return "srtp: unknown";
	leg->srtp = profiles[in->srtp];
	if (leg->srtp != SRTP_NONE && (!copy_both(leg->srtp, in->own_srtp_key, &leg->own_key) ||
				       !copy_both(leg->srtp, in->peer_srtp_key, &leg->peer_key)))
		return "own_srtp_key, peer_srtp_key: 30 octets each, with AES-256 46";
	return NULL;
}

int command_set_plain(const Relay__SetPlain *in, struct order_plain *out, char text[COMMAND_TEXT])
{
	static const enum plain_dtmf modes[] = { PLAIN_DTMF_EVENTS, PLAIN_DTMF_TONES,
						 PLAIN_DTMF_NONE };
	const char *fault;

	*out = (struct order_plain){ .no_receive = in->no_receive, .secure_held = in->secure_held };
	if (parse_remote(in->remote_ip, in->remote_port, &out->leg.remote))
		return wrong(text, "remote_ip, remote_port: not an address");
	if (in->remote_rtcp_port &&
	    parse_remote(in->remote_rtcp_ip[0] ? in->remote_rtcp_ip : in->remote_ip,
			 in->remote_rtcp_port, &out->leg.remote_rtcp))
		return wrong(text, "remote_rtcp_ip, remote_rtcp_port: not an address");
	if (in->codec != RELAY__PLAIN_CODEC__PCMU && in->codec != RELAY__PLAIN_CODEC__PCMA)
		return wrong(text, "codec: unknown");
	if (!is_type(in->codec_pt) || !is_type(in->event_pt) || !is_type(in->cn_pt))
		return wrong(text, "codec_pt, event_pt, cn_pt: above 127");
	/* As srtp above; modes[] below has these three. */
	if (in->dtmf < RELAY__DTMF_MODE__DTMF_EVENTS || in->dtmf > RELAY__DTMF_MODE__DTMF_REPORT)
		return wrong(text, "dtmf: unknown");
	out->leg.codec = in->codec == RELAY__PLAIN_CODEC__PCMA ? MEDIA_PCMA : MEDIA_PCMU;
	out->leg.codec_pt = (uint8_t)in->codec_pt;
	out->leg.event_pt = (uint8_t)in->event_pt;
	out->leg.cn_pt = (uint8_t)in->cn_pt;
	out->leg.ptime_ms = in->ptime_ms;
	out->leg.dtmf = modes[in->dtmf];
	out->leg.no_send = in->no_send;
	fault = set_srtp(in, &out->leg);
	return fault ? wrong(text, fault) : 0;
}

static bool copy_key(ProtobufCBinaryData key, ProtobufCBinaryData salt, size_t salt_size,
		     struct srtp_key *out)
{
	if (key.len != SRTP_KEY_SIZE || salt.len != salt_size)
		return false;
	memcpy(out->key, key.data, key.len);
	memcpy(out->salt, salt.data, salt.len);
	return true;
}

static bool copy_octets(ProtobufCBinaryData in, uint8_t *room, size_t cap, struct slice *out)
{
	if (in.len == 0 || in.len > cap)
		return false;
	memcpy(room, in.data, in.len);
	*out = slice_of(room, in.len);
	return true;
}

static int secure_codec(Relay__SecureCodec codec, enum media_codec *out)
{
	switch (codec) {
	case RELAY__SECURE_CODEC__OPUS:
		*out = MEDIA_OPUS;
		return 0;
	case RELAY__SECURE_CODEC__SECURE_PCMU:
		*out = MEDIA_PCMU;
		return 0;
	case RELAY__SECURE_CODEC__SECURE_PCMA:
		*out = MEDIA_PCMA;
		return 0;
	/* Not a value: protobuf-c's way to make the enum 32 bits wide. */
	case _RELAY__SECURE_CODEC_IS_INT_SIZE:
		break;
	}
	return -EINVAL;
}

int command_set_secure(const Relay__SetSecure *in, struct order_secure *out,
		       char text[COMMAND_TEXT])
{
	struct secure_leg_config *leg = &out->leg;
	size_t salt;

	*out = (struct order_secure){ 0 };
	if (parse_remote(in->relay_ip, in->relay_port, &out->relay))
		return wrong(text, "relay_ip, relay_port: not an address");
	if (!copy_octets(in->leg_id, out->leg_id, sizeof(out->leg_id), &leg->leg_id) ||
	    !copy_octets(in->leg_key, out->leg_key, sizeof(out->leg_key), &leg->leg_key))
		return wrong(text, "leg_id, leg_key: 1 to 64 octets each");
	if (in->profile != RELAY__SECURE_PROFILE__AES_CM_128_HMAC_SHA1_80 &&
	    in->profile != RELAY__SECURE_PROFILE__AEAD_AES_128_GCM)
		return wrong(text, "profile: unknown");
	leg->profile = in->profile == RELAY__SECURE_PROFILE__AEAD_AES_128_GCM
			       ? SRTP_AEAD_AES_128_GCM
			       : SRTP_AES128_CM_SHA1_80;
	salt = srtp_salt_size(leg->profile);
	if (!copy_key(in->own_key, in->own_salt, salt, &leg->own_key) ||
	    !copy_key(in->peer_key, in->peer_salt, salt, &leg->peer_key))
		return wrong(text, "keys of 16 octets, salts of 14, with AEAD 12");
	if (secure_codec(in->codec, &leg->codec))
		return wrong(text, "codec: unknown");
	if (!is_type(in->codec_pt) || !is_type(in->event_pt))
		return wrong(text, "codec_pt, event_pt: above 127");
	leg->own_ssrc = in->own_ssrc;
	leg->peer_ssrc = in->peer_ssrc;
	leg->codec_pt = (uint8_t)in->codec_pt;
	leg->event_pt = (uint8_t)in->event_pt;
	leg->event_clock = in->event_clock;
	leg->ptime_ms = in->ptime_ms;
	return 0;
}

int command_send_digit(const Relay__SendDigit *in, struct order_digit *out, char text[COMMAND_TEXT])
{
	/* digit[0] is the NUL of an empty text: that is no digit. */
	if (!dtmf_is_digit(in->digit[0]) || in->digit[1])
		return wrong(text, "digit: one of 0-9 * # A-D");
	if (in->to != RELAY__SIDE__PLAIN && in->to != RELAY__SIDE__SECURE)
		return wrong(text, "to: unknown side");
	out->to = in->to == RELAY__SIDE__PLAIN ? BRIDGE_PLAIN : BRIDGE_SECURE;
	out->digit = in->digit[0];
	out->duration_ms = in->duration_ms ? in->duration_ms : DTMF_DEFAULT_MS;
	return 0;
}

uint64_t command_call_id(const Relay__Command *in)
{
	switch (in->of_case) {
	case RELAY__COMMAND__OF_OPEN:
		return in->open->call_id;
	case RELAY__COMMAND__OF_SET_PLAIN:
		return in->set_plain->call_id;
	case RELAY__COMMAND__OF_SET_SECURE:
		return in->set_secure->call_id;
	case RELAY__COMMAND__OF_ANSWERED:
		return in->answered->call_id;
	case RELAY__COMMAND__OF_SEND_DIGIT:
		return in->send_digit->call_id;
	case RELAY__COMMAND__OF_CLOSE:
		return in->close->call_id;
	case RELAY__COMMAND__OF_STATS_REQUEST:
		return in->stats_request->call_id;
	default:
		return 0;
	}
}

static void wipe(ProtobufCBinaryData *data)
{
	if (data->data)
		OPENSSL_cleanse(data->data, data->len);
}

void command_wipe(Relay__Command *command)
{
	/* The union is read for a pointer only; of_case says whether it is this one. */
	Relay__SetSecure *secure = command->set_secure;

	if (command->of_case == RELAY__COMMAND__OF_SET_PLAIN) {
		wipe(&command->set_plain->own_srtp_key);
		wipe(&command->set_plain->peer_srtp_key);
	}
	if (command->of_case != RELAY__COMMAND__OF_SET_SECURE)
		return;
	wipe(&secure->leg_key);
	wipe(&secure->own_key);
	wipe(&secure->own_salt);
	wipe(&secure->peer_key);
	wipe(&secure->peer_salt);
}
