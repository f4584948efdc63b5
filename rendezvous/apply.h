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

/* What updates are taken over into. */
struct apply_target {
	const char *dir; /* with a folder for each account */
	const struct account_set *accounts;
	struct floors *floors;
};

struct apply_source {
	const char *path;    /* where the file lies */
	const char *name;    /* what it is called in what is told: a copy has its original's */
	const char *account; /* that it has to be for; NULL: any */
	bool partial;        /* a file with damaged parts is taken, without them */
};

/* Returns 0, or with diag set -EBADMSG (damaged, not an update), -EACCES (no account opens
 * it, or it is for another account), -EEXIST (not newer than what is applied), or -errno. */
int apply_file(const struct apply_target *into, const struct apply_source *from,
	       struct applied *applied_out, struct diag *diag);

/* The updates of this month on that lie in an account's folder, placed by hand or
 * applied before: opens what is still sealed, raises the floors.  What is wrong with a file is told
 * in diag.  Returns 0 or -ENOMEM. */
int apply_folder(const struct apply_target *into, const char *account, struct diag *diag);

#endif
