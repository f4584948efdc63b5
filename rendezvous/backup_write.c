/* backup_write.c - writes a backup archive.
 *
 * It grows under the name NAME.part and gets its own when it is whole and on disk: what has the
 * name of a backup is one. Files are read while crs goes on; backup.h says why that is good
 * enough.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>
#include <jansson.h>
#include <openssl/evp.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/encode.h"
#include "base/file.h"
#include "build-config.h"
#include "rendezvous/backup_priv.h"
#include "rendezvous/backup_sealed.h"

#define NAME_BEGIN "crs-backup-"

struct writer {
	struct archive *tar;
	struct backup_sealer *sealer; /* NULL: the archive is in clear */
	struct diag *diag;
	json_t *files; /* of the manifest */
	struct backup_info *info;
};

void backup_parts(const struct crs_paths *paths, struct backup_part parts_out[BACKUP_PARTS])
{
	const struct backup_part parts[BACKUP_PARTS] = {
		{ "crs.conf", paths->config, false },
		{ "crs-local.conf", paths->local, false },
		{ "accounts", paths->accounts, true },
		{ "data", paths->data, true },
	};

	memcpy(parts_out, parts, sizeof(parts));
}

/* The name of a member: the path as tar -C / wants it. */
static const char *member_name(const char *path)
{
	while (*path == '/')
		path++;
	return path;
}

static int tar_error(struct writer *w, const char *path)
{
	const char *why = archive_error_string(w->tar);

	diag_error(w->diag, NULL, "cannot write %s to the archive: %s", path,
		   why ? why : "unknown error");
	return -EIO;
}

static int put_header(struct writer *w, const char *path, const struct stat *st)
{
	struct archive_entry *entry = archive_entry_new();
	int err = entry ? 0 : -ENOMEM;

	if (err)
		return err;
	/* The size of the moment when it was opened: the header comes first and cannot be
	 * changed when the file has grown. */
	archive_entry_copy_stat(entry, st);
	archive_entry_set_pathname(entry, member_name(path));
	if (archive_write_header(w->tar, entry) != ARCHIVE_OK)
		err = tar_error(w, path);
	archive_entry_free(entry);
	return err;
}

/* Copies size octets of fd, as many as the header says: what is appended meanwhile belongs
 * to the next backup.  A file that is shorter now cannot be one of ours. */
static int copy_octets(struct writer *w, const char *path, int fd, uint64_t size, EVP_MD_CTX *hash)
{
	uint8_t block[BACKUP_BLOCK];

	while (size > 0) {
		size_t want = size < sizeof(block) ? (size_t)size : sizeof(block);
		ssize_t n = read(fd, block, want);

		if (n <= 0) {
			int err = n < 0 ? -errno : -EIO;

			diag_error(w->diag, NULL, "%s: %s", path,
				   n < 0 ? strerror(-err) : "became shorter while it was read");
			return err;
		}
		if (archive_write_data(w->tar, block, (size_t)n) != n)
			return tar_error(w, path);
		if (EVP_DigestUpdate(hash, block, (size_t)n) != 1)
			return -EIO;
		size -= (uint64_t)n;
	}
	return 0;
}

static int note_file(struct writer *w, const char *path, uint64_t size, EVP_MD_CTX *hash)
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	char hex[HEX_TEXT_SIZE(BACKUP_HASH)];
	unsigned n = 0;

	if (EVP_DigestFinal_ex(hash, sum, &n) != 1 || n != BACKUP_HASH)
		return -EIO;
	hex_encode(slice_of(sum, n), hex);
	json_array_append_new(w->files, json_pack("{s:s, s:I, s:s}", "path", member_name(path),
						  "size", (json_int_t)size, "sha256", hex));
	w->info->files++;
	w->info->octets += size;
	return 0;
}

static int put_open_file(struct writer *w, const char *path, int fd)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	struct stat st;
	int err = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;

	if (!err && fstat(fd, &st))
		err = -errno;
	if (!err)
		err = put_header(w, path, &st);
	if (!err)
		err = copy_octets(w, path, fd, (uint64_t)st.st_size, hash);
	if (!err)
		err = note_file(w, path, (uint64_t)st.st_size, hash);
	EVP_MD_CTX_free(hash);
	return err;
}

