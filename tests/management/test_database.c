#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "management/database.h"

struct place {
	char dir[48], file[64];
	struct diag *diag;
};

static void make_place(struct place *place)
{
	snprintf(place->dir, sizeof(place->dir), "/tmp/database-test.XXXXXX");
	assert_non_null(mkdtemp(place->dir)); /* 0700 */
	assert_int_equal(database_path(place->dir, place->file, sizeof(place->file)), 0);
	place->diag = diag_new();
	assert_non_null(place->diag);
}

static void remove_place(struct place *place)
{
	unlink(place->file);
	rmdir(place->dir);
	diag_free(&place->diag);
}

/* A new one, with its tables on disk. */
static sqlite3 *make_database(struct place *place)
{
	sqlite3 *db;

	make_place(place);
	assert_int_equal(database_create(place->dir, &db, place->diag), 0);
	assert_int_equal(database_commit(db, place->diag), 0);
	return db;
}

static int64_t count_events(sqlite3 *db)
{
	int64_t n = -1;

	assert_int_equal(database_integer(db, "SELECT COUNT(*) FROM events", NULL, 0, 0, &n, NULL),
			 0);
	return n;
}

static void a_database_is_made_once_for_its_owner_only(void **state)
{
	struct place place;
	struct stat st;
	sqlite3 *db = make_database(&place), *other;

	(void)state;
	assert_int_equal(stat(place.file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	database_close(&db);
	assert_null(db);
	assert_int_equal(database_create(place.dir, &other, place.diag), -EEXIST);
	assert_non_null(strstr(diag_first_error(place.diag), "already"));
	assert_int_equal(database_open(place.dir, &db, place.diag), 0);
	database_close(&db);
	remove_place(&place);
}

static void nothing_is_there_before_it_is_committed(void **state)
{
	struct place place;
	sqlite3 *db;

	(void)state;
	make_place(&place);
	assert_int_equal(database_create(place.dir, &db, place.diag), 0);
	database_close(&db); /* the tables go, too */
	assert_int_equal(database_open(place.dir, &db, place.diag), -EPROTONOSUPPORT);
	assert_null(db);
	remove_place(&place);

	db = make_database(&place);
	assert_int_equal(database_begin(db, place.diag), 0);
	assert_int_equal(database_log(db, 1, "user", "added", place.diag), 0);
	database_close(&db);
	assert_int_equal(database_open(place.dir, &db, place.diag), 0);
	assert_int_equal(count_events(db), 0);
	database_close(&db);
	remove_place(&place);
}

static void what_others_could_read_is_not_opened(void **state)
{
	struct place place;
	sqlite3 *db = make_database(&place);

	(void)state;
	database_close(&db);
	chmod(place.file, 0640);
	assert_int_equal(database_open(place.dir, &db, place.diag), -EPERM);
	assert_non_null(strstr(diag_first_error(place.diag), "chmod 600"));
	chmod(place.file, 0600);
	chmod(place.dir, 0750);
	assert_int_equal(database_open(place.dir, &db, place.diag), -EPERM);
	chmod(place.dir, 0700);
	unlink(place.file);
	assert_int_equal(database_open(place.dir, &db, place.diag), -ENOENT);
	assert_int_equal(database_open("/nonexistent", &db, place.diag), -ENOENT);
	remove_place(&place);
}

static void another_programs_file_is_refused(void **state)
{
	static const char text[] = "This is no database, though it has the place of one.\n";
	struct place place;
	sqlite3 *db = make_database(&place);
	FILE *f;

	(void)state;
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 2", NULL, NULL, NULL), SQLITE_OK);
	database_close(&db);
	assert_int_equal(database_open(place.dir, &db, place.diag), -EPROTONOSUPPORT);
	assert_non_null(strstr(diag_first_error(place.diag), "version 2"));

	f = fopen(place.file, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(database_open(place.dir, &db, place.diag), -EIO);
	assert_null(db);
	remove_place(&place);
}

static void values_come_back_as_they_were(void **state)
{
	static const uint8_t octets[] = { 0, 1, 0xff };
	const struct db_value values[] = { db_text("a'b"), db_integer(-7),
					   db_octets(octets, sizeof(octets)) };
	struct place place;
	sqlite3 *db = make_database(&place);
	sqlite3_stmt *rows;
	uint8_t back[sizeof(octets)];
	char text[4], small[3];

	(void)state;
	assert_int_equal(database_query(db, "SELECT ?, ?, ?, NULL", values, COUNT(values), &rows,
					place.diag),
			 0);
	assert_int_equal(database_next(rows, place.diag), 1);
	assert_int_equal(database_column_text(rows, 0, text, sizeof(text)), 0);
	assert_string_equal(text, "a'b");
	assert_int_equal(sqlite3_column_int64(rows, 1), -7);
	assert_int_equal(database_column_octets(rows, 2, back, sizeof(back)), 0);
	assert_memory_equal(back, octets, sizeof(octets));
	/* Too long, of another length, or nothing at all. */
	assert_int_equal(database_column_text(rows, 0, small, sizeof(small)), -EBADMSG);
	assert_int_equal(database_column_octets(rows, 2, back, sizeof(back) - 1), -EBADMSG);
	assert_int_equal(database_column_octets(rows, 3, back, sizeof(back)), -EBADMSG);
	assert_int_equal(database_column_text(rows, 3, text, sizeof(text)), -EBADMSG);
	assert_int_equal(database_next(rows, place.diag), 0);
	sqlite3_finalize(rows);
	database_close(&db);
	remove_place(&place);
}

static void a_key_that_is_there_already_is_told_apart_from_other_faults(void **state)
{
	const struct db_value values[] = { db_text("key"), db_text("value"), db_text("one more") };
	static const char insert[] = "INSERT INTO settings (key, value) VALUES (?, ?)";
	struct place place;
	sqlite3 *db = make_database(&place);

	(void)state;
	assert_int_equal(database_run(db, insert, values, 2, place.diag), 0);
	assert_int_equal(database_run(db, insert, values, 2, place.diag), -EEXIST);
	assert_int_equal(diag_errors(place.diag), 0);
	assert_int_equal(database_run(db, "INSERT INTO nowhere VALUES (1)", NULL, 0, place.diag),
			 -EIO);
	assert_int_equal(diag_errors(place.diag), 1);
	assert_int_equal(database_run(db, insert, values, 3, place.diag), -EIO);
	database_close(&db);
	remove_place(&place);
}

static void an_integer_that_is_not_there_has_its_fallback(void **state)
{
	struct place place;
	sqlite3 *db = make_database(&place);
	int64_t n;

	(void)state;
	assert_int_equal(database_integer(db, "SELECT time FROM events", NULL, 0, 42, &n, NULL), 0);
	assert_int_equal(n, 42);
	assert_int_equal(
		database_integer(db, "SELECT MAX(time) FROM events", NULL, 0, 43, &n, NULL), 0);
	assert_int_equal(n, 43); /* a row, but NULL */
	assert_int_equal(database_log(db, 99, "user", "added", NULL), 0);
	assert_int_equal(database_integer(db, "SELECT time FROM events", NULL, 0, 42, &n, NULL), 0);
	assert_int_equal(n, 99);
	assert_int_equal(database_integer(db, "SELECT nothing", NULL, 0, 0, &n, place.diag), -EIO);
	database_close(&db);
	remove_place(&place);
}

static void a_second_program_cannot_change_it_meanwhile(void **state)
{
	struct place place;
	sqlite3 *db = make_database(&place), *other;

	(void)state;
	assert_int_equal(database_open(place.dir, &other, place.diag), 0);
	sqlite3_busy_timeout(other, 0);
	assert_int_equal(database_begin(db, place.diag), 0);
	assert_int_equal(database_begin(other, place.diag), -EIO);
	assert_int_equal(database_commit(db, place.diag), 0);
	assert_int_equal(database_commit(db, place.diag), -EIO); /* nothing was begun */
	assert_int_equal(database_begin(other, place.diag), 0);
	database_close(&other);
	database_close(&db);
	remove_place(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_database_is_made_once_for_its_owner_only),
		cmocka_unit_test(nothing_is_there_before_it_is_committed),
		cmocka_unit_test(what_others_could_read_is_not_opened),
		cmocka_unit_test(another_programs_file_is_refused),
		cmocka_unit_test(values_come_back_as_they_were),
		cmocka_unit_test(a_key_that_is_there_already_is_told_apart_from_other_faults),
		cmocka_unit_test(an_integer_that_is_not_there_has_its_fallback),
		cmocka_unit_test(a_second_program_cannot_change_it_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
