/* config_tree.c - from tokens to statements, with the faults of form told as an administrator
 * would say them.
 *
 * One lost character must not bring a hundred messages.  So each fault is followed by a guess of
 * what was meant, and by going back (config_lexer_rewind) to where reading can go on:
 *
 *     a ";" is lost            the statement ends before the next keyword     find_end()
 *     a "{" is lost            it is taken as there                           open_block()
 *     a block's line is lost   the block is opened                            assume_opening()
 *     a "}" is lost            blocks are closed, and their "}" is forgiven   assume_closing()
 *     text that is nothing     told once, left out up to the next keyword     unknown_statement()
 *
 * Nodes point into the text; they live until config_feed() has made statements of them.
 */
#include "base/config_tree.h"

#include <errno.h>

#include "base/buf.h"
#include "base/text.h"

enum { MAX_WORDS = 48 }; /* of one statement */

/* One statement's words and what ended them. */
struct words {
	struct config_token t[MAX_WORDS];
	size_t n;
	struct config_token end; /* a WORD or STRING: there are more than MAX_WORDS */
};

static struct config_level *top(struct config_builder *b)
{
	return &b->stack[b->depth - 1];
}

/* "map sipsrc", for messages. */
static const char *title_of(const struct config_node *node, char *out, size_t outsz)
{
	struct buf text = buf_over(out, outsz);

	buf_put_str(&text, node->keyword ? node->keyword->keyword : "file");
	for (size_t i = 0; i < node->words; i++) {
		buf_put_char(&text, ' ');
		buf_put_slice(&text, node->word[i].text);
	}
	return out;
}

static const char *text_of(const struct config_token *token, char *out, size_t outsz)
{
	struct buf text = buf_over(out, outsz);

	if (token->kind == CONFIG_TOKEN_END)
		buf_put_str(&text, "the end of the file");
	else
		buf_printf(&text, "\"%.*s\"", (int)(token->text.n > 200 ? 200 : token->text.n),
			   (const char *)token->text.p);
	return out;
}

static struct config_node *node_new(struct config_builder *b, const struct config_keyword *keyword,
				    const struct diag_place *place)
{
	struct config_node *node = arena_alloc(b->arena, sizeof(*node));
	struct config_node *parent = b->depth ? top(b)->node : NULL;

	if (!node) {
		b->err = -ENOMEM;
		return NULL;
	}
	node->keyword = keyword;
	node->place = *place;
	node->parent = parent;
	node->sound = true;
	if (parent && parent->last)
		parent->last->next = node;
	else if (parent)
		parent->first = node;
	if (parent)
		parent->last = node;
	return node;
}

static void node_set_words(struct config_builder *b, struct config_node *node,
			   const struct config_token *token, size_t n)
{
	struct config_node_word *word = n ? arena_alloc(b->arena, n * sizeof(*word)) : NULL;

	if (n && !word) {
		b->err = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		word[i] = (struct config_node_word){ token[i].text, token[i].place,
						     token[i].kind == CONFIG_TOKEN_STRING };
		if (!text_is_clean(token[i].text))
			node->sound = false; /* told by the lexer */
	}
	node->word = word;
	node->words = n;
}

/* Behind an opening brace of something unknown, to its closing one. */
static void skip_block(struct config_builder *b)
{
	for (size_t open = 1; open > 0;) {
		struct config_token token = config_lexer_next(&b->lexer);

		if (token.kind == CONFIG_TOKEN_END)
			return;
		if (token.kind == CONFIG_TOKEN_OPEN)
			open++;
		if (token.kind == CONFIG_TOKEN_CLOSE)
			open--;
	}
}

/* The block's "{" was read. */
static void push(struct config_builder *b, struct config_node *node, bool assumed)
{
	if (b->depth > CONFIG_MAX_DEPTH) {
		diag_error(b->diag, &node->place, "blocks are nested more than %d deep",
			   CONFIG_MAX_DEPTH);
		skip_block(b);
		return;
	}
	b->stack[b->depth++] = (struct config_level){ node->keyword->inside, node, assumed };
}

static void collect(struct config_builder *b, const struct config_token *first, struct words *w)
{
	w->t[0] = *first;
	w->n = 1;
	for (;;) {
		w->end = config_lexer_next(&b->lexer);
		if (w->end.kind != CONFIG_TOKEN_WORD && w->end.kind != CONFIG_TOKEN_STRING)
			return;
		if (w->n == MAX_WORDS)
			return;
		w->t[w->n++] = w->end;
	}
}

