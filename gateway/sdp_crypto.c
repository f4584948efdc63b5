/* sdp_crypto.c - lines a=crypto (RFC 4568): the keys of SRTP in a description. */
#include "gateway/sdp_priv.h"

#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/encode.h"

static const char *const suite_names[] = {
	[SDP_NO_SUITE] = "",
	[SDP_AES_CM_128_HMAC_SHA1_80] = "AES_CM_128_HMAC_SHA1_80",
	[SDP_AES_CM_128_HMAC_SHA1_32] = "AES_CM_128_HMAC_SHA1_32",
	[SDP_AES_256_CM_HMAC_SHA1_80] = "AES_256_CM_HMAC_SHA1_80",
	[SDP_AES_256_CM_HMAC_SHA1_32] = "AES_256_CM_HMAC_SHA1_32",
	[SDP_AES_CM_256_HMAC_SHA1_80] = "AES_CM_256_HMAC_SHA1_80",
	[SDP_AES_CM_256_HMAC_SHA1_32] = "AES_CM_256_HMAC_SHA1_32",
};

enum { SUITES = sizeof(suite_names) / sizeof(suite_names[0]) };

size_t sdp_key_size(enum sdp_suite suite)
{
	enum { AES_128_AND_SALT = 30, AES_256_AND_SALT = 46 };

	if (suite == SDP_NO_SUITE)
		return 0;
	return suite >= SDP_AES_256_CM_HMAC_SHA1_80 ? AES_256_AND_SALT : AES_128_AND_SALT;
}

/* What stands before the mark, which is left out; s keeps what is behind it. */
static struct slice take_until(struct slice *s, char mark)
{
	const uint8_t *end = s->n ? memchr(s->p, mark, s->n) : NULL;
	struct slice head = slice_of(s->p, end ? (size_t)(end - s->p) : s->n);

	*s = slice_from(*s, head.n + (end ? 1 : 0));
	return head;
}

/* RFC 4568 6.1: "2^48", or decimal.  A key of fewer packets than this would have to be
 * changed in the middle of a call; we never do. */
static bool is_lifetime(struct slice s)
{
	enum { MIN_BITS = 20, MAX_BITS = 48, MIN_DIGITS = 7 };
	unsigned bits;

	if (slice_starts(s, "2^"))
		return sdp_parse_uint(slice_from(s, 2), MAX_BITS, &bits) && bits >= MIN_BITS;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n >= MIN_DIGITS && s.n <= 15;
}

/* 30 octets are 40 digits without padding; 46 are 62, behind which some put "==" as RFC 4568 6.1
 * has it, and others nothing (sipwise/rtpengine#1197). */
static bool decode_key(struct slice text, size_t size, uint8_t key[SDP_MAX_KEY])
{
	char padded[BASE64_TEXT_SIZE(SDP_MAX_KEY)];
	size_t n = text.n, got = 0;
	bool ok;

	if (n >= sizeof(padded))
		return false;
	memcpy(padded, text.p, n);
	while (n % 4)
		padded[n++] = '='; /* a multiple of 4: no more than the array without its NUL */
	ok = base64_decode(BASE64_STANDARD, slice_of(padded, n), key, SDP_MAX_KEY, &got) == 0 &&
	     got == size;
	OPENSSL_cleanse(padded, sizeof(padded));
	return ok;
}

/* "inline:KEY||SALT[|lifetime]".  A master key identifier would stand in every packet, and
 * several keys need one: neither is taken (asterisk/asterisk#825: never by half). */
static bool parse_key(struct slice params, size_t size, uint8_t key[SDP_MAX_KEY])
{
	struct slice text, lifetime;

	if (!slice_starts(params, "inline:"))
		return false;
	params = slice_from(params, strlen("inline:"));
	text = take_until(&params, '|');
	lifetime = params;
	if (lifetime.n && !is_lifetime(lifetime))
		return false;
	return decode_key(text, size, key);
}

/* RFC 4568 6.3: what changes the protection must be known to be obeyed.  A hint of the
 * replay window's size, and what an extension marks as such, may be passed over. */
static bool are_session_params_harmless(struct slice params)
{
	while (params.n) {
		struct slice param = sdp_take_token(&params);

		if (!slice_starts(param, "WSH=") && !slice_starts(param, "-"))
			return false;
	}
	return true;
}

/* "1 AES_CM_128_HMAC_SHA1_80 inline:..."; one that cannot be used, for whatever reason, is
 * none (5.1.2). */
void sdp_crypto_parse(struct slice value, struct sdp_crypto *out)
{
	struct slice tag = sdp_take_token(&value), suite = sdp_take_token(&value);
	struct slice keys = sdp_take_token(&value);
	struct sdp_crypto crypto = { .suite = SDP_NO_SUITE };
	unsigned number;

	if (!sdp_parse_uint(tag, 999999999, &number))
		return;
	for (int i = SDP_NO_SUITE + 1; i < SUITES; i++)
		if (slice_eq_str(suite, suite_names[i]))
			crypto.suite = (enum sdp_suite)i;
	crypto.tag = number;
	if (crypto.suite && parse_key(keys, sdp_key_size(crypto.suite), crypto.key) &&
	    are_session_params_harmless(value))
		*out = crypto;
	OPENSSL_cleanse(&crypto, sizeof(crypto));
}

void sdp_crypto_write(const struct sdp_crypto *crypto, struct buf *b)
{
	char key[BASE64_TEXT_SIZE(SDP_MAX_KEY)];

	base64_encode(BASE64_STANDARD, slice_of(crypto->key, sdp_key_size(crypto->suite)), key);
	buf_printf(b, "a=crypto:%u %s inline:%s\r\n", crypto->tag, suite_names[crypto->suite], key);
	OPENSSL_cleanse(key, sizeof(key));
}

const char *sdp_suite_name(enum sdp_suite suite)
{
	return suite_names[suite];
}
