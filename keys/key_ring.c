#include "keys/key_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "keys/domain.h"
#include "keys/keyset.h"

/* The domain needs the store's KPAK and Z, the keyset the domain. */
static int load(struct key_ring *ring, struct diag *diag)
{
	int err = keystore_load(ring->path, KEYSTORE_READ, &ring->store, diag);

	if (err)
		return err;
	err = keystore_domain(ring->store, ring->curves, &ring->domain);
	if (!err)
		err = keystore_keyset(ring->store, ring->curves, ring->domain, &ring->keyset);
	if (err)
		diag_error(diag, NULL, "%s: its keys are not usable: %s", ring->path,
			   strerror(-err));
	return err;
}

int key_ring_open(const struct curves *curves, const char *path, struct key_ring **ring_out,
		  struct diag *diag)
{
	struct key_ring *ring = calloc(1, sizeof(*ring));
	int err;

	if (!ring)
		return -ENOMEM;
	ring->curves = curves;
	ring->path = strdup(path);
	err = ring->path ? load(ring, diag) : -ENOMEM;
	if (err) {
		key_ring_close(&ring);
		return err;
	}
	*ring_out = ring;
	return 0;
}

void key_ring_close(struct key_ring **ringp)
{
	struct key_ring *ring = *ringp;

	if (!ring)
		return;
	*ringp = NULL;
	keyset_free(&ring->keyset);
	domain_free(&ring->domain);
	keystore_free(&ring->store);
	free(ring->path);
	free(ring);
}

/* The store on disk is changed first and read again then: what is in use is what would be
 * read after a crash. */
int key_ring_update(const struct key_ring *ring, int64_t month, uint32_t revision,
		    struct slice entry, struct slice shared, int64_t now_s,
		    struct key_ring **ring_out, struct diag *diag)
{
	struct keystore *store = NULL;
	int err = keystore_load(ring->path, KEYSTORE_CHANGE, &store, diag);

	if (!err)
		err = keystore_apply_update(store, ring->curves, month, revision, entry, shared,
					    now_s, diag);
	keystore_free(&store);
	return err ? err : key_ring_open(ring->curves, ring->path, ring_out, diag);
}

/* Saves a changed store and opens it anew; frees it in any case. */
static int adopt(const struct key_ring *ring, struct keystore *store, bool changed, int err,
		 struct key_ring **ring_out, struct diag *diag)
{
	if (changed)
		err = keystore_save(store);
	keystore_free(&store);
	if (!err && changed)
		err = key_ring_open(ring->curves, ring->path, ring_out, diag);
	return err ? err : changed;
}

/* Nothing is written, nor opened anew, where nothing is past. */
int key_ring_expire(const struct key_ring *ring, int64_t now_s, struct key_ring **ring_out,
		    struct diag *diag)
{
	struct keystore *store = NULL;
	int err = keystore_load(ring->path, KEYSTORE_CHANGE, &store, diag);
	bool changed = !err && keystore_expire(store, now_s);

	return adopt(ring, store, changed, err, ring_out, diag);
}

/* By what it is, not by its place: the store on disk may have other logins by now. */
static bool accept_login(struct keystore *store, const char *address, const char *identity,
			 int64_t now_s)
{
	struct keystore_login login;

	for (size_t i = 0; keystore_login_at(store, now_s, i, &login); i++)
		if (strcmp(login.address, address) == 0 && strcmp(login.identity, identity) == 0)
			return keystore_login_accepted(store, now_s, i);
	return false;
}

int key_ring_accept(const struct key_ring *ring, const char *address, const char *identity,
		    int64_t now_s, struct key_ring **ring_out, struct diag *diag)
{
	struct keystore *store = NULL;
	int err = keystore_load(ring->path, KEYSTORE_CHANGE, &store, diag);
	bool changed = !err && accept_login(store, address, identity, now_s);

	return adopt(ring, store, changed, err, ring_out, diag);
}
