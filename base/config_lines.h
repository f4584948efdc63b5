/* config_lines.h - configuration files of one statement a line.
 *
 * Two forms: words ("keep-alive 10.0.0.0/8 ws 60000", crs.conf; CRS manual 4.1.2)
 * and pairs ("MAX_RTP_RELAYS=100", crs-relay.conf; CRS manual 4.1.2.3).  A line
 * whose first characters other than blanks are "#" or "//" is a comment; empty
 * lines are skipped; CR LF is accepted.  Words are parted by blanks; one in double
 * or single quotes may hold blanks.  Nothing is expanded.
 */
#ifndef BASE_CONFIG_LINES_H
#define BASE_CONFIG_LINES_H

#include "base/config_value.h"
#include "base/slice.h"

struct config_lines;

struct config_line {
	const struct config_word *word; /* word[0] is the keyword or key */
	size_t words;                   /* at least 1; a pair has 2, its value may be "" */
};

/* Read path whole.  Every fault is told in diag with file, line and column.
 * Return 0, or -EINVAL when a line is at fault; *lines_out then holds the others, so
 * that what is wrong with them can be told, too, and the caller frees it in both
 * cases.  Else -errno of reading (diag tells) or -ENOMEM, and *lines_out is as it was. */
int config_lines_read(const char *path, struct diag *diag, struct config_lines **lines_out);
/* The same for files whose lines are a name and everything behind it. */
int config_pairs_read(const char *path, struct diag *diag, struct config_lines **lines_out);

/* The same from memory; name stands for the file in diagnostics and is copied. */
int config_lines_parse(const char *name, struct slice text, struct diag *diag,
		       struct config_lines **lines_out);
/* The same for pairs. */
int config_pairs_parse(const char *name, struct slice text, struct diag *diag,
		       struct config_lines **lines_out);

/* Frees *linesp with all words and sets it to NULL; *linesp may be NULL. */
void config_lines_free(struct config_lines **linesp);

/* Line i in file order, or NULL behind the last. */
const struct config_line *config_lines_get(const struct config_lines *lines, size_t i);

/* What may stand in such a file; keyword NULL ends a table. */
struct config_line_rule {
	const char *keyword;
	unsigned min_words, max_words; /* behind the keyword; max 0 with min 0: none */
	const char *usage;             /* "IP/MASK tcp|ws INTERVAL [GRACE]", for messages */
	bool once;
};

/* Finds unknown keywords (near misses suggested), wrong word counts and repeats.
 * Returns 0, -EINVAL with every fault in diag, or -ENOMEM (without a diag only). */
int config_lines_check(const struct config_lines *lines, const struct config_line_rule *rules,
		       struct diag *diag);

#endif
