/* key_ring.h - a key store opened for use: its domain and the keys of every month,
 * loaded and checked.
 *
 * A ring never changes.  An update or a new letter makes another one; whoever
 * uses the old one switches over and frees it.  Threads: as keystore.h.
 */
#ifndef KEYS_KEY_RING_H
#define KEYS_KEY_RING_H

#include "keys/keystore.h"

struct key_ring {
	const struct curves *curves; /* borrowed */
	char *path;                  /* of the store */
	struct keystore *store;
	struct domain *domain;
	struct keyset *keyset;
	/* The domains of the last update whose certificates are valid, and the receiver keys of
	 * the channels of the month, as of the time of opening. */
	struct domain **trusted;
	size_t n_trusted;
	struct keyset **channels;
	size_t n_channels;
};

/* Opens the store at path (some 30 ms a month, of every channel, too; 13 ms a trusted domain).
 * Returns 0, or as keystore_load(), keystore_domain() and keystore_keyset() with diag set. */
int key_ring_open(const struct curves *curves, const char *path, int64_t now_s,
		  struct key_ring **ring_out, struct diag *diag);
/* Wipes and frees *ringp with store, domain and keys, and sets it to NULL; *ringp may be
 * NULL. */
void key_ring_close(struct key_ring **ringp);

/* Applies a month's update to the store on disk (keystore_apply_update) and opens
 * it anew; one that is there already is opened only.  Returns 0, -EBUSY (another program is
 * changing the store), or as those; the old ring stays usable in any case. */
int key_ring_update(const struct key_ring *ring, int64_t month, uint32_t revision,
		    struct slice entry, struct slice shared, int64_t now_s,
		    struct key_ring **ring_out, struct diag *diag);

/* Wipes from the store on disk what is past (keystore_expire).  Returns 1 when
 * something was, or another set of certificates or channels holds by now, and then the store opened
 * anew; 0 when there was nothing, or as those; the old ring stays usable in any case. */
int key_ring_expire(const struct key_ring *ring, int64_t now_s, struct key_ring **ring_out,
		    struct diag *diag);

/* The rendezvous at that address accepted the login of that TLS identity: forgets in the
 * store on disk those that it replaces (keystore_login_accepted).  Returns as
 * key_ring_expire(). */
int key_ring_accept(const struct key_ring *ring, const char *address, const char *identity,
		    int64_t now_s, struct key_ring **ring_out, struct diag *diag);

/* Pins a URI to a domain (keystore_pin), on disk and in the ring's own store.  Returns 0, -EBUSY,
 * or as keystore_load(), keystore_pin() and keystore_save(), then with nothing changed. */
int key_ring_pin(struct key_ring *ring, struct slice uri, const uint8_t *domain_id,
		 struct diag *diag);

#endif
