/* stun_client.h - keeps a leg bound at the relay (see stun.h).
 *
 * The owner asks for a packet whenever it has a tick, sends what it gets and
 * hands over what comes.  A binding is repeated every 5 s, and at once when the
 * network changed or nothing came for 1 s.  An unanswered request is repeated
 * after 200 ms, doubling up to 1 s; one that is refused for its nonce at once, three times.
 * Source: docs/umsg.md, "Relay legs".
 */
#ifndef MEDIA_STUN_CLIENT_H
#define MEDIA_STUN_CLIENT_H

#include "media/stun.h"

enum {
	STUN_CLIENT_REFRESH_MS = 5000,
	STUN_CLIENT_SILENCE_MS = 1000,
	STUN_CLIENT_FIRST_RETRY_MS = 200,
	STUN_CLIENT_LAST_RETRY_MS = 1000,
	/* One is asked for, and may be too old when it comes back: more in a row are no answer. */
	STUN_CLIENT_NONCES = 3,
};

struct stun_client {
	uint8_t leg_id[STUN_MAX_USERNAME];
	size_t leg_id_len;
	uint8_t key[64];
	size_t key_len;
	uint32_t ssrc;

	bool bound, waiting; /* answered once; a request is under way */
	uint8_t transaction[STUN_TRANSACTION_SIZE];
	uint8_t nonce[STUN_MAX_NONCE];
	size_t nonce_len;
	unsigned nonces; /* in a row */
	int64_t send_at_ms, retry_ms, heard_ms;
	struct net_addr mapped; /* our address as the relay sees it */
};

/* leg_id (1 to STUN_MAX_USERNAME octets) and key (1 to 64) are copied.
 * Returns 0 or -EINVAL. */
int stun_client_init(struct stun_client *client, struct slice leg_id, struct slice key,
		     uint32_t ssrc, int64_t now_ms);

/* Forgets the key. */
void stun_client_wipe(struct stun_client *client);

/* Writes the request that is due now.  Returns its octets, 0 when none is due,
 * or -EIO when there are no random octets. */
int stun_client_poll(struct stun_client *client, int64_t now_ms, uint8_t *out, size_t cap);

/* Takes an answer.  Returns 1 when it was ours (perhaps a packet is due now:
 * poll), 0 when it was not (another transaction), -EACCES when its integrity
 * is wrong, -EBADMSG or -ENOTSUP as stun_parse. */
int stun_client_receive(struct stun_client *client, struct slice packet, int64_t now_ms);

/* An authenticated packet of any kind came from the relay. */
void stun_client_heard(struct stun_client *client, int64_t now_ms);

/* The own address changed: bind again at once. */
void stun_client_rebind(struct stun_client *client, int64_t now_ms);

#endif
