/* config_lex.h - the tokens of cig.conf; of use to base/config only. */
#ifndef BASE_CONFIG_LEX_H
#define BASE_CONFIG_LEX_H

#include "base/diag.h"
#include "base/slice.h"

enum config_token_kind {
	CONFIG_TOKEN_WORD,
	CONFIG_TOKEN_STRING, /* text without the quotes */
	CONFIG_TOKEN_OPEN,
	CONFIG_TOKEN_CLOSE,
	CONFIG_TOKEN_SEMICOLON,
	CONFIG_TOKEN_END,
};

struct config_token {
	enum config_token_kind kind;
	struct slice text;
	struct diag_place place;
	bool first_on_line;
	size_t offset; /* where it begins */
};

/* A position in a text; copying it saves the position. */
struct config_lexer {
	const char *file;
	struct slice text;
	size_t pos;
	size_t line_start; /* offset of the current line */
	unsigned line;
	bool at_line_start; /* nothing but blanks and comments so far in this line */
	size_t told;        /* faults before this offset have been told */
	struct diag *diag;
};

/* A lexer at the first token of text, behind a UTF-8 byte order mark.  file, the text and
 * diag are borrowed; file is for messages only. */
struct config_lexer config_lexer_over(const char *file, struct slice text, struct diag *diag);

/* The next token; at the end, TOKEN_END again and again.  Faults of form (quotes and
 * comments that do not end, controls) go to diag once, also when read again. */
struct config_token config_lexer_next(struct config_lexer *lexer);

/* Goes to the end of the line: what is left of it has been told to be no statement. */
void config_lexer_skip_line(struct config_lexer *lexer);

/* Goes back to a token that was read from this text. */
void config_lexer_rewind(struct config_lexer *lexer, const struct config_token *token);

#endif
