/* srtp_cipher.c - AES counter mode with HMAC-SHA1, and AES-GCM, on OpenSSL 3. The SHA-1 states of
 * HMAC are kept and copied by value, which only OpenSSL's older interface can do: half the cost
 * of EVP_MAC for a 60-octet packet. */
#define OPENSSL_API_COMPAT 0x10101000L

#include "media/srtp_priv.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

enum {
	IV_SIZE = 16,
	GCM_IV_SIZE = 12,
	CM_TAG = 10,
	CM_SHORT_TAG = 4,
	GCM_TAG = 16,
	BLOCK = 64,
	AUTH_KEY = 20
};

struct srtp_cipher {
	enum srtp_profile profile;
	size_t tag;
	EVP_CIPHER_CTX *evp;
	SHA_CTX inner, outer; /* HMAC-SHA1 after the padded key */
	uint8_t salt[SRTP_MAX_SALT];
};

size_t srtp_key_size(enum srtp_profile profile)
{
	switch (profile) {
	case SRTP_AES128_CM_SHA1_80:
	case SRTP_AES128_CM_SHA1_32:
	case SRTP_AEAD_AES_128_GCM:
		return SRTP_KEY_SIZE;
	case SRTP_AES256_CM_SHA1_80:
	case SRTP_AES256_CM_SHA1_32:
		return SRTP_MAX_KEY;
	case SRTP_NONE:
		break;
	}
	return 0;
}

size_t srtp_salt_size(enum srtp_profile profile)
{
	switch (profile) {
	case SRTP_AES128_CM_SHA1_80:
	case SRTP_AES128_CM_SHA1_32:
	case SRTP_AES256_CM_SHA1_80:
	case SRTP_AES256_CM_SHA1_32:
		return 14;
	case SRTP_AEAD_AES_128_GCM:
		return 12;
	case SRTP_NONE:
		break;
	}
	return 0;
}

size_t srtp_tag_size(enum srtp_profile profile, uint8_t label)
{
	if ((profile == SRTP_AES128_CM_SHA1_32 || profile == SRTP_AES256_CM_SHA1_32) &&
	    label == SRTP_LABEL_RTP)
		return CM_SHORT_TAG;
	return profile == SRTP_AEAD_AES_128_GCM ? GCM_TAG : CM_TAG;
}

/* RFC 6188 2: of AES-256 the master key has as many octets as the session key, so that the
 * derivation is no weaker than what it derives. */
static const EVP_CIPHER *counter_mode(enum srtp_profile profile)
{
	return srtp_key_size(profile) == SRTP_MAX_KEY ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
}

/* RFC 3711 4.3.3, key derivation rate 0: the key stream under IV (salt XOR label)
 * << 16.  A salt of 12 octets counts as one of 14 with zeros behind (RFC 7714 11). */
static int derive(enum srtp_profile profile, const struct srtp_key *key, uint8_t label,
		  uint8_t *out, size_t n)
{
	EVP_CIPHER_CTX *evp = EVP_CIPHER_CTX_new();
	uint8_t iv[IV_SIZE] = { 0 };
	int len, ok;

	if (!evp)
		return -ENOMEM;
	memcpy(iv, key->salt, srtp_salt_size(profile));
	/* The label stands above the 48 bits of the index (RFC 3711 4.3.1): octet 7 of 14. */
	iv[7] ^= label;
	memset(out, 0, n);
	ok = EVP_EncryptInit_ex(evp, counter_mode(profile), NULL, key->key, iv) &&
	     EVP_EncryptUpdate(evp, out, &len, out, (int)n);
	EVP_CIPHER_CTX_free(evp);
	return ok ? 0 : -EIO;
}

/* RFC 2104: both padded keys are hashed once here; each packet starts from copies. */
static void hmac_key(struct srtp_cipher *c, const uint8_t key[AUTH_KEY])
{
	uint8_t pad[BLOCK];

	memset(pad, 0x36, sizeof(pad));
	for (size_t i = 0; i < AUTH_KEY; i++)
		pad[i] ^= key[i];
	SHA1_Init(&c->inner);
	SHA1_Update(&c->inner, pad, sizeof(pad));
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c; /* from the inner pad to the outer one */
	SHA1_Init(&c->outer);
	SHA1_Update(&c->outer, pad, sizeof(pad));
	OPENSSL_cleanse(pad, sizeof(pad));
}

static int set_keys(struct srtp_cipher *c, enum srtp_direction direction,
		    const struct srtp_key *key, uint8_t label)
{
	const EVP_CIPHER *kind =
		c->profile == SRTP_AEAD_AES_128_GCM ? EVP_aes_128_gcm() : counter_mode(c->profile);
	/* counter mode decrypts as it encrypts */
	int encrypt = direction == SRTP_SEND || c->profile != SRTP_AEAD_AES_128_GCM;
	uint8_t session[SRTP_MAX_KEY], auth[AUTH_KEY];
	int err = derive(c->profile, key, label, session, srtp_key_size(c->profile));

	if (!err)
		err = derive(c->profile, key, label + 1, auth, sizeof(auth));
	if (!err)
		err = derive(c->profile, key, label + 2, c->salt, srtp_salt_size(c->profile));
	if (!err && !EVP_CipherInit_ex(c->evp, kind, NULL, session, NULL, encrypt))
		err = -EIO;
	if (!err)
		hmac_key(c, auth);
	OPENSSL_cleanse(session, sizeof(session));
	OPENSSL_cleanse(auth, sizeof(auth));
	return err;
}

