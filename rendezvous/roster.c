/* roster.c - floors and lists of the accounts' users.
 *
 * A URI is in the roster once, whatever accounts name it: two accounts that both list a number
 * would else take each other's calls. Who has it keeps it, unless he only observed it or deleted
 * it and the other one lists it.
 *
 * Reading a file again, or its lines twice, changes nothing: floors only rise, and of states the
 * last one counts. So what a crash leaves (a floor in the file that nobody was told of, an old
 * line before a newer one) needs no repair.
 */
#include "rendezvous/roster.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/idmap.h"
#include "base/text.h"
#include "keys/account.h"
#include "rendezvous/keyhash.h"

struct account {
	struct account *next;
	char id[ACCOUNT_ID_MAX + 1];
	int64_t applied_s;
	struct user *users;
	size_t count;
};

struct user {
	struct idmap_node node;
	struct user *next; /* of the account */
	struct account *account;
	enum roster_state state;
	uint32_t generation;
	bool known; /* has a state of its own, not only a blacklist entry */
	bool blacklisted, seen;
	size_t n;
	char uri[];
};

struct roster {
	struct idmap by_uri;
	struct keyhash hash;
	struct account *accounts;
	roster_filter_fn *filter;
	void *filter_arg;
};

static const char *const state_names[ROSTER_STATE_COUNT] = {
	[ROSTER_OBSERVED] = "observed",   [ROSTER_LISTED] = "listed",
	[ROSTER_DELETED] = "deleted",     [ROSTER_UNLISTED] = "unlisted",
	[ROSTER_FORGOTTEN] = "forgotten",
};

const char *roster_verdict_text(enum roster_verdict verdict)
{
	switch (verdict) {
	case ROSTER_ADMIT:
	case ROSTER_ADMIT_RAISE:
		return "admitted";
	case ROSTER_DENY_ACCOUNT:
		return "belongs to another account";
	case ROSTER_DENY_DELETED:
		return "deleted";
	case ROSTER_DENY_UNLISTED:
		return "not in the update";
	case ROSTER_DENY_OLD:
		return "old credentials";
	case ROSTER_DENY_BLACKLISTED:
		return "blacklisted";
	}
	return "denied";
}

struct roster *roster_new(roster_filter_fn *filter, void *arg)
{
	struct roster *roster = calloc(1, sizeof(*roster));

	if (!roster)
		return NULL;
	if (keyhash_init(&roster->hash) || idmap_init(&roster->by_uri)) {
		free(roster);
		return NULL;
	}
	roster->filter = filter;
	roster->filter_arg = arg;
	return roster;
}

static void free_users(struct roster *roster, struct account *account)
{
	while (account->users) {
		struct user *user = account->users;

		account->users = user->next;
		idmap_remove(&roster->by_uri, &user->node);
		free(user);
	}
}

void roster_free(struct roster **rosterp)
{
	struct roster *roster = *rosterp;

	if (!roster)
		return;
	while (roster->accounts) {
		struct account *account = roster->accounts;

		roster->accounts = account->next;
		free_users(roster, account);
		free(account);
	}
	idmap_done(&roster->by_uri);
	free(roster);
	*rosterp = NULL;
}

static struct account *find_account(const struct roster *roster, const char *id)
{
	struct account *account = roster->accounts;

	while (account && strcmp(account->id, id) != 0)
		account = account->next;
	return account;
}

static struct account *need_account(struct roster *roster, const char *id)
{
	struct account *account = find_account(roster, id);
	struct buf b;

	if (account)
		return account;
	account = calloc(1, sizeof(*account));
	if (!account)
		return NULL;
	b = BUF_OF(account->id);
	buf_put_str(&b, id);
	account->next = roster->accounts;
	roster->accounts = account;
	return account;
}

/* By URI over all accounts: a URI is one account's, whatever the others list. */
static struct user *find_user(const struct roster *roster, struct slice uri)
{
	uint64_t key = keyhash_of(&roster->hash, uri);
	struct idmap_node *node = idmap_first(&roster->by_uri, key);

	for (; node; node = idmap_next(node)) {
		struct user *user = IDMAP_OWNER(node, struct user, node);

		if (slice_eq(uri, slice_of(user->uri, user->n)))
			return user;
	}
	return NULL;
}

