/* control_proof.c - nonces and proofs of the control port; SHA-256 and HMAC of OpenSSL.
 *
 *     nonce = end (8 octets, ms) | random (8) | first 16 octets of HMAC(nonce_key, end | random)
 *
 * nonce_key is drawn at the start: nonces of a server that was restarted are void.
 */
#include "base/control_proof.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/diag.h"
#include "base/encode.h"
#include "base/file.h"

enum {
	SHA256_BYTES = 32,
	NONCE_HEAD_BYTES = 16, /* its end (8) and random octets (8); the MAC follows */
	NONCE_MAC_BYTES = CONTROL_NONCE_BYTES - NONCE_HEAD_BYTES,
	MAX_TARGET_BYTES = 32 * 1024,
};

struct used_nonce {
	uint8_t mac[NONCE_MAC_BYTES];
	int64_t end_ms;
};

struct control_guard {
	struct control_token token;
	uint8_t nonce_key[SHA256_BYTES];
	struct used_nonce used[CONTROL_USED_NONCES];
	size_t used_count;
};

static int hmac(const uint8_t key[SHA256_BYTES], struct slice data, uint8_t out[SHA256_BYTES])
{
	unsigned n = 0;

	if (!HMAC(EVP_sha256(), key, SHA256_BYTES, data.p, data.n, out, &n) || n != SHA256_BYTES)
		return -EIO;
	return 0;
}

int control_token_create(const char *path, struct control_token *token_out)
{
	char text[HEX_TEXT_SIZE(CONTROL_TOKEN_BYTES) + 1];
	int err;

	if (RAND_bytes(token_out->octets, sizeof(token_out->octets)) != 1)
		return -EIO;
	hex_encode(slice_of(token_out->octets, sizeof(token_out->octets)), text);
	/* Over the NUL of the hexadecimal text: a newline and no NUL goes into the file. */
	text[sizeof(text) - 2] = '\n';
	err = file_write_atomic(path, 0640, slice_of(text, sizeof(text) - 1));
	OPENSSL_cleanse(text, sizeof(text));
	return err;
}

int control_token_read(const char *path, struct control_token *token_out, struct diag *diag)
{
	uint8_t *text;
	size_t n, len = 0;
	int err = file_read(path, 1024, &text, &n);

	if (err) {
		diag_error(diag, NULL, "cannot read the token %s: %s%s", path, strerror(-err),
			   err == -EACCES ? "; run this as the server's user" : "");
		return err;
	}
	while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	err = hex_decode(slice_of(text, n), token_out->octets, sizeof(token_out->octets), &len);
	if (err || len != sizeof(token_out->octets)) {
		diag_error(diag, NULL, "%s holds no token (64 hexadecimal digits)", path);
		err = -EINVAL;
	}
	OPENSSL_cleanse(text, n);
	free(text);
	return err;
}

int control_proof(const struct control_token *token, const struct control_claim *claim,
		  char proof_out[CONTROL_PROOF_TEXT_SIZE])
{
	/* 128: three line feeds, 64 digits of the hash, a NUL. */
	size_t cap = claim->nonce.n + strlen(claim->method) + strlen(claim->target) + 128;
	char body_hash[HEX_TEXT_SIZE(SHA256_BYTES)];
	uint8_t digest[SHA256_BYTES];
	uint8_t *data;
	struct buf text;
	int err;

	if (cap > MAX_TARGET_BYTES)
		return -EIO;
	if (EVP_Digest(claim->body.p, claim->body.n, digest, NULL, EVP_sha256(), NULL) != 1)
		return -EIO;
	hex_encode(slice_of(digest, sizeof(digest)), body_hash);
	data = malloc(cap);
	if (!data)
		return -EIO;
	text = buf_over(data, cap);
	buf_put_slice(&text, claim->nonce);
	buf_printf(&text, "\n%s\n%s\n%s", claim->method, claim->target, body_hash);
	err = buf_ok(&text) ? hmac(token->octets, buf_slice(&text), digest) : -EIO;
	free(data);
	if (!err)
		hex_encode(slice_of(digest, sizeof(digest)), proof_out);
	return err;
}

struct control_guard *control_guard_new(const struct control_token *token)
{
	struct control_guard *guard = calloc(1, sizeof(*guard));

	if (!guard)
		return NULL;
	guard->token = *token;
	if (RAND_bytes(guard->nonce_key, sizeof(guard->nonce_key)) != 1)
		control_guard_free(&guard);
	return guard;
}

void control_guard_free(struct control_guard **guardp)
{
	if (!*guardp)
		return;
	OPENSSL_cleanse(*guardp, sizeof(**guardp));
	free(*guardp);
	*guardp = NULL;
}

