/* pseudonyms.h - statistics without the numbers of their users.
 *
 * A user's name in such an export is an HMAC of the account and the URI under a random key of
 * this server (RFC 2104): the same in every export, so that they can be compared, but nobody
 * without the key can try all numbers until one fits.  Whoever deletes the key's file cuts the
 * bond between older exports and later ones.
 */
#ifndef RENDEZVOUS_PSEUDONYMS_H
#define RENDEZVOUS_PSEUDONYMS_H

#include <jansson.h>
#include <stdint.h>

#include "rendezvous/statistics.h"

enum {
	PSEUDONYMS_KEY_SIZE = 32,
	PSEUDONYM_SIZE = 5 + 32 + 1, /* "user-", 128 bits in hexadecimal digits, NUL */
};

/* Reads DIR/pseudonyms-key, or makes it (0600) where there is none.  Returns 0; -EINVAL: it is
 * damaged, and not replaced, as all names would change unseen; or -errno. */
int pseudonyms_key(const char *dir, uint8_t key_out[PSEUDONYMS_KEY_SIZE]);

/* Writes a user's name, text.  Returns 0 or -EIO. */
int pseudonyms_name(const uint8_t key[PSEUDONYMS_KEY_SIZE], const char *account, const char *uri,
		    char out[PSEUDONYM_SIZE]);

/* Makes of an account's statistics (statistics.h) the same under pseudonyms, sorted by them: the
 * order of an update would tell who is who.  Takes rows over.  NULL: no memory. */
json_t *pseudonyms_rows(const uint8_t key[PSEUDONYMS_KEY_SIZE], const char *account, json_t *rows);

/* statistics_collect() under pseudonyms.  Returns 0, or what pseudonyms_key() of the server's data
 * returned, or -ENOMEM: then done is not called. */
int pseudonyms_collect(struct supervisor *supervisor, const char *account, statistics_done_fn *done,
		       void *arg);

#endif
