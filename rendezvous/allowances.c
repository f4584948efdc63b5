/* allowances.c - a table of users by name and, of those without connection, a list by
 * the time they left. */
#include "rendezvous/allowances.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "base/idmap.h"
#include "base/slice.h"
#include "rendezvous/keyhash.h"

struct allowance {
	struct idmap_node node;
	TAILQ_ENTRY(allowance) in_idle; /* without connections */
	unsigned connections;
	int64_t left_ms;
	struct request_limits limits;
	size_t n;
	char name[]; /* "URI ACCOUNT"; no URI has a blank */
};

TAILQ_HEAD(allowance_list, allowance);

struct allowances {
	struct idmap by_name;
	struct keyhash hash;
	struct allowance_list idle; /* the longest without connection first */
	size_t n_idle;
};

struct allowances *allowances_new(void)
{
	struct allowances *allowances = calloc(1, sizeof(*allowances));

	if (!allowances)
		return NULL;
	TAILQ_INIT(&allowances->idle);
	if (keyhash_init(&allowances->hash) || idmap_init(&allowances->by_name)) {
		free(allowances);
		return NULL;
	}
	return allowances;
}

static void no_longer_idle(struct allowances *allowances, struct allowance *allowance)
{
	TAILQ_REMOVE(&allowances->idle, allowance, in_idle);
	allowances->n_idle--;
}

static void drop(struct allowances *allowances, struct allowance *allowance)
{
	no_longer_idle(allowances, allowance);
	idmap_remove(&allowances->by_name, &allowance->node);
	free(allowance);
}

void allowances_free(struct allowances **allowancesp)
{
	struct allowances *allowances = *allowancesp;
	struct allowance *allowance;

	if (!allowances)
		return;
	/* All that are left are idle: every connection has given back what it had
	 * (allowances.h). */
	while ((allowance = TAILQ_FIRST(&allowances->idle)))
		drop(allowances, allowance);
	idmap_done(&allowances->by_name);
	free(allowances);
	*allowancesp = NULL;
}

static struct allowance *find(const struct allowances *allowances, const struct allowance *like,
			      uint64_t key)
{
	struct idmap_node *node = idmap_first(&allowances->by_name, key);

	for (; node; node = idmap_next(node)) {
		struct allowance *allowance = IDMAP_OWNER(node, struct allowance, node);

		if (slice_eq(slice_of(like->name, like->n),
			     slice_of(allowance->name, allowance->n)))
			return allowance;
	}
	return NULL;
}

struct allowance *allowance_join(struct allowances *allowances, const char *account,
				 const char *uri)
{
	size_t uri_n = strlen(uri), account_n = strlen(account);
	/* Made first: its name is what is looked for. */
	struct allowance *made = calloc(1, sizeof(*made) + uri_n + 1 + account_n), *found;
	uint64_t key;

	if (!made)
		return NULL;
	made->n = uri_n + 1 + account_n;
	memcpy(made->name, uri, uri_n);
	made->name[uri_n] = ' ';
	memcpy(made->name + uri_n + 1, account, account_n);
	/* Hashed with a secret of this process: who chooses URIs cannot choose buckets. */
	key = keyhash_of(&allowances->hash, slice_of(made->name, made->n));
	found = find(allowances, made, key);
	if (!found) {
		idmap_put(&allowances->by_name, &made->node, key);
		made->connections = 1;
		return made;
	}
	free(made);
	/* Not filled up: who comes back within the time has what he left, which is the point of
	 * it all. */
	if (found->connections++ == 0)
		no_longer_idle(allowances, found);
	return found;
}

void allowance_leave(struct allowances *allowances, struct allowance **allowancep, int64_t now_ms)
{
	struct allowance *allowance = *allowancep, *oldest;

	*allowancep = NULL;
	if (!allowance || --allowance->connections > 0)
		return;
	allowance->left_ms = now_ms;
	TAILQ_INSERT_TAIL(&allowances->idle, allowance, in_idle);
	allowances->n_idle++;
	/* Both ends are bounded without a timer: whoever leaves clears up. */
	while ((oldest = TAILQ_FIRST(&allowances->idle)) &&
	       (allowances->n_idle > ALLOWANCES_IDLE_MAX ||
		now_ms - oldest->left_ms > ALLOWANCE_KEEP_MS))
		drop(allowances, oldest);
}

struct request_limits *allowance_limits(struct allowance *allowance)
{
	return &allowance->limits;
}