int srtp_cipher_new(enum srtp_profile profile, enum srtp_direction direction,
		    const struct srtp_key *key, uint8_t label, struct srtp_cipher **cipher_out)
{
	struct srtp_cipher *c = calloc(1, sizeof(*c));
	int err = -ENOMEM;

	if (!c)
		return err;
	c->profile = profile;
	c->tag = srtp_tag_size(profile, label);
	c->evp = EVP_CIPHER_CTX_new();
	if (c->evp)
		err = set_keys(c, direction, key, label);
	if (err) {
		srtp_cipher_free(&c);
		return err;
	}
	*cipher_out = c;
	return 0;
}

void srtp_cipher_free(struct srtp_cipher **cipherp)
{
	struct srtp_cipher *c = *cipherp;

	if (!c)
		return;
	*cipherp = NULL;
	EVP_CIPHER_CTX_free(c->evp); /* cleanses its key */
	OPENSSL_cleanse(c, sizeof(*c));
	free(c);
}

/* RFC 3711 4.2: over header, body as it is on the wire, and the roll-over counter or index. */
static void hmac(const struct srtp_cipher *c, const struct srtp_job *job,
		 uint8_t mac[SHA_DIGEST_LENGTH])
{
	SHA_CTX sha = c->inner;

	SHA1_Update(&sha, job->packet, job->header + job->body);
	SHA1_Update(&sha, job->trailer.p, job->trailer.n);
	SHA1_Final(mac, &sha);
	sha = c->outer;
	SHA1_Update(&sha, mac, SHA_DIGEST_LENGTH);
	SHA1_Final(mac, &sha);
}

/* RFC 3711 4.1.1: salt << 16 XOR SSRC << 64 XOR index << 16. */
static int cm_crypt(struct srtp_cipher *c, const struct srtp_job *job)
{
	uint8_t iv[IV_SIZE] = { 0 }, *body = job->packet + job->header;
	int len;

	memcpy(iv, c->salt, sizeof(c->salt));
	for (int i = 0; i < 4; i++)
		iv[4 + i] ^= (uint8_t)(job->ssrc >> (24 - 8 * i));
	/* The lower 16 bits of the IV count the blocks. */
	for (int i = 0; i < 6; i++)
		iv[8 + i] ^= (uint8_t)(job->index >> (40 - 8 * i));
	if (job->clear)
		return 0;
	return EVP_CipherInit_ex(c->evp, NULL, NULL, NULL, iv, -1) &&
			       EVP_CipherUpdate(c->evp, body, &len, body, (int)job->body)
		       ? 0
		       : -EIO;
}

/* RFC 7714 8.1 and 9.1: two zero octets, SSRC, index of 48 bits, XOR salt. */
static void gcm_iv(const struct srtp_cipher *c, const struct srtp_job *job, uint8_t iv[GCM_IV_SIZE])
{
	memset(iv, 0, 2);
	for (int i = 0; i < 4; i++)
		iv[2 + i] = (uint8_t)(job->ssrc >> (24 - 8 * i));
	for (int i = 0; i < 6; i++)
		iv[6 + i] = (uint8_t)(job->index >> (40 - 8 * i));
	for (size_t i = 0; i < GCM_IV_SIZE; i++)
		iv[i] ^= c->salt[i];
}

/* Sets nonce and additional data, and runs the cipher over the body.  RTP's
 * trailer is in the nonce already; RTCP's is additional data (RFC 7714 9.2, 9.3). */
static int gcm_run(struct srtp_cipher *c, const struct srtp_job *job)
{
	size_t aad = job->header + (job->clear ? job->body : 0);
	uint8_t iv[GCM_IV_SIZE], *body = job->packet + job->header;
	int len;

	gcm_iv(c, job, iv);
	if (!EVP_CipherInit_ex(c->evp, NULL, NULL, NULL, iv, -1) ||
	    !EVP_CipherUpdate(c->evp, NULL, &len, job->packet, (int)aad))
		return -EIO;
	if (job->trailer.n &&
	    !EVP_CipherUpdate(c->evp, NULL, &len, job->trailer.p, (int)job->trailer.n))
		return -EIO;
	if (!job->clear && job->body && !EVP_CipherUpdate(c->evp, body, &len, body, (int)job->body))
		return -EIO;
	return 0;
}

int srtp_cipher_seal(struct srtp_cipher *c, const struct srtp_job *job, uint8_t *tag)
{
	uint8_t mac[SHA_DIGEST_LENGTH];
	int len;

	if (c->profile == SRTP_AEAD_AES_128_GCM)
		return gcm_run(c, job) || !EVP_CipherFinal_ex(c->evp, mac, &len) ||
				       !EVP_CIPHER_CTX_ctrl(c->evp, EVP_CTRL_AEAD_GET_TAG, GCM_TAG,
							    tag)
			       ? -EIO
			       : 0;
	if (cm_crypt(c, job))
		return -EIO;
	hmac(c, job, mac);
	memcpy(tag, mac, c->tag);
	return 0;
}

int srtp_cipher_open(struct srtp_cipher *c, const struct srtp_job *job, const uint8_t *tag)
{
	uint8_t mac[SHA_DIGEST_LENGTH];
	int len;

	if (c->profile == SRTP_AEAD_AES_128_GCM) {
		memcpy(mac, tag, GCM_TAG); /* SET_TAG takes no const */
		if (gcm_run(c, job) ||
		    !EVP_CIPHER_CTX_ctrl(c->evp, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, mac))
			return -EIO;
		return EVP_CipherFinal_ex(c->evp, mac, &len) ? 0 : -EACCES;
	}
	/* First the tag, then the body: nothing that is not authentic is decrypted (RFC 3711
	 * 3.3). */
	hmac(c, job, mac);
	if (CRYPTO_memcmp(mac, tag, c->tag) != 0)
		return -EACCES;
	return cm_crypt(c, job);
}
