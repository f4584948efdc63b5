#include "management/issue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "keys/curves.h"
#include "keys/period.h"
#include "keys/secret.h"
#include "keys/update.h"

enum { CLOCK_SLACK_S = 300 };

/* ---- the issuer ---- */

static int set_time(struct issuer *issuer, int64_t now_s, struct diag *diag)
{
	int64_t last = issuer->settings.last_created;
	char text[CLOCK_TEXT_SIZE];

	if (now_s + CLOCK_SLACK_S < last) {
		clock_format(last * 1000, text);
		diag_error(diag, NULL,
			   "the last letter or update was made at %s, which this computer's clock "
			   "says is yet to come; set the clock",
			   text);
		return -ERANGE;
	}
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

static int note_time(struct issuer *issuer, struct diag *diag)
{
	issuer->settings.last_created = issuer->created;
	return settings_save(issuer->db, &issuer->settings, diag);
}

/* One month's keys of a person, packed. */
static int issue_keys(struct issuer *issuer, const char *uri, int64_t month,
		      uint8_t packed[ISSUED_PACKED], struct diag *diag)
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

/* The TLS identity and key of a person's generation. */
static int issue_login(struct issuer *issuer, const struct person *person, char *identity,
		       uint8_t *key, struct diag *diag)
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
		err = note_time(issuer, diag);
	if (err)
		letter_wipe(letter);
	return err;
}

/* ---- updates ---- */

static void free_users(struct update_common *common)
{
	for (size_t i = 0; i < common->n_users; i++)
		free(common->users[i]);
	free(common->users);
	*common = (struct update_common){ 0 };
}

static int list_users(sqlite3 *db, struct update_common *common, struct diag *diag)
{
	struct person person;
	sqlite3_stmt *rows;
	int64_t count;
	int err = person_count(db, PERSON_ANY, &count, diag);

	if (err)
		return err;
	common->users = calloc((size_t)count + 1, sizeof(*common->users));
	if (!common->users)
		return -ENOMEM;
	err = person_list(db, PERSON_ANY, &rows, diag);
	while (!err && common->n_users < (size_t)count && person_next(rows, &person, diag) == 1) {
		common->users[common->n_users] = strdup(person.uri);
		err = common->users[common->n_users] ? 0 : -ENOMEM;
		common->n_users += !err;
	}
	sqlite3_finalize(rows);
	return err;
}

static int add_entry(struct issuer *issuer, struct update_writer *writer,
		     const struct person *person, int64_t month, struct diag *diag)
{
	const struct settings *settings = &issuer->settings;
	struct update_entry entry = {
		.generation = person->generation,
		.engines = person->engines,
		.max_message_lifetime = (uint32_t)settings->max_message_lifetime,
		.default_message_lifetime = (uint32_t)settings->default_message_lifetime,
		.intercept = settings->intercept != 0,
		.multipath = settings->multipath != 0,
	};
	uint8_t update_key[UPDATE_KEY_SIZE];
	int err;

	memcpy(entry.address, settings->address, sizeof(entry.address));
	memcpy(entry.account, settings->account, sizeof(entry.account));
	err = issue_keys(issuer, person->uri, month, entry.keys.packed, diag);
	if (!err)
		err = issue_login(issuer, person, entry.tls_identity, entry.tls_key, diag);
	if (!err)
		err = person_update_key(issuer->vault, person, update_key, diag);
	if (!err) {
		err = update_writer_add(writer, person->uri, update_key, &entry);
		if (err)
			diag_error(diag, NULL, "no entry can be made for %s: %s", person->uri,
				   strerror(-err));
	}
	wipe(update_key, sizeof(update_key));
	wipe(&entry, sizeof(entry));
	return err;
}

static int add_entries(struct issuer *issuer, struct update_writer *writer, int64_t month,
		       issue_progress_fn *progress, void *arg, struct issued_update *update,
		       struct diag *diag)
{
	struct person person;
	sqlite3_stmt *rows;
	int64_t total;
	int more, err = person_count(issuer->db, PERSON_ANY, &total, diag);

	if (!err)
		err = person_list(issuer->db, PERSON_ANY, &rows, diag);
	if (err)
		return err;
	while (!err && (more = person_next(rows, &person, diag)) != 0) {
		err = more < 0 ? more : add_entry(issuer, writer, &person, month, diag);
		update->people += !err;
		progress(arg, update->people, (size_t)total);
	}
	sqlite3_finalize(rows);
	return err;
}

static int add_tombstones(sqlite3 *db, struct update_writer *writer, struct diag *diag)
{
	char uri[IDENTITY_URI_MAX + 1];
	sqlite3_stmt *rows;
	int more, err = database_query(db, "SELECT uri FROM tombstones ORDER BY uri", NULL, 0,
				       &rows, diag);

	if (err)
		return err;
	while (!err && (more = database_next(rows, diag)) != 0) {
		err = more < 0 ? more : database_column_text(rows, 0, uri, sizeof(uri));
		if (!err)
			err = update_writer_tombstone(writer, uri);
	}
	sqlite3_finalize(rows);
	return err;
}

static int note_update(struct issuer *issuer, int64_t month, uint32_t revision, struct diag *diag)
{
	const struct db_value values[] = { db_integer(month), db_integer(revision),
					   db_integer(issuer->created) };
	int err = database_run(issuer->db,
			       "INSERT OR REPLACE INTO updates (month, revision, created) "
			       "VALUES (?, ?, ?)",
			       values, 3, diag);

	return err ? err : note_time(issuer, diag);
}

int issue_update(struct issuer *issuer, int64_t month, issue_progress_fn *progress, void *arg,
		 struct issued_update *update, struct diag *diag)
{
	struct update_common common = { 0 };
	struct update_writer *writer = NULL;
	uint32_t last;
	int err = issue_revision(issuer->db, month, issuer->settings.base, &last, diag);

	*update = (struct issued_update){ .revision = last + 1 };
	if (!err)
		err = list_users(issuer->db, &common, diag);
	if (!err) {
		writer =
			update_writer_new(issuer->settings.account, month, update->revision,
					  (uint64_t)issuer->created,
					  (uint32_t)issuer->settings.max_message_lifetime, &common);
		err = writer ? 0 : -ENOMEM;
	}
	if (!err)
		err = add_entries(issuer, writer, month, progress, arg, update, diag);
	if (!err)
		err = add_tombstones(issuer->db, writer, diag);
	if (!err)
		err = note_update(issuer, month, update->revision, diag);
	if (!err)
		err = update_writer_finish(writer, &issuer->secret, &update->file, &update->n);
	if (err && diag_errors(diag) == 0)
		diag_error(diag, NULL, "the update file cannot be made: %s", strerror(-err));
	update_writer_free(&writer);
	free_users(&common);
	return err;
}
