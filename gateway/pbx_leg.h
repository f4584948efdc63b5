/* pbx_leg.h - the SIP side of a call, as cig-server asks cig-sip for it.
 *
 * Builds the messages of gateway/sip_agent.proto, keeps what the peer's SDP said,
 * answers digest challenges, and keeps the dialog, so that it can be ended even
 * when the child that made it is dead.
 */
#ifndef GATEWAY_PBX_LEG_H
#define GATEWAY_PBX_LEG_H

#include "gateway/cig_config.h"
#include "gateway/digest.h"
#include "gateway/digest_check.h"
#include "gateway/sip_agent.pb-c.h"
#include "gateway/sip_link.h"

enum pbx_codec { PBX_PCMU = 0, PBX_PCMA = 8 }; /* by RTP payload type */

enum {
	PBX_SRTP_KEY = 46, /* octets of the longest key with its salt */
	PBX_SRTP_KEYS =
		4, /* suites: AES_CM_128 and AES_256_CM, each with tags of 80 and of 32 bits */
};

/* What was agreed on for the audio stream, from the PBX's SDP. */
struct pbx_audio {
	char address[CONFIG_IP_SIZE]; /* "": held by c=0.0.0.0 from the first offer on */
	uint16_t port;
	char rtcp_address[CONFIG_IP_SIZE]; /* a=rtcp (RFC 3605); "": address */
	uint16_t rtcp_port;                /* the same; 0: port + 1 */
	enum pbx_codec codec;
	uint8_t codec_pt;
	uint8_t event_pt; /* telephone-event/8000; 0: none */
	uint8_t cn_pt;    /* comfort noise; 0: none */
	unsigned ptime_ms;
	bool peer_sends, peer_listens;
	SipAgent__Suite suite;          /* of SRTP; SIP_AGENT__SUITE__NO_SUITE: in clear */
	uint32_t tag;                   /* of the peer's line, which an answer repeats */
	bool savp;                      /* it came over RTP/SAVP */
	bool feedback;                  /* it came over RTP/AVPF or RTP/SAVPF */
	uint8_t peer_key[PBX_SRTP_KEY]; /* the first pbx_suite_key_size(suite) octets */
};

/* Takes the first G.711 codec in the peer's order, and its keys as srtp says.  Returns 0, or
 * -ENOTSUP: no such codec, or SRTP where there is to be none, or none where there must be. */
int pbx_audio_read(const SipAgent__Audio *theirs, enum cig_srtp srtp, struct pbx_audio *audio_out);

struct pbx_leg {
	struct sip_link *link;
	uint64_t number; /* 0: no leg (not begun, or ended) */
	char call_id[256];
	char local_ip[CONFIG_IP_SIZE]; /* of our media, for SDP */
	uint16_t local_port;
	struct pbx_audio audio;
	bool has_audio;
	bool reliable;      /* the PBX requires PRACK: a Ring to its late offer has ours */
	bool we_hold;       /* the secure side holds: our SDP says so */
	enum cig_srtp srtp; /* what it may be; required, once it is there: nothing takes it back */
	struct {
		bool made;
		uint8_t own[PBX_SRTP_KEY]; /* what we send with */
	} keys[PBX_SRTP_KEYS];             /* a key a suite, both spellings of one alike */
	const struct cig_account *account; /* NULL: no credentials */
	struct digest_session digest;
	SipAgent__Dialog *dialog; /* of an answered call, else NULL */
};

struct pbx_invite {
	const char *request_uri, *from_uri;
	const char *asserted_uri; /* P-Asserted-Identity; NULL: none */
	bool remote_party_id;     /* Remote-Party-ID with from_uri, for PBXs that know no other */
	const struct net_addr *target;
	enum sip_transport transport;
	const char *host;   /* whom the certificate must name over TLS */
	bool reliable;      /* ask for PRACK */
	unsigned answer_ms; /* silence after which it fails; 0: that of RFC 3261 */
};

/* Each returns 0 or what sip_link_send() says. */
int pbx_leg_invite(struct pbx_leg *leg, const struct pbx_invite *invite);
/* 180; with our SDP, as an offer, where the INVITE had none and wants reliable responses
 * (RFC 3262 section 5). */
int pbx_leg_ring(struct pbx_leg *leg);
/* 200 with our SDP: the answer, or an offer where the INVITE had none. */
int pbx_leg_answer(struct pbx_leg *leg);
/* code is 300 to 699; phrase "" is the code's own; reason is the value of a Reason header
 * (RFC 3326), "" for none.  A 503 says when to try again. */
int pbx_leg_reject(struct pbx_leg *leg, unsigned code, const char *phrase, const char *reason);
/* 401 with both challenges: whoever calls again answers one of them. */
int pbx_leg_challenge(struct pbx_leg *leg, char challenges[DIGEST_ASKED][DIGEST_TEXT_SIZE]);
/* CANCEL, BYE or a refusal, whatever the dialog needs; reason as above. */
int pbx_leg_hangup(struct pbx_leg *leg, const char *reason);

/* Answers 401 and 407.  Returns 0, or -EACCES with *why_out set: there is no
 * account, or it was refused. */
int pbx_leg_authorize(struct pbx_leg *leg, const SipAgent__Challenged *challenged,
		      const char **why_out);

/* A re-INVITE: takes the new audio and answers.  Returns 0, or -ENOTSUP after a
 * rejection (488): nothing changed. */
int pbx_leg_change(struct pbx_leg *leg, const SipAgent__Change *change);

/* Offers our side anew, as it is now (we_hold). */
int pbx_leg_reoffer(struct pbx_leg *leg);

/* Octets of key and salt: 30 or 46; 0 for none and for what is no suite. */
size_t pbx_suite_key_size(SipAgent__Suite suite);

/* The key that protects what we send with leg->audio.suite. */
const uint8_t *pbx_leg_own_key(const struct pbx_leg *leg);

/* Takes what the peer's SDP says; a hold without an address keeps the one before. */
void pbx_leg_take_audio(struct pbx_leg *leg, struct pbx_audio *audio);

/* A digit by INFO; duration_ms 0: 100. */
int pbx_leg_send_digit(struct pbx_leg *leg, const char *digit, unsigned duration_ms);

/* Copies the dialog; NULL keeps what is there. */
void pbx_leg_keep_dialog(struct pbx_leg *leg, const SipAgent__Dialog *dialog);

/* Ends the dialog of a dead child through its successor; there must be one. */
int pbx_leg_bye_orphan(struct pbx_leg *leg, const char *reason);

/* Wipes and frees what the leg holds; the leg itself is the call's. */
void pbx_leg_clear(struct pbx_leg *leg);

#endif
