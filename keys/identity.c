/* identity.c - canonical URIs, and the identifiers that ECCSI and SAKKE hash: RFC 6509's months
 * and TS 33.180's UIDs. */
#include "keys/identity.h"

#include <errno.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "keys/period.h"

static const char tel_prefix[] = "tel:+";
static const char channel_prefix[] = "urn:uuid:";
static const char check_prefix[] = "urn:x-crs:client:";

enum { TEL_DIGITS_MAX = 15, CHECK_NAME_MAX = 64, UUID_TEXT = 36 };

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* ITU-T E.164: up to 15 digits behind the "+". */
static bool is_number(struct slice digits)
{
	for (size_t i = 0; i < digits.n; i++)
		if (!is_digit(digits.p[i]))
			return false;
	return digits.n >= 1 && digits.n <= TEL_DIGITS_MAX;
}

/* RFC 4122 in lower case only: an identity has one spelling. */
static bool is_uuid(struct slice text)
{
	if (text.n != UUID_TEXT)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
		uint8_t c = text.p[i];

		if (hyphen ? c != '-' : !is_digit(c) && !(c >= 'a' && c <= 'f'))
			return false;
	}
	return true;
}

/* The test clients of a rendezvous. */
static bool is_check_name(struct slice name)
{
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];

		if (!is_digit(c) && !(c >= 'a' && c <= 'z') && c != '.' && c != '_' && c != '-')
			return false;
	}
	return name.n >= 1 && name.n <= CHECK_NAME_MAX;
}

static const struct {
	const char *prefix;
	bool (*is_rest)(struct slice rest);
} forms[] = {
	[IDENTITY_USER] = { tel_prefix, is_number },
	[IDENTITY_CHANNEL] = { channel_prefix, is_uuid },
	[IDENTITY_CHECK] = { check_prefix, is_check_name },
};

int identity_check(struct slice uri, enum identity_kind *kind_out)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (!slice_starts(uri, forms[i].prefix))
			continue;
		if (!forms[i].is_rest(slice_from(uri, strlen(forms[i].prefix))))
			return -EINVAL;
		if (kind_out)
			*kind_out = (enum identity_kind)i;
		return 0;
	}
	return -EINVAL;
}

/* RFC 6509 3.2: "YYYY-MM", NUL, URI, NUL. */
int identity_monthly(struct slice uri, int64_t month, uint8_t out[IDENTIFIER_MAX], size_t *len_out)
{
	char text[PERIOD_TEXT_SIZE];

	if (month < 0 || month > PERIOD_MAX || identity_check(uri, NULL) < 0)
		return -EINVAL;
	period_text(month, text);
	memcpy(out, text, PERIOD_TEXT_SIZE); /* its NUL, too */
	memcpy(out + PERIOD_TEXT_SIZE, uri.p, uri.n);
	out[PERIOD_TEXT_SIZE + uri.n] = 0;
	*len_out = PERIOD_TEXT_SIZE + uri.n + 1;
	return 0;
}

static const int64_t from_1900_to_1970 = 2208988800;

/* TS 33.180 F.2.1 counts periods from 1900, as NTP counts seconds. */
int64_t identity_uid_period(const struct identity_uid_scheme *scheme, int64_t unix_s)
{
	return (unix_s + from_1900_to_1970 - scheme->offset_s) / scheme->period_s;
}

int64_t identity_uid_period_start(const struct identity_uid_scheme *scheme, int64_t period)
{
	return period * scheme->period_s + scheme->offset_s - from_1900_to_1970;
}

/* A parameter of the hash: the shortest big-endian form (zero: one octet), then
 * its length, in the order of TS 33.220 annex B. */
static void put_integer(struct buf *b, uint64_t v)
{
	uint16_t width = 1;

	while (width < 8 && v >> 8 * width)
		width++;
	for (unsigned at = width; at-- > 0;)
		buf_put_u8(b, (uint8_t)(v >> 8 * at));
	buf_put_u16(b, width);
}

static void put_text(struct buf *b, struct slice text)
{
	buf_put_slice(b, text);
	buf_put_u16(b, (uint16_t)text.n);
}

/* TS 33.180 F.2.1: SHA-256 of FC 00, then P0 to P5, each with its length behind it. */
int identity_uid(const struct identity_uid_scheme *scheme, struct slice uri, int64_t period,
		 uint8_t out[IDENTITY_UID])
{
	uint8_t octets[1024];
	struct buf b = BUF_OF(octets);

	if (uri.n == 0 || period < 0)
		return -EINVAL;
	/* FC: the function code that TS 33.180 F.2.1 sets for this hash. */
	buf_put_u8(&b, 0);
	put_text(&b, slice_str("MIKEY-SAKKE-UID"));
	put_text(&b, uri);
	put_text(&b, scheme->kms_uri);
	put_integer(&b, scheme->period_s);
	put_integer(&b, scheme->offset_s);
	put_integer(&b, (uint64_t)period);
	if (!buf_ok(&b))
		return -EINVAL;
	if (!EVP_Digest(octets, b.len, out, NULL, EVP_sha256(), NULL))
		return -ENOMEM;
	return 0;
}
