/* digest_check.h - asks a PBX for its password, and checks its answer (RFC 7616, 8760).
 *
 * Nothing is kept between the two: a nonce holds its time and whom it was given to, under a
 * key of this process.
 */
#ifndef GATEWAY_DIGEST_CHECK_H
#define GATEWAY_DIGEST_CHECK_H

#include "gateway/digest.h"

enum {
	DIGEST_KEY_SIZE = 32,
	DIGEST_NONCE_S = 60, /* how long one is good */
	DIGEST_ASKED = 2,    /* challenges of one refusal: MD5 first, then SHA-256 */
};

/* What a client put into its Authorization. */
struct digest_given {
	struct digest_challenge challenge; /* realm, nonce, algorithm, qop */
	char user[DIGEST_VALUE_SIZE], uri[512], response[80], cnonce[DIGEST_VALUE_SIZE];
	uint32_t nc;
};

/* Reads a header value.  Returns as digest_parse(). */
int digest_parse_given(struct slice value, struct digest_given *out);

/* Writes the values of WWW-Authenticate, for source (an address as text) at now_s.
 * Returns 0 or -EIO. */
int digest_ask(const uint8_t key[DIGEST_KEY_SIZE], const char *realm, const char *source,
	       int64_t now_s, bool stale, char out[DIGEST_ASKED][DIGEST_TEXT_SIZE]);

/* Does value, of a request with that method, prove the account?  Returns 0, -ESTALE (its
 * nonce is too old: ask again, saying so), -EACCES (it does not, or is malformed). */
int digest_check(const uint8_t key[DIGEST_KEY_SIZE], const char *realm, const char *source,
		 int64_t now_s, const struct digest_account *account, const char *method,
		 const char *value);

#endif
