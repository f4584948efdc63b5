/* address.h - an address as text, and as SMPP has it: TON, NPI and digits.
 *
 * A configuration maps texts; what kind of address a text is follows from its form:
 *
 *     "+46761234567"     TON 1 (international), NPI 1 (E.164), "46761234567"
 *     "12345", "#31#1"   TON 0 (unknown), NPI 1, as it is
 *     "Tandem"           TON 5 (alphanumeric), NPI 0, at most 11 characters
 *     any other          TON 0, NPI 0, as it is
 *
 * Source: SMPP 3.4, 5.2.5 and 5.2.6; the CIG manual ("SMPP Configuration") has no
 * rule for it, so this one is ours.
 */
#ifndef SMPP_ADDRESS_H
#define SMPP_ADDRESS_H

#include "base/slice.h"
#include "smpp/pdu.h"

/* What a center wants instead of what the form says; -1 leaves it. */
struct smpp_address_rule {
	int ton, npi;
	bool keep_plus; /* send "+46..." with its plus */
};

struct smpp_address {
	uint8_t ton, npi;
	char text[SMPP_ADDRESS_SIZE];
};

/* Reads text; rule may be NULL.  Returns 0; -EINVAL (empty, or octets that are no
 * printable ASCII) or -E2BIG (more than 20 characters). */
int smpp_address_from_text(struct slice text, const struct smpp_address_rule *rule,
			   struct smpp_address *address_out);

/* Writes an endpoint that came as text: with a plus where it is international and has
 * none.  Octets that are no printable ASCII become "?".  Returns 0 or -ENOBUFS. */
int smpp_address_to_text(const struct smpp_endpoint *endpoint, char *out, size_t outsz);

#endif
