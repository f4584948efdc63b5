/* issue_priv.h - what letters and update files are both made of. */
#ifndef MANAGEMENT_ISSUE_PRIV_H
#define MANAGEMENT_ISSUE_PRIV_H

#include "management/issue.h"

/* One month's keys of an identity, packed; a channel's take
 * ISSUED_PACKED_RECEIVER octets. */
int issue_keys(struct issuer *issuer, const char *uri, int64_t month, uint8_t packed[ISSUED_PACKED],
	       struct diag *diag);

/* The TLS identity and key of a person's generation. */
int issue_login(struct issuer *issuer, const struct person *person, char *identity, uint8_t *key,
		struct diag *diag);

/* Keeps the creation time, that the next one be later. */
int issue_note_time(struct issuer *issuer, struct diag *diag);

#endif
