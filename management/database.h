/* database.h - the key manager's SQLite file, and the few ways it is used.
 *
 * The file lies in a private directory (0700).  Every command changes it in one
 * transaction; what it did stands in the event log in the same one.
 */
#ifndef MANAGEMENT_DATABASE_H
#define MANAGEMENT_DATABASE_H

#include <sqlite3.h>

#include "base/slice.h"

struct diag;

/* A value for one of a statement's question marks. */
struct db_value {
	enum { DB_INTEGER, DB_TEXT, DB_OCTETS } kind;
	int64_t integer;
	struct slice octets;
};

static inline struct db_value db_integer(int64_t v)
{
	return (struct db_value){ .kind = DB_INTEGER, .integer = v };
}

static inline struct db_value db_text(const char *s)
{
	return (struct db_value){ .kind = DB_TEXT, .octets = slice_str(s) };
}

static inline struct db_value db_octets(const void *p, size_t n)
{
	return (struct db_value){ .kind = DB_OCTETS, .octets = slice_of(p, n) };
}

/* DIR/cms.db.  Returns 0 or -ENAMETOOLONG. */
int database_path(const char *dir, char *out, size_t outsz);

/* Makes DIR/cms.db with its tables inside a transaction that the caller commits.
 * Returns 0, -EEXIST (there is one), -errno with diag set. */
int database_create(const char *dir, sqlite3 **db_out, struct diag *diag);

/* Opens it.  Returns 0, -ENOENT, -EPERM (others may enter the directory or read the
 * file), -EPROTONOSUPPORT (of a newer version), -EIO with diag set. */
int database_open(const char *dir, sqlite3 **db_out, struct diag *diag);

/* Rolls back what is not committed, and closes. */
void database_close(sqlite3 **dbp);

/* Returns 0 or -EIO with diag set. */
int database_begin(sqlite3 *db, struct diag *diag);
/* What was run since database_begin() is on disk when this returns 0. */
int database_commit(sqlite3 *db, struct diag *diag);

/* Runs a statement without rows.  Returns 0, -EEXIST when a row of that key is
 * there already, -EIO with diag set. */
int database_run(sqlite3 *db, const char *sql, const struct db_value *values, size_t n,
		 struct diag *diag);

/* Begins a query: database_next() gives 1 for each row, 0 behind the last, -EIO; the
 * caller finalizes. */
int database_query(sqlite3 *db, const char *sql, const struct db_value *values, size_t n,
		   sqlite3_stmt **rows_out, struct diag *diag);
/* The next row; its columns are valid until the next call. */
int database_next(sqlite3_stmt *rows, struct diag *diag);

/* The only integer of the only row, or fallback where there is none. */
int database_integer(sqlite3 *db, const char *sql, const struct db_value *values, size_t n,
		     int64_t fallback, int64_t *out, struct diag *diag);

/* A column's text (copied; NULL or outsz octets and more are -EBADMSG) or octets (exactly
 * n).  Return 0 or -EBADMSG. */
int database_column_text(sqlite3_stmt *rows, int column, char *out, size_t outsz);
/* NULL and octets of another number are -EBADMSG. */
int database_column_octets(sqlite3_stmt *rows, int column, uint8_t *out, size_t n);

/* Adds a line to the event log: what was done, to whom.  No secrets. */
int database_log(sqlite3 *db, int64_t now_s, const char *action, const char *detail,
		 struct diag *diag);

#endif
