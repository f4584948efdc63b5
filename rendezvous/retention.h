/* retention.h - statistics that forget themselves: "statistics-retention DAYS" of crs.conf.
 *
 * What is counted of an account is one total without dates (counters.h), so that all of it is
 * forgotten every so many days, beginning with when the account was first seen.  When that was is
 * in data/statistics-since, a JSON object of accounts and seconds, UTC.  Ours; the manual keeps
 * statistics until "stats clear".
 */
#ifndef RENDEZVOUS_RETENTION_H
#define RENDEZVOUS_RETENTION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct account_set;
struct retention;
struct supervisor;

enum { RETENTION_DAY_S = 24 * 60 * 60, RETENTION_LOOK_S = 60 * 60 };

/* Brings since, an object of accounts and seconds, up to the accounts that there are: new ones
 * begin now, and so does what lies in the future; others are dropped.  Returns true where that
 * changed anything; *due_out is an account whose days are over, of the set, or NULL. */
bool retention_review(json_t *since, const struct account_set *accounts, unsigned days,
		      int64_t now_s, const char **due_out);

/* *retention_out is NULL where the supervisor's settings keep statistics for ever.  Returns 0 or
 * -ENOMEM. */
int retention_new(struct supervisor *supervisor, struct retention **retention_out);
/* *retentionp may be NULL. */
void retention_free(struct retention **retentionp);

/* Forgets what is due, an account at a time; to be called again and again while workers run, and
 * cheap: it looks once an hour.  retention may be NULL. */
void retention_look(struct retention *retention);

#endif
