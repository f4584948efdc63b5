/* keyset.h - the loaded keys of one own identity, period by period.
 *
 * Every period's keys are checked when they are added (RFC 6507 5.1.2, RFC 6508
 * 6.1.2) and made ready: some 35 ms and 0.8 MB each.  A gateway or caller keeps
 * this month's and the next one's, and past ones while messages of theirs may
 * still come.
 *
 * Threads: a keyset belongs to one thread.  The period_keys that it hands out
 * are immutable and counted: hold one in that thread, use it in any, release it
 * in any.  They outlive the keyset, not its domain or curves.
 */
#ifndef KEYS_KEYSET_H
#define KEYS_KEYSET_H

#include "base/slice.h"
#include "keys/issued.h"

struct curves;
struct domain;
struct keyset;
struct period_keys;

/* An empty keyset for uri in domain; uri is copied.  Returns 0, -EINVAL when it
 * is no identity, -ENOMEM. */
int keyset_new(const struct domain *domain, struct slice uri, struct keyset **keyset_out);

/* Wipes what nobody else holds. */
void keyset_free(struct keyset **keysetp);

/* Whose keys, and of which domain; as long as the set. */
const char *keyset_uri(const struct keyset *keyset);
/* The domain that the set was made in; borrowed. */
const struct domain *keyset_domain(const struct keyset *keyset);

/* Checks and adds keys (copied; the caller wipes its own) for a period as
 * domain_period() counts it; a period that is there is replaced.
 * Returns 0, -EKEYREJECTED when they do not belong to this identity, period and
 * domain, -ENOMEM. */
int keyset_add(struct keyset *keyset, int64_t period, const struct issued_keys *keys);

/* Drops every period before this one. */
void keyset_drop_before(struct keyset *keyset, int64_t period);

/* Are the keys of that period loaded? */
bool keyset_has(const struct keyset *keyset, int64_t period);

/* The newest period there, or -1. */
int64_t keyset_newest(const struct keyset *keyset);

/* The loaded keys of a period, or NULL; release them. */
struct period_keys *keyset_hold(const struct keyset *keyset, int64_t period);
/* One holder more; returns keys.  Holders may be in different threads. */
struct period_keys *period_keys_hold(struct period_keys *keys);
void period_keys_release(struct period_keys **keysp);

/* The period (keys/period.h) of the identity. */
int64_t period_keys_period(const struct period_keys *keys);
/* The identity's URI; as long as the keys are held. */
const char *period_keys_uri(const struct period_keys *keys);
/* The domain of the identity; borrowed. */
const struct domain *period_keys_domain(const struct period_keys *keys);

/* Can they sign, or is this a channel's receiver key? */
bool period_keys_can_sign(const struct period_keys *keys);

#endif
