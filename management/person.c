/* person.c - users and gateways in the database, and what remains of deleted ones.
 *
 *     added --letter--> has a letter --rekey--> next generation --letter--> ...
 *       |                  |
 *       +--deleted: gone   +--deleted: a tombstone, which keeps the next generation
 *                             +--added again: goes on with that generation
 *
 * A generation is never given twice, or a lost device of an earlier one could come back.
 */
#include "management/person.h"

#include <errno.h>
#include <stdio.h>

#include <openssl/rand.h>

#include "base/diag.h"
#include "base/text.h"
#include "keys/secret.h"

/* In the order in which person_next() reads them and insert() binds them. */
#define COLUMNS                                                                                    \
	"uri, name, engines, generation, next_generation, update_key, added, letters, "            \
	"letter_generation, letter_created, comment"

int person_uri(const char *number, char uri_out[IDENTITY_URI_MAX + 1], struct diag *diag)
{
	/* As people type it, or as listings show it. */
	const char *bare = strncmp(number, "tel:", 4) == 0 ? number + 4 : number;
	enum identity_kind kind;
	int n = snprintf(uri_out, IDENTITY_URI_MAX + 1, "tel:%s", bare);

	if (n > 0 && n <= IDENTITY_URI_MAX && identity_check(slice_str(uri_out), &kind) == 0 &&
	    kind == IDENTITY_USER)
		return 0;
	diag_error(diag, NULL,
		   "\"%s\" is no number in international format: expected \"+\" and up to 15 "
		   "digits, for example +46706764287",
		   number);
	return -EINVAL;
}

static int check(const struct person *person, struct diag *diag)
{
	if (!person->name[0] || !text_is_clean(slice_str(person->name))) {
		diag_error(diag, NULL, "the name must be text of 1 to %d octets without controls",
			   PERSON_NAME_MAX);
		return -EINVAL;
	}
	if (!text_is_clean(slice_str(person->comment))) {
		diag_error(diag, NULL, "the comment must be text without controls");
		return -EINVAL;
	}
	if (person->engines &&
	    (person->engines < LETTER_ENGINES_MIN || person->engines > LETTER_ENGINES_MAX)) {
		diag_error(diag, NULL, "a gateway has %d to %d crypto engines", LETTER_ENGINES_MIN,
			   LETTER_ENGINES_MAX);
		return -EINVAL;
	}
	return 0;
}

/* A new update key, sealed. */
static int make_update_key(const struct vault *vault, struct person *person, struct diag *diag)
{
	uint8_t key[UPDATE_KEY_SIZE];
	int err = RAND_priv_bytes(key, sizeof(key)) == 1 ? 0 : -EIO;

	if (!err)
		/* Bound to the URI: a row that was exchanged in the database does not open. */
		err = vault_seal(vault, "update key", person->uri, slice_of(key, sizeof(key)),
				 person->update_key);
	wipe(key, sizeof(key));
	if (err)
		diag_error(diag, NULL, "no update key can be made: %s", strerror(-err));
	return err;
}

/* Generations go on after the one that was deleted; its tombstone ends. */
static int take_tombstone(sqlite3 *db, struct person *person, uint32_t first_generation,
			  struct diag *diag)
{
	const struct db_value uri[] = { db_text(person->uri) };
	int64_t next;
	int err = database_integer(db, "SELECT next_generation FROM tombstones WHERE uri = ?", uri,
				   1, 0, &next, diag);

	if (err)
		return err;
	person->generation = next > first_generation ? (uint32_t)next : first_generation;
	person->next_generation = person->generation + 1;
	return database_run(db, "DELETE FROM tombstones WHERE uri = ?", uri, 1, diag);
}

/* The three zeros: no letter was made yet. */
static int insert(sqlite3 *db, const struct person *person, struct diag *diag)
{
	const struct db_value values[] = {
		db_text(person->uri),
		db_text(person->name),
		db_integer(person->engines),
		db_integer(person->generation),
		db_integer(person->next_generation),
		db_octets(person->update_key, sizeof(person->update_key)),
		db_integer(person->added),
		db_text(person->comment),
	};
	int err = database_run(
		db, "INSERT INTO people (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, ?)",
		values, 8, diag);

	if (err == -EEXIST)
		diag_error(diag, NULL, "%s is there already", person->uri);
	return err;
}

int person_add(sqlite3 *db, const struct vault *vault, const struct person *person,
	       uint32_t first_generation, int64_t now_s, struct diag *diag)
{
	struct person added = *person;
	int err = check(person, diag);

	if (!err)
		err = take_tombstone(db, &added, first_generation, diag);
	if (!err)
		err = make_update_key(vault, &added, diag);
	added.added = now_s;
	return err ? err : insert(db, &added, diag);
}

