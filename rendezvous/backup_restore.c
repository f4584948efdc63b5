/* backup_restore.c - checks a backup archive and puts it into its place.
 *
 * An archive is taken for what a stranger may have written: names are relative, without
 * "..", below the root that its manifest names; only folders and plain files are taken.
 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>
#include <jansson.h>
#include <openssl/evp.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/encode.h"
#include "base/file.h"
#include "rendezvous/backup_priv.h"
#include "rendezvous/run_lock.h"

/* What was read of an archive. */
struct contents {
	json_t *files;    /* path: { size, sha256 } as found */
	char *manifest;   /* its text, or NULL */
	size_t n_folders; /* bounded, as files are */
};

enum { MEMBERS_MAX = 2000000 };

static int bad(struct diag *diag, const char *file, const char *what, const char *member)
{
	diag_error(diag, NULL, "%s: %s%s%s", file, what, *member ? ": " : "", member);
	return -EBADMSG;
}

static bool safe_name(const char *name)
{
	if (!name || name[0] == '/' || name[0] == '\0')
		return false;
	/* Part by part: ".." alone leads out, a name with two dots in it does not. */
	for (const char *part = name; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
			return false;
	}
	return true;
}

static bool is_manifest(const char *name)
{
	size_t n = strlen(name), m = strlen("/" BACKUP_MANIFEST);

	return n > m && strcmp(name + n - m, "/" BACKUP_MANIFEST) == 0;
}

/* ---- checking ---- */

static int keep_manifest(struct archive *tar, struct archive_entry *entry, struct contents *out)
{
	la_int64_t size = archive_entry_size(entry);

	if (size < 0 || size > BACKUP_MANIFEST_MAX || out->manifest)
		return -EBADMSG;
	out->manifest = calloc(1, (size_t)size + 1);
	if (!out->manifest)
		return -ENOMEM;
	return archive_read_data(tar, out->manifest, (size_t)size) == size ? 0 : -EBADMSG;
}

/* Reads the member to its end; its size and hash are noted. */
static int hash_member(struct archive *tar, const char *name, struct contents *out)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	uint8_t block[BACKUP_BLOCK], sum[EVP_MAX_MD_SIZE];
	char hex[HEX_TEXT_SIZE(BACKUP_HASH)] = "";
	la_ssize_t n = 0;
	json_int_t size = 0;
	unsigned m = 0;
	int err = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;

	while (!err && (n = archive_read_data(tar, block, sizeof(block))) > 0) {
		size += n;
		if (EVP_DigestUpdate(hash, block, (size_t)n) != 1)
			err = -EIO;
	}
	if (!err && n < 0)
		err = -EBADMSG;
	if (!err && (EVP_DigestFinal_ex(hash, sum, &m) != 1 || m != BACKUP_HASH))
		err = -EIO;
	EVP_MD_CTX_free(hash);
	if (err)
		return err;
	hex_encode(slice_of(sum, m), hex);
	/* A second member of the same name takes the first one's place here, and is refused when
	 * it is to be written (O_EXCL). */
	json_object_set_new(out->files, name, json_pack("{s:I, s:s}", "size", size, "sha256", hex));
	return 0;
}

static int read_member(struct archive *tar, struct archive_entry *entry, const char *file,
		       struct contents *out, struct diag *diag)
{
	const char *name = archive_entry_pathname(entry);
	int err;

	if (!safe_name(name))
		return bad(diag, file, "a member has no name that may be restored",
			   name ? name : "");
	if (out->n_folders + json_object_size(out->files) >= MEMBERS_MAX)
		return bad(diag, file, "more members than a backup has", "");
	if (archive_entry_filetype(entry) == AE_IFDIR) {
		out->n_folders++;
		return 0;
	}
	/* A link would have the next member written wherever it points. */
	if (archive_entry_filetype(entry) != AE_IFREG)
		return bad(diag, file, "neither folder nor plain file", name);
	err = is_manifest(name) ? keep_manifest(tar, entry, out) : hash_member(tar, name, out);
	return err == -EBADMSG ? bad(diag, file, "cut off or damaged", name) : err;
}

struct reading {
	const char *file;
	struct contents *contents;
	struct diag *diag;
};

