/* texts_resting.h - files of a read mailbox that could not be dealt with: each is passed over
 * for a while, longer each time, so that it neither hides newer ones nor keeps the processor
 * busy.
 *
 * Threads: one owner.
 */
#ifndef GATEWAY_TEXTS_RESTING_H
#define GATEWAY_TEXTS_RESTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct texts_resting;

enum {
	TEXTS_RESTING_ID = 16, /* maildir_entry_id() */
	TEXTS_RESTING_WHY = 160,
	TEXTS_MAX_RESTING = 200000, /* some 16 MB; those beyond are tried at each listing */
	TEXTS_REST_MS = 30000,      /* the first time, then twice as long, ... */
	TEXTS_REST_DOUBLINGS = 7,   /* ... up to about an hour */
};

/* Returns NULL when memory is out. */
struct texts_resting *texts_resting_new(void);
/* Frees *restingp and sets it to NULL; *restingp may be NULL. */
void texts_resting_free(struct texts_resting **restingp);

/* Lets the file rest.  Returns whether it is the first time, so that the log tells it once. */
bool texts_resting_add(struct texts_resting *resting, const uint8_t id[TEXTS_RESTING_ID],
		       const char *why, int64_t now_ms);

/* The file was dealt with after all. */
void texts_resting_remove(struct texts_resting *resting, const uint8_t id[TEXTS_RESTING_ID]);

/* Does it rest?  A listing asks this of each file. */
bool texts_resting_has(struct texts_resting *resting, const uint8_t id[TEXTS_RESTING_ID],
		       int64_t now_ms);

/* Around a whole listing: those that it did not ask about are gone, and forgotten. */
void texts_resting_begin(struct texts_resting *resting);
/* Forgets those that were not asked about since texts_resting_begin(). */
void texts_resting_end(struct texts_resting *resting);

/* All may be tried again at once. */
void texts_resting_wake(struct texts_resting *resting);

/* How many files rest. */
size_t texts_resting_count(const struct texts_resting *resting);
/* As it stands in the log; "" when none ever rested. */
const char *texts_resting_why(const struct texts_resting *resting); /* of the last one */

#endif
