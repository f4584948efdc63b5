/* account_set.c - loads the accounts' secrets.
 *
 * Sorted as accounts_list() gives them, so that a look-up needs no table of its own. A set holds
 * each secret's text beside what was made of it: the next set compares texts and takes over what
 * has not changed.
 */
#include "rendezvous/account_set.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/diag.h"
#include "rendezvous/accounts.h"

struct loaded {
	char id[ACCOUNT_ID_MAX + 1];
	char text[ACCOUNTS_SECRET_TEXT];
	struct account_secret secret;
	bool statistics, notifies;
};

struct account_set {
	struct loaded *accounts;
	size_t count;
	/* For names that are not there: a peer sees the same handshake fail as with a wrong key. */
	struct account_secret nobody;
};

static const struct loaded *find(const struct account_set *set, const char *id)
{
	size_t low = 0, high = set ? set->count : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(set->accounts[middle].id, id);

		if (order == 0)
			return &set->accounts[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Read before, and cannot be read now: the disk's fault, not the operator's word.  Without this
 * the account's users would all be thrown out. */
static bool stays(const struct loaded *old, int err)
{
	return old && err && err != -ENOENT && err != -EINVAL && err != -EFBIG;
}

/* The manual's way to restore (CRS manual 4.20.2) leaves the secrets readable for everybody. */
static void check_mode(const char *dir, const char *id, struct diag *diag)
{
	char path[ACCOUNTS_PATH];
	struct stat st;

	if (accounts_path(dir, id, "secret", path) == 0 && stat(path, &st) == 0 &&
	    (st.st_mode & S_IRWXO))
		diag_warning(diag, NULL,
			     "account %s: everybody can read its shared secret: chmod 600 %s", id,
			     path);
}

static int load_one(const char *dir, const char *id, const struct account_set *before,
		    struct loaded *account, struct diag *diag)
{
	const struct loaded *old = find(before, id);
	struct buf b = BUF_OF(account->id);
	int err = accounts_read_secret(dir, id, account->text, diag);

	buf_put_str(&b, id);
	if (stays(old, err)) {
		*account = *old;
		return 0;
	}
	if (err)
		return err;
	account->statistics = accounts_have_mark(dir, id, ACCOUNT_MARK_STATISTICS);
	account->notifies = accounts_have_mark(dir, id, ACCOUNT_MARK_UPDATE_NOTIFICATION);
	/* Nothing is said again of a secret that did not change: a warning at each reload would
	 * bury the new ones. */
	if (old && strcmp(old->text, account->text) == 0) {
		account->secret = old->secret;
		return 0;
	}
	err = account_secret_from_text(slice_str(account->text), id, &account->secret);
	if (err)
		diag_error(diag, NULL, "account %s: bad shared secret: %s", id, strerror(-err));
	else
		check_mode(dir, id, diag);
	if (!err && account->secret.stretched)
		diag_warning(diag, NULL,
			     "account %s: the shared secret is a text; a generated one is safer",
			     id);
	return err;
}

int account_set_load(const char *dir, const struct account_set *before,
		     struct account_set **set_out, struct diag *diag)
{
	struct account_set *set = calloc(1, sizeof(*set));
	char **ids = NULL;
	size_t count = 0;
	int err;

	if (!set)
		return -ENOMEM;
	err = accounts_list(dir, &ids, &count, diag);
	if (!err)
		err = account_secret_random(&set->nobody);
	if (!err) {
		set->accounts = calloc(count ? count : 1, sizeof(*set->accounts));
		err = set->accounts ? 0 : -ENOMEM;
	}
	for (size_t i = 0; !err && i < count; i++) {
		int of_this = load_one(dir, ids[i], before, &set->accounts[set->count], diag);

		/* What failed is left in the slot, which the next account overwrites whole;
		 * count says how many are good. */
		if (of_this == 0)
			set->count++;
		else if (of_this == -ENOMEM)
			err = of_this;
	}
	accounts_list_free(&ids, count);
	if (err) {
		account_set_free(&set);
		return err;
	}
	*set_out = set;
	return 0;
}

void account_set_free(struct account_set **setp)
{
	struct account_set *set = *setp;

	if (!set)
		return;
	for (size_t i = 0; i < set->count; i++) {
		account_secret_wipe(&set->accounts[i].secret);
		OPENSSL_cleanse(set->accounts[i].text, sizeof(set->accounts[i].text));
	}
	account_secret_wipe(&set->nobody);
	free(set->accounts);
	free(set);
	*setp = NULL;
}

size_t account_set_count(const struct account_set *set)
{
	return set->count;
}

const char *account_set_id(const struct account_set *set, size_t i)
{
	return set->accounts[i].id;
}

bool account_set_has_statistics(const struct account_set *set, const char *id)
{
	const struct loaded *account = find(set, id);

	return account && account->statistics;
}

bool account_set_notifies(const struct account_set *set, const char *id)
{
	const struct loaded *account = find(set, id);

	return account && account->notifies;
}

const struct account_secret *account_set_secret(const struct account_set *set, const char *id,
						bool *known_out)
{
	const struct loaded *account = find(set, id);

	*known_out = account != NULL;
	return account ? &account->secret : &set->nobody;
}
