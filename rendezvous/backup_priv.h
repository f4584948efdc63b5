/* backup_priv.h - what writing and reading of backups share. */
#ifndef RENDEZVOUS_BACKUP_PRIV_H
#define RENDEZVOUS_BACKUP_PRIV_H

#include <stdbool.h>
#include <stddef.h>

#include "rendezvous/backup.h"

#define BACKUP_MANIFEST "backup-manifest.json"

enum {
	BACKUP_BLOCK = 64 * 1024,
	BACKUP_HASH = 32,
	BACKUP_MANIFEST_MAX = 64 << 20,
};

/* The four parts of a backup: their names under ROOT and where they are. */
enum { BACKUP_PARTS = 4 };
struct backup_part {
	const char *name, *path;
	bool folder;
};
/* The paths are those in paths, and as long. */
void backup_parts(const struct crs_paths *paths, struct backup_part parts_out[BACKUP_PARTS]);

/* A backup that is read, once to be checked and once to be restored: opened once, so that both see
 * the same file. */
struct backup_file {
	int fd;
	const char *name;
	struct slice passphrase; /* none: it is in clear */
};

/* backup_members.c: one member of an archive, whose content it may read.  Returns 0 or -errno,
 * which ends the reading. */
struct archive;
struct archive_entry;
typedef int backup_member_fn(struct archive *tar, struct archive_entry *entry, void *arg);
/* Calls member for each in the archive's order, and reads a sealed one to its last octet.
 * Returns 0, what member returned, -EBADMSG (damaged or cut off), -EACCES, -EINVAL or
 * -EPROTONOSUPPORT as backup_check(), or -errno; diag says why. */
int backup_each_member(const struct backup_file *backup, backup_member_fn *member, void *arg,
		       struct diag *diag);

/* backup_redis.c: while Redis is held, it appends to its log and does not write it anew.
 * No Redis at the socket is fine: nothing changes then.  Returns 0 or -errno with
 * diag set. */
struct backup_hold;
/* Waits for a rewrite that is under way.  Release *hold_out also when there was no Redis. */
int backup_hold_redis(const struct crs_paths *paths, struct backup_hold **hold_out,
		      struct diag *diag);
/* Redis may rewrite its log again; frees *holdp, which may be NULL.  Returns 0, or -EAGAIN with
 * diag set: it was not held all the time, for it ended, or was only started meanwhile.  What was
 * copied is no backup then. */
int backup_release_redis(struct backup_hold **holdp, struct diag *diag);

#endif