int person_next(sqlite3_stmt *rows, struct person *person, struct diag *diag)
{
	int err = database_next(rows, diag);

	*person = (struct person){ 0 };
	if (err != 1)
		return err;
	if (database_column_text(rows, 0, person->uri, sizeof(person->uri)) ||
	    database_column_text(rows, 1, person->name, sizeof(person->name)) ||
	    database_column_text(rows, 10, person->comment, sizeof(person->comment)) ||
	    database_column_octets(rows, 5, person->update_key, sizeof(person->update_key))) {
		diag_error(diag, NULL, "the database's row of \"%s\" is damaged", person->uri);
		return -EIO;
	}
	person->engines = (uint32_t)sqlite3_column_int64(rows, 2);
	person->generation = (uint32_t)sqlite3_column_int64(rows, 3);
	person->next_generation = (uint32_t)sqlite3_column_int64(rows, 4);
	person->added = sqlite3_column_int64(rows, 6);
	person->letters = (uint32_t)sqlite3_column_int64(rows, 7);
	person->letter_generation = (uint32_t)sqlite3_column_int64(rows, 8);
	person->letter_created = sqlite3_column_int64(rows, 9);
	return 1;
}

int person_find_any(sqlite3 *db, const char *uri, struct person *person_out, struct diag *diag)
{
	const struct db_value values[] = { db_text(uri) };
	sqlite3_stmt *rows;
	int err = database_query(db, "SELECT " COLUMNS " FROM people WHERE uri = ?", values, 1,
				 &rows, diag);

	if (err)
		return err;
	err = person_next(rows, person_out, diag);
	sqlite3_finalize(rows);
	if (err == 0)
		diag_error(diag, NULL, "%s is not known", uri);
	return err == 1 ? 0 : err == 0 ? -ENOENT : err;
}

int person_find(sqlite3 *db, const char *uri, bool gateway, struct person *person_out,
		struct diag *diag)
{
	int err = person_find_any(db, uri, person_out, diag);

	if (!err && gateway != (person_out->engines > 0)) {
		diag_error(diag, NULL, "%s is a %s", uri, gateway ? "user" : "gateway");
		return -ENOENT;
	}
	return err;
}

/* Constants of this file: nothing that a user typed becomes part of a statement. */
static const char *const conditions[] = {
	[PERSON_ANY] = "1",
	[PERSON_USER] = "engines = 0",
	[PERSON_GATEWAY] = "engines > 0",
};

int person_list(sqlite3 *db, enum person_kind kind, sqlite3_stmt **rows_out, struct diag *diag)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "SELECT " COLUMNS " FROM people WHERE %s ORDER BY uri",
		 conditions[kind]);
	return database_query(db, sql, NULL, 0, rows_out, diag);
}

int person_count(sqlite3 *db, enum person_kind kind, int64_t *count_out, struct diag *diag)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM people WHERE %s", conditions[kind]);
	return database_integer(db, sql, NULL, 0, 0, count_out, diag);
}

int person_delete(sqlite3 *db, const struct person *person, int64_t now_s, struct diag *diag)
{
	const struct db_value values[] = { db_text(person->uri),
					   db_integer(person->next_generation), db_integer(now_s) };
	int err = database_run(db, "DELETE FROM people WHERE uri = ?", values, 1, diag);

	/* One of a later generation may have had letters before it was deleted once. */
	if (!err && (person->letters || person->generation > 1))
		err = database_run(
			db,
			"INSERT OR REPLACE INTO tombstones (uri, next_generation, deleted) "
			"VALUES (?, ?, ?)",
			values, 3, diag);
	return err;
}

int person_rekey(sqlite3 *db, const struct vault *vault, struct person *person, struct diag *diag)
{
	int err = make_update_key(vault, person, diag);

	if (err)
		return err;
	/* The rendezvous refuses earlier ones from the next update on: what the lost device
	 * holds is of no use. */
	person->generation = person->next_generation++;
	return database_run(db,
			    "UPDATE people SET generation = ?, next_generation = ?, update_key = ? "
			    "WHERE uri = ?",
			    (const struct db_value[]){
				    db_integer(person->generation),
				    db_integer(person->next_generation),
				    db_octets(person->update_key, sizeof(person->update_key)),
				    db_text(person->uri) },
			    4, diag);
}

int person_change(sqlite3 *db, const struct person *person, struct diag *diag)
{
	const struct db_value values[] = { db_text(person->name), db_integer(person->engines),
					   db_text(person->uri) };
	int err = check(person, diag);

	if (err)
		return err;
	return database_run(db, "UPDATE people SET name = ?, engines = ? WHERE uri = ?", values, 3,
			    diag);
}

int person_letter_made(sqlite3 *db, const struct person *person, int64_t created, struct diag *diag)
{
	const struct db_value values[] = { db_integer(person->generation), db_integer(created),
					   db_text(person->uri) };

	return database_run(db,
			    "UPDATE people SET letters = letters + 1, letter_generation = ?, "
			    "letter_created = ? WHERE uri = ?",
			    values, 3, diag);
}

int person_update_key(const struct vault *vault, const struct person *person,
		      uint8_t key_out[UPDATE_KEY_SIZE], struct diag *diag)
{
	int err = vault_unseal(vault, "update key", person->uri,
			       slice_of(person->update_key, sizeof(person->update_key)), key_out);

	if (err)
		diag_error(diag, NULL, "the update key of %s is damaged in the database",
			   person->uri);
	return err;
}
