/* key_ring.c - a key store as a running program uses it: read, checked, made ready, and made anew
 * when an update, a letter or time changes it.
 *
 * A ring is replaced, never changed, as threads may hold parts of it.  The one exception is a
 * pin, which is the owner's own list.
 */
#include "keys/key_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "keys/domain.h"
#include "keys/keyset.h"

/* ---- trusted domains ---- */

/* Domain i of the last update, if its certificate holds at now_s: 1 with *domain_out, 0 if not,
 * -ENOENT behind the last, -errno. */
static int trusted_at(const struct key_ring *ring, int64_t now_s, size_t i,
		      struct domain **domain_out)
{
	uint64_t from, to, now = now_s > 0 ? (uint64_t)now_s : 0;
	int err = keystore_trusted_domain(ring->store, ring->curves, i, domain_out, &from, &to);

	if (err)
		return err;
	if (now >= from && (to == 0 || now < to))
		return 1;
	domain_free(domain_out);
	return 0;
}

static int load_trusted(struct key_ring *ring, int64_t now_s)
{
	struct domain *domain = NULL, **more;
	int err;

	for (size_t i = 0; (err = trusted_at(ring, now_s, i, &domain)) >= 0; i++) {
		if (!err)
			continue;
		more = realloc(ring->trusted, (ring->n_trusted + 1) * sizeof(struct domain *));
		if (!more) {
			domain_free(&domain);
			return -ENOMEM;
		}
		ring->trusted = more;
		ring->trusted[ring->n_trusted++] = domain;
	}
	return err == -ENOENT ? 0 : err;
}

/* ---- channels ---- */

static int load_channels(struct key_ring *ring, int64_t now_s)
{
	size_t n = keystore_channels(ring->store, now_s);
	const char *uri, *name;
	int err = 0;

	ring->channels = calloc(n + 1, sizeof(struct keyset *));
	if (!ring->channels)
		return -ENOMEM;
	for (size_t i = 0; !err && i < n; i++) {
		err = keystore_channel_at(ring->store, now_s, i, &uri, &name);
		if (!err)
			err = keystore_channel_keyset(ring->store, ring->curves, ring->domain,
						      slice_str(uri),
						      &ring->channels[ring->n_channels]);
		ring->n_channels += !err;
	}
	return err;
}

/* Are the certificates that hold at now_s those that the ring has?  Their order is the update's,
 * in both. */
static bool same_trusted(const struct key_ring *ring, int64_t now_s)
{
	struct domain *domain;
	size_t valid = 0, same = 0;
	int found;

	for (size_t i = 0; (found = trusted_at(ring, now_s, i, &domain)) >= 0; i++) {
		if (!found)
			continue;
		same += valid < ring->n_trusted &&
			memcmp(domain_id(ring->trusted[valid]), domain_id(domain), DOMAIN_ID) == 0;
		valid++;
		domain_free(&domain);
	}
	return valid == ring->n_trusted && same == valid;
}

/* Does time want other certificates or channels than the ring has? */
static bool outdated(const struct key_ring *ring, int64_t now_s)
{
	size_t n = keystore_channels(ring->store, now_s), same = 0;
	const char *uri, *name;

	for (size_t i = 0; i < n && i < ring->n_channels; i++)
		same += keystore_channel_at(ring->store, now_s, i, &uri, &name) == 0 &&
			strcmp(uri, keyset_uri(ring->channels[i])) == 0;
	return same != n || n != ring->n_channels || !same_trusted(ring, now_s);
}

/* ---- opening ---- */

/* The domain needs the store's KPAK and Z, the keyset the domain. */
static int load(struct key_ring *ring, int64_t now_s, struct diag *diag)
{
	int err = keystore_load(ring->path, KEYSTORE_READ, &ring->store, diag);

	if (err)
		return err;
	err = keystore_domain(ring->store, ring->curves, &ring->domain);
	if (!err)
		err = keystore_keyset(ring->store, ring->curves, ring->domain, &ring->keyset);
	if (!err)
		err = load_trusted(ring, now_s);
	if (!err)
		err = load_channels(ring, now_s);
	if (err)
		diag_error(diag, NULL, "%s: its keys are not usable: %s", ring->path,
			   strerror(-err));
	return err;
}

int key_ring_open(const struct curves *curves, const char *path, int64_t now_s,
		  struct key_ring **ring_out, struct diag *diag)
{
	struct key_ring *ring = calloc(1, sizeof(*ring));
	int err;

	if (!ring)
		return -ENOMEM;
	ring->curves = curves;
	ring->path = strdup(path);
	err = ring->path ? load(ring, now_s, diag) : -ENOMEM;
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
	for (size_t i = 0; i < ring->n_channels; i++)
		keyset_free(&ring->channels[i]);
	free(ring->channels);
	for (size_t i = 0; i < ring->n_trusted; i++)
		domain_free(&ring->trusted[i]);
	free(ring->trusted);
	keyset_free(&ring->keyset);
	domain_free(&ring->domain);
	keystore_free(&ring->store);
	free(ring->path);
	free(ring);
}

static bool holds(const struct keystore *store, int64_t month, uint32_t revision)
{
	uint32_t held;
	uint64_t created;

	return keystore_month(store, month, &held, &created) && held == revision;
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
	/* On disk, but perhaps not in use: it may have been saved by a call that then had no memory
	 * to open it.  Without this no other call would ever bring its keys. */
	if (err == -ESTALE && holds(store, month, revision))
		err = 0;
	keystore_free(&store);
	return err ? err : key_ring_open(ring->curves, ring->path, now_s, ring_out, diag);
}

/* Saves a changed store and opens it anew; frees it in any case. */
static int adopt(const struct key_ring *ring, struct keystore *store, bool changed, int err,
		 int64_t now_s, struct key_ring **ring_out, struct diag *diag)
{
	bool anew = changed || (!err && outdated(ring, now_s));

	if (changed)
		err = keystore_save(store);
	keystore_free(&store);
	if (!err && anew)
		err = key_ring_open(ring->curves, ring->path, now_s, ring_out, diag);
	return err ? err : anew;
}

/* Nothing is written, nor opened anew, where nothing is past. */
int key_ring_expire(const struct key_ring *ring, int64_t now_s, struct key_ring **ring_out,
		    struct diag *diag)
{
	struct keystore *store = NULL;
	int err = keystore_load(ring->path, KEYSTORE_CHANGE, &store, diag);
	bool changed = !err && keystore_expire(store, now_s);

	return adopt(ring, store, changed, err, now_s, ring_out, diag);
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

	return adopt(ring, store, changed, err, now_s, ring_out, diag);
}

int key_ring_pin(struct key_ring *ring, struct slice uri, const uint8_t *domain_id,
		 struct diag *diag)
{
	struct keystore *store = NULL;
	int err = keystore_load(ring->path, KEYSTORE_CHANGE, &store, diag);

	if (!err)
		err = keystore_pin(store, uri, domain_id);
	if (!err)
		err = keystore_save(store);
	keystore_free(&store);
	/* The domains and keysets of the ring do not depend on it: nothing is opened anew. */
	return err ? err : keystore_pin(ring->store, uri, domain_id);
}
