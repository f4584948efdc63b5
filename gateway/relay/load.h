/* load.h - how busy a media thread is, and what follows from it: how much work the Opus
 * encoder may do, and whether the thread may take one more call.
 *
 * Pure: figures and time in, decisions out.  A call that would harm those that are up is
 * refused before quality falls; what falls first, and on purpose, is the encoder's
 * complexity, which speech survives (docs/performance.md).
 */
#ifndef GATEWAY_RELAY_LOAD_H
#define GATEWAY_RELAY_LOAD_H

#include <stdbool.h>
#include <stdint.h>

enum {
	LOAD_PERIOD_MS = 500,      /* between two figures of a thread */
	LOAD_DEFAULT_PERCENT = 85, /* of a processor: the media of one thread, at most */
	LOAD_RELIEF_PART = 16,     /* of the limit must be free before calls are taken again */
	LOAD_FEW = 10,             /* fewer calls are not what makes a thread late */
	LOAD_LATE_MS = 20,         /* a packet's time: then every receiver's buffer is in use */
	LOAD_SILENT_MS = 3000,     /* a thread that tells nothing for so long is stuck */
	LOAD_TEXT = 96,

	/* Opus complexity, by load */
	LOAD_COMPLEXITY_IDLE = 5,
	LOAD_COMPLEXITY_BUSY = 1, /* still with FEC */
	LOAD_COMPLEXITY_FULL = 0,
};

/* What a thread tells of one period. */
struct load_figures {
	unsigned cpu_percent; /* of one processor */
	unsigned late_ms;     /* how late its timer was served, on average */
	unsigned talking;     /* calls with both legs at its end: cpu_percent has their cost */
	uint64_t dropped;     /* packets that the system dropped since the start: the sockets
			       * were full because nobody read them in time */
	int complexity;       /* of encoding, from now on */
};

/* The thread's part. */
struct load_meter {
	int64_t since_ms, cpu_ms;
	uint64_t late_ms; /* the sum of all ticks */
	unsigned ticks;
	int complexity;
};

/* cpu_ms: CPU time that the thread has used so far. */
void load_meter_init(struct load_meter *meter, int64_t now_ms, int64_t cpu_ms);

/* The thread's timer was served late_ms after it was due. */
void load_meter_tick(struct load_meter *meter, int64_t late_ms);

/* Returns true when a period is over: cpu_percent, late_ms and complexity are then set in
 * *figures_out, and the next period begins. */
bool load_meter_take(struct load_meter *meter, int64_t now_ms, int64_t cpu_ms,
		     struct load_figures *figures_out);

/* The main thread's part: the last two figures of a thread.  Zeros are a good start. */
struct load_view {
	struct load_figures now, before;
	int64_t told_ms; /* 0: nothing was told yet */
};

/* Takes new figures. */
void load_view_take(struct load_view *view, const struct load_figures *figures, int64_t now_ms);

/* Would one more call harm the others of a thread that has so many calls, talking or about
 * to?  max_percent 0: never.  Returns true with the reason in why. */
bool load_refuses(const struct load_view *view, unsigned calls, unsigned max_percent,
		  int64_t now_ms, char why[LOAD_TEXT]);

#endif
