/* call_crypto.c - keys of a call, all from one MIKEY-SAKKE secret (docs/umsg.md):
 * sealed signals, the signed invitation, SRTP keys of both ways. */
#include "umsg/call_crypto.h"

#include <errno.h>

#include "base/buf.h"
#include "keys/box.h"
#include "keys/kdf.h"
#include "keys/secret.h"
#include "umsg/signed_hash.h"

enum { AAD_MAX = 2 + 2 + FRAME_ID + 2 * (2 + IDENTITY_URI_MAX) + 1 };

void call_secret_wipe(struct call_secret *secret)
{
	wipe(secret, sizeof(*secret));
}

static int name(char out[IDENTITY_URI_MAX + 1], struct slice uri)
{
	if (uri.n > IDENTITY_URI_MAX)
		return -EINVAL;
	memcpy(out, uri.p, uri.n);
	out[uri.n] = '\0';
	return 0;
}

/* Fills in all that follows from the MIKEY keys. */
static int complete(struct call_secret *secret, const uint8_t session_id[FRAME_ID],
		    struct slice initiator, struct slice responder)
{
	memcpy(secret->session_id, session_id, FRAME_ID);
	if (name(secret->initiator, initiator) < 0 || name(secret->responder, responder) < 0)
		return -EINVAL;
	return mikey_prk(&secret->keys, secret->prk);
}

/* ---- signals ---- */

/* Each writer has a key of its own, a responder one a device (answer_rand): counters of two
 * writers may be equal, their nonces never meet under one key. */
int call_channel_init(const struct call_secret *secret, enum call_writer writer,
		      const uint8_t answer_rand[FRAME_ID], struct call_channel *channel_out)
{
	const struct kdf_part parts[] = {
		kdf_octets(slice_of(secret->session_id, FRAME_ID)),
		kdf_u8((uint8_t)writer),
		kdf_octets(slice_of(answer_rand, FRAME_ID)),
	};
	uint8_t out[CALL_KEY + CALL_IV];
	int err = kdf_expand(secret->prk, "umsg signal", parts, writer == CALL_RESPONDER ? 3 : 2,
			     out, sizeof(out));

	if (err)
		return -ENOMEM;
	channel_out->writer = writer;
	memcpy(channel_out->key, out, CALL_KEY);
	memcpy(channel_out->iv, out + CALL_KEY, CALL_IV);
	channel_out->next = 0;
	wipe(out, sizeof(out));
	return 0;
}

/* As TLS 1.3 does it (RFC 8446 5.3): the counter XORed into a secret start. */
static void make_nonce(const struct call_channel *channel, uint64_t counter, uint8_t nonce[CALL_IV])
{
	memcpy(nonce, channel->iv, CALL_IV);
	for (int i = 0; i < 8; i++)
		nonce[CALL_IV - 1 - i] ^= (uint8_t)(counter >> (8 * i));
}

/* Version, frame type, L(session id), L(from), L(to). */
static struct slice make_aad(const struct call_secret *secret, enum call_writer writer,
			     uint8_t frame_type, uint8_t out[AAD_MAX])
{
	bool responds = writer == CALL_RESPONDER;
	struct buf b = buf_over(out, AAD_MAX);

	buf_put_u8(&b, FRAME_VERSION);
	buf_put_u8(&b, frame_type);
	buf_put_l16(&b, slice_of(secret->session_id, FRAME_ID));
	buf_put_l16(&b, slice_str(responds ? secret->responder : secret->initiator));
	buf_put_l16(&b, slice_str(responds ? secret->initiator : secret->responder));
	return buf_slice(&b);
}

int call_seal(const struct call_secret *secret, struct call_channel *channel, uint8_t frame_type,
	      struct slice plain, uint8_t *out, uint64_t *counter_out)
{
	uint8_t nonce[CALL_IV], aad[AAD_MAX];
	int err;

