/* database.c - SQLite, as far as cms uses it: values are bound, never written into statements.
 *
 * One connection and one transaction a run; what is not committed is rolled back by closing.
 */
#include "management/database.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"

enum { SCHEMA_VERSION = 1, BUSY_MS = 5000 }; /* how long another cms is waited for */

static const char schema[] =
	"CREATE TABLE settings (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE people ("
	"  uri TEXT PRIMARY KEY,"
	"  name TEXT NOT NULL,"
	"  comment TEXT NOT NULL,"
	"  engines INTEGER NOT NULL," /* 0: a user; else a gateway */
	"  generation INTEGER NOT NULL,"
	"  next_generation INTEGER NOT NULL,"
	"  update_key BLOB NOT NULL,"           /* sealed */
	"  added INTEGER NOT NULL,"             /* seconds, UTC */
	"  letters INTEGER NOT NULL,"           /* made, of any generation */
	"  letter_generation INTEGER NOT NULL," /* of the last letter; 0: none */
	"  letter_created INTEGER NOT NULL"
	") WITHOUT ROWID;"
	/* Deleted URIs for which a letter was made. */
	"CREATE TABLE tombstones ("
	"  uri TEXT PRIMARY KEY, next_generation INTEGER NOT NULL, deleted INTEGER NOT NULL"
	") WITHOUT ROWID;"
	/* The last update file written of each month (period.h). */
	"CREATE TABLE updates ("
	"  month INTEGER PRIMARY KEY, revision INTEGER NOT NULL, created INTEGER NOT NULL"
	");"
	"CREATE TABLE channels (uri TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE) WITHOUT ROWID;"
	"CREATE TABLE members ("
	"  channel TEXT NOT NULL REFERENCES channels (uri) ON DELETE CASCADE,"
	"  uri TEXT NOT NULL REFERENCES people (uri) ON DELETE CASCADE,"
	"  PRIMARY KEY (channel, uri)"
	") WITHOUT ROWID;"
	"CREATE INDEX members_uri ON members (uri);"
	/* Trusted domains; id: hexadecimal. */
	"CREATE TABLE domains ("
	"  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, certificate BLOB NOT NULL,"
	"  added INTEGER NOT NULL"
	") WITHOUT ROWID;"
	"CREATE TABLE events ("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, action TEXT NOT NULL,"
	"  detail TEXT NOT NULL"
	");";

static int failed(sqlite3 *db, const char *what, struct diag *diag)
{
	diag_error(diag, NULL, "%s: %s", what, sqlite3_errmsg(db));
	return -EIO;
}

int database_path(const char *dir, char *out, size_t outsz)
{
	int n = snprintf(out, outsz, "%s/cms.db", dir);

	return n < 0 || (size_t)n >= outsz ? -ENAMETOOLONG : 0;
}

/* May nobody but the owner see path? */
static int check_private(const char *path, const char *mode, struct diag *diag)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		int err = -errno;

		if (err == -ENOENT)
			diag_error(diag, NULL, "%s: not there; \"cms init\" makes it", path);
		else
			diag_error(diag, NULL, "%s: %s", path, strerror(-err));
		return err;
	}
	if (st.st_mode & (S_IRWXG | S_IRWXO)) {
		diag_error(diag, NULL, "%s: others have access to it; run: chmod %s %s", path, mode,
			   path);
		return -EPERM;
	}
	return 0;
}

/* Settings of the connection: deleted secrets are overwritten in the file. */
static int prepare(sqlite3 *db, struct diag *diag)
{
	sqlite3_busy_timeout(db, BUSY_MS);
	if (sqlite3_exec(db,
			 "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;"
			 "PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;",
			 NULL, NULL, NULL) != SQLITE_OK)
		return failed(db, "database", diag);
	return 0;
}

static int open_at(const char *path, int flags, sqlite3 **db_out, struct diag *diag)
{
	int err;

	*db_out = NULL;
	if (sqlite3_open_v2(path, db_out, flags, NULL) != SQLITE_OK) {
		diag_error(diag, NULL, "%s: %s", path,
			   *db_out ? sqlite3_errmsg(*db_out) : "out of memory");
		database_close(db_out);
		return -EIO;
	}
	err = prepare(*db_out, diag);
	if (err)
		database_close(db_out);
	return err;
}

int database_create(const char *dir, sqlite3 **db_out, struct diag *diag)
{
	char path[PATH_MAX], set_version[64];
	int err = file_mkdirs(dir, 0700);

	snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %d", SCHEMA_VERSION);
	if (!err)
		err = database_path(dir, path, sizeof(path));
	if (err) {
		diag_error(diag, NULL, "%s: %s", dir, strerror(-err));
		return err;
	}
	err = check_private(dir, "700", diag);
	if (err)
		return err;
	if (access(path, F_OK) == 0) {
		diag_error(diag, NULL, "%s: there is a key manager already", path);
		return -EEXIST;
	}
	err = open_at(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, db_out, diag);
	if (err)
		return err;
	/* SQLite makes files by the umask; here the mode is certain. */
	err = chmod(path, 0600) < 0 ? -errno : database_begin(*db_out, diag);
	if (!err && (sqlite3_exec(*db_out, schema, NULL, NULL, NULL) != SQLITE_OK ||
		     sqlite3_exec(*db_out, set_version, NULL, NULL, NULL) != SQLITE_OK))
		err = failed(*db_out, path, diag);
	if (err) {
		database_close(db_out);
		unlink(path);
	}
	return err;
}

