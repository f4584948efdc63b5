/* certificate.h - the public part of a security domain, for the administrators of
 * others to trust (CMS manual, "My Domain certificate").
 *
 * Octets: 'C' 1, protobuf UpdateDomain (update.proto), 4 octets of SHA-256.  It
 * travels as rows of text with a checksum each or as a QR code, both as a letter's
 * (letter_text.h).  Nothing in it proves whose it is: people compare fingerprints.
 * Source: docs/key-management.md "Certificates".
 */
#ifndef KEYS_CERTIFICATE_H
#define KEYS_CERTIFICATE_H

#include "keys/update.h"

enum { CERTIFICATE_OCTETS_MAX = 320 };

/* Returns 0, -EINVAL (the name, or something that is no compressed point), -ENOMEM. */
int certificate_encode(const struct update_domain *domain, uint8_t out[CERTIFICATE_OCTETS_MAX],
		       size_t *len_out);

/* Returns 0, -EBADMSG (damaged, cut off, not a certificate), -EPROTONOSUPPORT (of a
 * version we do not know) with diag set.  Whether its points are on their curves
 * is seen by domain_new(). */
int certificate_decode(struct slice octets, struct update_domain *domain_out, struct diag *diag);

#endif