/* Behind the end of a statement that has too many words, unless it is a "}". */
static void skip_words(struct config_builder *b, const struct config_token *end)
{
	struct config_token token = *end;

	while (token.kind == CONFIG_TOKEN_WORD || token.kind == CONFIG_TOKEN_STRING)
		token = config_lexer_next(&b->lexer);
	if (token.kind == CONFIG_TOKEN_OPEN)
		skip_block(b);
	else if (token.kind == CONFIG_TOKEN_CLOSE)
		config_lexer_rewind(&b->lexer, &token);
}

/* Do the tokens begin with a keyword of this block or, at the start of a line, of one
 * around it? */
static bool begins_statement(const struct config_builder *b, const struct config_token *token,
			     size_t n)
{
	size_t tokens;
	bool exact;

	for (size_t depth = b->depth; depth > 0; depth--) {
		/* In the middle of a line a word like "port" is more likely a value than a
		 * statement of an outer block. */
		if (depth < b->depth && !token->first_on_line)
			return false;
		if (config_keyword_find(b->stack[depth - 1].table, token, n, &tokens, &exact))
			return true;
	}
	return false;
}

/* Where the next statement begins among the words from i on; w->n when it does not. */
static size_t next_statement(const struct config_builder *b, const struct words *w, size_t i)
{
	while (i < w->n && !begins_statement(b, &w->t[i], w->n - i))
		i++;
	return i;
}

static void check_spelling(struct config_builder *b, const char *keyword, bool exact,
			   const struct config_token *at)
{
	if (!exact)
		diag_warning(b->diag, &at->place, "taken as \"%s\": write it so", keyword);
}

/* Linear over the block's statements, but for the few keywords that stand once only. */
static void check_once(struct config_builder *b, const struct config_keyword *keyword,
		       const struct config_token *at)
{
	if (!(keyword->flags & CONFIG_ONCE))
		return;
	for (const struct config_node *n = top(b)->node->first; n; n = n->next)
		if (n->keyword == keyword) {
			diag_error(b->diag, &at->place,
				   "\"%s\" is repeated: it stands in %s:%u, too", keyword->keyword,
				   n->place.file, n->place.line);
			return;
		}
}

/* Takes the fixed word of "map_from translate_map NAME"; returns how many tokens it has. */
static size_t take_fixed(struct config_builder *b, const struct config_keyword *keyword,
			 const struct config_token *token, size_t n, const struct config_token *end)
{
	const struct config_token *found = n ? &token[0] : end;
	char text[224];
	bool exact;
	size_t tokens;

	if (!keyword->fixed)
		return 0;
	tokens = config_keyword_spelt(keyword->fixed, token, n, &exact);
	if (tokens == 0)
		diag_error(b->diag, &found->place, "found %s, expected \"%s\" behind \"%s\"",
			   text_of(found, text, sizeof(text)), keyword->fixed, keyword->keyword);
	else
		check_spelling(b, keyword->fixed, exact, &token[0]);
	return tokens;
}

/* "port = 2775;" and "tel tel:+8888;101": usual elsewhere, and told with what to write. */
static bool tell_habit(struct config_builder *b, const struct config_keyword *keyword,
		       const struct words *w, size_t from)
{
	const struct config_token *last = &w->t[w->n - 1];
	size_t behind = last->offset + last->text.n;
	char text[224];

	if (from < w->n && w->t[from].kind == CONFIG_TOKEN_WORD &&
	    slice_eq_str(w->t[from].text, "=")) {
		diag_error(b->diag, &w->t[from].place,
			   "\"=\" does not stand between a keyword and its value: write %s %s",
			   keyword->keyword, keyword->usage);
		return true;
	}
	if (w->end.kind != CONFIG_TOKEN_SEMICOLON || last->kind != CONFIG_TOKEN_WORD ||
	    w->end.offset != behind || behind + 1 >= b->lexer.text.n ||
	    strchr(" \t\r\n\"}", b->lexer.text.p[behind + 1]))
		return false;
	diag_error(
		b->diag, &last->place,
		"%s and what follows must stand in quotes: outside of them \";\" ends a statement",
		text_of(last, text, sizeof(text)));
	config_lexer_skip_line(&b->lexer);
	return true;
}

