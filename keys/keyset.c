/* keyset.c - the keys of one identity, a counted object for each period.
 *
 * The list holds each object once; a call that began in a month holds its keys beyond the month's
 * end, and the last holder wipes them, in whatever thread it is.
 */
#include "keys/keyset_priv.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "keys/domain_priv.h"
#include "keys/secret.h"

struct period_keys {
	atomic_uint holders;
	struct period_keys *next; /* the keyset's: the holder of the list counts once */
	const struct domain *domain;
	int64_t period;
	char uri[IDENTITY_URI_MAX + 1];
	uint8_t identifier[IDENTIFIER_MAX];
	size_t identifier_len;
	bool can_sign;
	struct eccsi_signer signer;
	struct sakke_receiver *receiver;
};

struct keyset {
	const struct domain *domain;
	char uri[IDENTITY_URI_MAX + 1];
	struct period_keys *first;
};

int keyset_new(const struct domain *domain, struct slice uri, struct keyset **keyset_out)
{
	struct keyset *keyset;

	if (identity_check(uri, NULL) < 0)
		return -EINVAL;
	keyset = calloc(1, sizeof(*keyset));
	if (!keyset)
		return -ENOMEM;
	keyset->domain = domain;
	memcpy(keyset->uri, uri.p, uri.n);
	*keyset_out = keyset;
	return 0;
}

void keyset_free(struct keyset **keysetp)
{
	if (*keysetp)
		keyset_drop_before(*keysetp, INT64_MAX);
	free(*keysetp);
	*keysetp = NULL;
}

const char *keyset_uri(const struct keyset *keyset)
{
	return keyset->uri;
}

const struct domain *keyset_domain(const struct keyset *keyset)
{
	return keyset->domain;
}

/* Channels have receiver keys only: their members sign as themselves. */
static int load_signer(struct period_keys *loaded, const struct issued_keys *keys)
{
	if (!keys->can_sign)
		return 0;
	loaded->can_sign = true;
	return eccsi_signer_init(domain_curves(loaded->domain)->eccsi, domain_kpak(loaded->domain),
				 period_keys_identifier(loaded), keys->ssk, keys->pvt,
				 &loaded->signer);
}

/* Every key is checked against the domain as it is loaded (RFC 6507 5.1.2, RFC 6508 6.1.2):
 * what a letter or an update brings may be damaged, or another domain's. */
static int load(struct period_keys *loaded, const struct issued_keys *keys)
{
	int err = domain_identifier(loaded->domain, slice_str(loaded->uri), loaded->period,
				    loaded->identifier, &loaded->identifier_len);

	if (!err)
		err = load_signer(loaded, keys);
	if (!err)
		err = sakke_receiver_new(domain_kms(loaded->domain), period_keys_identifier(loaded),
					 slice_of(keys->rsk, RSK_OCTETS), &loaded->receiver);
	return err == -EINVAL ? -EKEYREJECTED : err;
}

/* Takes the period's keys out of the list and lets them go. */
static void drop(struct period_keys **at)
{
	struct period_keys *keys = *at;

	*at = keys->next;
	period_keys_release(&keys);
}

static void drop_period(struct keyset *keyset, int64_t period)
{
	for (struct period_keys **at = &keyset->first; *at; at = &(*at)->next)
		if ((*at)->period == period) {
			drop(at);
			return;
		}
}

/* A period's keys are replaced whole; who still holds the former ones keeps them. */
int keyset_add(struct keyset *keyset, int64_t period, const struct issued_keys *keys)
{
	struct period_keys *loaded = calloc(1, sizeof(*loaded));
	int err;

	if (!loaded)
		return -ENOMEM;
	atomic_init(&loaded->holders, 1);
	loaded->domain = keyset->domain;
	loaded->period = period;
	memcpy(loaded->uri, keyset->uri, sizeof(loaded->uri));
	err = load(loaded, keys);
	if (err) {
		period_keys_release(&loaded);
		return err;
	}
	drop_period(keyset, period);
	loaded->next = keyset->first; /* the keyset holds it from here */
	keyset->first = loaded;
	return 0;
}

void keyset_drop_before(struct keyset *keyset, int64_t period)
{
	struct period_keys **at = &keyset->first;

	while (*at)
		if ((*at)->period < period)
			drop(at);
		else
			at = &(*at)->next;
}

static struct period_keys *find(const struct keyset *keyset, int64_t period)
{
	for (struct period_keys *keys = keyset->first; keys; keys = keys->next)
		if (keys->period == period)
			return keys;
	return NULL;
}

bool keyset_has(const struct keyset *keyset, int64_t period)
{
	return find(keyset, period) != NULL;
}

int64_t keyset_newest(const struct keyset *keyset)
{
	int64_t newest = -1;

	for (const struct period_keys *keys = keyset->first; keys; keys = keys->next)
		if (keys->period > newest)
			newest = keys->period;
	return newest;
}

struct period_keys *keyset_hold(const struct keyset *keyset, int64_t period)
{
	struct period_keys *keys = find(keyset, period);

	return keys ? period_keys_hold(keys) : NULL;
}

struct period_keys *period_keys_hold(struct period_keys *keys)
{
	/* Only a holder may pass it on, so the count is never seen at 0 here. */
	atomic_fetch_add(&keys->holders, 1);
	return keys;
}

/* Whoever uses a period's keys may hold them beyond its end: the last one wipes. */
void period_keys_release(struct period_keys **keysp)
{
	struct period_keys *keys = *keysp;

	*keysp = NULL;
	if (!keys || atomic_fetch_sub(&keys->holders, 1) != 1)
		return;
	sakke_receiver_free(&keys->receiver);
	wipe(keys, sizeof(*keys));
	free(keys);
}

int64_t period_keys_period(const struct period_keys *keys)
{
	return keys->period;
}

const char *period_keys_uri(const struct period_keys *keys)
{
	return keys->uri;
}

const struct domain *period_keys_domain(const struct period_keys *keys)
{
	return keys->domain;
}

bool period_keys_can_sign(const struct period_keys *keys)
{
	return keys->can_sign;
}

const struct sakke_receiver *period_keys_receiver(const struct period_keys *keys)
{
	return keys->receiver;
}

const struct eccsi_signer *period_keys_signer(const struct period_keys *keys)
{
	return &keys->signer;
}

struct slice period_keys_identifier(const struct period_keys *keys)
{
	return slice_of(keys->identifier, keys->identifier_len);
}
