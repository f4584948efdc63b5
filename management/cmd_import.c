/* cmd_import.c - cms user import and export. */
#include "management/cms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/file.h"
#include "management/tsv.h"

enum { IMPORT_MAX = 256 << 20 };

/* Adds the user of one line.  What is wrong with the line is said, and the others
 * are looked at, too; only what is no fault of the file ends the import. */
static int import_line(struct cms *cms, const struct settings *settings, struct slice line,
		       unsigned number)
{
	struct diag_place place = { cms->args[0], number, 0 };
	char reason[TSV_REASON_SIZE];
	struct person person;
	int err;

	if (tsv_read(line, &person, reason)) {
		diag_error(cms->diag, &place, "%s", reason);
		return 0;
	}
	/* Without diag: what it would say names no line. */
	err = person_add(cms->db, &cms->vault, &person, (uint32_t)settings->base + 1, cms->now_s,
			 NULL);
	if (err == -EEXIST)
		diag_error(cms->diag, &place, "%s is there already", person.uri);
	return err == -EEXIST ? 0 : err;
}

static int import_lines(struct cms *cms, struct slice text, unsigned *count)
{
	struct settings settings;
	int err = settings_load(cms->db, &settings, cms->diag);

	if (slice_starts(text, "\xef\xbb\xbf"))
		text = slice_from(text, 3); /* Notepad's mark of UTF-8 */
	for (*count = 0; !err && text.n; ++*count) {
		const uint8_t *newline = memchr(text.p, '\n', text.n);
		size_t n = newline ? (size_t)(newline - text.p) : text.n;

		err = import_line(cms, &settings, slice_of(text.p, n), *count + 1);
		text = slice_from(text, n + 1);
	}
	return err;
}

/* "cms user import FILE": users from a table of tabs (tsv.h), all or none. */
int cmd_user_import(struct cms *cms)
{
	const char *path = cms->args[0];
	size_t length = strlen(path), n;
	unsigned count;
	uint8_t *data;
	int err;

	if (length < 4 || strcmp(path + length - 4, ".txt") != 0) {
		diag_error(cms->diag, NULL, "%s: the file's name must end in .txt", path);
		return -EINVAL;
	}
	err = file_read(path, IMPORT_MAX, &data, &n);
	if (err) {
		diag_error(cms->diag, NULL, "%s: %s", path, strerror(-err));
		return err;
	}
	err = import_lines(cms, slice_of(data, n), &count);
	free(data);
	/* Nothing is committed then: all lines, or none. */
	if (!err && diag_errors(cms->diag))
		err = -EINVAL;
	if (!err)
		err = cms_log(cms, "import", "%u users from %s", count, path);
	if (!err)
		err = cms_commit(cms);
	if (!err)
		printf("%u users imported\n", count);
	return err;
}

/* "cms user export FILE": the counterpart. */
int cmd_user_export(struct cms *cms)
{
	const char *path = cms->value[OPTION_OUTPUT];
	/* "x": an export never overwrites. */
	FILE *to = path ? fopen(path, "wx") : stdout;
	struct person person;
	sqlite3_stmt *rows;
	int more, err = to ? 0 : -errno;

	if (err) {
		diag_error(cms->diag, NULL, "%s: %s", path, strerror(-err));
		return err;
	}
	err = person_list(cms->db, PERSON_USER, &rows, cms->diag);
	while (!err && (more = person_next(rows, &person, cms->diag)) != 0) {
		if (more < 0)
			err = more;
		else
			tsv_write(&person, to);
	}
	sqlite3_finalize(rows);
	if (!err && (ferror(to) || fflush(to) != 0))
		err = -EIO;
	if (path)
		fclose(to);
	return err;
}