static void tell_words(struct config_builder *b, const struct config_keyword *keyword,
		       const struct config_token *found)
{
	char text[224];

	diag_error(b->diag, &found->place, "found %s, expected %s%s%s%s%s",
		   text_of(found, text, sizeof(text)), keyword->keyword, keyword->fixed ? " " : "",
		   keyword->fixed ? keyword->fixed : "", keyword->usage[0] ? " " : "",
		   keyword->usage);
}

/* A block's words are behind it; what follows must be its "{". */
static void open_block(struct config_builder *b, const struct config_keyword *keyword,
		       struct words *w, size_t from)
{
	struct config_node *node;
	size_t n = w->n - from, inner = from + keyword->max_words, tokens;
	char text[224];
	/* Behind as many words as the block may have stands a keyword of its inside: then the "{"
	 * is what is missing, not the words that are too many. */
	bool exact, inside = inner < w->n && config_keyword_find(keyword->inside, &w->t[inner],
								 w->n - inner, &tokens, &exact);

	node = node_new(b, keyword, &w->t[0].place);
	if (!node)
		return;
	if (inside)
		n = keyword->max_words;
	node_set_words(b, node, &w->t[from], n);
	if (n < keyword->min_words || n > keyword->max_words) {
		tell_words(b, keyword, n > keyword->max_words ? &w->t[inner] : &w->end);
		node->sound = false;
	}
	if (!inside && w->end.kind != CONFIG_TOKEN_OPEN) {
		diag_error(b->diag, &w->end.place, "found %s, expected \"{\" behind \"%s\"",
			   text_of(&w->end, text, sizeof(text)), keyword->keyword);
		node->sound = false;
		if (w->end.kind != CONFIG_TOKEN_SEMICOLON)
			config_lexer_rewind(&b->lexer, &w->end);
		return;
	}
	if (inside) {
		diag_error(b->diag, &w->t[inner].place, "\"{\" missing behind \"%s\"?",
			   keyword->keyword);
		config_lexer_rewind(&b->lexer, &w->t[inner]);
	}
	push(b, node, false);
}

/* What does a statement without its own ";" end with?  Returns its words. */
static size_t find_end(struct config_builder *b, const struct config_keyword *keyword,
		       struct words *w, size_t from)
{
	char text[224];
	size_t next;

	if (w->end.kind == CONFIG_TOKEN_SEMICOLON && w->n - from <= keyword->max_words)
		return w->n - from;
	/* The words that the keyword needs are taken as values whatever they spell. */
	next = next_statement(b, w, from + keyword->min_words);
	if (next < w->n) {
		diag_error(b->diag, &w->t[next].place, "\";\" missing before %s?",
			   text_of(&w->t[next], text, sizeof(text)));
		config_lexer_rewind(&b->lexer, &w->t[next]);
		return next - from;
	}
	if (w->end.kind == CONFIG_TOKEN_CLOSE || w->end.kind == CONFIG_TOKEN_END) {
		diag_error(b->diag, &w->end.place, "\";\" missing behind %s",
			   text_of(&w->t[w->n - 1], text, sizeof(text)));
		config_lexer_rewind(&b->lexer, &w->end);
	} else if (w->end.kind == CONFIG_TOKEN_OPEN && w->n - from <= keyword->max_words) {
		diag_error(b->diag, &w->end.place, "found \"{\", expected \";\" behind \"%s\"",
			   keyword->keyword);
		skip_block(b);
	} else if (w->end.kind == CONFIG_TOKEN_OPEN) {
		skip_block(b);
	} else {
		skip_words(b, &w->end);
	}
	return w->n - from;
}

static void plain_statement(struct config_builder *b, const struct config_keyword *keyword,
			    struct words *w, size_t from)
{
	struct config_node *node = node_new(b, keyword, &w->t[0].place);
	size_t n;

	if (!node)
		return;
	n = find_end(b, keyword, w, from);
	node_set_words(b, node, &w->t[from], n);
	if (n >= keyword->min_words && n <= keyword->max_words)
		return;
	node->sound = false;
	if (!tell_habit(b, keyword, w, from))
		tell_words(b, keyword,
			   n > keyword->max_words ? &w->t[from + keyword->max_words] : &w->end);
}