static int check_version(sqlite3 *db, struct diag *diag)
{
	int64_t version;
	int err = database_integer(db, "PRAGMA user_version", NULL, 0, 0, &version, diag);

	if (!err && version != SCHEMA_VERSION) {
		diag_error(diag, NULL, "the database is of version %lld, this program knows %d",
			   (long long)version, SCHEMA_VERSION);
		err = -EPROTONOSUPPORT;
	}
	return err;
}

int database_open(const char *dir, sqlite3 **db_out, struct diag *diag)
{
	char path[PATH_MAX];
	int err = database_path(dir, path, sizeof(path));

	*db_out = NULL;
	if (!err)
		err = check_private(dir, "700", diag);
	if (!err)
		err = check_private(path, "600", diag);
	if (!err)
		err = open_at(path, SQLITE_OPEN_READWRITE, db_out, diag);
	if (!err)
		err = check_version(*db_out, diag);
	if (err)
		database_close(db_out);
	return err;
}

void database_close(sqlite3 **dbp)
{
	sqlite3_close(*dbp); /* rolls back */
	*dbp = NULL;
}

int database_begin(sqlite3 *db, struct diag *diag)
{
	/* Immediate: of two that change at once the second waits here, not when it has half its
	 * work done. */
	if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return failed(db, "database", diag);
	return 0;
}

int database_commit(sqlite3 *db, struct diag *diag)
{
	if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		return failed(db, "database", diag);
	return 0;
}

static int bind_value(sqlite3_stmt *rows, int at, const struct db_value *value)
{
	int n = (int)value->octets.n;

	switch (value->kind) {
	case DB_INTEGER:
		return sqlite3_bind_int64(rows, at, value->integer);
	case DB_TEXT:
		return sqlite3_bind_text(rows, at, (const char *)value->octets.p, n,
					 SQLITE_TRANSIENT);
	case DB_OCTETS:
		return sqlite3_bind_blob(rows, at, value->octets.p, n, SQLITE_TRANSIENT);
	}
	return SQLITE_MISUSE;
}

int database_query(sqlite3 *db, const char *sql, const struct db_value *values, size_t n,
		   sqlite3_stmt **rows_out, struct diag *diag)
{
	int rc = sqlite3_prepare_v2(db, sql, -1, rows_out, NULL);

	for (size_t i = 0; rc == SQLITE_OK && i < n; i++)
		rc = bind_value(*rows_out, (int)i + 1, &values[i]);
	if (rc == SQLITE_OK)
		return 0;
	failed(db, "database", diag);
	sqlite3_finalize(*rows_out);
	*rows_out = NULL;
	return -EIO;
}

int database_next(sqlite3_stmt *rows, struct diag *diag)
{
	int rc = sqlite3_step(rows), code;

	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;
	/* A key that is there already is the caller's to tell, in words of what it was adding. */
	code = sqlite3_extended_errcode(sqlite3_db_handle(rows));
	if (code == SQLITE_CONSTRAINT_PRIMARYKEY || code == SQLITE_CONSTRAINT_UNIQUE)
		return -EEXIST;
	return failed(sqlite3_db_handle(rows), "database", diag);
}

int database_run(sqlite3 *db, const char *sql, const struct db_value *values, size_t n,
		 struct diag *diag)
{
	sqlite3_stmt *rows;
	int err = database_query(db, sql, values, n, &rows, diag);

	if (err)
		return err;
	err = database_next(rows, diag);
	sqlite3_finalize(rows);
	return err > 0 ? 0 : err;
}

int database_integer(sqlite3 *db, const char *sql, const struct db_value *values, size_t n,
		     int64_t fallback, int64_t *out, struct diag *diag)
{
	sqlite3_stmt *rows;
	int err = database_query(db, sql, values, n, &rows, diag);

	if (err)
		return err;
	err = database_next(rows, diag);
	if (err >= 0)
		/* A row with NULL is what MAX() of nothing gives. */
		*out = err && sqlite3_column_type(rows, 0) != SQLITE_NULL
			       ? sqlite3_column_int64(rows, 0)
			       : fallback;
	sqlite3_finalize(rows);
	return err < 0 ? err : 0;
}

int database_column_text(sqlite3_stmt *rows, int column, char *out, size_t outsz)
{
	const unsigned char *text = sqlite3_column_text(rows, column);
	int n = text ? snprintf(out, outsz, "%s", (const char *)text) : -1;

	return n < 0 || (size_t)n >= outsz ? -EBADMSG : 0;
}

int database_column_octets(sqlite3_stmt *rows, int column, uint8_t *out, size_t n)
{
	const void *octets = sqlite3_column_blob(rows, column);

	if (!octets || (size_t)sqlite3_column_bytes(rows, column) != n)
		return -EBADMSG;
	memcpy(out, octets, n);
	return 0;
}

int database_log(sqlite3 *db, int64_t now_s, const char *action, const char *detail,
		 struct diag *diag)
{
	const struct db_value values[] = { db_integer(now_s), db_text(action), db_text(detail) };

	return database_run(db, "INSERT INTO events (time, action, detail) VALUES (?, ?, ?)",
			    values, 3, diag);
}
