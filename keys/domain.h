/* domain.h - the public part of a security domain: its key manager's KPAK and Z,
 * its name, and how identifiers are made in it.
 *
 * Threads: immutable once made; any number may use it at once.  It must live
 * longer than the keysets and the messages that were made with it, and the
 * curves longer than it.
 */
#ifndef KEYS_DOMAIN_H
#define KEYS_DOMAIN_H

#include "keys/identity.h"

struct curves;
struct domain;

enum {
	DOMAIN_ID = 16,
	DOMAIN_ID_TEXT = 33, /* 32 hexadecimal digits and NUL */
	DOMAIN_NAME_MAX = 127,
	DOMAIN_KMS_URI_MAX = 255,
	KPAK_OCTETS = 65, /* 04, x, y on P-256 */
	Z_OCTETS = 257,   /* 04, x, y on SAKKE's curve */
};

/* A domain whose identifiers are RFC 6509's months (ID scheme 1) and whose KMS
 * URI is "urn:x-umsg:domain:" and the id in hexadecimal digits.  name is copied
 * (1 to DOMAIN_NAME_MAX octets); kpak and z may be compressed points (33 and 129
 * octets) or not (65 and 257).  Both are checked: on their curves, z of order q.
 * Takes some 13 ms and 0.4 MB for the table of z.
 * Returns 0, -EINVAL, or -ENOMEM. */
int domain_new(const struct curves *curves, const char *name, struct slice kpak, struct slice z,
	       struct domain **domain_out);

/* A domain with hashed identifiers (ID scheme 2, 3GPP TS 33.180).  scheme is
 * copied; its KMS URI holds 1 to DOMAIN_KMS_URI_MAX octets. */
int domain_new_hashed(const struct curves *curves, const char *name, struct slice kpak,
		      struct slice z, const struct identity_uid_scheme *scheme,
		      struct domain **domain_out);

/* Frees *domainp and sets it to NULL; *domainp may be NULL. */
void domain_free(struct domain **domainp);

/* What the key manager was called at "cms init"; as long as the domain. */
const char *domain_name(const struct domain *domain);

/* First DOMAIN_ID octets of SHA-256(KPAK || Z), points uncompressed; the whole
 * hash is the fingerprint that people compare. */
const uint8_t *domain_id(const struct domain *domain);
/* All of that hash. */
const uint8_t *domain_fingerprint(const struct domain *domain); /* 32 octets */
/* The id as hexadecimal digits, as long as the domain. */
const char *domain_id_text(const struct domain *domain);

/* The URI that IDRkmsi and IDRkmsr hold. */
const char *domain_kms_uri(const struct domain *domain);

/* KPAK of ECCSI (RFC 6507 4.2), uncompressed. */
const uint8_t *domain_kpak(const struct domain *domain); /* KPAK_OCTETS */
/* Z of SAKKE (RFC 6508 2.2), uncompressed. */
const uint8_t *domain_z(const struct domain *domain); /* Z_OCTETS */

/* The same compressed, for certificates and codes. */
void domain_pack(const struct domain *domain, uint8_t kpak_out[33], uint8_t z_out[129]);

/* The SAKKE payload's ID scheme: 1 or 2. */
uint8_t domain_id_scheme(const struct domain *domain);

/* The key period of a wall time: a month of period.h, or with hashed identifiers
 * the number of identity_uid_period(). */
int64_t domain_period(const struct domain *domain, int64_t unix_s);

/* The first second of a period. */
int64_t domain_period_start(const struct domain *domain, int64_t period);

/* The identifier octets of uri in that period.  Returns 0 or -EINVAL, -ENOMEM. */
int domain_identifier(const struct domain *domain, struct slice uri, int64_t period,
		      uint8_t out[IDENTIFIER_MAX], size_t *len_out);

#endif
