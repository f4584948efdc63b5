/* issue.c - the issuer, and letters. */
#include "management/issue.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "keys/curves.h"
#include "keys/period.h"
#include "keys/secret.h"
#include "management/issue_priv.h"

enum { CLOCK_SLACK_S = 300 };

/* ---- the issuer ---- */

static int set_time(struct issuer *issuer, int64_t now_s, struct diag *diag)
{
	int64_t last = issuer->settings.last_created;
	char text[CLOCK_TEXT_SIZE];

	/* Five minutes: a clock that was set right again, or two commands in one second. */
	if (now_s + CLOCK_SLACK_S < last) {
		clock_format(last * 1000, text);
		diag_error(diag, NULL,
			   "the last letter or update was made at %s, which this computer's clock "
			   "says is yet to come; set the clock",
			   text);
		return -ERANGE;
	}
	/* Creation times only rise: devices tell by them which of two files of a revision is
	 * newer. */
	issuer->created = now_s > last ? now_s : last + 1;
	issuer->month = period_of(now_s);
	return 0;
}

int issuer_open(sqlite3 *db, const struct vault *vault, int64_t now_s, struct issuer *issuer,
		struct diag *diag)
{
	int err;

	*issuer = (struct issuer){ .db = db, .vault = vault };
	err = settings_load(db, &issuer->settings, diag);
	if (!err)
		err = set_time(issuer, now_s, diag);
	if (!err)
		err = settings_secret(db, vault, issuer->settings.account, &issuer->secret, diag);
	if (!err) {
		/* Last, as it takes some 20 ms: a wrong clock or a damaged row is told without. */
		issuer->curves = curves_new();
		err = issuer->curves
			      ? settings_master(db, vault, issuer->curves, &issuer->master, diag)
			      : -ENOMEM;
	}
	if (err)
		issuer_close(issuer);
	return err;
}

void issuer_close(struct issuer *issuer)
{
	master_free(&issuer->master);
	curves_free(&issuer->curves);
	account_secret_wipe(&issuer->secret);
	wipe(issuer, sizeof(*issuer));
}

int issue_revision(sqlite3 *db, int64_t month, int64_t base, uint32_t *revision_out,
		   struct diag *diag)
{
	const struct db_value values[] = { db_integer(month) };
	int64_t revision;
	int err = database_integer(db, "SELECT revision FROM updates WHERE month = ?", values, 1,
				   base, &revision, diag);

	*revision_out = err ? 0 : (uint32_t)revision;
	return err;
}

int issue_note_time(struct issuer *issuer, struct diag *diag)
{
	issuer->settings.last_created = issuer->created;
	return settings_save(issuer->db, &issuer->settings, diag);
}

int issue_keys(struct issuer *issuer, const char *uri, int64_t month, uint8_t packed[ISSUED_PACKED],
	       struct diag *diag)
{
	struct issued_keys keys;
	size_t n;
	int err = master_issue(issuer->master, slice_str(uri), month, &keys);

	if (!err) {
		err = issued_pack(&keys, packed, &n);
		issued_wipe(&keys);
	}
	if (err)
		diag_error(diag, NULL, "no keys can be made for %s: %s", uri, strerror(-err));
	return err;
}

int issue_login(struct issuer *issuer, const struct person *person, char *identity, uint8_t *key,
		struct diag *diag)
{
	const char *account = issuer->settings.account;
	struct slice uri = slice_str(person->uri);
	int err = account_psk(&issuer->secret, uri, account, person->generation, key);

	if (!err)
		err = account_identity_make(&issuer->secret, uri, account, person->generation,
					    identity);
	if (err)
		diag_error(diag, NULL, "no TLS key can be made for %s: %s", person->uri,
			   strerror(-err));
	return err;
}

/* ---- letters ---- */

/* A letter counts as the revision before the month's last file, so that its owner
 * still takes that file and what else is in it. */
static int letter_month(struct issuer *issuer, const char *uri, struct month_keys *keys,
			struct diag *diag)
{
	uint32_t revision;
	int err = issue_revision(issuer->db, keys->month, issuer->settings.base, &revision, diag);

	keys->revision = revision ? revision - 1 : 0;
	keys->created = (uint64_t)issuer->created;
	return err ? err : issue_keys(issuer, uri, keys->month, keys->packed, diag);
}

int issue_letter(struct issuer *issuer, const struct person *person, struct letter *letter,
		 struct diag *diag)
{
	const struct settings *settings = &issuer->settings;
	int err;

	*letter = (struct letter){ .generation = person->generation,
				   .created = (uint64_t)issuer->created,
				   .engines = person->engines,
				   .n_months = 2 };
	letter->max_message_lifetime = (uint32_t)settings->max_message_lifetime;
	memcpy(letter->uri, person->uri, sizeof(letter->uri));
	memcpy(letter->address, settings->address, sizeof(letter->address));
	memcpy(letter->account, settings->account, sizeof(letter->account));
	memcpy(letter->domain, settings->domain, sizeof(letter->domain));
	memcpy(letter->kpak, settings->kpak, sizeof(letter->kpak));
	memcpy(letter->z, settings->z, sizeof(letter->z));
	/* Derived, not kept: the same person and generation always give the same. */
	err = issue_login(issuer, person, letter->tls_identity, letter->tls_key, diag);
	if (!err)
		err = person_update_key(issuer->vault, person, letter->update_key, diag);
	for (size_t i = 0; !err && i < letter->n_months; i++) {
		letter->months[i].month = issuer->month + (int64_t)i;
		err = letter_month(issuer, person->uri, &letter->months[i], diag);
	}
	if (!err)
		err = person_letter_made(issuer->db, person, issuer->created, diag);
	if (!err)
		err = issue_note_time(issuer, diag);
	if (err)
		letter_wipe(letter);
	return err;
}