static int put_file(struct writer *w, const char *path)
{
	/* Whoever may write below data could otherwise have a link read by root. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), err;

	if (fd < 0 && errno == ENOENT)
		return 0; /* replaced by its next version while the folder was read */
	if (fd < 0) {
		err = -errno;
		diag_error(w->diag, NULL, "%s: %s", path, strerror(-err));
		return err;
	}
	err = put_open_file(w, path, fd);
	close(fd);
	return err;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Folders and plain files; sockets and links are nothing to restore. */
static int put_folder(struct writer *w, const char *folder)
{
	char *roots[] = { (char *)(uintptr_t)folder, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	FTSENT *node;
	int err = tree ? 0 : -errno;

	while (!err && (node = fts_read(tree))) {
		if (node->fts_info == FTS_D)
			err = put_header(w, node->fts_path, node->fts_statp);
		else if (node->fts_info == FTS_F)
			err = put_file(w, node->fts_path);
		else if (node->fts_info == FTS_DNR || node->fts_info == FTS_ERR)
			err = -node->fts_errno;
		if (err && !diag_errors(w->diag))
			diag_error(w->diag, NULL, "%s: %s", node->fts_path, strerror(-err));
	}
	if (tree)
		fts_close(tree);
	return err;
}

/* ROOT/backup-manifest.json, behind everything that it names. */
static int put_manifest(struct writer *w, const struct crs_paths *paths)
{
	/* Last, for it has the hashes of what was written: one pass over the files is enough,
	 * and an archive without it is seen to be cut off. */
	struct stat st = { .st_mode = S_IFREG | 0600, .st_mtime = (time_t)clock_wall_s() };
	const struct backup_info *info = w->info;
	char path[PATH_MAX];
	json_t *manifest = json_pack("{s:s, s:s, s:s, s:s, s:O}", "version", info->version,
				     "instance", info->instance, "time", info->time, "root",
				     member_name(paths->root), "files", w->files);
	char *text = manifest ? json_dumps(manifest, JSON_INDENT(1)) : NULL;
	size_t n = text ? strlen(text) : 0;
	int err = text ? 0 : -ENOMEM;

	snprintf(path, sizeof(path), "%s/%s", paths->root, BACKUP_MANIFEST);
	st.st_size = (off_t)n;
	if (!err)
		err = put_header(w, path, &st);
	if (!err && archive_write_data(w->tar, text, n) != (la_ssize_t)n)
		err = tar_error(w, path);
	free(text);
	json_decref(manifest);
	return err;
}

static int put_all(struct writer *w, const struct crs_paths *paths)
{
	struct backup_part parts[BACKUP_PARTS];
	int err = 0;

	backup_parts(paths, parts);
	for (int i = 0; i < BACKUP_PARTS && !err; i++)
		err = parts[i].folder ? put_folder(w, parts[i].path) : put_file(w, parts[i].path);
	return err ? err : put_manifest(w, paths);
}

/* libarchive gives what it has written. */
static la_ssize_t on_written(struct archive *tar, void *arg, const void *p, size_t n)
{
	struct writer *w = arg;
	int err = backup_sealer_put(w->sealer, slice_of(p, n));

	if (!err)
		return (la_ssize_t)n;
	archive_set_error(tar, -err, "%s", strerror(-err));
	return -1;
}

static int open_sealed(struct writer *w, int fd, struct slice passphrase)
{
	int err = backup_sealer_new(fd, passphrase, &w->sealer);

	if (err == -EINVAL)
		diag_error(w->diag, NULL, "a passphrase has %d to %d octets", VAULT_PASSPHRASE_MIN,
			   VAULT_PASSPHRASE_MAX);
	if (!err && archive_write_open(w->tar, w, NULL, on_written, NULL) != ARCHIVE_OK)
		err = -ENOMEM;
	return err;
}

static int open_archive(struct writer *w, int fd, struct slice passphrase)
{
	w->tar = archive_write_new();
	w->files = json_array();
	if (!w->tar || !w->files || archive_write_set_format_pax_restricted(w->tar) != ARCHIVE_OK)
		return -ENOMEM;
	if (passphrase.n > 0)
		return open_sealed(w, fd, passphrase);
	return archive_write_open_fd(w->tar, fd) == ARCHIVE_OK ? 0 : -ENOMEM;
}

static int write_archive(struct writer *w, const struct crs_paths *paths, int fd,
			 struct slice passphrase)
{
	struct backup_hold *hold = NULL;
	int err = open_archive(w, fd, passphrase), released;

	if (!err)
		/* Not before the passphrase's key was derived, which takes its time: Redis's log
		 * grows while it is held. */
		err = backup_hold_redis(paths, &hold, w->diag);
	if (!err)
		err = put_all(w, paths);
	released = backup_release_redis(&hold, w->diag);
	err = err ? err : released;
	/* Also after an error, of which the first is the one that is told. */
	if (w->tar && archive_write_close(w->tar) != ARCHIVE_OK && !err)
		err = tar_error(w, "its end");
	/* A backup that failed gets no end: nobody can take it for a whole one. */
	if (!err && w->sealer)
		err = backup_sealer_end(w->sealer);
	archive_write_free(w->tar); /* which closes what is open: before the sealer goes */
	backup_sealer_free(&w->sealer);
	json_decref(w->files);
	if (!err && fsync(fd))
		err = -errno;
	return err;
}

static void name_archive(const struct crs_paths *paths, const char *instance, bool sealed,
			 char out[PATH_MAX])
{
	time_t now = (time_t)clock_wall_s();
	char date[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H%M%SZ", &tm);
	snprintf(out, PATH_MAX, "%s/" NAME_BEGIN "%s-%s.tar%s", paths->backup, instance, date,
		 sealed ? ".sealed" : "");
}

/* One backup at a time: each would let Redis go on when it is done, whatever the other does.
 * The lock is the folder's, and ends with the process.  Returns its descriptor or -errno. */
static int take_turn(const char *folder, struct diag *diag)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	err = -errno;
	if (err == -EWOULDBLOCK)
		diag_error(diag, NULL, "another backup is being written to %s", folder);
	else
		diag_error(diag, NULL, "%s: %s", folder, strerror(-err));
	if (fd >= 0)
		close(fd);
	return err;
}

/* What backups that were killed have left; nobody writes one now. */
static void tidy(int folder_fd)
{
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!d && fd >= 0)
		close(fd);
	while (d && (entry = readdir(d))) {
		size_t n = strlen(entry->d_name);

		if (strncmp(entry->d_name, NAME_BEGIN, strlen(NAME_BEGIN)) == 0 && n > 5 &&
		    strcmp(entry->d_name + n - 5, ".part") == 0)
			unlinkat(folder_fd, entry->d_name, 0);
	}
	if (d)
		closedir(d);
}

static int write_named(const struct crs_paths *paths, struct slice passphrase, const char *path,
		       struct writer *w)
{
	char unfinished[PATH_MAX + 8];
	bool renamed;
	int err, fd;

	snprintf(unfinished, sizeof(unfinished), "%s.part", path);
	fd = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		err = -errno;
		diag_error(w->diag, NULL, "%s: %s", unfinished, strerror(-err));
		return err;
	}
	err = write_archive(w, paths, fd, passphrase);
	close(fd);
	if (!err && rename(unfinished, path))
		err = -errno;
	renamed = !err;
	if (renamed)
		err = file_sync_parent(path);
	if (!err)
		return 0;
	/* Whole as it is, too: it might be gone after a crash, and was told to have failed. */
	unlink(renamed ? path : unfinished);
	if (!diag_errors(w->diag))
		diag_error(w->diag, NULL, "%s: %s", path, strerror(-err));
	return err;
}

int backup_write(const struct crs_paths *paths, const char *instance, struct slice passphrase,
		 char path_out[PATH_MAX], struct backup_info *info_out, struct diag *diag)
{
	struct writer w = { .diag = diag, .info = info_out };
	int err = file_mkdirs(paths->backup, 0700), turn;

	*info_out = (struct backup_info){ .version = PACKAGE_VERSION };
	snprintf(info_out->instance, sizeof(info_out->instance), "%s", instance);
	clock_format(clock_wall_ms(), info_out->time);
	name_archive(paths, instance, passphrase.n > 0, path_out);
	if (err) {
		diag_error(diag, NULL, "%s: %s", paths->backup, strerror(-err));
		return err;
	}
	turn = take_turn(paths->backup, diag);
	if (turn < 0)
		return turn;
	tidy(turn);
	err = write_named(paths, passphrase, path_out, &w);
	close(turn);
	return err;
}
