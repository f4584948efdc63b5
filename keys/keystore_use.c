/* keystore_use.c - the keys of a store, loaded. */
#include "keys/keystore.h"

#include <errno.h>

#include "keys/domain.h"
#include "keys/keyset.h"
#include "keys/keystore_priv.h"
#include "keys/period.h"

static int make_domain(const struct update_domain *from, const struct curves *curves,
		       struct domain **domain_out)
{
	int err = domain_new(curves, from->name, slice_of(from->kpak, sizeof(from->kpak)),
			     slice_of(from->z, sizeof(from->z)), domain_out);

	return err == -EINVAL ? -EKEYREJECTED : err;
}

int keystore_domain(const struct keystore *ks, const struct curves *curves,
		    struct domain **domain_out)
{
	return make_domain(&ks->store.domain, curves, domain_out);
}

int keystore_trusted_domain(const struct keystore *ks, const struct curves *curves, size_t i,
			    struct domain **domain_out, uint64_t *not_before_out,
			    uint64_t *not_after_out)
{
	const struct update_common *common = &ks->store.common;
	int err;

	if (i >= common->n_domains)
		return -ENOENT;
	err = make_domain(&common->domains[i], curves, domain_out);
	if (err)
		return err;
	*not_before_out = common->domains[i].not_before;
	*not_after_out = common->domains[i].not_after;
	return 0;
}

/* Unpacks, checks and adds the keys of a month. */
static int add_packed(struct keyset *keyset, const struct curves *curves, int64_t month,
		      struct slice packed)
{
	struct issued_keys keys;
	int err = issued_unpack(curves, packed, &keys);

	if (err)
		return err == -EINVAL ? -EKEYREJECTED : err;
	err = keyset_add(keyset, month, &keys);
	issued_wipe(&keys);
	return err;
}

static int add_month(struct keyset *keyset, const struct curves *curves,
		     const struct store_month *month)
{
	return add_packed(keyset, curves, month->keys.month,
			  slice_of(month->keys.packed, month->packed_n));
}

static int add_channel(struct keyset *keyset, const struct curves *curves,
		       const struct store_month *month, struct slice uri)
{
	for (size_t i = 0; i < month->n_channels; i++)
		if (slice_eq_str(uri, month->channels[i].uri))
			return add_packed(keyset, curves, month->keys.month,
					  slice_of(month->channels[i].rsk, ISSUED_PACKED_RECEIVER));
	return -ENOENT;
}

/* By loading them, which checks each key against the domain's KPAK and Z (RFC 6507 5.1.2, RFC
 * 6508 6.1.2): an update with keys that are not this user's never gets into the store. */
int store_check_month(const struct store *store, const struct curves *curves,
		      const struct domain *domain, const struct store_month *month)
{
	struct keyset *keyset;
	int err = keyset_new(domain, slice_str(store->uri), &keyset);

	if (err)
		return err;
	err = add_month(keyset, curves, month);
	keyset_free(&keyset);
	/* Each channel with a keyset of its own, as a keyset is of one identity. */
	for (size_t i = 0; !err && i < month->n_channels; i++) {
		struct slice uri = slice_str(month->channels[i].uri);

		err = keyset_new(domain, uri, &keyset);
		if (!err)
			err = add_channel(keyset, curves, month, uri);
		keyset_free(&keyset);
	}
	return err;
}

int keystore_keyset(const struct keystore *ks, const struct curves *curves,
		    const struct domain *domain, struct keyset **keyset_out)
{
	struct keyset *keyset;
	int err = keyset_new(domain, slice_str(ks->store.uri), &keyset);

	if (err)
		return err;
	for (size_t i = 0; !err && i < ks->store.n_months; i++)
		err = add_month(keyset, curves, &ks->store.months[i]);
	if (err) {
		keyset_free(&keyset);
		return err;
	}
	*keyset_out = keyset;
	return 0;
}

/* The newest month that has begun, or the earliest. */
static const struct store_month *begun_month(const struct store *store, int64_t now_s)
{
	int64_t now = period_of(now_s);

	for (size_t i = store->n_months; i-- > 0;)
		if (store->months[i].keys.month <= now)
			return &store->months[i];
	/* The clock is before all of them: better the first month's channels than none. */
	return store->n_months ? &store->months[0] : NULL;
}

size_t keystore_channels(const struct keystore *ks, int64_t now_s)
{
	const struct store_month *month = begun_month(&ks->store, now_s);

	return month ? month->n_channels : 0;
}

int keystore_channel_at(const struct keystore *ks, int64_t now_s, size_t i, const char **uri_out,
			const char **name_out)
{
	const struct store_month *month = begun_month(&ks->store, now_s);

	if (!month || i >= month->n_channels)
		return -ENOENT;
	*uri_out = month->channels[i].uri;
	*name_out = month->channels[i].name;
	return 0;
}

int keystore_channel_keyset(const struct keystore *ks, const struct curves *curves,
			    const struct domain *domain, struct slice uri,
			    struct keyset **keyset_out)
{
	struct keyset *keyset;
	bool found = false;
	int err = keyset_new(domain, uri, &keyset);

	if (err)
		return err == -EINVAL ? -ENOENT : err;
	for (size_t i = 0; !err && i < ks->store.n_months; i++) {
		err = add_channel(keyset, curves, &ks->store.months[i], uri);
		found = found || !err;
		/* A member since this month has no keys of the months before. */
		err = err == -ENOENT ? 0 : err;
	}
	if (!err && !found)
		err = -ENOENT;
	if (err) {
		keyset_free(&keyset);
		return err;
	}
	*keyset_out = keyset;
	return 0;
}
