/* maildir_priv.h - what the files of the maildir share. */
#ifndef MAILBOX_MAILDIR_PRIV_H
#define MAILBOX_MAILDIR_PRIV_H

#include "mailbox/maildir.h"

/* Directories are opened anew for each operation, so that a mailbox that was moved
 * away and made again is not written to in its old place. */
struct maildir {
	char *path;
	gid_t group; /* (gid_t)-1: that of the folder */
};

enum { MAILDIR_NAME_BYTES_MAX = MAILDIR_NAME_SIZE - 1 };

/* Opens path/name.  Returns a descriptor or -errno. */
int maildir_open_dir(const struct maildir *maildir, const char *name);

/* Gives what fd is to the mailbox's group, if it has one and we may. */
void maildir_give(const struct maildir *maildir, int fd);

/* Moves a file without replacing another.  Returns 0, -EEXIST or -errno. */
int maildir_move(int from_dir, const char *from, int to_dir, const char *to);

/* The length of name without its ":2,FLAGS". */
size_t maildir_base_length(const char *name);

#endif
