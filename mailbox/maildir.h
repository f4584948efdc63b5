/* maildir.h - mailboxes as directories (CIG manual 2.9, "Mailboxes" and "Message
 * format"): a message is a file, written to tmp, fsynced, then renamed to new.
 *
 * Nothing is expired or overwritten here, and a file that cannot be used is moved
 * to ".failed" beside new with the reason in NAME.reason, never deleted.
 */
#ifndef MAILBOX_MAILDIR_H
#define MAILBOX_MAILDIR_H

#include <sys/types.h>
#include <time.h>

#include "base/slice.h"

struct diag;
struct maildir;
struct maildir_watch;

enum {
	MAILDIR_DIR_MODE = 02770,
	MAILDIR_FILE_MODE = 0660,
	MAILDIR_NAME_SIZE = 256,
	MAILDIR_TMP_LIFE_S = 36 * 3600,
};

/* Makes path with new, cur, tmp and .failed, group gid, mode 2770 whatever the umask.
 * Its parent must exist.  A mailbox that exists already is set right.  Refused are a
 * relative path, "." and ".." components (-EINVAL), a symlink on the way that belongs
 * neither to root nor to us (-ELOOP), and a directory with something else in it
 * (-ENOTEMPTY).  Returns 0 or -errno with diag set. */
int maildir_create(const char *path, gid_t gid, struct diag *diag);

/* Opens a mailbox; path must have new, cur and tmp.  Returns 0, -ENOENT, -ENOTDIR,
 * -EACCES (which directory: diag) or another -errno. */
int maildir_open(const char *path, struct maildir **maildir_out, struct diag *diag);
/* Frees *maildirp and sets it to NULL; *maildirp may be NULL. */
void maildir_free(struct maildir **maildirp);
/* As it was given to maildir_open(). */
const char *maildir_path(const struct maildir *maildir);

/* Files and folders that are made from here on get this group, where we may give it; without,
 * that of the folder (2770). */
void maildir_set_group(struct maildir *maildir, gid_t gid);

/* Can members of the group (of maildir_set_group) do all that the manual lets them: read,
 * write and remove in new, cur and tmp?  Returns 0, -EPERM (a folder has another group or
 * lacks a right for its group), or another -errno. */
int maildir_check_group(const struct maildir *maildir);

/* --- writing --- */

/* The name of a message's file: the same for the same message and destination, so
 * that a retry finds it. */
void maildir_name(int64_t date_s, const uint8_t id[16], const char *destination,
		  char out[MAILDIR_NAME_SIZE]);

struct maildir_item {
	struct maildir *to;
	const char *name; /* maildir_name */
	struct slice content;
	int result; /* out: 0 (durable in new, now or already), or -errno */
};

/* Delivers items together, which costs far fewer disk flushes: writes all to tmp,
 * flushes, renames all, flushes the directories.  Items are independent: one that
 * fails leaves nothing behind.  Blocks for the flushes; at most 16 items at once
 * pay off.  No two items may have the same mailbox and name.  Returns how many
 * failed. */
size_t maildir_deliver_batch(struct maildir_item *items, size_t n);

/* --- reading --- */

struct maildir_entry {
	char name[MAILDIR_NAME_SIZE]; /* with its ":2,FLAGS", if any */
	bool in_cur;                  /* a mail program filed it there */
	ino_t inode;
	struct timespec mtime;
	off_t size;
};

/* A listing of what waits in new and cur, made in steps: the max oldest files that wanted
 * (NULL: all) says yes to.  Drafts and trashed ones (flags D and T) and names with a leading
 * dot are left out.  maildir outlives it.  Returns 0 or -ENOMEM. */
struct maildir_listing;
/* Nothing is read yet. */
int maildir_listing_new(struct maildir *maildir, size_t max,
			bool (*wanted)(void *arg, const struct maildir_entry *entry), void *arg,
			struct maildir_listing **listing_out);
/* Frees *listingp and sets it to NULL, also before its end; *listingp may be NULL. */
void maildir_listing_free(struct maildir_listing **listingp);

/* Looks at so many directory entries more.  Returns 1 when that was all, 0 when there are
 * more, or -errno. */
int maildir_listing_step(struct maildir_listing *listing, size_t entries);

/* The files of a listing that is complete, oldest first, and its end.  The caller frees
 * *entries_out (NULL when there is none).  Returns whether more were wanted than max. */
bool maildir_listing_take(struct maildir_listing **listingp, struct maildir_entry **entries_out,
			  size_t *n_out);

/* All at once: at most max entries.  Returns 0 or -errno. */
int maildir_list(struct maildir *maildir, size_t max, struct maildir_entry **entries_out,
		 size_t *n_out);

/* What stands for this very file in a journal: 16 octets made from the mailbox, the
 * name without flags, inode and mtime. */
int maildir_entry_id(const struct maildir *maildir, const struct maildir_entry *entry,
		     uint8_t id_out[16]);

/* Reads the file; the caller frees *data_out.  Returns 0, -ENOENT (gone, or another
 * file has its name by now), -EFBIG (more than max octets), -EINVAL (not a regular
 * file), -EACCES or another -errno. */
int maildir_read(struct maildir *maildir, const struct maildir_entry *entry, size_t max,
		 uint8_t **data_out, size_t *n_out);

/* Removes the file, durably, also when a mail program has set flags in its name since.
 * Returns 0 (also when it is gone), or -errno. */
int maildir_remove(struct maildir *maildir, const struct maildir_entry *entry);

/* Moves the file to .failed and writes reason (one line) beside it.  A name taken
 * there gets a number.  Returns 0, -ENOENT, or -errno. */
int maildir_fail(struct maildir *maildir, const struct maildir_entry *entry, const char *reason);

/* Deletes what we left in tmp more than MAILDIR_TMP_LIFE_S before now_s (files of
 * our own user only).  Returns how many. */
size_t maildir_sweep(struct maildir *maildir, int64_t now_s);

/* --- watching --- */

/* Tells of new files by inotify where it can, and every rescan_s seconds in any case
 * (network file systems tell nothing, and the mailbox may be replaced); it is ready at
 * once for the first look.  Returns 0 or -errno. */
int maildir_watch_new(struct maildir *maildir, unsigned rescan_s, struct maildir_watch **watch_out);
/* Closes and frees *watchp and sets it to NULL; *watchp may be NULL. */
void maildir_watch_free(struct maildir_watch **watchp);

/* Readable when it is time for maildir_list; owned by the watch. */
int maildir_watch_fd(const struct maildir_watch *watch);

/* Takes the news off the descriptor; call it before maildir_list. */
void maildir_watch_drain(struct maildir_watch *watch);

#endif
