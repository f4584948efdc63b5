/* counters.h - what "show message" counts, kept in memory until it is written to
 * the store.
 *
 * Writing each count at once would cost a command per message; what was counted
 * since the last flush is lost with the process.  Pure.
 */
#ifndef RENDEZVOUS_COUNTERS_H
#define RENDEZVOUS_COUNTERS_H

#include <stdint.h>

struct counters;

enum counter { COUNTER_POST, COUNTER_DELIV, COUNTER_COUNT };

/* Returns NULL when memory is out. */
struct counters *counters_new(void);
void counters_free(struct counters **countersp);

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
 * returns 0. */
void counters_flush(struct counters *counters, int (*written)(void *arg, const struct counted *),
		    void *arg);

#endif
