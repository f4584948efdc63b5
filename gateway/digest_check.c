/* digest_check.c - challenges that need no memory: a nonce carries its time and a MAC
 * over it and the source. */
#include "gateway/digest_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/buf.h"
#include "base/encode.h"

enum { MAC_OCTETS = 16, NONCE_SIZE = 16 + HEX_TEXT_SIZE(MAC_OCTETS) };

/* 16 digits of time and a MAC over it and the source: "0000000065920080" "9f3c...". */
static int make_nonce(const uint8_t key[DIGEST_KEY_SIZE], const char *source, int64_t time_s,
		      char out[NONCE_SIZE])
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	char text[128];
	unsigned n = 0;
	int len = snprintf(text, sizeof(text), "%016llx|%s", (unsigned long long)time_s, source);

	if (len < 0 || (size_t)len >= sizeof(text) ||
	    !HMAC(EVP_sha256(), key, DIGEST_KEY_SIZE, (const uint8_t *)text, (size_t)len, mac, &n))
		return -EIO;
	memcpy(out, text, 16);
	hex_encode(slice_of(mac, MAC_OCTETS), out + 16);
	return 0;
}

int digest_ask(const uint8_t key[DIGEST_KEY_SIZE], const char *realm, const char *source,
	       int64_t now_s, bool stale, char out[DIGEST_ASKED][DIGEST_TEXT_SIZE])
{
	/* many PBXs look at the first header only, and know MD5 only */
	static const char *const names[DIGEST_ASKED] = { "MD5", "SHA-256" };
	char nonce[NONCE_SIZE];
	int err = make_nonce(key, source, now_s, nonce);

	for (size_t i = 0; i < DIGEST_ASKED && !err; i++)
		snprintf(out[i], DIGEST_TEXT_SIZE,
			 "Digest realm=\"%s\", nonce=\"%s\", algorithm=%s, qop=\"auth\"%s", realm,
			 nonce, names[i], stale ? ", stale=true" : "");
	return err;
}

/* Is it one of ours, for that source?  Its time then is in *time_s_out. */
static bool is_ours(const uint8_t key[DIGEST_KEY_SIZE], const char *source, const char *nonce,
		    int64_t *time_s_out)
{
	char digits[17], want[NONCE_SIZE], *end;

	if (strlen(nonce) != NONCE_SIZE - 1)
		return false;
	snprintf(digits, sizeof(digits), "%.16s", nonce);
	/* 16 hexadecimal digits; strtoull() takes a sign or blanks as well, which the MAC then
	 * refuses. */
	*time_s_out = (int64_t)strtoull(digits, &end, 16);
	return *end == '\0' && make_nonce(key, source, *time_s_out, want) == 0 &&
	       CRYPTO_memcmp(nonce, want, NONCE_SIZE) == 0;
}

/* The answer that the account would give to the same challenge.
 *
 * Its uri is taken as it stands, and not compared with the Request-URI (RFC 7616 3.4.6, RFC 3261
 * 22.4).  Trunks differ there in good faith: a proxy between the PBX and us puts another host or
 * number into the Request-URI, and user agents leave out port and parameters.  What the comparison
 * would prevent, that an answer serves another request, the nonce limits: it is good for
 * DIGEST_NONCE_S, from that source and for that method only.  Whoever can send from there
 * meanwhile could as well change To and SDP, which no digest with qop=auth covers. */
static bool is_right(const struct digest_given *given, const struct digest_account *account,
		     const char *method)
{
	const struct digest_request request = { method, given->uri, given->cnonce, given->nc };
	struct digest_given ours;
	char text[DIGEST_TEXT_SIZE];
	bool right = false;

	if (digest_answer(&given->challenge, account, &request, text, sizeof(text)) == 0 &&
	    digest_parse_given(slice_str(text), &ours) == 0 &&
	    /* Lengths are no secret: the hash is known. */
	    strlen(ours.response) == strlen(given->response))
		right = CRYPTO_memcmp(ours.response, given->response, strlen(ours.response)) == 0;
	OPENSSL_cleanse(text, sizeof(text));
	OPENSSL_cleanse(&ours, sizeof(ours));
	return right;
}

int digest_check(const uint8_t key[DIGEST_KEY_SIZE], const char *realm, const char *source,
		 int64_t now_s, const struct digest_account *account, const char *method,
		 const char *value)
{
	struct digest_given given;
	int64_t time_s;

	/* Without qop an answer could be used for another request (RFC 7616 3.4).  Only the
	 * response is secret: the other fields may be compared as they come. */
	if (digest_parse_given(slice_str(value), &given) || strcmp(given.challenge.qop, "auth") ||
	    strcmp(given.challenge.realm, realm) || strcmp(given.user, account->user) ||
	    !is_ours(key, source, given.challenge.nonce, &time_s) ||
	    !is_right(&given, account, method))
		return -EACCES;
	/* Last: only who knows the password hears "stale", which asks for the same answer under a
	 * new nonce (RFC 7616 3.3). */
	return now_s < time_s || now_s - time_s > DIGEST_NONCE_S ? -ESTALE : 0;
}
