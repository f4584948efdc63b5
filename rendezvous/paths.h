/* paths.h - where crs keeps its files.
 *
 * One option, --root DIR, moves everything: DIR/crs.conf, crs-local.conf,
 * crs-relay.conf, accounts/, data/, run/, log/.  Without it the manual's places
 * count: /opt/crs (CRS manual 4.1.2, 4.20.1), logs in /var/log/crs (chapter 6) and
 * sockets in /run/crs (ours).
 */
#ifndef RENDEZVOUS_PATHS_H
#define RENDEZVOUS_PATHS_H

#include <stddef.h>
#include <sys/types.h>

enum { CRS_PATH_SIZE = 256 };

struct diag;

struct crs_paths {
	char root[CRS_PATH_SIZE];
	char config[CRS_PATH_SIZE]; /* crs.conf */
	char local[CRS_PATH_SIZE];  /* crs-local.conf */
	char accounts[CRS_PATH_SIZE], data[CRS_PATH_SIZE];
	char run[CRS_PATH_SIZE], log[CRS_PATH_SIZE];
	char backup[CRS_PATH_SIZE];  /* archives (CRS manual 4.20.1) */
	char control[CRS_PATH_SIZE]; /* crs-cli's socket */
	char relay[CRS_PATH_SIZE];   /* crs-relay's socket */
	char admins[CRS_PATH_SIZE];  /* remote administrators */
	char notify[CRS_PATH_SIZE];  /* the script of events (CRS manual 7) */
};

/* Writes path to out, behind the working directory where it is not absolute: Redis works in a
 * directory of its own, and what the logs name is found from anywhere.  Returns 0, -ENAMETOOLONG,
 * or what getcwd(3) says. */
int crs_path_absolute(char *out, size_t cap, const char *path);

/* Fills *paths, all of them absolute.  root NULL: the installed places.  Returns as
 * crs_path_absolute() does. */
int crs_paths_init(struct crs_paths *paths, const char *root);

/* Who crs runs as: the owner of the accounts; where there are none, of the data, the logs, or the
 * root.  Returns 0, or what stat(2) says when not even the root is there. */
int crs_paths_owner(const struct crs_paths *paths, uid_t *uid_out, gid_t *gid_out);

/* Makes the folders of accounts, data, sockets and logs where they are missing, mode 0750.  Returns
 * 0 or -errno with diag set. */
int crs_paths_make(const struct crs_paths *paths, struct diag *diag);

/* Writes DIR/NAME to out.  Returns 0 or -ENAMETOOLONG. */
int crs_path_join(char *out, size_t cap, const char *dir, const char *name);

#endif
