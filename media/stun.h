/* stun.h - the STUN messages that bind a leg at the relay (RFC 8489).
 *
 * A leg is bound by a Binding request under the short-term credential: USERNAME
 * is the leg id, MESSAGE-INTEGRITY-SHA256 (RFC 8489 14.6, never truncated, key =
 * the leg key as it is) covers it, and the transaction id ends in the SSRC of
 * the leg's own RTP, big-endian.  The older MESSAGE-INTEGRITY (SHA-1) and
 * FINGERPRINT are neither made nor looked at.  A request from an address that is
 * not bound is answered 438 with a NONCE; the same request with that NONCE
 * binds.  Every answer carries MESSAGE-INTEGRITY-SHA256 under the leg key, too.
 * Source: UMSG specification, "Relay legs".
 *
 * Threads: pure functions over the caller's buffers.
 */
#ifndef MEDIA_STUN_H
#define MEDIA_STUN_H

#include "base/slice.h"
#include "base/net.h"

enum {
	STUN_BINDING_REQUEST = 0x0001,
	STUN_BINDING_SUCCESS = 0x0101,
	STUN_BINDING_ERROR = 0x0111,

	STUN_STALE_NONCE = 438,

	STUN_TRANSACTION_SIZE = 12,
	STUN_MAX_USERNAME = 64, /* octets of a leg id */
	STUN_MAX_NONCE = 64,
	STUN_NONCE_SIZE = 8,    /* what stun_make_nonce writes */
	STUN_MAX_MESSAGE = 256, /* anything longer is not ours */
};

/* A message as parsed; the slices point into the packet. */
struct stun_message {
	uint16_t type;
	uint8_t transaction[STUN_TRANSACTION_SIZE];
	struct slice username;  /* n 0: absent */
	struct slice nonce;     /* n 0: absent */
	unsigned error_code;    /* 0: absent */
	struct net_addr mapped; /* XOR-MAPPED-ADDRESS; len 0: absent */
	size_t integrity_at;    /* octets before MESSAGE-INTEGRITY-SHA256; 0: absent */
};

/* Do the first octets look like STUN (top bits 00, magic cookie)?  RTP begins
 * with 10, opaque relay data with 01. */
bool stun_is(struct slice packet);

/* The SSRC at the end of the transaction id of a packet for which stun_is(). */
uint32_t stun_packet_ssrc(struct slice packet);

/* Parses a whole packet.  Attributes behind MESSAGE-INTEGRITY-SHA256 are
 * skipped; of repeated ones the first counts (RFC 8489 14).
 * Returns 0, -EBADMSG (malformed, or longer than STUN_MAX_MESSAGE) or -ENOTSUP
 * (an unknown attribute that must be understood, another method). */
int stun_parse(struct slice packet, struct stun_message *message_out);

/* Checks MESSAGE-INTEGRITY-SHA256, in constant time.  packet is what message was
 * parsed from.  Returns 0, or -EACCES when it is absent or wrong. */
int stun_verify(const struct stun_message *message, struct slice packet, struct slice key);

/* Each writes a whole message to out and returns its octets, or 0 when it does
 * not fit into cap or an argument is too long.  nonce may be empty. */
size_t stun_build_request(const uint8_t transaction[STUN_TRANSACTION_SIZE], struct slice username,
			  struct slice nonce, struct slice key, uint8_t *out, size_t cap);
/* The answer to a request: mapped is the address it came from. */
size_t stun_build_success(const uint8_t transaction[STUN_TRANSACTION_SIZE],
			  const struct net_addr *mapped, struct slice key, uint8_t *out,
			  size_t cap);

/* With a nonce of STUN_NONCE_SIZE this is 76 octets, no longer than any request
 * whose leg id has 13 octets or more: the relay makes leg ids of at least that. */
size_t stun_build_error(const uint8_t transaction[STUN_TRANSACTION_SIZE], unsigned code,
			struct slice nonce, struct slice key, uint8_t *out, size_t cap);

/* The relay's NONCE: 8 characters of base64url from HMAC-SHA256(secret, leg id,
 * source address, time slot).  The relay accepts the current slot's and the
 * last one's; a slot lasts 10 seconds. */
void stun_make_nonce(struct slice secret, struct slice leg_id, const struct net_addr *source,
		     uint64_t slot, char out[STUN_NONCE_SIZE]);

#endif
