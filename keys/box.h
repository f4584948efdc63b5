/* box.h - sealing with AES: GCM with and without an explicit nonce, and SIV.
 *
 * An open that fails wipes what it wrote and says -EBADMSG, whatever the cause.
 * out may be the input's own place (exactly, for the GCM calls) or apart from it.
 */
#ifndef KEYS_BOX_H
#define KEYS_BOX_H

#include "base/slice.h"

enum {
	BOX_KEY = 32, /* AES-256 */
	BOX_NONCE = 12,
	BOX_TAG = 16,
	BOX_OVERHEAD = BOX_NONCE + BOX_TAG,
	GCM128_KEY = 16,
	SIV_KEY = 32, /* two AES-128 keys */
	SIV_TAG = 16,
};

/* The AEAD box outside calls and bodies: 12 random octets, ciphertext, tag, by
 * AES-256-GCM.  aad is covered, not carried.  out receives
 * plain.n + BOX_OVERHEAD octets and must not overlap plain.
 * Returns 0 or -EIO (no randomness, no memory). */
int box_seal(const uint8_t key[BOX_KEY], struct slice aad, struct slice plain, uint8_t *out);

/* out receives box.n - BOX_OVERHEAD octets and must not overlap box.
 * Returns 0, -EBADMSG, or -EIO. */
int box_open(const uint8_t key[BOX_KEY], struct slice aad, struct slice box, uint8_t *out);

/* The same with the caller's nonce, which must never repeat under one key; out
 * receives plain.n + BOX_TAG octets (ciphertext, tag). */
int box_seal_nonce(const uint8_t key[BOX_KEY], const uint8_t nonce[BOX_NONCE], struct slice aad,
		   struct slice plain, uint8_t *out);
/* The counterpart: out receives sealed.n - BOX_TAG octets. */
int box_open_nonce(const uint8_t key[BOX_KEY], const uint8_t nonce[BOX_NONCE], struct slice aad,
		   struct slice sealed, uint8_t *out);

/* AES-128-GCM with the caller's nonce, for call signals and message bodies; out
 * receives plain.n + BOX_TAG octets.  Returns as the calls above. */
int gcm128_seal(const uint8_t key[GCM128_KEY], const uint8_t nonce[BOX_NONCE], struct slice aad,
		struct slice plain, uint8_t *out);
/* The counterpart: out receives sealed.n - BOX_TAG octets. */
int gcm128_open(const uint8_t key[GCM128_KEY], const uint8_t nonce[BOX_NONCE], struct slice aad,
		struct slice sealed, uint8_t *out);

/* AES-128-SIV (RFC 5297), deterministic, without additional data: V (16 octets)
 * and the ciphertext; out receives SIV_TAG + plain.n octets (plain.n >= 1). */
int siv_seal(const uint8_t key[SIV_KEY], struct slice plain, uint8_t *out);

/* out receives sealed.n - SIV_TAG octets. */
int siv_open(const uint8_t key[SIV_KEY], struct slice sealed, uint8_t *out);

#endif
