/* config_lex.c - cuts cig.conf into tokens; slices of the text, nothing is copied.
 *
 * A caller may go back to a token (config_lexer_rewind), so a text is read twice in places:
 * "told" is the offset up to which faults were told, as they are found in rising order.
 */
#include "base/config_lex.h"

#include <stdio.h>

#include "base/text.h"

struct config_lexer config_lexer_over(const char *file, struct slice text, struct diag *diag)
{
	struct config_lexer lexer = {
		.file = file, .text = text, .line = 1, .at_line_start = true, .diag = diag
	};

	if (slice_starts(text, "\xef\xbb\xbf"))
		lexer.pos = 3; /* a byte order mark */
	return lexer;
}

static int peek(const struct config_lexer *lexer, size_t ahead)
{
	size_t i = lexer->pos + ahead;

	return i < lexer->text.n ? lexer->text.p[i] : -1;
}

static bool starts(const struct config_lexer *lexer, const char *with)
{
	return slice_starts(slice_from(lexer->text, lexer->pos), with);
}

static struct diag_place place_of(const struct config_lexer *lexer)
{
	return (struct diag_place){ lexer->file, lexer->line,
				    (unsigned)(lexer->pos - lexer->line_start) + 1 };
}

/* Tells a fault at offset unless it was told when the text was first read. */
static void fault(struct config_lexer *lexer, const struct diag_place *place, size_t offset,
		  const char *text)
{
	if (offset < lexer->told)
		return;
	lexer->told = offset + 1;
	diag_error(lexer->diag, place, "%s", text);
}

/* LF, or a CR alone, as old editors end lines; the CR of CRLF is a blank before the end. */
static bool at_line_end(const struct config_lexer *lexer)
{
	int c = peek(lexer, 0);

	return c == '\n' || (c == '\r' && peek(lexer, 1) != '\n');
}

static void newline(struct config_lexer *lexer)
{
	lexer->pos++;
	lexer->line++;
	lexer->line_start = lexer->pos;
	lexer->at_line_start = true;
}

void config_lexer_skip_line(struct config_lexer *lexer)
{
	while (peek(lexer, 0) >= 0 && !at_line_end(lexer))
		lexer->pos++;
}

static void skip_comment(struct config_lexer *lexer)
{
	struct diag_place place = place_of(lexer);
	size_t begin = lexer->pos;

	lexer->pos += 2;
	while (peek(lexer, 0) >= 0) {
		if (starts(lexer, "*/")) {
			lexer->pos += 2;
			return;
		}
		if (at_line_end(lexer))
			newline(lexer);
		else
			lexer->pos++;
	}
	fault(lexer, &place, begin, "this comment never ends: \"*/\" is missing");
}

static void skip_blank(struct config_lexer *lexer)
{
	struct diag_place place = place_of(lexer);

	if (at_line_end(lexer)) {
		newline(lexer);
	} else if (starts(lexer, "\xc2\xa0")) {
		if (lexer->pos >= lexer->told) {
			lexer->told = lexer->pos + 1;
			diag_warning(lexer->diag, &place, "a no-break space, taken as a blank");
		}
		lexer->pos += 2;
	} else {
		lexer->pos++;
	}
}

static bool at_blank(const struct config_lexer *lexer)
{
	int c = peek(lexer, 0);

	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || starts(lexer, "\xc2\xa0");
}

static void skip_to_token(struct config_lexer *lexer)
{
	for (;;) {
		if (at_blank(lexer)) {
			skip_blank(lexer);
		} else if (starts(lexer, "//")) {
			config_lexer_skip_line(lexer);
		} else if (starts(lexer, "/*")) {
			skip_comment(lexer);
		} else if (peek(lexer, 0) == '#') {
			struct diag_place place = place_of(lexer);

			fault(lexer, &place, lexer->pos,
			      "\"#\" begins no comment here: write // or /* ... */");
			config_lexer_skip_line(lexer);
		} else {
			return;
		}
	}
}

/* Typographic quotes, as text processors and PDF viewers make them. */
static size_t odd_quote(const struct config_lexer *lexer)
{
	static const char *const quotes[] = { "\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x9e",
					      "\xe2\x80\x98", "\xe2\x80\x99" };

	for (size_t i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++)
		if (starts(lexer, quotes[i]))
			return 3;
	return 0;
}

