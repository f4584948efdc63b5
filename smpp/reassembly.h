/* reassembly.h - the parts of long messages, in any order, until they are whole.
 *
 * Parts belong together when source, destination, reference, its width and the total
 * are equal.  Whoever owns the table keeps each part durable by itself (a center waits
 * for the answer to a part before it sends the next one) and gives each a token to be
 * told which parts are done with.
 *
 * A message that does not become whole in time is given out as it is, with "[...]" for
 * what is missing: a part that was acknowledged is not thrown away.
 */
#ifndef SMPP_REASSEMBLY_H
#define SMPP_REASSEMBLY_H

#include "smpp/alphabet.h"
#include "smpp/segment.h"

struct smpp_reassembly;

enum {
	SMPP_JOINING_MAX = 1000,        /* messages in parts at a time */
	SMPP_JOINING_OCTETS = 4 << 20,  /* of all their parts */
	SMPP_JOINING_MS = 24 * 3600000, /* default time until a message must be whole */
	SMPP_TOKEN_SIZE = 16,
};

struct smpp_joined {
	const char *source, *dest;                /* as they were added */
	char *text;                               /* UTF-8 */
	bool whole;                               /* else parts are missing */
	unsigned total, here;                     /* parts */
	const uint8_t (*tokens)[SMPP_TOKEN_SIZE]; /* of those here */
	int64_t first_ms;                         /* when the first one came */
};

/* limit_ms 0 takes SMPP_JOINING_MS.  Returns NULL when memory is out. */
struct smpp_reassembly *smpp_reassembly_new(int64_t limit_ms);
/* Frees *reassemblyp with what is not whole, and sets it to NULL. */
void smpp_reassembly_free(struct smpp_reassembly **reassemblyp);

/* Adds a part (is_part is set) of a message from source to dest; everything is copied.
 * Returns 1 when its message is whole: smpp_reassembly_take() gives it out; 0 when parts
 * are missing; -EEXIST, it is there already; -ENOBUFS, the table is full; -ENOMEM. */
int smpp_reassembly_add(struct smpp_reassembly *reassembly, const char *source, const char *dest,
			const struct smpp_part *part, enum smpp_alphabet alphabet,
			const uint8_t token[SMPP_TOKEN_SIZE], int64_t now_ms);

/* Does the table hold that part already? */
bool smpp_reassembly_has(const struct smpp_reassembly *reassembly, const char *source,
			 const char *dest, const struct smpp_part *part);

/* The next message that is whole, or over time at now_ms; false when there is none, or no
 * memory.  It stays in the table, and valid, until smpp_reassembly_done(), which must come
 * before any other call. */
bool smpp_reassembly_take(struct smpp_reassembly *reassembly, int64_t now_ms,
			  struct smpp_joined *joined_out);
/* Ends what smpp_reassembly_take() began: the message is dropped when it is kept elsewhere
 * now, else given out again by a later call. */
void smpp_reassembly_done(struct smpp_reassembly *reassembly, bool kept);

/* When the earliest message is over time, or was; -1 when there is none. */
int64_t smpp_reassembly_due_ms(const struct smpp_reassembly *reassembly);

/* Messages that are not whole yet. */
size_t smpp_reassembly_count(const struct smpp_reassembly *reassembly);

#endif
