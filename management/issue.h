/* issue.h - makes letters and update files of what the database holds. */
#ifndef MANAGEMENT_ISSUE_H
#define MANAGEMENT_ISSUE_H

#include "keys/letter.h"
#include "management/person.h"
#include "management/settings.h"

struct curves;

/* What keys are issued with: opened once a command, wiped at its end. */
struct issuer {
	sqlite3 *db;
	const struct vault *vault;
	struct settings settings;
	struct account_secret secret;
	struct curves *curves;
	struct master *master;
	int64_t created; /* creation time of what is being made */
	int64_t month;   /* the one that holds it */
};

/* Opens secrets and master keys and sets a creation time later than the last one.
 * Returns 0; -ERANGE when the computer's clock is before that (an offline machine's
 * clock may be wrong); or -errno, with diag set. */
int issuer_open(sqlite3 *db, const struct vault *vault, int64_t now_s, struct issuer *issuer_out,
		struct diag *diag);
/* Wipes the master keys and secrets, and frees them. */
void issuer_close(struct issuer *issuer);

/* The last revision written of a month; base (settings.h) for none. */
int issue_revision(sqlite3 *db, int64_t month, int64_t base, uint32_t *revision_out,
		   struct diag *diag);

/* Makes a letter of this and the next month's keys.  Wipe it. */
int issue_letter(struct issuer *issuer, const struct person *person, struct letter *letter_out,
		 struct diag *diag);

/* An update file in memory. */
struct issued_update {
	uint8_t *file; /* malloc'd */
	size_t n;
	uint32_t revision;
	size_t people;
};

/* Told of each entry made, of how many. */
typedef void issue_progress_fn(void *arg, size_t done, size_t total);

/* Makes the next revision of a month's file and notes it in the database. */
int issue_update(struct issuer *issuer, int64_t month, issue_progress_fn *progress, void *arg,
		 struct issued_update *update_out, struct diag *diag);

#endif