/* What makes the text unfit, at its own column. */
static void check_text(struct config_lexer *lexer, const struct config_token *token)
{
	size_t at = (size_t)(token->text.p - lexer->text.p), good = 0, n;
	struct diag_place place = token->place;
	char text[96];

	if (text_is_clean(token->text))
		return;
	while (good < token->text.n) {
		struct slice rest = slice_from(token->text, good);

		n = text_char(rest);
		if (n == 0 || !text_is_clean(slice_of(rest.p, n)))
			break;
		good += n;
	}
	place.column += (unsigned)(at + good - token->offset);
	if (token->text.p[good] == '\t')
		snprintf(text, sizeof(text), "a tab inside of a text: take it out");
	else if (text_char(slice_from(token->text, good)) == 0)
		snprintf(text, sizeof(text), "octet 0x%02x is not UTF-8: save the file as UTF-8",
			 token->text.p[good]);
	else
		snprintf(text, sizeof(text), "a control character inside of a text: take it out");
	fault(lexer, &place, token->offset, text);
}

/* A string without its closing quote has most likely swallowed the ";" at the end of its line:
 * it ends before that, so that no second fault is told. */
static void end_open_string(struct config_lexer *lexer, size_t begin)
{
	size_t end = lexer->pos;

	while (end > begin && strchr(" \t\r", lexer->text.p[end - 1]))
		end--;
	if (end > begin && lexer->text.p[end - 1] == ';')
		lexer->pos = end - 1;
}

/* A string ends in its own line, at the quote that began it. */
static void take_string(struct config_lexer *lexer, struct config_token *token)
{
	size_t odd = odd_quote(lexer), begin, n = odd ? odd : 1;
	int quote = peek(lexer, 0);

	if (odd)
		fault(lexer, &token->place, token->offset,
		      "a typographic quote: write plain \" quotes");
	lexer->pos += n;
	begin = lexer->pos;
	while (peek(lexer, 0) >= 0 && !at_line_end(lexer) && !starts(lexer, "\r\n")) {
		/* What a typographic quote began a plain one may end: people mend one and not the
		 * other. */
		if (odd ? odd_quote(lexer) || peek(lexer, 0) == '"' : peek(lexer, 0) == quote)
			break;
		lexer->pos++;
	}
	token->kind = CONFIG_TOKEN_STRING;
	if (peek(lexer, 0) < 0 || peek(lexer, 0) == '\n' || peek(lexer, 0) == '\r') {
		fault(lexer, &token->place, token->offset,
		      "this string does not end in its line: a closing quote is missing");
		end_open_string(lexer, begin);
		token->text = slice_of(lexer->text.p + begin, lexer->pos - begin);
	} else {
		token->text = slice_of(lexer->text.p + begin, lexer->pos - begin);
		lexer->pos += odd_quote(lexer) ? 3 : 1;
	}
	check_text(lexer, token);
}

static void take_word(struct config_lexer *lexer, struct config_token *token)
{
	size_t begin = lexer->pos;
	int c = peek(lexer, 0);

	/* strchr() finds the NUL at the end of its list, too: a NUL in the text is asked for as
	 * 1. */
	while (c >= 0 && !at_blank(lexer) && !strchr(";{}\"'", c ? c : 1)) {
		lexer->pos++;
		c = peek(lexer, 0);
	}
	token->kind = CONFIG_TOKEN_WORD;
	token->text = slice_of(lexer->text.p + begin, lexer->pos - begin);
	check_text(lexer, token);
}

struct config_token config_lexer_next(struct config_lexer *lexer)
{
	struct config_token token = { .kind = CONFIG_TOKEN_END };
	int c;

	skip_to_token(lexer);
	token.place = place_of(lexer);
	token.offset = lexer->pos;
	token.first_on_line = lexer->at_line_start;
	/* Set again by the next newline(): the first token of a line alone has it. */
	lexer->at_line_start = false;
	c = peek(lexer, 0);
	if (c < 0)
		return token;
	if (c == '"' || c == '\'' || odd_quote(lexer)) {
		take_string(lexer, &token);
		return token;
	}
	if (c != ';' && c != '{' && c != '}') {
		take_word(lexer, &token);
		return token;
	}
	token.kind = c == ';'   ? CONFIG_TOKEN_SEMICOLON
		     : c == '{' ? CONFIG_TOKEN_OPEN
				: CONFIG_TOKEN_CLOSE;
	token.text = slice_of(lexer->text.p + lexer->pos, 1);
	lexer->pos++;
	return token;
}

void config_lexer_rewind(struct config_lexer *lexer, const struct config_token *token)
{
	lexer->pos = token->offset;
	lexer->line = token->place.line;
	/* Columns count octets from 1, so this is where the line began. */
	lexer->line_start = token->offset - (token->place.column - 1);
	lexer->at_line_start = token->first_on_line;
}
