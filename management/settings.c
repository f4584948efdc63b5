/* settings.c - the domain's settings, row by row, and those that are sealed. */
#include "management/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/net.h"
#include "base/text.h"
#include "keys/secret.h"

enum { SEALED_MAX = 2048 }; /* the longest is the secret's text, of 1,024 octets */

/* One row a setting, so that a later version can add some without another schema. */
static int put(sqlite3 *db, const char *key, struct db_value value, struct diag *diag)
{
	const struct db_value values[] = { db_text(key), value };

	return database_run(db, "INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)",
			    values, 2, diag);
}

static int column_integer(sqlite3_stmt *rows, int64_t *out)
{
	*out = sqlite3_column_int64(rows, 0);
	/* SQLite turns any text into some number; only what was put in as one counts. */
	return sqlite3_column_type(rows, 0) == SQLITE_INTEGER ? 0 : -EBADMSG;
}

/* Looks a setting up.  Returns 0, -EBADMSG (it is not there) or -EIO; end() in any case. */
static int begin(sqlite3 *db, const char *key, sqlite3_stmt **rows_out, struct diag *diag)
{
	const struct db_value values[] = { db_text(key) };
	int err = database_query(db, "SELECT value FROM settings WHERE key = ?", values, 1,
				 rows_out, diag);

	if (!err)
		err = database_next(*rows_out, diag);
	return err < 0 ? err : err == 0 ? -EBADMSG : 0;
}

/* Tells what is wrong with a setting whose reading came to err, and returns that. */
static int end(sqlite3_stmt *rows, const char *key, int err, struct diag *diag)
{
	sqlite3_finalize(rows); /* NULL when there was no query */
	if (err == -EBADMSG)
		diag_error(diag, NULL, "the database's setting \"%s\" is missing or damaged", key);
	return err;
}

/* Reads a setting by one of three forms, the others NULL. */
static int get(sqlite3 *db, const char *key, char *text, uint8_t *octets, size_t n,
	       int64_t *integer, struct diag *diag)
{
	sqlite3_stmt *rows;
	int err = begin(db, key, &rows, diag);

	if (!err && text)
		err = database_column_text(rows, 0, text, n);
	else if (!err && octets)
		err = database_column_octets(rows, 0, octets, n);
	else if (!err)
		err = column_integer(rows, integer);
	return end(rows, key, err, diag);
}

/* The keys are those of settings_save(): none may be missing. */
int settings_load(sqlite3 *db, struct settings *s, struct diag *diag)
{
	const struct {
		const char *key;
		char *text;
		uint8_t *octets;
		size_t n;
		int64_t *integer;
	} fields[] = {
		{ "domain", s->domain, NULL, sizeof(s->domain), NULL },
		{ "fingerprint", s->fingerprint, NULL, sizeof(s->fingerprint), NULL },
		{ "kpak", NULL, s->kpak, sizeof(s->kpak), NULL },
		{ "z", NULL, s->z, sizeof(s->z), NULL },
		{ "address", s->address, NULL, sizeof(s->address), NULL },
		{ "account", s->account, NULL, sizeof(s->account), NULL },
		{ "max message lifetime", NULL, NULL, 0, &s->max_message_lifetime },
		{ "default message lifetime", NULL, NULL, 0, &s->default_message_lifetime },
		{ "intercept", NULL, NULL, 0, &s->intercept },
		{ "multipath", NULL, NULL, 0, &s->multipath },
		{ "last created", NULL, NULL, 0, &s->last_created },
		{ "base", NULL, NULL, 0, &s->base },
	};
	int err = 0;

	*s = (struct settings){ 0 };
	for (size_t i = 0; !err && i < sizeof(fields) / sizeof(fields[0]); i++)
		err = get(db, fields[i].key, fields[i].text, fields[i].octets, fields[i].n,
			  fields[i].integer, diag);
	return err;
}

int settings_save(sqlite3 *db, const struct settings *s, struct diag *diag)
{
	const struct {
		const char *key;
		struct db_value value;
	} fields[] = {
		{ "domain", db_text(s->domain) },
		{ "fingerprint", db_text(s->fingerprint) },
		{ "kpak", db_octets(s->kpak, sizeof(s->kpak)) },
		{ "z", db_octets(s->z, sizeof(s->z)) },
		{ "address", db_text(s->address) },
		{ "account", db_text(s->account) },
		{ "max message lifetime", db_integer(s->max_message_lifetime) },
		{ "default message lifetime", db_integer(s->default_message_lifetime) },
		{ "intercept", db_integer(s->intercept) },
		{ "multipath", db_integer(s->multipath) },
		{ "last created", db_integer(s->last_created) },
		{ "base", db_integer(s->base) },
	};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(fields) / sizeof(fields[0]); i++)
		err = put(db, fields[i].key, fields[i].value, diag);
	return err;
}

