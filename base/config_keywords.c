/* config_keywords.c - which keyword do these tokens spell, and what to say when none.
 *
 * Administrators come from other grammars and from the manual's printed examples: the order in
 * config_keyword_unknown() goes from what is surely meant to what is only listed.
 */
#include "base/config_tree.h"

#include "base/buf.h"
#include "base/suggest.h"

enum { MAX_KNOWN = 64 };

static bool separates(char c)
{
	return c == '_' || c == '-' || c == ' ';
}

/* "rtp_port_range" is also spelt by "rtp-port-range" and by three words. */
size_t config_keyword_spelt(const char *keyword, const struct config_token *token, size_t n,
			    bool *exact_out)
{
	size_t t = 0, i = 0;

	*exact_out = true;
	if (n == 0 || token[0].kind != CONFIG_TOKEN_WORD)
		return 0;
	for (; *keyword; keyword++) {
		/* The end of a token counts as a blank: so words that stand apart join. */
		bool at_end = i == token[t].text.n;
		char c = at_end ? ' ' : (char)token[t].text.p[i];

		if (!separates(*keyword) ? c != *keyword || at_end : !separates(c))
			return 0;
		if (c != *keyword)
			*exact_out = false;
		i++;
		if (!at_end)
			continue;
		if (++t == n || token[t].kind != CONFIG_TOKEN_WORD)
			return 0;
		i = 0;
	}
	return i == token[t].text.n ? t + 1 : 0;
}

const struct config_keyword *config_keyword_find(const struct config_keyword *table,
						 const struct config_token *token, size_t n,
						 size_t *tokens_out, bool *exact_out)
{
	const struct config_keyword *best = NULL;

	*tokens_out = 0;
	for (; table->keyword; table++) {
		bool exact;
		size_t tokens = config_keyword_spelt(table->keyword, token, n, &exact);

		if (tokens > *tokens_out) {
			best = table;
			*tokens_out = tokens;
			*exact_out = exact;
		}
	}
	return best;
}

static void put_quoted(struct buf *b, const char *text)
{
	buf_printf(b, "%s\"%s\"", b->len ? ", " : "", text);
}

static void list_table(const struct config_keyword *table, struct buf *b)
{
	for (; table->keyword; table++)
		put_quoted(b, table->keyword);
}

/* Every block below table that may hold the keyword, as "a" or "b". */
static void list_homes(const struct config_keyword *table, const struct config_token *token,
		       size_t n, unsigned depth, struct buf *b)
{
	for (; table->keyword && depth < CONFIG_MAX_DEPTH; table++) {
		size_t tokens;
		bool exact;

		if (!table->inside)
			continue;
		if (config_keyword_find(table->inside, token, n, &tokens, &exact))
			put_quoted(b, table->keyword);
		list_homes(table->inside, token, n, depth + 1, b);
	}
}

/* Keywords of table and of the blocks in it.  depth: how far down this is; CONFIG_MAX_DEPTH gives
 * those of table alone. */
static size_t gather(const struct config_keyword *table, const char *known[MAX_KNOWN], size_t n,
		     unsigned depth)
{
	for (; table->keyword && n < MAX_KNOWN; table++) {
		known[n++] = table->keyword;
		if (table->inside && depth < CONFIG_MAX_DEPTH)
			n = gather(table->inside, known, n, depth + 1);
	}
	return n;
}

/* Text that lost its comment marks: the manual's own examples have such lines. */
static bool looks_like_comment(const struct config_token *token, size_t n)
{
	struct slice first = token[0].text;

	if (first.n > 0 && (memchr("*-", first.p[0], 2) || first.p[first.n - 1] == ':'))
		return true;
	for (size_t i = 0; i < n; i++)
		if (slice_eq_str(token[i].text, "*") || slice_eq_str(token[i].text, "-") ||
		    slice_eq_str(token[i].text, "*/"))
			return true;
	return false;
}

const struct config_keyword *config_keyword_anywhere(const struct config_keyword *table,
						     const struct config_token *token, size_t n,
						     size_t *tokens_out)
{
	const struct config_keyword *found;
	bool exact;

	found = config_keyword_find(table, token, n, tokens_out, &exact);
	for (; !found && table->keyword; table++)
		if (table->inside)
			found = config_keyword_anywhere(table->inside, token, n, tokens_out);
	return found;
}

/* A keyword of two words, of which the first alone is near to nothing: "extention map". */
static const char *suggest_two_words(const struct config_keyword *table,
				     const struct config_token *token, size_t n)
{
	const char *known[MAX_KNOWN];
	char words[65];
	struct buf text = BUF_OF(words);

	if (n < 2 || token[1].kind != CONFIG_TOKEN_WORD)
		return NULL;
	buf_put_slice(&text, token[0].text);
	buf_put_char(&text, ' ');
	buf_put_slice(&text, token[1].text);
	return suggest_near(words, known, gather(table, known, 0, CONFIG_MAX_DEPTH));
}

/* "port: 2775;" or "port=2775;": the keyword, or NULL. */
static const char *keyword_with_mark(const struct config_keyword *table,
				     const struct config_token *token)
{
	struct config_token bare = *token;
	size_t tokens;
	bool exact;
	const struct config_keyword *found;

	for (bare.text.n = 0; bare.text.n < token->text.n; bare.text.n++)
		if (strchr(":=", token->text.p[bare.text.n]))
			break;
	if (bare.text.n == 0 || bare.text.n == token->text.n)
		return NULL;
	found = config_keyword_find(table, &bare, 1, &tokens, &exact);
	return found ? found->keyword : NULL;
}

void config_keyword_unknown(const struct config_level *stack, size_t depth,
			    const struct config_token *token, size_t n, struct diag *diag)
{
	const struct config_level *level = &stack[depth - 1];
	const char *known[MAX_KNOWN], *near = NULL;
	/* A word that does not fit leaves the text empty, and nothing is near to that. */
	char word[65], list[512];
	struct buf text = BUF_OF(word), homes = BUF_OF(list);

	buf_put_slice(&text, token[0].text);
	list_homes(stack[0].table, token, n, 0, &homes);
	if (homes.len > 0 ||
	    config_keyword_find(stack[0].table, token, n, &(size_t){ 0 }, &(bool){ false })) {
		diag_error(diag, &token[0].place, "\"%s\" does not stand here but %s%s", word,
			   homes.len ? "inside " : "outside of all blocks", list);
		return;
	}
	near = keyword_with_mark(level->table, &token[0]);
	if (near) {
		diag_error(
			diag, &token[0].place,
			"found \"%s\": write \"%s\", a blank and the value, without \":\" or \"=\"",
			word, near);
		return;
	}
	if (looks_like_comment(token, n)) {
		diag_error(diag, &token[0].place,
			   "found \"%s\", text outside of a comment: is \"/*\" missing before it?",
			   word);
		return;
	}
	near = suggest_near(word, known, gather(level->table, known, 0, CONFIG_MAX_DEPTH));
	if (!near)
		near = suggest_two_words(level->table, token, n);
	if (!near && depth == 1)
		near = suggest_near(word, known, gather(stack[0].table, known, 0, 0));
	if (near) {
		diag_error(diag, &token[0].place, "unknown keyword \"%s\" (did you mean \"%s\"?)",
			   word, near);
		return;
	}
	homes = BUF_OF(list);
	list_table(level->table, &homes);
	diag_error(diag, &token[0].place, "unknown keyword \"%s\", expected %s", word, list);
}
