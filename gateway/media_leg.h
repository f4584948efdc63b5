/* media_leg.h - a call's media, as cig-server asks cig-relay for it. */
#ifndef GATEWAY_MEDIA_LEG_H
#define GATEWAY_MEDIA_LEG_H

#include "base/net.h"
#include "gateway/cig_config.h"
#include "gateway/pbx_leg.h"
#include "gateway/relay_link.h"

/* The secure side, once its keys are there.  Owned by the caller; wiped by it. */
struct media_secure {
	char relay_ip[NET_TEXT_SIZE]; /* after rtp_remote_addr_override */
	uint16_t relay_port;
	struct slice leg_id, leg_key;
	uint32_t own_ssrc, peer_ssrc;
	bool gcm; /* AEAD_AES_128_GCM, else AES_CM_128_HMAC_SHA1_80 */
	struct slice own_key, own_salt, peer_key, peer_salt;
	enum { MEDIA_SECURE_OPUS, MEDIA_SECURE_PCMU, MEDIA_SECURE_PCMA } codec;
	uint8_t codec_pt, event_pt;
	uint32_t event_clock;
	unsigned ptime_ms;
};

/* The PBX's side. */
struct media_plain {
	struct pbx_audio audio;
	const uint8_t *own_key; /* pbx_suite_key_size() octets, where audio has a suite */
	enum cig_dtmf dtmf;
	bool secure_held; /* the other side holds: its silence is no fault */
};

/* Each returns 0 or what relay_link_send() says.  number is the call's own. */
int media_leg_open(struct relay_link *link, uint64_t number, const struct cig_config *config);
/* The address counts after config's rtp_remote_addr_override. */
int media_leg_set_plain(struct relay_link *link, uint64_t number, const struct cig_config *config,
			const struct media_plain *plain);
/* secure has keys: wipe it afterwards.  The message's copy is wiped here. */
int media_leg_set_secure(struct relay_link *link, uint64_t number,
			 const struct media_secure *secure);
/* Both sides have answered: silence counts from now on. */
int media_leg_answered(struct relay_link *link, uint64_t number);
/* A digit that came by another way than media; duration_ms 0: not told. */
int media_leg_send_digit(struct relay_link *link, uint64_t number, Relay__Side to,
			 const char *digit, unsigned duration_ms);
/* Asks for the call's figures, which come as the event Stats. */
int media_leg_ask_stats(struct relay_link *link, uint64_t number);
/* The event Closed with the last figures follows. */
int media_leg_close(struct relay_link *link, uint64_t number);

#endif
