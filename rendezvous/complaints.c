/* complaints.c - causes and clients in a table of fixed size.
 *
 * A row of COMPLAINTS_WAYS places for each remainder of the key: looking costs the same always,
 * and who wants another's complaint forgotten has to hit that one row, whose number hangs on a
 * secret. Keys alone are kept: two that are alike in 64 bits share their silence, which does no
 * harm.
 */
#include "rendezvous/complaints.h"

#include <stdlib.h>

#include "base/slice.h"
#include "rendezvous/keyhash.h"

struct complaint {
	uint64_t key; /* 0: free */
	int64_t told_ms, last_ms;
	unsigned suppressed;
};

struct complaints {
	struct keyhash hash;
	int64_t second;
	unsigned lines; /* in that second */
	struct complaint table[COMPLAINTS_MAX];
};

struct complaints *complaints_new(void)
{
	struct complaints *complaints = calloc(1, sizeof(*complaints));

	if (complaints && keyhash_init(&complaints->hash)) {
		free(complaints);
		return NULL;
	}
	return complaints;
}

void complaints_free(struct complaints **complaintsp)
{
	free(*complaintsp);
	*complaintsp = NULL;
}

static struct complaint *find(struct complaints *complaints, uint64_t key)
{
	struct complaint *row =
		&complaints->table[key % (COMPLAINTS_MAX / COMPLAINTS_WAYS) * COMPLAINTS_WAYS];
	struct complaint *oldest = row;

	for (size_t i = 0; i < COMPLAINTS_WAYS; i++) {
		if (row[i].key == key)
			return &row[i];
		if (row[i].last_ms < oldest->last_ms)
			oldest = &row[i];
	}
	return oldest;
}

/* All lines together: who has many addresses or names fills the log no faster. */
static bool room_for_line(struct complaints *complaints, int64_t now_ms)
{
	if (complaints->second != now_ms / 1000) {
		complaints->second = now_ms / 1000;
		complaints->lines = 0;
	}
	if (complaints->lines == COMPLAINTS_PER_SECOND)
		return false;
	complaints->lines++;
	return true;
}

bool complaints_pass(struct complaints *complaints, const char *cause, const char *who,
		     int64_t now_ms, unsigned *suppressed_out)
{
	/* Turned, so that a cause and a name that are alike do not cancel out. */
	uint64_t a = keyhash_of(&complaints->hash, slice_str(cause));
	uint64_t key = (a << 7 | a >> 57) ^ keyhash_of(&complaints->hash, slice_str(who));
	struct complaint *c;

	key = key ? key : 1;
	c = find(complaints, key);
	/* As if told long ago: a new one may be told at once, and its line says that nothing was
	 * suppressed. */
	if (c->key != key)
		*c = (struct complaint){ .key = key, .told_ms = now_ms - COMPLAINT_AGAIN_MS };
	c->last_ms = now_ms;
	/* In this order: one that is silent anyway takes no line from the others. */
	if (now_ms - c->told_ms < COMPLAINT_AGAIN_MS || !room_for_line(complaints, now_ms)) {
		c->suppressed++;
		return false;
	}
	*suppressed_out = c->suppressed;
	c->suppressed = 0;
	c->told_ms = now_ms;
	return true;
}