static int on_read(struct archive *tar, struct archive_entry *entry, void *arg)
{
	struct reading *reading = arg;

	return read_member(tar, entry, reading->file, reading->contents, reading->diag);
}

/* Is every file of the manifest there as it says, and no other? */
static int compare(const char *file, const json_t *manifest, const json_t *found,
		   struct backup_info *info_out, struct diag *diag)
{
	const json_t *files = json_object_get(manifest, "files"), *expected;
	const char *root = json_string_value(json_object_get(manifest, "root"));
	size_t i, n = root ? strlen(root) : 0;

	json_array_foreach(files, i, expected)
	{
		const char *path = json_string_value(json_object_get(expected, "path"));
		const json_t *there = path ? json_object_get(found, path) : NULL;

		if (!path || strncmp(path, root ? root : "", n) != 0 || path[n] != '/')
			return bad(diag, file, "the manifest names a file outside of its root",
				   path ? path : "");
		if (!there)
			return bad(diag, file, "a file of the manifest is missing", path);
		if (!json_equal(json_object_get(there, "size"),
				json_object_get(expected, "size")) ||
		    !json_equal(json_object_get(there, "sha256"),
				json_object_get(expected, "sha256")))
			return bad(diag, file, "not as it was when the backup was made", path);
		info_out->octets += (uint64_t)json_integer_value(json_object_get(there, "size"));
	}
	info_out->files = json_array_size(files);
	/* Every file named was found: with equal numbers there is none beside them. */
	if (info_out->files != json_object_size(found))
		return bad(diag, file, "holds files that its manifest does not name", "");
	return 0;
}

static void copy_text(const json_t *object, const char *name, char *out, size_t cap)
{
	const char *text = json_string_value(json_object_get(object, name));

	snprintf(out, cap, "%s", text ? text : "");
}

/* Reads the manifest into info; root_out is where its files were. */
static int check(const struct backup_file *backup, struct backup_info *info_out,
		 char root_out[CRS_PATH_SIZE], struct diag *diag)
{
	const char *file = backup->name;
	struct contents contents = { .files = json_object() };
	struct reading reading = { file, &contents, diag };
	json_t *manifest = NULL;
	int err = backup_each_member(backup, on_read, &reading, diag);

	memset(info_out, 0, sizeof(*info_out));
	if (!err && contents.manifest)
		manifest = json_loads(contents.manifest, 0, NULL);
	if (!err && !manifest)
		err = bad(diag, file, "no backup of crs, or cut off: it ends without a manifest",
			  "");
	if (!err) {
		copy_text(manifest, "version", info_out->version, sizeof(info_out->version));
		copy_text(manifest, "instance", info_out->instance, sizeof(info_out->instance));
		copy_text(manifest, "time", info_out->time, sizeof(info_out->time));
		copy_text(manifest, "root", root_out, CRS_PATH_SIZE);
		err = compare(file, manifest, contents.files, info_out, diag);
	}
	json_decref(manifest);
	json_decref(contents.files);
	free(contents.manifest);
	return err;
}

static int open_backup(const char *file, struct slice passphrase, struct backup_file *out,
		       struct diag *diag)
{
	int err;

	*out = (struct backup_file){ open(file, O_RDONLY | O_CLOEXEC), file, passphrase };
	if (out->fd >= 0)
		return 0;
	err = -errno;
	diag_error(diag, NULL, "%s: %s", file, strerror(-err));
	return err;
}

int backup_check(const char *file, struct slice passphrase, struct backup_info *info_out,
		 struct diag *diag)
{
	char root[CRS_PATH_SIZE];
	struct backup_file backup;
	int err = open_backup(file, passphrase, &backup, diag);

	if (err)
		return err;
	err = check(&backup, info_out, root, diag);
	close(backup.fd);
	return err;
}

/* ---- restoring ---- */

struct restoring {
	const char *folder; /* everything goes here first */
	size_t root_n;      /* octets of the archive's root and its "/" */
	struct diag *diag;
};

static bool known_part(const char *name)
{
	static const char *const parts[] = { "crs.conf", "crs-local.conf", "accounts", "data" };
	size_t n = strcspn(name, "/");

	for (int i = 0; i < BACKUP_PARTS; i++) {
		if (strlen(parts[i]) == n && strncmp(parts[i], name, n) == 0)
			return true;
	}
	return false;
}

