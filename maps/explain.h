/* explain.h - how a decision came about, step by step, for the operator.
 *
 * An explanation collects what was tried, bounded: of the entries that did not
 * match, only the nearest misses are kept (those of which most was found).  It
 * copies what it keeps, so it may outlive the maps.  Every function takes a NULL
 * explain and then does nothing.
 */
#ifndef MAPS_EXPLAIN_H
#define MAPS_EXPLAIN_H

#include <stdio.h>

#include "base/diag.h"
#include "base/slice.h"

struct buf;
struct explain;

enum { EXPLAIN_MAX_STEPS = 64 }; /* what decided is kept even when the rest is too much */

enum explain_kind {
	EXPLAIN_NOTE,   /* what is looked for, what was decided */
	EXPLAIN_MISS,   /* an entry that did not match, and where it failed */
	EXPLAIN_MATCH,  /* the entry that matched, and what each parameter held */
	EXPLAIN_REJECT, /* why the call or message is refused */
};

struct explain_step {
	enum explain_kind kind;
	const char *map;         /* "" where none is meant */
	const char *entry;       /* "" where none is meant */
	struct diag_place place; /* of the entry; file NULL where none is meant */
	const char *text;        /* one line */
};

/* Returns NULL when memory is out. */
struct explain *explain_new(void);
/* Frees *explainp and sets it to NULL; *explainp may be NULL. */
void explain_free(struct explain **explainp);

/* Forgets all steps, to explain another decision. */
void explain_clear(struct explain *explain);

/* Appends a step; the texts are copied, place's file too.  explain, map, entry and place may
 * be NULL.  The last steps of a long explanation are left out, notes and misses first. */
void explain_add(struct explain *explain, enum explain_kind kind, const char *map,
		 const char *entry, const struct diag_place *place, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));

/* Step i, or false behind the last.  The step's texts are owned by explain. */
bool explain_get(const struct explain *explain, size_t i, struct explain_step *step_out);

/* One line a step: "match: map maptel2sip, entry asterisk (cig.conf:12): series=101".
 * Controls in addresses are written as \xNN. */
void explain_print(const struct explain *explain, FILE *to);
/* The same into to. */
void explain_write(const struct explain *explain, struct buf *to);

#endif
