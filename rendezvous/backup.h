/* backup.h - the rendezvous's configuration, accounts and data in one tar archive, and
 * back (CRS manual 4.20).
 *
 * The archive holds crs.conf, crs-local.conf, accounts/ and data/ under their full
 * paths, as the manual has it, so that `tar -x -C /` restores it, too.  Its last
 * member, ROOT/backup-manifest.json, has the version, the instance, the time and each
 * file's size and SHA-256.
 *
 * A running crs goes on: Redis appends to its log, and a log that is cut at any
 * length is a state that the store was in; so each file is copied up to the length that it had
 * when it was opened, while Redis is kept from rewriting its log.
 *
 * With a passphrase (one of no octets is none) the archive is sealed as backup_sealed.h
 * has it; a file that is sealed needs one, and one that is not is refused with one: whoever
 * gives a passphrase wants to be sure who wrote the file.
 *
 * Source: CRS manual 4.20, 5.4 "backup"; rows CRS-125, CRS-126.
 */
#ifndef RENDEZVOUS_BACKUP_H
#define RENDEZVOUS_BACKUP_H

#include <limits.h>
#include <stdint.h>

#include "base/slice.h"
#include "rendezvous/paths.h"

struct diag;

struct backup_info {
	char instance[65]; /* crsname */
	char version[32];  /* of crs-cli that wrote it */
	char time[32];     /* UTC, as logs have it */
	size_t files;
	uint64_t octets;
};

/* Writes ROOT/backup/crs-backup-INSTANCE-DATE.tar (0600, in a folder of 0700), sealed
 * DATE.tar.sealed; its path goes to path_out.  Returns 0, -EINVAL (a passphrase too short or
 * too long), -EWOULDBLOCK (another one is being written), -EAGAIN (Redis ended, or was started,
 * meanwhile) or -errno with diag set; then no such file is left. */
int backup_write(const struct crs_paths *paths, const char *instance, struct slice passphrase,
		 char path_out[PATH_MAX], struct backup_info *info_out, struct diag *diag);

/* Reads the whole archive and compares it with its manifest.  Returns 0, -EBADMSG (not one
 * of ours, damaged, or cut off; diag says where), -EACCES (another passphrase, or none for a
 * sealed one), -EINVAL (a passphrase, but not sealed), -EPROTONOSUPPORT or -errno. */
int backup_check(const char *file, struct slice passphrase, struct backup_info *info_out,
		 struct diag *diag);

/* Checks, then puts everything into its place under paths, with modes and owner as crs wants them.
 * What was there is kept beside it under the name NAME.before-DATE.  crs must not run,
 * and cannot be started meanwhile (run_lock.h).  Returns 0, as backup_check(), -EBUSY (crs runs,
 * starts, or another restore is at work) or -errno; nothing is in place before all of it was read
 * and found whole. */
int backup_restore(const char *file, struct slice passphrase, const struct crs_paths *paths,
		   struct backup_info *info_out, struct diag *diag);

#endif
