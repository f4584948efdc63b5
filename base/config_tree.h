/* config_tree.h - statements as they stand in the files, checked against the table
 * but not yet read by libconfuse; of use to base/config only.
 */
#ifndef BASE_CONFIG_TREE_H
#define BASE_CONFIG_TREE_H

#include "base/arena.h"
#include "base/config.h"
#include "base/config_lex.h"

struct config_node_word {
	struct slice text;
	struct diag_place place;
	bool quoted;
};

struct config_node {
	const struct config_keyword *keyword; /* NULL: the root */
	struct diag_place place;
	struct config_node *parent, *first, *last, *next;
	struct config_statement *made, *made_last; /* by libconfuse; its last inner one */
	const struct config_node_word *word;
	size_t words;
	bool sound;   /* fit for libconfuse */
	bool damaged; /* a block of which a statement is not, or was none */
};

/* A block that is open. */
struct config_level {
	const struct config_keyword *table; /* what may stand in it */
	struct config_node *node;
	bool assumed; /* its opening is missing and was told */
};

struct config_builder {
	struct arena *arena;
	struct diag *diag;
	struct config_lexer lexer;
	struct config_level stack[CONFIG_MAX_DEPTH + 1]; /* [0] is outside of all blocks */
	size_t depth;                                    /* of stack */
	size_t base;                                     /* depth at which the current file began */
	unsigned forgive; /* "}" to come whose blocks were closed early */
	bool in_text;     /* the last statement was no statement at all */
	int err;          /* -ENOMEM */
	/* Reads the file that an "include" names, by config_build_text(). */
	void (*include)(struct config_builder *b, const struct config_token *name, void *arg);
	void *arg;
};

/* Makes the root node.  Returns NULL when memory is out. */
struct config_node *config_build_root(struct config_builder *b, const struct config_keyword *table);

/* Adds a file's statements to the innermost open block.  Faults go to b->diag. */
void config_build_text(struct config_builder *b, const char *name, struct slice text);

/* config_keywords.c: which keyword do the first of n tokens spell?  Returns how many
 * tokens it takes, 0 for none; *exact_out is false for a variant of its spelling. */
size_t config_keyword_spelt(const char *keyword, const struct config_token *token, size_t n,
			    bool *exact_out);
/* The row of table (ended by an empty keyword) that takes most of the n tokens: "rtp port
 * range" before "rtp port".  tokens_out and exact_out as config_keyword_spelt() tells them.
 * NULL and 0 tokens when no row fits. */
const struct config_keyword *config_keyword_find(const struct config_keyword *table,
						 const struct config_token *token, size_t n,
						 size_t *tokens_out, bool *exact_out);

/* The same in a table and all tables inside it. */
const struct config_keyword *config_keyword_anywhere(const struct config_keyword *table,
						     const struct config_token *token, size_t n,
						     size_t *tokens_out);

/* Tells that a word is unknown in a block: near misses, where it belongs, what may stand. */
void config_keyword_unknown(const struct config_level *stack, size_t depth,
			    const struct config_token *token, size_t n, struct diag *diag);

/* config_feed.c: passes what is sound through libconfuse, in its call form, and makes
 * the statements of what comes out.  Returns 0, -ENOMEM, or -EINVAL (diag). */
int config_feed(struct arena *arena, struct config_node *root, const struct config_keyword *table,
		struct diag *diag);

#endif
