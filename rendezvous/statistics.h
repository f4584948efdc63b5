/* statistics.h - an account's statistics as `crs-cli stats export` prints them.
 *
 * Source: CRS manual 5.4, "stats".  Off unless enabled for the account.  A row for each
 * user whom an update lists or of whom anything was counted.
 */
#ifndef RENDEZVOUS_STATISTICS_H
#define RENDEZVOUS_STATISTICS_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "rendezvous/supervisor.h"

/* The columns of the export in the manual's order, 16 of them. */
enum { STATISTICS_COLUMNS = 16 };
extern const char *const statistics_columns[STATISTICS_COLUMNS];

/* Collects an account's statistics: what workers counted is written first, then all of it is read.
 * done gets an array of objects with the columns as members (owned), or NULL: no memory, or the
 * store did not tell all of it.
 * Returns 0 or -ENOMEM: then done is not called. */
typedef void statistics_done_fn(void *arg, json_t *rows);
/* account is copied. */
int statistics_collect(struct supervisor *supervisor, const char *account, statistics_done_fn *done,
		       void *arg);

/* Prints such an array as tab-separated values, the columns named in the first line. */
void statistics_print(const json_t *rows, FILE *to);

/* Forgets what was counted; done gets an empty array, or NULL where the store was not there
 * or did not do all of it. */
int statistics_clear(struct supervisor *supervisor, const char *account, statistics_done_fn *done,
		     void *arg);

#endif
