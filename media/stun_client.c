/* stun_client.c - a leg's binding as a state without socket or timer: the owner's
 * tick drives it. */
#include "media/stun_client.h"

#include <errno.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

int stun_client_init(struct stun_client *client, struct slice leg_id, struct slice key,
		     uint32_t ssrc, int64_t now_ms)
{
	if (leg_id.n == 0 || leg_id.n > sizeof(client->leg_id) || key.n == 0 ||
	    key.n > sizeof(client->key))
		return -EINVAL;
	*client = (struct stun_client){ .leg_id_len = leg_id.n,
					.key_len = key.n,
					.ssrc = ssrc,
					.send_at_ms = now_ms,
					.heard_ms = now_ms };
	memcpy(client->leg_id, leg_id.p, leg_id.n);
	memcpy(client->key, key.p, key.n);
	return 0;
}

void stun_client_wipe(struct stun_client *client)
{
	OPENSSL_cleanse(client->key, sizeof(client->key));
	client->key_len = 0;
}

/* 64 random bits, so that nobody who does not see the request can answer it; the MAC is checked
 * besides. */
static int new_transaction(struct stun_client *client)
{
	uint8_t *id = client->transaction;

	if (RAND_bytes(id, STUN_TRANSACTION_SIZE - 4) != 1)
		return -EIO;
	for (int i = 0; i < 4; i++)
		id[STUN_TRANSACTION_SIZE - 4 + i] = (uint8_t)(client->ssrc >> (24 - 8 * i));
	client->waiting = true;
	client->retry_ms = STUN_CLIENT_FIRST_RETRY_MS;
	return 0;
}

/* Besides its times: after a silence, for the relay may have been started anew and know no
 * binding. */
static bool is_due(const struct stun_client *client, int64_t now_ms)
{
	if (now_ms >= client->send_at_ms)
		return true;
	return client->bound && !client->waiting &&
	       now_ms - client->heard_ms >= STUN_CLIENT_SILENCE_MS;
}

int stun_client_poll(struct stun_client *client, int64_t now_ms, uint8_t *out, size_t cap)
{
	if (!is_due(client, now_ms))
		return 0;
	if (!client->waiting) {
		int err = new_transaction(client);

		if (err)
			return err;
		/* RFC 8489 6.2.1: each wait is twice as long.  The transaction stays, so that a
		 * late answer to the first request still counts. */
	} else if (client->retry_ms < STUN_CLIENT_LAST_RETRY_MS) {
		client->retry_ms *= 2;
		if (client->retry_ms > STUN_CLIENT_LAST_RETRY_MS)
			client->retry_ms = STUN_CLIENT_LAST_RETRY_MS;
	}
	client->send_at_ms = now_ms + client->retry_ms;
	return (int)stun_build_request(client->transaction,
				       slice_of(client->leg_id, client->leg_id_len),
				       slice_of(client->nonce, client->nonce_len),
				       slice_of(client->key, client->key_len), out, cap);
}

/* 438: the same request again, in a new transaction, with the relay's NONCE.  At once, but not
 * without end: a relay that takes none of its own would be asked at the speed of the network. */
static void take_nonce(struct stun_client *client, struct slice nonce, int64_t now_ms)
{
	memcpy(client->nonce, nonce.p, nonce.n);
	client->nonce_len = nonce.n;
	client->waiting = false;
	client->send_at_ms = now_ms;
	if (client->nonces < STUN_CLIENT_NONCES)
		client->nonces++;
	else
		client->send_at_ms += STUN_CLIENT_LAST_RETRY_MS;
}

/* The nonce was for this once; the next binding from the same address needs none. */
static void take_success(struct stun_client *client, const struct stun_message *m, int64_t now_ms)
{
	client->bound = true;
	client->waiting = false;
	client->nonce_len = 0;
	client->nonces = 0;
	client->mapped = m->mapped;
	client->send_at_ms = now_ms + STUN_CLIENT_REFRESH_MS;
}

int stun_client_receive(struct stun_client *client, struct slice packet, int64_t now_ms)
{
	struct stun_message m;
	int err = stun_parse(packet, &m);

	if (err)
		return err;
	/* No answer to what was asked: not even a MAC is computed for it. */
	if (!client->waiting || m.type == STUN_BINDING_REQUEST ||
	    memcmp(m.transaction, client->transaction, STUN_TRANSACTION_SIZE) != 0)
		return 0;
	if (stun_verify(&m, packet, slice_of(client->key, client->key_len)))
		return -EACCES;
	client->heard_ms = now_ms;
	if (m.type == STUN_BINDING_SUCCESS)
		take_success(client, &m, now_ms);
	else if (m.error_code == STUN_STALE_NONCE && m.nonce.n)
		take_nonce(client, m.nonce, now_ms);
	/* any other error: repeated at the retry's pace */
	return 1;
}

void stun_client_heard(struct stun_client *client, int64_t now_ms)
{
	client->heard_ms = now_ms;
}

/* The nonce was made for the old address.  An answer to a request that was sent from there has
 * another transaction id and is passed over. */
void stun_client_rebind(struct stun_client *client, int64_t now_ms)
{
	client->waiting = false;
	client->nonce_len = 0;
	client->nonces = 0;
	client->send_at_ms = now_ms;
}
