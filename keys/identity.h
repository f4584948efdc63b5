/* identity.h - who a key belongs to: canonical URIs and the octets that the
 * algorithms hash.
 *
 * A URI is accepted in one spelling only and never repaired, so that the
 * identity used is the one that was authenticated.
 */
#ifndef KEYS_IDENTITY_H
#define KEYS_IDENTITY_H

#include "base/slice.h"

enum identity_kind {
	IDENTITY_USER,    /* tel:+ and 1 to 15 digits: no separators, no parameters */
	IDENTITY_CHANNEL, /* urn:uuid: and 8-4-4-4-12 lower-case hexadecimal digits */
	IDENTITY_CHECK,   /* urn:x-crs:client: and 1 to 64 of a-z 0-9 . _ - : a test client */
};

enum {
	IDENTITY_URI_MAX = 81, /* octets of the longest URI */
	IDENTIFIER_MAX = 7 + 1 + IDENTITY_URI_MAX + 1,
	IDENTITY_UID = 32,
};

/* Is uri an identity in its one spelling?  kind_out may be NULL.
 * Returns 0 or -EINVAL. */
int identity_check(struct slice uri, enum identity_kind *kind_out);

/* The identifier of RFC 6509 3.2: "YYYY-MM" NUL uri NUL.  out receives at most
 * IDENTIFIER_MAX octets.  Returns 0, or -EINVAL when uri is no identity or month
 * out of range. */
int identity_monthly(struct slice uri, int64_t month, uint8_t out[IDENTIFIER_MAX], size_t *len_out);

/* What a hashed identifier is made from (3GPP TS 33.180 F.2.1). */
struct identity_uid_scheme {
	struct slice kms_uri;
	uint32_t period_s; /* length of a key period, for example 2592000; not 0 */
	uint32_t offset_s; /* where periods begin, in seconds after a multiple of it */
};

/* Number of the key period, counted from 1900-01-01, of a wall time. */
int64_t identity_uid_period(const struct identity_uid_scheme *scheme, int64_t unix_s);

/* The wall time at which that period begins. */
int64_t identity_uid_period_start(const struct identity_uid_scheme *scheme, int64_t period);

/* The UID of uri in that period: SHA-256 over the scheme's parameters.
 * Returns 0, -EINVAL (an empty or overlong URI, a negative period), -ENOMEM. */
int identity_uid(const struct identity_uid_scheme *scheme, struct slice uri, int64_t period,
		 uint8_t out[IDENTITY_UID]);

#endif
