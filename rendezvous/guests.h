/* guests.h - the temporary clients of a health check: who may enter for a minute, and
 * leaves nothing behind.
 *
 * A check is announced by its id and gets clients urn:x-crs:client:test-INDEX-ID of one
 * account.  Nobody else may enter under such a URI.  Source: CRS manual 5.4,
 * "health-check"; docs/umsg.md "Link".  Pure: time is an argument.
 */
#ifndef RENDEZVOUS_GUESTS_H
#define RENDEZVOUS_GUESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct guests;

enum {
	GUESTS_CHECKS_MAX = 16, /* at once; the oldest goes */
	GUESTS_ID = 16,         /* hexadecimal digits of a check's id */
	GUESTS_STAY_MS = 60 * 1000,
};

#define GUESTS_PREFIX "urn:x-crs:client:test-"

/* Returns NULL when memory is out. */
struct guests *guests_new(void);
/* Frees *guestsp and sets it to NULL; *guestsp may be NULL. */
void guests_free(struct guests **guestsp);

/* Is this a URI that only guests have? */
bool guests_is_name(struct slice uri);

/* Announces a check of account; account and id (GUESTS_ID digits) are copied.  Texts that are
 * too long or short announce nobody. */
void guests_announce(struct guests *guests, const char *account, const char *id, int64_t now_ms);

/* The account of the check whose guest uri is, or NULL. */
const char *guests_account_of(const struct guests *guests, struct slice uri);

/* Forgets checks whose time is over; was there one? */
bool guests_expire(struct guests *guests, int64_t now_ms);

#endif
