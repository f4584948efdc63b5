/* keyhash.h - 64-bit keys for base/idmap from texts that strangers choose.
 *
 * SipHash-2-4 under a secret that each process draws at its start, so that
 * nobody can choose URIs or session ids that land in one bucket.
 */
#ifndef RENDEZVOUS_KEYHASH_H
#define RENDEZVOUS_KEYHASH_H

#include "base/slice.h"

struct keyhash {
	uint64_t k0, k1;
};

/* Draws a secret.  Returns 0 or -EIO. */
int keyhash_init(struct keyhash *keyhash);

/* The same for the same text and secret; strangers cannot choose it. */
uint64_t keyhash_of(const struct keyhash *keyhash, struct slice text);

#endif