/* What crs and its packages give such files: secrets and data are crs's own, the rest is for
 * whoever may use crs-cli; the configuration has a secret, too. */
static mode_t mode_of(const char *name)
{
	const char *last = strrchr(name, '/');

	if (strncmp(name, "data/", 5) == 0 || (last && strcmp(last, "/secret") == 0))
		return 0600;
	return 0640;
}

/* O_EXCL: never into a file that is there already. fchmod(), for the umask takes bits from what
 * open() was given. */
static int write_file(struct archive *tar, const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode), err = 0;

	if (fd < 0)
		return -errno;
	if (archive_read_data_into_fd(tar, fd) != ARCHIVE_OK)
		err = -EBADMSG;
	if (!err && (fchmod(fd, mode) || fsync(fd)))
		err = -errno;
	close(fd);
	return err;
}

static int on_restore(struct archive *tar, struct archive_entry *entry, void *arg)
{
	struct restoring *r = arg;
	const char *name = archive_entry_pathname(entry);
	char path[PATH_MAX];
	int err;

	/* Parts that a later version may add are passed over, so that its backup can be restored
	 * here. */
	if (is_manifest(name) || strlen(name) <= r->root_n || !known_part(name + r->root_n))
		return 0;
	name += r->root_n;
	err = crs_path_join(path, sizeof(path), r->folder, name);
	if (!err && archive_entry_filetype(entry) == AE_IFDIR)
		err = file_mkdirs(path, 0750);
	else if (!err)
		err = write_file(tar, path, mode_of(name));
	if (err)
		diag_error(r->diag, NULL, "%s: %s", name, strerror(-err));
	return err;
}

/* Depth first, so that a folder is empty when it is its turn. */
static int each_below(const char *folder, int (*fn)(const FTSENT *node, void *arg), void *arg)
{
	char *roots[] = { (char *)(uintptr_t)folder, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *node;
	int err = tree ? 0 : -errno;

	while (!err && (node = fts_read(tree))) {
		/* A folder is met twice: FTS_D on the way in, FTS_DP when all below it was done. */
		if (node->fts_info != FTS_D)
			err = fn(node, arg);
	}
	if (tree)
		fts_close(tree);
	return err;
}

static int remove_node(const FTSENT *node, void *arg)
{
	(void)arg;
	return remove(node->fts_accpath) ? -errno : 0;
}

struct owner {
	uid_t uid;
	gid_t gid;
};

static int give_away(const FTSENT *node, void *arg)
{
	const struct owner *owner = arg;

	return lchown(node->fts_accpath, owner->uid, owner->gid) ? -errno : 0;
}

/* As an installation has them: accounts and data belong to whom crs runs as, the configuration to
 * whom the root folder belongs to, and crs's group may read it. */
static int set_owner(const char *folder, const struct crs_paths *paths)
{
	static const char *const files[] = { "crs.conf", "crs-local.conf" };
	struct owner owner;
	struct stat root;
	char path[PATH_MAX];
	int err;

	if (geteuid() != 0)
		return 0;
	err = crs_paths_owner(paths, &owner.uid, &owner.gid);
	if (!err)
		err = each_below(folder, give_away, &owner);
	if (!err && stat(paths->root, &root))
		err = -errno;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !err; i++) {
		err = crs_path_join(path, sizeof(path), folder, files[i]);
		if (!err && lchown(path, root.st_uid, owner.gid) && errno != ENOENT)
			err = -errno;
	}
	return err;
}

