/* apns_token.c - provider tokens of the push service: header and claims as base64url JSON, a dot
 * between, and the signature over both (RFC 7515 3.1). */
#include "rendezvous/apns_token.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/encode.h"
#include "base/file.h"

/* The longest claim has an id of 63 characters and a time: a part of 256 octets holds it. */
enum { TEXT_SIZE = 1024, PART_SIZE = 256, SIGNATURE_SIZE = 64, HALF = SIGNATURE_SIZE / 2 };
enum { KEY_FILE_MAX = 64 * 1024 };

struct apns_token {
	EVP_PKEY *key;
	char key_id[64], team_id[64];
	char text[TEXT_SIZE];
	int64_t made_s; /* 0: not yet */
};

static bool is_p256(EVP_PKEY *key)
{
	char group[32] = "";

	return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
	       EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
	       /* OpenSSL's name of P-256, which ES256 requires (RFC 7518 3.4). */
	       strcmp(group, "prime256v1") == 0;
}

/* Letters and digits: they go into JSON as they are. */
static int copy_id(const char *id, char out[64])
{
	size_t n = strlen(id);

	if (n == 0 || n > 63 ||
	    strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != n)
		return -EINVAL;
	memcpy(out, id, n + 1);
	return 0;
}

/* By our own reading, as stdio would leave the key's text in a buffer that it frees.  Returns 0
 * with NULL when there is no key in the file, or -errno. */
static int read_key(const char *path, EVP_PKEY **key_out)
{
	uint8_t *text;
	size_t n;
	int err = file_read(path, KEY_FILE_MAX, &text, &n);
	BIO *bio;

	if (err)
		return err;
	bio = BIO_new_mem_buf(text, (int)n);
	if (bio)
		*key_out = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	else
		err = -ENOMEM;
	BIO_free(bio);
	OPENSSL_cleanse(text, n);
	free(text);
	return err;
}

int apns_token_new(const char *key_file, const char *key_id, const char *team_id,
		   struct apns_token **token_out, struct diag *diag)
{
	struct apns_token *token = calloc(1, sizeof(*token));
	/* Read once: a key that is replaced on disk counts from the next start on. */
	int err = token ? read_key(key_file, &token->key) : -ENOMEM;

	/* What PEM left in the queue would be told at the next TLS error instead. */
	ERR_clear_error();
	if (err) {
		diag_error(diag, NULL, "%s: %s", key_file, strerror(-err));
	} else if (!token->key || !is_p256(token->key)) {
		diag_error(diag, NULL, "%s holds no P-256 key in PEM form", key_file);
		err = -EINVAL;
	} else if (copy_id(key_id, token->key_id) || copy_id(team_id, token->team_id)) {
		diag_error(diag, NULL,
			   "push-config apns: key-id and team-id are letters and digits");
		err = -EINVAL;
	}
	if (err) {
		apns_token_free(&token);
		return err;
	}
	*token_out = token;
	return 0;
}

void apns_token_free(struct apns_token **tokenp)
{
	struct apns_token *token = *tokenp;

	if (!token)
		return;
	*tokenp = NULL;
	EVP_PKEY_free(token->key);
	/* Whoever finds the text may push in our name for an hour. */
	OPENSSL_cleanse(token, sizeof(*token));
	free(token);
}

/* base64 without padding, as JWS has it (RFC 7515 2). */
static void put_part(struct buf *b, const char *json)
{
	char encoded[BASE64_TEXT_SIZE(PART_SIZE)];

	base64_encode(BASE64_URL, slice_str(json), encoded);
	buf_put_str(b, encoded);
}

/* r and s at full length (RFC 7518 3.4), of what OpenSSL writes as DER. */
static int to_raw(const uint8_t *der, size_t n, uint8_t out[SIGNATURE_SIZE])
{
	const unsigned char *p = der;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
	int ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, HALF) == HALF &&
		 BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + HALF, HALF) == HALF;

	ECDSA_SIG_free(sig);
	return ok ? 0 : -EIO;
}

static int sign(const struct apns_token *token, struct slice text, uint8_t out[SIGNATURE_SIZE])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	/* DER of two numbers of 32 octets takes at most 72. */
	uint8_t der[2 * SIGNATURE_SIZE];
	size_t n = sizeof(der);
	int err = -EIO;

	if (ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, token->key) == 1 &&
	    EVP_DigestSign(ctx, der, &n, text.p, text.n) == 1)
		err = to_raw(der, n, out);
	EVP_MD_CTX_free(ctx);
	return err;
}

static int make(struct apns_token *token, int64_t now_s)
{
	char part[PART_SIZE], encoded[BASE64_TEXT_SIZE(SIGNATURE_SIZE)];
	uint8_t signature[SIGNATURE_SIZE];
	struct buf b = BUF_OF(token->text);
	int err;

	snprintf(part, sizeof(part), "{\"alg\":\"ES256\",\"kid\":\"%s\"}", token->key_id);
	put_part(&b, part);
	buf_put_char(&b, '.');
	snprintf(part, sizeof(part), "{\"iss\":\"%s\",\"iat\":%" PRId64 "}", token->team_id, now_s);
	put_part(&b, part);
	err = buf_ok(&b) ? sign(token, buf_slice(&b), signature) : -ENOBUFS;
	if (err)
		return err;
	base64_encode(BASE64_URL, slice_of(signature, sizeof(signature)), encoded);
	buf_printf(&b, ".%s", encoded);
	token->made_s = now_s;
	return buf_ok(&b) ? 0 : -ENOBUFS;
}

const char *apns_token_text(struct apns_token *token, int64_t now_s)
{
	bool fresh =
		/* A clock that was set back makes a token of the future: made anew. */
		token->made_s && now_s >= token->made_s && now_s - token->made_s < APNS_TOKEN_AGE_S;

	if (!fresh && make(token, now_s)) {
		token->made_s = 0;
		return NULL;
	}
	return token->text;
}

void apns_token_expire(struct apns_token *token)
{
	token->made_s = 0;
}
