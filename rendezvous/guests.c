/* guests.c - the temporary clients of health checks.
 *
 * A handful of places and no list: checks come from an operator, seldom two at a time, and each
 * is over in a minute.
 */
#include "rendezvous/guests.h"

#include <stdlib.h>
#include <string.h>

#include "keys/account.h"

struct check {
	char account[ACCOUNT_ID_MAX + 1];
	char id[GUESTS_ID + 1];
	int64_t until_ms; /* 0: this place is free */
};

struct guests {
	struct check check[GUESTS_CHECKS_MAX];
};

struct guests *guests_new(void)
{
	return calloc(1, sizeof(struct guests));
}

void guests_free(struct guests **guestsp)
{
	free(*guestsp);
	*guestsp = NULL;
}

bool guests_is_name(struct slice uri)
{
	size_t n = strlen(GUESTS_PREFIX);

	return uri.n > n && memcmp(uri.p, GUESTS_PREFIX, n) == 0;
}

/* The free place, or that of the check which has the least time left. */
static struct check *place(struct guests *guests)
{
	struct check *oldest = &guests->check[0];

	for (int i = 1; i < GUESTS_CHECKS_MAX; i++) {
		if (guests->check[i].until_ms < oldest->until_ms)
			oldest = &guests->check[i];
	}
	return oldest;
}

void guests_announce(struct guests *guests, const char *account, const char *id, int64_t now_ms)
{
	struct check *check = place(guests);

	if (strlen(id) != GUESTS_ID || strlen(account) > ACCOUNT_ID_MAX)
		return;
	/* An id is not looked for first: it is random (control_api.c) and comes once. */
	memcpy(check->account, account, strlen(account) + 1);
	memcpy(check->id, id, GUESTS_ID + 1);
	check->until_ms = now_ms + GUESTS_STAY_MS;
}

/* "PREFIX INDEX - ID": the id behind the last dash. */
const char *guests_account_of(const struct guests *guests, struct slice uri)
{
	struct slice id;

	if (!guests_is_name(uri) || uri.n < strlen(GUESTS_PREFIX) + 2 + GUESTS_ID)
		return NULL;
	id = slice_from(uri, uri.n - GUESTS_ID);
	if (id.p[-1] != '-')
		return NULL;
	for (int i = 0; i < GUESTS_CHECKS_MAX; i++) {
		const struct check *check = &guests->check[i];

		if (check->until_ms && slice_eq_str(id, check->id))
			return check->account;
	}
	return NULL;
}

bool guests_expire(struct guests *guests, int64_t now_ms)
{
	bool any = false;

	for (int i = 0; i < GUESTS_CHECKS_MAX; i++) {
		struct check *check = &guests->check[i];

		if (check->until_ms && check->until_ms <= now_ms) {
			memset(check, 0, sizeof(*check));
			any = true;
		}
	}
	return any;
}