static void known_statement(struct config_builder *b, const struct config_keyword *keyword,
			    struct words *w, size_t tokens, bool exact)
{
	size_t fixed;

	check_spelling(b, keyword->keyword, exact, &w->t[0]);
	check_once(b, keyword, &w->t[0]);
	fixed = take_fixed(b, keyword, &w->t[tokens], w->n - tokens, &w->end);
	if (keyword->fixed && fixed == 0) {
		top(b)->node->damaged = true; /* told: how many words follow does not matter now */
		find_end(b, keyword, w, tokens + 1 < w->n ? tokens + 1 : tokens);
	} else if (keyword->flags & CONFIG_BLOCK) {
		open_block(b, keyword, w, tokens);
	} else {
		plain_statement(b, keyword, w, tokens + fixed);
	}
}

static bool stands_already(const struct config_node *block, const struct config_keyword *keyword)
{
	for (const struct config_node *n = block->first; n; n = n->next)
		if (n->keyword == keyword)
			return true;
	return false;
}

/* A statement that belongs into a block of this block: its opening line is lost. */
static bool assume_opening(struct config_builder *b, struct words *w)
{
	const struct config_keyword *home = NULL;
	char text[224];
	struct config_node *node;
	size_t tokens, homes = 0;
	bool exact;

	for (const struct config_keyword *k = top(b)->table; k->keyword; k++) {
		if (!k->inside || k->max_words > 0 || b->depth > CONFIG_MAX_DEPTH ||
		    !config_keyword_find(k->inside, w->t, w->n, &tokens, &exact))
			continue;
		if (!home || stands_already(top(b)->node, home))
			home = k;
		homes++;
	}
	/* Inside a block the lost line is most likely that of the block that is not there yet;
	 * outside of all, a word with several homes is better told all of them. */
	if (!home || (b->depth == 1 && homes > 1))
		return false;
	diag_error(b->diag, &w->t[0].place,
		   "%s stands inside \"%s\": is \"%s {\" missing before it?",
		   text_of(&w->t[0], text, sizeof(text)), home->keyword, home->keyword);
	node = node_new(b, home, &w->t[0].place);
	if (!node)
		return false;
	push(b, node, true);
	config_lexer_rewind(&b->lexer, &w->t[0]);
	return true;
}

/* A block that belongs outside of this one: a "}" is lost. */
static bool assume_closing(struct config_builder *b, struct words *w)
{
	size_t depth = b->depth - 1, tokens;
	const struct config_keyword *k = NULL;
	char text[224], title[224];
	bool exact;

	/* Not beyond the file: a "}" that is lost in an included file ends there. */
	for (; depth >= b->base && depth > 0 && !k; depth--)
		k = config_keyword_find(b->stack[depth - 1].table, w->t, w->n, &tokens, &exact);
	if (!k || !(k->flags & CONFIG_BLOCK) || w->end.kind != CONFIG_TOKEN_OPEN)
		return false;
	/* The loop above went one past the level that it found. */
	for (depth++; b->depth > depth; b->depth--) {
		const struct config_node *node = top(b)->node;

		if (top(b)->assumed)
			continue;
		diag_error(b->diag, &w->t[0].place,
			   "\"}\" missing before %s: \"%s\", opened in line %u, is still open",
			   text_of(&w->t[0], text, sizeof(text)),
			   title_of(node, title, sizeof(title)), node->place.line);
		b->forgive++;
	}
	config_lexer_rewind(&b->lexer, &w->t[0]);
	return true;
}

static bool is_identifier(struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i] | 0x20;

		if ((c < 'a' || c > 'z') && text.p[i] != '_' && text.p[i] != '-')
			return false;
	}
	return text.n > 0 && text.p[0] != '-';
}

/* Is it a whole statement that only stands in the wrong place? */
static bool is_whole(const struct config_builder *b, const struct words *w)
{
	size_t tokens;
	const struct config_keyword *k =
		config_keyword_anywhere(b->stack[0].table, w->t, w->n, &tokens);

	return k && w->end.kind == CONFIG_TOKEN_SEMICOLON && w->n - tokens <= k->max_words;
}

