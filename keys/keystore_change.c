/* keystore_change.c - months, logins and pins of a store, and what time does to them. */
#include "keys/keystore.h"

#include <errno.h>
#include <stdlib.h>

#include "keys/keystore_priv.h"
#include "keys/period.h"
#include "keys/secret.h"

/* ---- months and logins ---- */

struct store_month *store_month_find(struct store *store, int64_t month)
{
	for (size_t i = 0; i < store->n_months; i++)
		if (store->months[i].keys.month == month)
			return &store->months[i];
	return NULL;
}

/* Takes the first month off; the others move up. */
static void drop_first_month(struct store *store)
{
	store_month_clear(&store->months[0]);
	store->n_months--;
	memmove(&store->months[0], &store->months[1], store->n_months * sizeof(store->months[0]));
	wipe(&store->months[store->n_months], sizeof(store->months[0]));
}

struct store_month *store_month_make(struct store *store, int64_t month)
{
	struct store_month *there = store_month_find(store, month);
	size_t at = 0;

	if (there)
		return there;
	if (store->n_months == STORE_MONTHS_MAX) {
		/* Full of later ones: what is asked for would be the next to go. */
		if (month < store->months[0].keys.month)
			return NULL;
		drop_first_month(store);
	}
	while (at < store->n_months && store->months[at].keys.month < month)
		at++;
	memmove(&store->months[at + 1], &store->months[at],
		(store->n_months - at) * sizeof(store->months[0]));
	store->n_months++;
	store->months[at] = (struct store_month){ .keys.month = month };
	return &store->months[at];
}

static bool login_same(const struct store_login *a, const struct store_login *b)
{
	return strcmp(a->address, b->address) == 0 && strcmp(a->account, b->account) == 0 &&
	       strcmp(a->tls_identity, b->tls_identity) == 0 &&
	       secret_eq(slice_of(a->tls_key, sizeof(a->tls_key)),
			 slice_of(b->tls_key, sizeof(b->tls_key)));
}

void store_login_add(struct store *store, const struct store_login *login)
{
	size_t at = 0;

	while (at < store->n_logins && store->logins[at].month > login->month)
		at++;
	/* The one that holds at that time anyway says the same? */
	if (at < store->n_logins && login_same(login, &store->logins[at]))
		return;
	if (at == STORE_LOGINS_MAX)
		return;
	if (store->n_logins == STORE_LOGINS_MAX)
		store->n_logins--;
	memmove(&store->logins[at + 1], &store->logins[at],
		(store->n_logins - at) * sizeof(store->logins[0]));
	store->logins[at] = *login;
	store->n_logins++;
}

/* ---- time ---- */

/* A message of a month's last second may be fetched so long after it. */
static int64_t lifetime_of(const struct store *store)
{
	return store->settings.max_message_lifetime ? (int64_t)store->settings.max_message_lifetime
						    : KEYSTORE_LIFETIME_S;
}

bool store_month_gone(const struct store *store, int64_t month, int64_t now_s)
{
	return period_start(month + 1) + lifetime_of(store) <= now_s;
}

/* Leaves the receiver key alone: the last part of the packed keys. */
static void drop_signing_key(struct store_month *month)
{
	uint8_t rsk[ISSUED_PACKED_RECEIVER];

	memcpy(rsk, month->keys.packed + ISSUED_PACKED - sizeof(rsk), sizeof(rsk));
	wipe(month->keys.packed, sizeof(month->keys.packed));
	memcpy(month->keys.packed, rsk, sizeof(rsk));
	month->packed_n = sizeof(rsk);
	wipe(rsk, sizeof(rsk));
}

bool keystore_expire(struct keystore *ks, int64_t now_s)
{
	struct store *store = &ks->store;
	bool changed = false;

	while (store->n_months && store_month_gone(store, store->months[0].keys.month, now_s)) {
		drop_first_month(store);
		changed = true;
	}
	for (size_t i = 0; i < store->n_months; i++) {
		struct store_month *month = &store->months[i];

		if (month->packed_n == ISSUED_PACKED &&
		    period_start(month->keys.month + 1) <= now_s) {
			drop_signing_key(month);
			changed = true;
		}
	}
	return changed;
}

/* ---- pins ---- */

/* One goes where all places are taken: the oldest of that domain, and only for a domain that has
 * none the oldest of all.  So a domain that vouches for thousands of URIs pushes out its own pins,
 * not those that keep it from taking over another one's. */
static void make_room(struct store *store, const uint8_t *domain_id)
{
	size_t goes = 0;

	for (size_t i = 0; i < store->n_pins; i++)
		if (memcmp(store->pins[i].domain, domain_id, STORE_DOMAIN_ID) == 0) {
			goes = i;
			break;
		}
	store->n_pins--;
	memmove(&store->pins[goes], &store->pins[goes + 1],
		(store->n_pins - goes) * sizeof(*store->pins));
}

int keystore_pin(struct keystore *ks, struct slice uri, const uint8_t *domain_id)
{
	struct store *store = &ks->store;
	struct store_pin *pin = NULL, *more;

	if (identity_check(uri, NULL))
		return -EINVAL;
	for (size_t i = 0; i < store->n_pins; i++)
		if (slice_eq_str(uri, store->pins[i].uri))
			pin = &store->pins[i];
	if (!pin) {
		if (store->n_pins == STORE_PINS_MAX)
			make_room(store, domain_id);
		more = realloc(store->pins, (store->n_pins + 1) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		store->pins = more;
		pin = &store->pins[store->n_pins++];
		*pin = (struct store_pin){ 0 };
		memcpy(pin->uri, uri.p, uri.n);
	}
	memcpy(pin->domain, domain_id, STORE_DOMAIN_ID);
	return 0;
}