	/* A counter is used once in its channel: a nonce that came twice would give GCM's key
	 * away. */
	if (channel->next == UINT64_MAX)
		return -EOVERFLOW;
	make_nonce(channel, channel->next, nonce);
	err = gcm128_seal(channel->key, nonce, make_aad(secret, channel->writer, frame_type, aad),
			  plain, out);
	if (err)
		return err;
	*counter_out = channel->next++;
	return 0;
}

int call_open(const struct call_secret *secret, struct call_channel *channel, uint8_t frame_type,
	      uint64_t counter, struct slice sealed, uint8_t *out, size_t *n_out)
{
	uint8_t nonce[CALL_IV], aad[AAD_MAX];
	int err;

	if (sealed.n < CALL_TAG || counter == UINT64_MAX)
		return -EBADMSG;
	/* The link keeps the order, so a counter only rises; what the rendezvous sends twice
	 * stops here. */
	if (counter < channel->next)
		return -EALREADY;
	make_nonce(channel, counter, nonce);
	err = gcm128_open(channel->key, nonce, make_aad(secret, channel->writer, frame_type, aad),
			  sealed, out);
	if (err)
		return err;
	/* After it has opened only: a forged counter must not shut out the true ones. */
	channel->next = counter + 1;
	*n_out = sealed.n - CALL_TAG;
	return 0;
}

/* ---- the invitation ---- */

/* Seals the offer and signs for it.  The signature covers a hash of the sealed offer: nobody
 * can put another offer under this I_MESSAGE. */
static int finish_invitation(struct mikey_draft **draftp, const struct call_secret *secret,
			     struct slice offer, struct call_invitation *invitation)
{
	uint8_t hash[SIGNED_HASH];
	struct call_channel channel;
	uint64_t counter;
	int err = call_channel_init(secret, CALL_OFFER, NULL, &channel);

	if (err)
		return err;
	err = call_seal(secret, &channel, UMSG__FRAME__BODY_BANG, offer, invitation->sealed,
			&counter);
	wipe(&channel, sizeof(channel));
	if (err)
		return err;
	invitation->sealed_n = offer.n + CALL_TAG;
	err = signed_hash(SIGNED_KIND_OFFER, secret->session_id, slice_str(secret->responder), 0,
			  slice_of(invitation->sealed, invitation->sealed_n), hash);
	if (err)
		return err;
	return mikey_finish(draftp, hash, invitation->i_message, &invitation->i_message_n);
}

int call_invite(struct period_keys *from, const struct call_wanted *wanted, int64_t now_ms,
		struct call_secret *secret_out, struct call_invitation *invitation_out)
{
	const struct mikey_options options = { .n_cs = wanted->n_streams,
					       .to_self = wanted->to_self };
	struct slice self = slice_str(period_keys_uri(from));
	struct mikey_draft *draft = NULL;
	int err;

	if (wanted->offer.n > FRAME_SEALED_MAX - CALL_TAG)
		return -EMSGSIZE;
	err = mikey_begin(from, wanted->domain, wanted->to, now_ms, &options, &secret_out->keys,
			  &draft);
	if (err)
		return err;
	err = complete(secret_out, wanted->session_id, self, wanted->to);
	if (!err)
		err = finish_invitation(&draft, secret_out, wanted->offer, invitation_out);
	mikey_draft_free(&draft);
	if (err)
		call_secret_wipe(secret_out);
	return err;
}

enum mikey_verdict call_verify(struct slice i_message, const uint8_t session_id[FRAME_ID],
			       struct slice sealed_offer, const struct mikey_expect *expect,
			       const struct period_keys *own, struct mikey_message *message_out)
{
	uint8_t hash[SIGNED_HASH];
	enum mikey_verdict verdict;

	if (mikey_parse(i_message, message_out) < 0)
		return MIKEY_MALFORMED;
	/* The cheap checks and the signature first: only a good one makes the receiver do a
	 * pairing. */
	verdict = mikey_verify(message_out, expect, own);
	if (verdict != MIKEY_OK)
		return verdict;
	if (signed_hash(SIGNED_KIND_OFFER, session_id, slice_str(period_keys_uri(own)), 0,
			sealed_offer, hash) < 0)
		return MIKEY_NO_MEMORY;
	if (!slice_eq(message_out->extension, slice_of(hash, sizeof(hash))))
		return MIKEY_BAD_SIGNATURE; /* it signs for something else */
	return MIKEY_OK;
}