static struct user *add_user(struct roster *roster, struct account *account, struct slice uri)
{
	struct user *user = calloc(1, sizeof(*user) + uri.n + 1);

	if (!user)
		return NULL;
	memcpy(user->uri, uri.p, uri.n);
	user->n = uri.n;
	user->account = account;
	user->next = account->users;
	account->users = user;
	account->count++;
	idmap_put(&roster->by_uri, &user->node, keyhash_of(&roster->hash, uri));
	return user;
}

static void unlink_user(struct user *user)
{
	struct user **at = &user->account->users;

	while (*at != user)
		at = &(*at)->next;
	*at = user->next;
	user->account->count--;
}

static void move_user(struct user *user, struct account *account)
{
	unlink_user(user);
	user->account = account;
	user->next = account->users;
	account->users = user;
	account->count++;
	user->known = false;
	user->blacklisted = false;
	/* Its floor in the former account says nothing of keys that another one makes. */
	user->generation = 0;
}

/* Somebody's user, or was: whom no other account may have for the asking. */
static bool is_owned(const struct user *user)
{
	return user->known && user->state != ROSTER_FORGOTTEN;
}

static bool wanted(const struct roster *roster, struct slice uri)
{
	return !roster->filter || roster->filter(roster->filter_arg, uri);
}

/* The user as this account may change it; NULL without error when it belongs to
 * another account that has a better right. */
static int claim(struct roster *roster, struct account *account, struct slice uri, bool listed,
		 struct user **user_out)
{
	struct user *user = find_user(roster, uri);

	/* A user of another account who is only blacklisted there (not known), or was forgotten,
	 * belongs to nobody: he may be claimed. */
	*user_out = NULL;
	if (!user) {
		*user_out = add_user(roster, account, uri);
		return *user_out ? 0 : -ENOMEM;
	}
	if (user->account != account) {
		/* Who was deleted elsewhere may be somebody's user again, as a number that moves to
		 * another domain is. */
		if (is_owned(user) &&
		    !(listed && (user->state == ROSTER_OBSERVED || user->state == ROSTER_DELETED)))
			return 0;
		move_user(user, account);
	}
	*user_out = user;
	return 0;
}

static int note(struct roster *roster, struct account *account, struct slice uri,
		enum roster_state state, uint32_t generation)
{
	struct user *user;
	int err = claim(roster, account, uri, state == ROSTER_LISTED, &user);

	if (err || !user)
		return err;
	user->known = true;
	user->state = state;
	/* Lines may come in any order of generations; the floor is the highest. */
	if (generation > user->generation)
		user->generation = generation;
	return 0;
}

static struct slice take_word(struct slice *line)
{
	size_t n = 0;
	struct slice word;

	while (n < line->n && line->p[n] != ' ')
		n++;
	word = slice_of(line->p, n);
	*line = slice_from(*line, n < line->n ? n + 1 : n);
	return word;
}

/* 1: the line made sense, 0: it did not, -ENOMEM. */
static int load_line(struct roster *roster, struct account *account, struct slice line)
{
	struct slice word = take_word(&line);
	unsigned long number;

	if (!text_number(take_word(&line), 0, INT64_MAX, &number))
		return 0;
	if (slice_eq_str(word, "applied")) {
		account->applied_s = (int64_t)number;
		return 1;
	}
	for (int s = 0; s < ROSTER_STATE_COUNT; s++) {
		if (!slice_eq_str(word, state_names[s]))
			continue;
		if (number > UINT32_MAX || line.n == 0 || line.n > ACCOUNT_URI_MAX)
			return 0;
		/* Another worker's slot: the line is in order, but not for us. */
		if (!wanted(roster, line))
			return 1;
		return note(roster, account, line, (enum roster_state)s, (uint32_t)number) ? -ENOMEM
											   : 1;
	}
	return 0;
}

int roster_load(struct roster *roster, const char *account_id, struct slice text)
{
	struct account *account = need_account(roster, account_id);
	int bad = 0;

	if (!account)
		return -ENOMEM;
	for (;;) {
		const uint8_t *end = text.n ? memchr(text.p, '\n', text.n) : NULL;
		struct slice line;
		int fine;

		/* A last line without its end was torn off by a crash: whatever it said was not
		 * answered yet. */
		if (!end)
			break;
		line = slice_of(text.p, (size_t)(end - text.p));
		text = slice_from(text, line.n + 1);
		fine = load_line(roster, account, line);
		if (fine < 0)
			return fine;
		bad += !fine;
	}
	return bad;
}

