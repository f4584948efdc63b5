/* diag.h - what is wrong and where, for the person who must mend it.
 *
 * A diag collects errors and warnings in the order in which they were found, each once:
 * the same words about the same place are not told again, and do not count.
 * Every function takes a NULL diag and then does nothing, so that callers who
 * only want the result code need not make one.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct diag;

enum diag_severity { DIAG_ERROR, DIAG_WARNING };

struct diag_place {
	const char *file; /* NULL: no file */
	unsigned line;    /* from 1; 0: the file as a whole */
	unsigned column;  /* from 1, in octets; 0: the line as a whole */
};

struct diag_item {
	enum diag_severity severity;
	struct diag_place place; /* file is owned by the diag */
	const char *text;        /* one line without newline, owned by the diag */
};

/* Returns NULL when memory is out. */
struct diag *diag_new(void);
/* Frees *diagp with what it holds and sets it to NULL; *diagp may be NULL. */
void diag_free(struct diag **diagp);

/* place may be NULL.  At most 1,000 items are kept; later ones only count. */
void diag_error(struct diag *diag, const struct diag_place *place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for what is permitted and probably not meant.  diag may be NULL here and above. */
void diag_warning(struct diag *diag, const struct diag_place *place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* How many there are, also beyond those kept; 0 for NULL. */
size_t diag_errors(const struct diag *diag);
/* The errors with every repeat, for the question whether something was wrong since it was asked
 * before: what a second reader of a file finds may have been told by the first. */
size_t diag_reported(const struct diag *diag);
/* How many different warnings there are; 0 for NULL. */
size_t diag_warnings(const struct diag *diag);

/* Item i of those kept, or false behind the last. */
bool diag_get(const struct diag *diag, size_t i, struct diag_item *item_out);

/* The first error's text, or "" when there is none: for one-line messages. */
const char *diag_first_error(const struct diag *diag);

/* "FILE:LINE:COLUMN: error: TEXT" a line each, by place within a file; the files, and
 * what has no file, in the order of their first item. */
void diag_print(const struct diag *diag, FILE *to);

#endif