static int sync_node(const FTSENT *node, void *arg)
{
	int fd, err = 0;

	(void)arg;
	if (node->fts_info != FTS_DP) /* files are on disk since they were written */
		return 0;
	fd = open(node->fts_accpath, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

/* What is there, if anything, gets the name PATH.before-DATE, or PATH.before-DATE-N behind another
 * restoring of the same second. */
static int set_aside(const char *path, const char *date)
{
	char aside[PATH_MAX];

	for (int n = 1; n <= 100; n++) {
		struct buf b = BUF_OF(aside);

		buf_printf(&b, "%s.before-%s", path, date);
		if (n > 1)
			buf_printf(&b, "-%d", n);
		if (!buf_ok(&b))
			return -ENAMETOOLONG;
		if (renameat2(AT_FDCWD, path, AT_FDCWD, aside, RENAME_NOREPLACE) == 0 ||
		    errno == ENOENT)
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

/* Each part takes its place, and what was there goes to NAME.before-DATE. */
static int swap_in(const char *folder, const struct crs_paths *paths)
{
	struct backup_part parts[BACKUP_PARTS];
	time_t now = (time_t)clock_wall_s();
	int err = 0;
	char date[32], from[PATH_MAX];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H%M%SZ", &tm);
	backup_parts(paths, parts);
	for (int i = 0; i < BACKUP_PARTS && !err; i++) {
		if (crs_path_join(from, sizeof(from), folder, parts[i].name))
			return -ENAMETOOLONG;
		/* A part that the backup does not have leaves what is there as it is. */
		if (access(from, F_OK))
			continue;
		/* A crash from here on leaves a part missing, or the parts of two states; both
		 * are complete on disk, in the folder of this restoring and under
		 * NAME.before-DATE, and nothing is lost. */
		err = set_aside(parts[i].path, date);
		if (!err && rename(from, parts[i].path))
			err = -errno;
		if (!err)
			err = file_sync_parent(parts[i].path);
	}
	return err;
}

static int unpack(const struct backup_file *backup, struct restoring *restoring,
		  const struct crs_paths *paths)
{
	int err = backup_each_member(backup, on_restore, restoring, restoring->diag);

	/* Before anything is put in its place: crs could not read what belongs to root. */
	if (!err)
		err = set_owner(restoring->folder, paths);
	/* Before anything takes its place: names that are not on the disk could be missing there
	 * after a power cut, with what they take the place of aside. */
	if (!err)
		err = each_below(restoring->folder, sync_node, NULL);
	return err;
}

/* What could not all be put in its place is left where it is: nothing of it is lost. */
static int put_in_place(const struct restoring *restoring, const struct crs_paths *paths)
{
	int err = swap_in(restoring->folder, paths);

	if (err)
		diag_error(restoring->diag, NULL,
			   "restored in part: %s; the rest is in %s, what was there has names with "
			   ".before-",
			   strerror(-err), restoring->folder);
	else
		/* The folders of the archive above the parts are left. */
		each_below(restoring->folder, remove_node, NULL);
	return err;
}

static int restore(const struct backup_file *backup, size_t root_n, const struct crs_paths *paths,
		   struct diag *diag)
{
	char folder[PATH_MAX];
	struct restoring restoring = { .folder = folder, .root_n = root_n, .diag = diag };
	int err;

	/* Below the root, and so on the file system of the parts: rename() works on one only. */
	snprintf(folder, sizeof(folder), "%s/.restore-XXXXXX", paths->root);
	if (!mkdtemp(folder))
		return -errno;
	err = unpack(backup, &restoring, paths);
	if (!err)
		return put_in_place(&restoring, paths);
	each_below(folder, remove_node, NULL);
	return err;
}

int backup_restore(const char *file, struct slice passphrase, const struct crs_paths *paths,
		   struct backup_info *info_out, struct diag *diag)
{
	char root[CRS_PATH_SIZE];
	struct backup_file backup;
	int err = open_backup(file, passphrase, &backup, diag), lock_fd = -1, data_fd = -1;

	if (err)
		return err;
	err = check(&backup, info_out, root, diag);
	if (!err)
		err = file_mkdirs(paths->root, 0755);
	/* Held to the end: a crs that is started meanwhile reads nothing of what is exchanged. */
	if (!err)
		err = run_lock_take(paths, diag, &lock_fd);
	if (!err)
		err = run_lock_take_data(paths, diag, &data_fd);
	if (err == -EWOULDBLOCK) {
		diag_error(diag, NULL, "nothing is restored; stop crs first (systemctl stop crs)");
		err = -EBUSY;
	}
	if (!err)
		err = restore(&backup, strlen(root) + 1, paths, diag);
	if (data_fd >= 0)
		close(data_fd);
	if (lock_fd >= 0)
		close(lock_fd);
	close(backup.fd);
	if (err && !diag_errors(diag))
		diag_error(diag, NULL, "%s: %s", paths->root, strerror(-err));
	return err;
}