/* Tells it, once for a run of lines that are no statements, and goes on behind it. */
static void unknown_statement(struct config_builder *b, struct words *w)
{
	size_t next = 1;

	top(b)->node->damaged = true;
	/* A paragraph that lost its comment marks is told by its first line; but what could be a
	 * keyword is told each time. */
	if (!b->in_text || is_identifier(w->t[0].text))
		config_keyword_unknown(b->stack, b->depth, w->t, w->n, b->diag);
	b->in_text = true;
	if (is_whole(b, w))
		return;
	while (next < w->n &&
	       !(w->t[next].first_on_line && begins_statement(b, &w->t[next], w->n - next)))
		next++;
	if (next < w->n)
		config_lexer_rewind(&b->lexer, &w->t[next]);
	else if (w->end.kind == CONFIG_TOKEN_OPEN)
		skip_block(b);
	else if (w->end.kind != CONFIG_TOKEN_SEMICOLON)
		config_lexer_rewind(&b->lexer, &w->end);
}

static void include_statement(struct config_builder *b, struct words *w)
{
	static const struct config_keyword include = {
		.keyword = "include", .min_words = 1, .max_words = 1, .usage = "\"FILE\""
	};
	size_t n = find_end(b, &include, w, 1);

	if (n == 1)
		b->include(b, &w->t[1], b->arg);
	else
		tell_words(b, &include, n > 1 ? &w->t[2] : &w->end);
}

static void statement(struct config_builder *b, const struct config_token *first)
{
	const struct config_keyword *keyword;
	struct words w;
	size_t tokens;
	bool exact;

	collect(b, first, &w);
	keyword = config_keyword_find(top(b)->table, w.t, w.n, &tokens, &exact);
	if (keyword) {
		b->in_text = false;
		known_statement(b, keyword, &w, tokens, exact);
	} else if (first->kind == CONFIG_TOKEN_WORD && slice_eq_str(first->text, "include")) {
		include_statement(b, &w);
	} else if (!assume_opening(b, &w) && !assume_closing(b, &w)) {
		unknown_statement(b, &w);
	}
}

static void close_block(struct config_builder *b, const struct config_token *token)
{
	/* A "}" never closes a block of the file that includes this one. */
	if (b->depth > b->base)
		b->depth--;
	else if (b->forgive > 0)
		b->forgive--;
	else
		diag_error(b->diag, &token->place, "\"}\" closes nothing: no block is open");
}

static void close_file(struct config_builder *b, const struct config_token *end)
{
	char title[224];

	for (; b->depth > b->base; b->depth--) {
		const struct config_node *node = top(b)->node;

		if (!top(b)->assumed)
			diag_error(b->diag, &node->place,
				   "\"%s\" is never closed: \"}\" missing before line %u",
				   title_of(node, title, sizeof(title)), end->place.line);
	}
}

struct config_node *config_build_root(struct config_builder *b, const struct config_keyword *table)
{
	struct diag_place none = { 0 };
	struct config_node *root = node_new(b, NULL, &none);

	if (root)
		b->stack[b->depth++] = (struct config_level){ table, root, false };
	return root;
}

void config_build_text(struct config_builder *b, const char *name, struct slice text)
{
	const struct diag_place place = { name, 1, 1 };
	/* Re-entered by "include": the outer file's lexer and base come back at the end. */
	struct config_lexer outer = b->lexer;
	size_t outer_base = b->base;
	struct config_token token;

	if (slice_starts(text, "\xff\xfe") || slice_starts(text, "\xfe\xff")) {
		diag_error(b->diag, &place, "this is UTF-16: save the file as UTF-8");
		return;
	}
	b->lexer = config_lexer_over(name, text, b->diag);
	b->base = b->depth;
	while (!b->err) {
		token = config_lexer_next(&b->lexer);
		if (token.kind == CONFIG_TOKEN_END)
			break;
		if (token.kind == CONFIG_TOKEN_CLOSE) {
			close_block(b, &token);
		} else if (token.kind == CONFIG_TOKEN_SEMICOLON) {
			diag_warning(b->diag, &token.place, "this \";\" ends nothing");
		} else if (token.kind == CONFIG_TOKEN_OPEN) {
			diag_error(b->diag, &token.place, "\"{\" without a keyword before it");
			skip_block(b);
		} else {
			statement(b, &token);
		}
	}
	if (!b->err)
		close_file(b, &token);
	b->lexer = outer;
	b->base = outer_base;
}