int roster_set_blacklist(struct roster *roster, const char *account_id, struct slice text)
{
	struct account *account = need_account(roster, account_id);

	if (!account)
		return -ENOMEM;
	for (struct user *user = account->users; user; user = user->next)
		user->blacklisted = false;
	while (text.n > 0) {
		/* Here a last line without its end counts: operators write this file with
		 * editors. */
		const uint8_t *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;
		struct slice line = slice_of(text.p, n);
		struct user *user = NULL;

		text = slice_from(text, n + 1);
		if (line.n == 0 || line.n > ACCOUNT_URI_MAX || !wanted(roster, line))
			continue;
		if (claim(roster, account, line, false, &user))
			return -ENOMEM;
		if (user)
			user->blacklisted = true;
	}
	return 0;
}

enum roster_verdict roster_check(const struct roster *roster, const char *account, struct slice uri,
				 uint32_t generation)
{
	const struct user *user = find_user(roster, uri);

	/* Unknown to every update: admitted by his account's keys, and his floor is made
	 * durable first. */
	if (!user)
		return ROSTER_ADMIT_RAISE;
	/* Only blacklisted there, so nobody's user: as if he were not in the roster. */
	if (strcmp(user->account->id, account) != 0)
		return is_owned(user) ? ROSTER_DENY_ACCOUNT : ROSTER_ADMIT_RAISE;
	/* Before all else: an operator's word, effective at once and until he takes it back. */
	if (user->blacklisted)
		return ROSTER_DENY_BLACKLISTED;
	if (!user->known)
		return ROSTER_ADMIT_RAISE;
	if (user->state == ROSTER_DELETED)
		return ROSTER_DENY_DELETED;
	if (user->state == ROSTER_UNLISTED)
		return ROSTER_DENY_UNLISTED;
	if (generation < user->generation)
		return ROSTER_DENY_OLD;
	/* One that was forgotten is observed anew, which has to be durable. */
	return generation > user->generation || user->state == ROSTER_FORGOTTEN ? ROSTER_ADMIT_RAISE
										: ROSTER_ADMIT;
}

int roster_raise(struct roster *roster, const char *account_id, struct slice uri,
		 uint32_t generation)
{
	struct account *account = need_account(roster, account_id);
	struct user *user;
	int err;

	if (!account)
		return -ENOMEM;
	err = claim(roster, account, uri, false, &user);
	/* Another account's after all: its floor is not this one's to raise. */
	if (err || !user)
		return err ? err : -EACCES;
	if (!is_owned(user))
		user->state = ROSTER_OBSERVED;
	user->known = true;
	if (generation > user->generation)
		user->generation = generation;
	return 0;
}

const char *roster_account_of(const struct roster *roster, struct slice uri)
{
	const struct user *user = find_user(roster, uri);

	/* Blacklisted users cannot be called either, and nobody is told why. */
	if (!user || !is_owned(user) || user->blacklisted || user->state == ROSTER_DELETED ||
	    user->state == ROSTER_UNLISTED)
		return NULL;
	return user->account->id;
}

bool roster_has(const struct roster *roster, const char *account, struct slice uri)
{
	const struct user *user = find_user(roster, uri);

	return user && is_owned(user) && strcmp(user->account->id, account) == 0;
}