enum mikey_verdict call_accept(const struct mikey_message *message,
			       const uint8_t session_id[FRAME_ID], struct slice sealed_offer,
			       const struct mikey_expect *expect, const struct period_keys *own,
			       struct call_secret *secret_out, uint8_t *offer_out,
			       size_t *offer_n_out)
{
	struct call_channel channel;
	enum mikey_verdict verdict = mikey_decapsulate(message, own, &secret_out->keys);
	int err;

	if (verdict != MIKEY_OK)
		return verdict;
	err = complete(secret_out, session_id, expect->from, slice_str(period_keys_uri(own)));
	if (!err)
		err = call_channel_init(secret_out, CALL_OFFER, NULL, &channel);
	if (!err)
		/* Counter 0: the one message of the offer's key. */
		err = call_open(secret_out, &channel, UMSG__FRAME__BODY_BANG, 0, sealed_offer,
				offer_out, offer_n_out);
	wipe(&channel, sizeof(channel));
	if (!err)
		return MIKEY_OK;
	call_secret_wipe(secret_out);
	/* The signature was good, so what does not open was sealed with another secret. */
	return err == -ENOMEM || err == -EIO ? MIKEY_NO_MEMORY : MIKEY_BAD_SAKKE;
}

/* ---- media ---- */

static size_t salt_size(Umsg__SrtpProfile profile)
{
	switch (profile) {
	case UMSG__SRTP_PROFILE__AES_CM_128_HMAC_SHA1_80:
		/* RFC 3711 8.2: 112 bits. */
		return 14;
	case UMSG__SRTP_PROFILE__AEAD_AES_128_GCM:
		/* RFC 7714 12: 96 bits. */
		return 12;
	default:
		return 0;
	}
}

int call_srtp_initiator(const struct call_secret *secret, uint8_t stream, Umsg__SrtpProfile profile,
			struct call_srtp *srtp_out)
{
	memset(srtp_out, 0, sizeof(*srtp_out));
	srtp_out->salt_n = salt_size(profile);
	if (srtp_out->salt_n == 0 || stream == 0 || stream > secret->keys.n_cs)
		return -EINVAL;
	return mikey_srtp_keys(&secret->keys, stream, srtp_out->key, CALL_SRTP_KEY, srtp_out->salt,
			       srtp_out->salt_n);
}

int call_srtp_responder(const struct call_secret *secret, const uint8_t answer_rand[FRAME_ID],
			uint8_t stream, Umsg__SrtpProfile profile, struct call_srtp *srtp_out)
{
	const struct kdf_part parts[] = {
		kdf_octets(slice_of(answer_rand, FRAME_ID)),
		kdf_u32(stream),
	};
	uint8_t out[CALL_SRTP_KEY + CALL_SRTP_SALT_MAX];
	int err;

	memset(srtp_out, 0, sizeof(*srtp_out));
	srtp_out->salt_n = salt_size(profile);
	if (srtp_out->salt_n == 0 || stream == 0 || stream > secret->keys.n_cs)
		return -EINVAL;
	/* By the answer's random number: of the devices that ring each has keys of its own. */
	err = kdf_expand(secret->prk, "srtp responder", parts, 2, out,
			 CALL_SRTP_KEY + srtp_out->salt_n);
	if (err)
		return -ENOMEM;
	memcpy(srtp_out->key, out, CALL_SRTP_KEY);
	memcpy(srtp_out->salt, out + CALL_SRTP_KEY, srtp_out->salt_n);
	wipe(out, sizeof(out));
	return 0;
}
