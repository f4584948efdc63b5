/* secret.h - the one type in which secrets of up to 64 octets live.
 *
 * It is wiped by its owner, compared in constant time, and has no print
 * function.  Larger secrets (a month's keys, a master) have types of their own
 * with the same rule.
 */
#ifndef KEYS_SECRET_H
#define KEYS_SECRET_H

#include "base/slice.h"

enum { SECRET_MAX = 64 };

struct secret {
	uint8_t p[SECRET_MAX];
	size_t n; /* octets in use */
};

/* Copies octets.  Returns 0 or -EMSGSIZE (more than SECRET_MAX; s is then empty). */
int secret_set(struct secret *s, struct slice octets);

/* Fills s with n (<= SECRET_MAX) octets of the operating system's private
 * randomness.  Returns 0 or -EIO. */
int secret_random(struct secret *s, size_t n);

/* Overwrites all of s; it is then empty. */
void secret_wipe(struct secret *s);

/* Takes time that depends on the lengths only. */
bool secret_eq(struct slice a, struct slice b);

static inline struct slice secret_slice(const struct secret *s)
{
	return slice_of(s->p, s->n);
}

/* Overwrites n octets at p in a way that no compiler removes. */
void wipe(void *p, size_t n);

#endif