bool settings_check(const struct settings *s, struct diag *diag)
{
	size_t before = diag_reported(diag);

	if (!s->domain[0] || !text_is_clean(slice_str(s->domain)))
		diag_error(diag, NULL,
			   "the domain's name must be text of 1 to %d octets without controls",
			   LETTER_DOMAIN_MAX);
	if (!net_is_host_port(s->address))
		diag_error(diag, NULL, "\"%s\" is no address: expected HOST:PORT", s->address);
	if (!account_id_valid(slice_str(s->account)))
		diag_error(diag, NULL, "\"%s\" is no account: expected 1 to %d of a-z A-Z 0-9 - _",
			   s->account, ACCOUNT_ID_MAX);
	if (s->max_message_lifetime && s->default_message_lifetime > s->max_message_lifetime)
		diag_error(diag, NULL, "the default message lifetime is longer than the maximum");
	return diag_reported(diag) == before;
}

int settings_parse_lifetime(const char *text, int64_t *seconds_out)
{
	char *end;
	int64_t value, unit;

	if (*text < '0' || *text > '9' || strlen(text) > 9)
		return -EINVAL;
	/* At most eight digits: no overflow here nor in the product. */
	value = strtol(text, &end, 10);
	unit = *end == 'd' ? 86400 : *end == 'h' ? 3600 : *end == 'm' ? 60 : 0;
	if (!unit || end[1] || value * unit < LIFETIME_MIN_S || value * unit > LIFETIME_MAX_S)
		return -EINVAL;
	*seconds_out = value * unit;
	return 0;
}

int settings_set_lock(sqlite3 *db, const uint8_t lock[VAULT_LOCK_SIZE], struct diag *diag)
{
	return put(db, "lock", db_octets(lock, VAULT_LOCK_SIZE), diag);
}

int settings_lock(sqlite3 *db, uint8_t lock_out[VAULT_LOCK_SIZE], struct diag *diag)
{
	return get(db, "lock", NULL, lock_out, VAULT_LOCK_SIZE, NULL, diag);
}

/* ---- sealed ones ---- */

/* The key's name is sealed with it, so that rows cannot change places. */
static int put_sealed(sqlite3 *db, const struct vault *vault, const char *key, struct slice plain,
		      struct diag *diag)
{
	uint8_t sealed[SEALED_MAX];

	if (plain.n > sizeof(sealed) - BOX_OVERHEAD ||
	    vault_seal(vault, "setting", key, plain, sealed)) {
		diag_error(diag, NULL, "the setting \"%s\" cannot be sealed", key);
		return -EIO;
	}
	return put(db, key, db_octets(sealed, plain.n + BOX_OVERHEAD), diag);
}

static int unseal_row(sqlite3_stmt *rows, const struct vault *vault, const char *key, uint8_t *out,
		      size_t cap, size_t *len_out)
{
	struct slice sealed =
		slice_of(sqlite3_column_blob(rows, 0), (size_t)sqlite3_column_bytes(rows, 0));
	int err;

	/* Before anything is opened: the row may be anything. */
	if (sealed.n < BOX_OVERHEAD || sealed.n - BOX_OVERHEAD > cap)
		return -EBADMSG;
	err = vault_unseal(vault, "setting", key, sealed, out);
	*len_out = sealed.n - BOX_OVERHEAD;
	return err;
}

static int get_sealed(sqlite3 *db, const struct vault *vault, const char *key, uint8_t *out,
		      size_t cap, size_t *len_out, struct diag *diag)
{
	sqlite3_stmt *rows;
	int err = begin(db, key, &rows, diag);

	if (!err)
		err = unseal_row(rows, vault, key, out, cap, len_out);
	return end(rows, key, err, diag);
}

int settings_set_secret(sqlite3 *db, const struct vault *vault, struct slice text,
			struct diag *diag)
{
	return put_sealed(db, vault, "secret", text, diag);
}

int settings_secret(sqlite3 *db, const struct vault *vault, const char *account,
		    struct account_secret *secret_out, struct diag *diag)
{
	uint8_t text[SEALED_MAX];
	size_t n;
	int err = get_sealed(db, vault, "secret", text, sizeof(text), &n, diag);

	if (err)
		return err;
	/* What keys derive from depends on the account, so it is made anew each time. */
	err = account_secret_from_text(slice_of(text, n), account, secret_out);
	wipe(text, sizeof(text));
	if (err)
		diag_error(diag, NULL, "the account's secret cannot be used: %s", strerror(-err));
	return err;
}

int settings_set_master(sqlite3 *db, const struct vault *vault, const struct master *master,
			struct diag *diag)
{
	uint8_t octets[MASTER_OCTETS];
	int err;

	master_write(master, octets);
	err = put_sealed(db, vault, "master", slice_of(octets, sizeof(octets)), diag);
	wipe(octets, sizeof(octets));
	return err;
}

int settings_master(sqlite3 *db, const struct vault *vault, const struct curves *curves,
		    struct master **master_out, struct diag *diag)
{
	uint8_t octets[MASTER_OCTETS];
	size_t n;
	int err = get_sealed(db, vault, "master", octets, sizeof(octets), &n, diag);

	if (err)
		return err;
	err = master_read(curves, slice_of(octets, n), master_out);
	wipe(octets, sizeof(octets));
	if (err)
		diag_error(diag, NULL, "the master keys cannot be read: %s", strerror(-err));
	return err;
}