int roster_apply(struct roster *roster, const char *account_id, int64_t created_s,
		 const struct roster_user *users, size_t count)
{
	struct account *account = need_account(roster, account_id);
	bool latest;

	if (!account)
		return -ENOMEM;
	/* An older update, applied late, still raises floors; who is listed, the latest says
	 * alone. */
	latest = created_s >= account->applied_s;
	for (struct user *user = account->users; user; user = user->next)
		user->seen = false;
	for (size_t i = 0; i < count; i++) {
		struct user *user;

		if (claim(roster, account, users[i].uri, !users[i].deleted, &user))
			return -ENOMEM;
		if (!user)
			continue;
		/* A floor never falls: keys of a lost phone stay out whatever is applied later. */
		if (users[i].generation > user->generation)
			user->generation = users[i].generation;
		user->seen = true;
		if (latest || !is_owned(user))
			user->state = users[i].deleted ? ROSTER_DELETED : ROSTER_LISTED;
		user->known = true;
	}
	/* From here on the list as a whole counts: who is missing in it. */
	if (!latest)
		return 0;
	account->applied_s = created_s;
	for (struct user *user = account->users; user; user = user->next) {
		/* Who was only observed was never listed: a domain without updates lists
		 * nobody. */
		if (is_owned(user) && !user->seen && user->state != ROSTER_OBSERVED)
			user->state = ROSTER_UNLISTED;
	}
	return 1;
}

static void write_line(const struct user *user, struct buf *b)
{
	buf_printf(b, "%s %" PRIu32 " ", state_names[user->state], user->generation);
	buf_put(b, user->uri, user->n);
	buf_put_char(b, '\n');
}

int roster_text(const struct roster *roster, const char *account_id, char **text_out,
		size_t *len_out)
{
	const struct account *account = find_account(roster, account_id);
	size_t cap = 64;
	struct buf b;
	char *text;

	/* Beside its URI a line has the state's name, ten digits, two blanks and its end. */
	for (const struct user *user = account ? account->users : NULL; user; user = user->next)
		cap += user->n + 32;
	text = malloc(cap);
	if (!text)
		return -ENOMEM;
	b = buf_over(text, cap);
	buf_printf(&b, "applied %" PRId64 "\n", account ? account->applied_s : 0);
	for (const struct user *user = account ? account->users : NULL; user; user = user->next) {
		if (user->known)
			write_line(user, &b);
	}
	*text_out = text;
	*len_out = b.len;
	return 0;
}

int roster_line(const struct roster *roster, struct slice uri, char *out, size_t cap)
{
	const struct user *user = find_user(roster, uri);
	struct buf b = buf_over(out, cap);

	if (!user || !user->known)
		return -ENOENT;
	write_line(user, &b);
	return buf_ok(&b) ? 0 : -ENOBUFS;
}

void roster_drop_account(struct roster *roster, const char *account_id)
{
	struct account **at = &roster->accounts;

	while (*at && strcmp((*at)->id, account_id) != 0)
		at = &(*at)->next;
	if (*at) {
		struct account *account = *at;

		*at = account->next;
		free_users(roster, account);
		free(account);
	}
}

void roster_each(const struct roster *roster, const char *account_id, roster_uri_fn *each,
		 void *arg)
{
	const struct account *account = find_account(roster, account_id);

	for (const struct user *user = account ? account->users : NULL; user; user = user->next)
		each(arg, slice_str(user->uri));
}

size_t roster_count(const struct roster *roster, const char *account_id)
{
	const struct account *account = find_account(roster, account_id);
	size_t n = 0;

	for (const struct user *user = account ? account->users : NULL; user; user = user->next)
		n += is_owned(user) && user->state != ROSTER_DELETED &&
		     user->state != ROSTER_UNLISTED;
	return n;
}

static bool is_forgettable(const struct user *user)
{
	return user->known && user->state == ROSTER_OBSERVED && !user->blacklisted;
}

/* The floors stay: keys that were destroyed, or replaced, must not enter again because their user
 * is to be somebody else's. */
int roster_forget_observed(struct roster *roster, const char *id, char ***uris_out)
{
	struct account *account = find_account(roster, id);
	struct user *users = account ? account->users : NULL;
	char **uris = calloc(account && account->count ? account->count : 1, sizeof(*uris));
	int n = 0;

	if (!uris)
		return -ENOMEM;
	for (const struct user *user = users; user; user = user->next) {
		if (!is_forgettable(user))
			continue;
		uris[n] = strdup(user->uri);
		/* The caller must hear of everybody who goes: nobody does yet. */
		if (!uris[n]) {
			while (n > 0)
				free(uris[--n]);
			free(uris);
			return -ENOMEM;
		}
		n++;
	}
	for (struct user *user = users; user; user = user->next) {
		if (is_forgettable(user))
			user->state = ROSTER_FORGOTTEN;
	}
	*uris_out = uris;
	return n;
}
