/* paths.c - the places of crs's files.
 *
 * A root that is too long is refused here, when the program starts, not at the first file. Unix
 * sockets allow less (107 octets), which whoever binds one finds out.
 */
#include "rendezvous/paths.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/file.h"

int crs_path_absolute(char *out, size_t cap, const char *path)
{
	struct buf b = buf_over(out, cap);
	char here[CRS_PATH_SIZE];

	if (path[0] != '/') {
		if (!getcwd(here, sizeof(here)))
			return errno == ERANGE ? -ENAMETOOLONG : -errno;
		buf_printf(&b, "%s/", here);
	}
	buf_put_str(&b, path);
	return buf_ok(&b) ? 0 : -ENAMETOOLONG;
}

int crs_path_join(char *out, size_t cap, const char *dir, const char *name)
{
	struct buf b = buf_over(out, cap);

	buf_printf(&b, "%s/%s", dir, name);
	return buf_ok(&b) ? 0 : -ENAMETOOLONG;
}

int crs_paths_init(struct crs_paths *paths, const char *root)
{
	/* With a root everything lies below it: a second server on a host touches nothing of
	 * the installed one. */
	const char *dir = paths->root;
	const struct {
		char *out;
		const char *name, *fixed;
	} places[] = {
		{ paths->config, "crs.conf", NULL },
		{ paths->local, "crs-local.conf", NULL },
		{ paths->accounts, "accounts", NULL },
		{ paths->data, "data", NULL },
		{ paths->run, "run", CRS_RUN_DIR },
		{ paths->log, "log", CRS_LOG_DIR },
		{ paths->backup, "backup", NULL },
		{ paths->notify, "scripts/notify.sh", NULL },
		{ paths->admins, "data/admins", NULL },
	};
	int err = crs_path_absolute(paths->root, sizeof(paths->root), root ? root : CRS_DIR);

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct buf b = buf_over(places[i].out, CRS_PATH_SIZE);

		if (!root && places[i].fixed)
			buf_put_str(&b, places[i].fixed);
		else
			buf_printf(&b, "%s/%s", dir, places[i].name);
		if (!buf_ok(&b))
			err = -ENAMETOOLONG;
	}
	if (!err)
		err = crs_path_join(paths->control, CRS_PATH_SIZE, paths->run, "crs.sock");
	if (!err)
		err = crs_path_join(paths->relay, CRS_PATH_SIZE, paths->run, "crs-relay.sock");
	return err;
}

/* Not the root first: in an installation that is root's own, and crs may not write there. */
int crs_paths_owner(const struct crs_paths *paths, uid_t *uid_out, gid_t *gid_out)
{
	const char *const places[] = { paths->accounts, paths->data, paths->log, paths->root };
	struct stat st;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (stat(places[i], &st) == 0) {
			*uid_out = st.st_uid;
			*gid_out = st.st_gid;
			return 0;
		}
	}
	return -errno;
}

int crs_paths_make(const struct crs_paths *paths, struct diag *diag)
{
	const char *const folders[] = { paths->accounts, paths->data, paths->run, paths->log };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		int err = file_mkdirs(folders[i], 0750);

		if (err) {
			diag_error(diag, NULL, "cannot make %s: %s", folders[i], strerror(-err));
			return err;
		}
	}
	return 0;
}
