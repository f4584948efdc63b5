/* config.h - the grammar of cig.conf, read whole into a const tree.
 *
 * A statement is a keyword and words or quoted strings up to ";"; a block is a
 * keyword, an optional title and { ... }.  "//" and slash-star comments may stand
 * where a token may start.  "include FILE;" puts the statements of another file in
 * its place, relative to the file it stands in; a FILE with "*", "?" or "[" stands for
 * all that match, in the order of their names.  Otherwise nothing is expanded, nothing
 * in the administrator's text is changed.  Source: CIG manual 2.9, "Configuration".
 *
 * The reader checks everything first and tells every fault with file, line and
 * column, what was found and what was expected; what is sound then passes through
 * libconfuse.  Variants of spelling (blanks or "-" for "_") pass with a warning.
 *
 * Threads: one reader at a time in a process (libconfuse's scanner is global).
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "base/config_value.h"
#include "base/slice.h"

enum { CONFIG_MAX_DEPTH = 8 };                /* blocks in blocks, files in files */
enum { CONFIG_MAX_FILE = 512 * 1024 * 1024 }; /* octets */

enum config_flags {
	CONFIG_BLOCK = 1, /* { ... } follows the words */
	CONFIG_ONCE = 2,  /* at most once in its block */
};

/* What may stand in a block.  A table ends with a NULL keyword. */
struct config_keyword {
	const char *keyword; /* "bind"; several words as "extension map" */
	unsigned min_words, max_words;
	unsigned flags;
	const char *usage;                   /* words for messages: "LOW HIGH" */
	const struct config_keyword *inside; /* of a block */
	const char *fixed; /* a word that must stand first ("map_from translate_map X"), or NULL;
			    * not among the words handed on and not counted */
};

struct config_statement {
	const struct config_keyword *keyword;
	struct diag_place place;
	const struct config_word *word; /* behind the keyword */
	size_t words;
	const struct config_statement *first; /* of a block: its first statement */
	bool damaged; /* of a block: a statement in it has a fault of form and is left out */
	const struct config_statement *next;
};

struct config;

/* Reads path by the table.  Returns 0 when there were no faults; -EINVAL with
 * every fault in diag, and still *config_out set to what was sound, so that the
 * caller can tell its own faults at once; -errno when path cannot be read and
 * -ENOMEM (*config_out is then NULL).  The caller frees. */
int config_read(const char *path, const struct config_keyword *table, struct diag *diag,
		struct config **config_out);

/* The same from memory; name stands for the file in diagnostics.  An "include" is
 * then a fault. */
int config_parse(const char *name, struct slice text, const struct config_keyword *table,
		 struct diag *diag, struct config **config_out);

void config_free(struct config **configp);

/* The first statement of the file, or NULL. */
const struct config_statement *config_first(const struct config *config);

/* Hands over the octets of the file, as they were read and understood, without what it
 * includes; the caller frees them.  Returns 0, or -ENODATA: it was read from memory, or they
 * have been handed over. */
int config_take_text(struct config *config, uint8_t **text_out, size_t *n_out);

#endif