int control_guard_nonce(struct control_guard *guard, int64_t now_ms,
			char nonce_out[CONTROL_NONCE_TEXT_SIZE])
{
	uint8_t nonce[CONTROL_NONCE_BYTES + 1], mac[SHA256_BYTES];
	struct buf b = BUF_OF(nonce);
	uint8_t salt[8];

	if (RAND_bytes(salt, sizeof(salt)) != 1)
		return -EIO;
	buf_put_u64(&b, (uint64_t)(now_ms + CONTROL_NONCE_LIFE_MS));
	buf_put(&b, salt, sizeof(salt));
	if (hmac(guard->nonce_key, buf_slice(&b), mac) < 0)
		return -EIO;
	buf_put(&b, mac, NONCE_MAC_BYTES);
	hex_encode(buf_slice(&b), nonce_out);
	return 0;
}

/* Opens a nonce of ours: its end and MAC.  Returns 0, -ESTALE or -EIO. */
static int open_nonce(const struct control_guard *guard, int64_t now_ms, struct slice text,
		      struct used_nonce *nonce_out)
{
	uint8_t octets[CONTROL_NONCE_BYTES], mac[SHA256_BYTES];
	struct cursor c;
	size_t n;

	if (hex_decode(text, octets, sizeof(octets), &n) < 0 || n != sizeof(octets))
		return -ESTALE;
	if (hmac(guard->nonce_key, slice_of(octets, NONCE_HEAD_BYTES), mac) < 0)
		return -EIO;
	if (CRYPTO_memcmp(mac, octets + NONCE_HEAD_BYTES, NONCE_MAC_BYTES) != 0)
		return -ESTALE;
	c = cursor_of(slice_of(octets, sizeof(octets)));
	nonce_out->end_ms = (int64_t)cursor_u64(&c);
	memcpy(nonce_out->mac, octets + NONCE_HEAD_BYTES, NONCE_MAC_BYTES);
	return nonce_out->end_ms > now_ms ? 0 : -ESTALE;
}

/* Remembers the nonce, or returns -ESTALE when it was used, -EBUSY when the table is
 * full of such that could still come again. */
/* Linear over at most CONTROL_USED_NONCES: they are those of half a minute. */
static int use_nonce(struct control_guard *guard, int64_t now_ms, const struct used_nonce *nonce)
{
	size_t kept = 0;

	for (size_t i = 0; i < guard->used_count; i++)
		if (guard->used[i].end_ms > now_ms)
			guard->used[kept++] = guard->used[i];
	guard->used_count = kept;
	for (size_t i = 0; i < kept; i++)
		if (memcmp(guard->used[i].mac, nonce->mac, NONCE_MAC_BYTES) == 0)
			return -ESTALE;
	if (kept == CONTROL_USED_NONCES)
		return -EBUSY;
	guard->used[guard->used_count++] = *nonce;
	return 0;
}

/* Splits "Tandem-HMAC NONCE PROOF". */
static bool split_header(const char *value, struct slice *nonce_out, struct slice *proof_out)
{
	static const char hex[] = "0123456789abcdef";
	struct slice rest = slice_str(value);

	if (!slice_starts(rest, CONTROL_PROOF_SCHEME " "))
		return false;
	rest = slice_from(rest, sizeof(CONTROL_PROOF_SCHEME));
	*nonce_out = slice_of(rest.p, strspn((const char *)rest.p, hex));
	rest = slice_from(rest, nonce_out->n);
	if (!slice_starts(rest, " "))
		return false;
	*proof_out = slice_from(rest, 1);
	return proof_out->n == CONTROL_PROOF_TEXT_SIZE - 1;
}

int control_guard_check(struct control_guard *guard, int64_t now_ms, const char *authorization,
			const struct control_claim *claim)
{
	struct control_claim made = *claim;
	char want[CONTROL_PROOF_TEXT_SIZE];
	struct used_nonce nonce;
	struct slice proof;
	int err;

	if (!authorization || !split_header(authorization, &made.nonce, &proof))
		return -ENODATA;
	err = open_nonce(guard, now_ms, made.nonce, &nonce);
	if (err)
		return err;
	err = control_proof(&guard->token, &made, want);
	if (err)
		return err;
	/* Before the nonce is used up: a wrong proof must not cost the right client its nonce,
	 * nor fill the table. */
	if (CRYPTO_memcmp(want, proof.p, proof.n) != 0)
		return -EACCES;
	return use_nonce(guard, now_ms, &nonce);
}
