/* counters.h - what "show message" and the statistics of an account count, kept in
 * memory until it is written to the store.
 *
 * Writing each count at once would cost a command per message; what was counted
 * since the last flush is lost with the process.  Pure.
 */
#ifndef RENDEZVOUS_COUNTERS_H
#define RENDEZVOUS_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

struct counters;

/* From the third on they are the columns of "stats export" (CRS manual 5.4, "stats"). */
enum counter {
	COUNTER_POST,
	COUNTER_DELIV,
	COUNTER_SESSION_OUT,
	COUNTER_SESSION_IN,
	COUNTER_MESSAGE_OUT,
	COUNTER_MESSAGE_IN,
	COUNTER_SYSTEM_OUT, /* receipts; nobody's text */
	COUNTER_SYSTEM_IN,  /* receipts, and updates that were installed */
	COUNTER_CONFERENCE,
	COUNTER_MULTI_OUT, /* calls with several media streams */
	COUNTER_MULTI_IN,
	COUNTER_GROUP_OUT, /* invitations to group calls */
	COUNTER_GROUP_IN,
	COUNTER_COUNT
};

/* "post", "session-outgoing", ...: in the store, in exports and in traces. */
const char *counter_name(enum counter what);

/* Is it counted only for accounts that have statistics enabled? */
static inline bool counter_is_statistic(enum counter what)
{
	return what >= COUNTER_SESSION_OUT;
}

/* Returns NULL when memory is out. */
struct counters *counters_new(void);
/* Frees *countersp with what was not handed over; *countersp may be NULL. */
void counters_free(struct counters **countersp);

/* One more of what, for a user; without memory it is not counted. */
void counters_add(struct counters *counters, enum counter what, const char *account,
		  const char *uri);
/* The user looked for messages. */
void counters_read(struct counters *counters, const char *account, const char *uri, int64_t time_s);

struct counted {
	const char *account, *uri;
	uint64_t count[COUNTER_COUNT];
	int64_t read_s; /* 0: not since */
};

/* Hands over every user of whom anything was counted, and forgets it where written
 * returns 0.  Where not, written has set to 0 what it wrote of it: the rest is handed over again,
 * with what is counted meanwhile. */
void counters_flush(struct counters *counters, int (*written)(void *arg, struct counted *),
		    void *arg);

#endif
