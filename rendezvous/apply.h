/* apply.h - takes a monthly update file over (CRS manual 4.21, "apply").
 *
 * Finds the account that it is for, checks it whole, writes it into the account's
 * folder with its index opened, and raises the floors of its users.
 */
#ifndef RENDEZVOUS_APPLY_H
#define RENDEZVOUS_APPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct account_set;
struct diag;
struct floors;
struct update;

enum { APPLY_FILE_MAX = 1 << 30, APPLY_ACCOUNT = 32, APPLY_MONTH = 8 };

struct applied {
	char account[APPLY_ACCOUNT];
	char month[APPLY_MONTH];
	uint32_t revision;
	uint64_t created;
	size_t users, damaged;
};

/* Where an update file lies, and what it is called in what is told of it: a copy has the name of
 * its original. */
struct apply_source {
	const char *path, *name;
};

/* partial: a file with damaged parts is taken, without them.  Returns 0, or with
 * diag set -EBADMSG (damaged, not an update), -EACCES (no account opens it),
 * -EEXIST (not newer than what is applied), or -errno. */
int apply_file(const char *accounts_dir, const struct account_set *accounts, struct floors *floors,
	       const struct apply_source *from, bool partial, struct applied *applied_out,
	       struct diag *diag);

/* The same, but only for this account: a file that is for another one is refused with -EACCES. */
int apply_file_of(const char *accounts_dir, const struct account_set *accounts,
		  struct floors *floors, const char *path, const char *account,
		  struct applied *applied_out, struct diag *diag);

/* The updates of this month on that lie in an account's folder, placed by hand or
 * applied before: opens what is still sealed, raises the floors.  What is wrong with a file is told
 * in diag.  Returns 0 or -ENOMEM. */
int apply_folder(const char *accounts_dir, const struct account_set *accounts,
		 struct floors *floors, const char *account, struct diag *diag);

#endif
