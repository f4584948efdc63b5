/* cmd_backup.c - cms backup and cms restore. */
#include "management/cms.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"

enum { BACKUP_MAX = 1 << 30, RESTORE_STEP = 100 };

/* VACUUM INTO does not flush what it writes (SQLite's manual, "VACUUM"); a power cut right after
 * the success that is told must not leave half a backup. */
static int make_durable(struct cms *cms, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	if (!err)
		err = file_sync_parent(path);
	if (err)
		diag_error(cms->diag, NULL, "%s: %s", path, strerror(-err));
	return err;
}

/* "cms backup FILE": a copy of the database, whose secrets stay sealed in it. */
int cmd_backup(struct cms *cms)
{
	const struct db_value values[] = { db_text(cms->args[0]) };
	int err;

	/* SQLite refuses a file that is there, too, but with words for programmers. */
	if (access(cms->args[0], F_OK) == 0) {
		diag_error(cms->diag, NULL, "%s is there already", cms->args[0]);
		return -EEXIST;
	}
	err = cms_log(cms, "backup", "to %s", cms->args[0]);
	if (!err)
		err = cms_commit(cms); /* so that the copy says so, too */
	if (err)
		return err;
	err = database_run(cms->db, "VACUUM INTO ?", values, 1, cms->diag);
	if (!err)
		err = make_durable(cms, cms->args[0]);
	if (!err)
		printf("%s holds all keys, sealed under the passphrase of today: keep it as safe "
		       "as "
		       "this computer.\n",
		       cms->args[0]);
	return err;
}

/* What was made after the backup is not known here: numbers go on far above all that
 * can have been, so that nothing made from now on passes for older. */
static int step_over(struct cms *cms)
{
	static const char *const steps[] = {
		"UPDATE updates SET revision = revision + ?",
		"UPDATE people SET next_generation = next_generation + ?",
		"UPDATE tombstones SET next_generation = next_generation + ?",
	};
	const struct db_value step[] = { db_integer(RESTORE_STEP) };
	struct settings settings;
	int err = settings_load(cms->db, &settings, cms->diag);

	if (err)
		return err;
	settings.base += RESTORE_STEP;
	err = settings_save(cms->db, &settings, cms->diag);
	for (size_t i = 0; !err && i < sizeof(steps) / sizeof(steps[0]); i++)
		err = database_run(cms->db, steps[i], step, 1, cms->diag);
	return err ? err : cms_log(cms, "restore", "from %s", cms->args[0]);
}

static int copy_in(struct cms *cms, const char *dir, const char *path)
{
	uint8_t *data;
	size_t n;
	int err = file_mkdirs(dir, 0700);

	if (!err && access(path, F_OK) == 0) {
		diag_error(cms->diag, NULL, "%s: there is a key manager already", path);
		return -EEXIST;
	}
	if (!err)
		err = file_read(cms->args[0], BACKUP_MAX, &data, &n);
	if (err) {
		diag_error(cms->diag, NULL, "%s: %s", cms->args[0], strerror(-err));
		return err;
	}
	/* The file as it is: whether it is a database, and of which version, opening it tells. */
	err = file_write_atomic(path, 0600, slice_of(data, n));
	if (err)
		diag_error(cms->diag, NULL, "%s: %s", path, strerror(-err));
	free(data);
	return err;
}

/* "cms restore FILE": the counterpart, into a directory without a database. */
int cmd_restore(struct cms *cms)
{
	const char *dir = cms_dir(cms);
	char path[PATH_MAX];
	int err;

	if (!dir)
		return -EINVAL;
	err = database_path(dir, path, sizeof(path));
	if (!err)
		err = copy_in(cms, dir, path);
	if (err)
		return err;
	err = database_open(dir, &cms->db, cms->diag);
	if (!err)
		err = database_begin(cms->db, cms->diag);
	if (!err)
		err = step_over(cms);
	if (!err)
		err = cms_commit(cms);
	if (err) {
		database_close(&cms->db);
		/* A half restored key manager must not be mistaken for one: its numbers would
		 * repeat. */
		unlink(path);
		return err;
	}
	printf("Restored.  Whoever was added, deleted or given another key after the backup must "
	       "be "
	       "so again; then make an update and apply it.\n");
	return 0;
}
