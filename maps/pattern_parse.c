/* pattern_parse.c - reads a pattern, its literals normalised as uri.c normalises addresses.
 *
 * Both must agree octet by octet, or an entry would never be met; so every rule of uri.c stands
 * here a second time, for text that is no URI yet because of its braces.
 *
 *     sip:  PART_USER --"@"--> PART_HOST --";" or "?"--> PART_PARAMS
 *           PART_HOST from the beginning, where no "@" stands outside of braces
 *     tel:  PART_NUMBER --";" or "w" behind digits--> PART_EXTENSION
 *     text: PART_ALL
 */
#include "maps/pattern.h"

#include <errno.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"

enum part { PART_ALL, PART_USER, PART_HOST, PART_PARAMS, PART_NUMBER, PART_EXTENSION };

/* A pattern while it is read. */
struct parse {
	const char *source;
	const struct diag_place *place;
	struct diag *diag;
	enum pattern_mode mode;
	enum pattern_kind kind;
	enum part part; /* where the next octet belongs */
	struct piece piece[PATTERN_MAX_PIECES];
	size_t n, split;
	bool has_at;
	bool drop_blanks, blanks; /* in a URI; were there any? */
	char text[PATTERN_MAX_TEXT];
	size_t len;
};

enum pattern_kind pattern_kind_of(const char *text)
{
	if (strncasecmp(text, "sip:", 4) == 0)
		return PATTERN_SIP;
	return strncasecmp(text, "tel:", 4) == 0 ? PATTERN_TEL : PATTERN_TEXT;
}

static int fault(const struct parse *ps, const char *what)
{
	diag_error(ps->diag, ps->place, "\"%s\": %s", ps->source, what);
	return -EINVAL;
}

static int begin_piece(struct parse *ps, bool is_param)
{
	if (ps->n == PATTERN_MAX_PIECES) {
		diag_error(ps->diag, ps->place, "\"%s\": more than %d literals and parameters",
			   ps->source, PATTERN_MAX_PIECES);
		return -E2BIG;
	}
	ps->piece[ps->n++] = (struct piece){ (uint16_t)ps->len, 0, is_param };
	return 0;
}

static void put(struct parse *ps, char c)
{
	ps->text[ps->len++] = c; /* never longer than the source */
	ps->piece[ps->n - 1].len++;
}

/* Appends to the literal that is being read; new_piece: to another one than before. */
static int put_literal(struct parse *ps, char c, bool new_piece)
{
	int err = 0;

	if (new_piece || ps->n == 0 || ps->piece[ps->n - 1].is_param)
		err = begin_piece(ps, false);
	if (!err)
		put(ps, c);
	return err;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Does the number so far end in a digit, or in a parameter that stands for digits? */
static bool after_digits(const struct parse *ps)
{
	if (ps->n == 0)
		return false;
	return ps->piece[ps->n - 1].is_param || is_digit(ps->text[ps->len - 1]);
}

static int number_octet(struct parse *ps, char c)
{
	/* A "w" behind digits is what people dial for the pause before an extension (CIG manual
	 * 2.9); both are kept as ";". */
	if (c == ';' || (c == 'w' && after_digits(ps))) {
		ps->part = PART_EXTENSION;
		ps->split = ps->n;
		return put_literal(ps, ';', true);
	}
	/* Visual separators are no part of a number (RFC 3966 5.1.1). */
	if (c && strchr("-.()", c))
		return 0;
	if (c == '+' && ps->n > 0)
		return fault(ps, "\"+\" stands only at the front of a number");
	if (!is_digit(c) && (c == '\0' || !strchr("+*#ABCDEFabcdef", c)))
		return fault(ps, "a character that has no place in a tel number");
	return put_literal(ps, c, false);
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* *used_out: how many octets of the source the octet took. */
static int user_octet(struct parse *ps, const char *at, size_t *used_out)
{
	int high, low;

	if (*at == '@') {
		ps->part = PART_HOST;
		ps->split = ps->n;
		ps->has_at = true;
		return 0;
	}
	if (*at != '%')
		return put_literal(ps, *at, false);
	high = hex_value(at[1]);
	low = high < 0 ? -1 : hex_value(at[2]);
	if (low < 0)
		return fault(ps, "\"%\" without two hexadecimal digits");
	*used_out = 3;
	return put_literal(ps, (char)(high << 4 | low), false);
}

static int rest_octet(struct parse *ps, char c)
{
	bool first = ps->n == ps->split;

	if (c == '@')
		return fault(ps, "there is more than one \"@\"");
	if (c == ';' || c == '?')
		ps->part = PART_PARAMS;
	/* Hosts are compared without regard to case (RFC 3261 19.1.4), users are not. */
	if (ps->part == PART_HOST && c >= 'A' && c <= 'Z')
		c = (char)(c | 0x20);
	return put_literal(ps, c, first);
}

static int literal_octet(struct parse *ps, const char *at, size_t *used_out)
{
	char c = *at;

	*used_out = 1;
	if (c == '}')
		return fault(ps, "\"}\" without \"{\"");
	if (ps->drop_blanks && (c == ' ' || c == '\t')) {
		ps->blanks = true;
		return 0;
	}
	if (ps->part == PART_ALL)
		return put_literal(ps, c, false);
	if (strchr("<>\"", c))
		return fault(ps, "\"<\", \">\" and quotes have no place in a URI");
	switch (ps->part) {
	case PART_NUMBER:
		return number_octet(ps, c);
	case PART_USER:
		return user_octet(ps, at, used_out);
	case PART_EXTENSION:
		return c == '@' ? fault(ps, "a tel URI has no \"@\"") : put_literal(ps, c, false);
	default:
		return rest_octet(ps, c);
	}
}

/* A name that took two texts would have two values. */
static bool is_repeated(const struct parse *ps)
{
	const struct piece *last = &ps->piece[ps->n - 1];

	for (size_t i = 0; i + 1 < ps->n; i++)
		if (ps->piece[i].is_param &&
		    slice_eq(slice_of(ps->text + ps->piece[i].at, ps->piece[i].len),
			     slice_of(ps->text + last->at, last->len)))
			return true;
	return false;
}

/* at is behind "{"; *used_out includes the "}". */
static int param(struct parse *ps, const char *at, size_t *used_out)
{
	size_t n = strcspn(at, "{}");
	int err;

	if (at[n] != '}')
		return fault(ps, "\"{\" without \"}\"");
	*used_out = n + 1;
	err = begin_piece(ps, true);
	for (size_t i = 0; !err && i < n; i++)
		if (at[i] != ' ' && at[i] != '\t')
			put(ps, at[i]);
	if (err)
		return err;
	if (ps->piece[ps->n - 1].len == 0)
		return fault(ps, "a parameter without a name");
	if (ps->mode != PATTERN_AS_RESULT && is_repeated(ps))
		return fault(ps, "a parameter stands twice");
	return 0;
}

/* Is there an "@" outside of the braces? */
static bool has_at_sign(const char *text)
{
	for (bool inside = false; *text; text++) {
		if (*text == '{' || *text == '}')
			inside = *text == '{';
		if (*text == '@' && !inside)
			return true;
	}
	return false;
}

static void begin(struct parse *ps)
{
	bool at = has_at_sign(ps->source);

	ps->kind = pattern_kind_of(ps->source);
	ps->drop_blanks = ps->kind != PATTERN_TEXT;
	/* Results are text whatever they begin with: fill_text() checks them as such. */
	if (ps->mode == PATTERN_AS_RESULT ||
	    (ps->mode == PATTERN_AS_ADDRESS && ps->kind == PATTERN_SIP && !at))
		ps->kind = PATTERN_TEXT;
	/* A text pattern is taken as it stands; only URIs have parts with rules of their own. */
	if (ps->kind == PATTERN_TEXT)
		ps->part = PART_ALL;
	else if (ps->kind == PATTERN_TEL)
		ps->part = PART_NUMBER;
	else
		ps->part = at ? PART_USER : PART_HOST;
}

static int parse_all(struct parse *ps)
{
	const char *at = ps->source + (ps->kind == PATTERN_TEXT ? 0 : 4);
	size_t used;
	int err;

	for (; *at; at += used) {
		if (*at == '{') {
			err = param(ps, at + 1, &used);
			used++;
		} else {
			err = literal_octet(ps, at, &used);
		}
		if (err)
			return err;
	}
	/* No extension: all pieces are the number's. */
	if (ps->part == PART_NUMBER)
		ps->split = ps->n;
	return 0;
}

static int keep(const struct parse *ps, struct arena *arena, struct pattern *pattern_out)
{
	struct piece *piece = arena_alloc(arena, ps->n * sizeof(*piece) + 1);
	char *text = arena_text(arena, slice_of(ps->text, ps->len));

	if (!piece || !text)
		return -ENOMEM;
	memcpy(piece, ps->piece, ps->n * sizeof(*piece));
	*pattern_out = (struct pattern){ .kind = (uint8_t)ps->kind,
					 .n = (uint8_t)ps->n,
					 .split = (uint8_t)ps->split,
					 .has_at = ps->has_at,
					 .piece = piece,
					 .text = text };
	return 0;
}

int pattern_parse(struct arena *arena, const char *text, enum pattern_mode mode,
		  const struct diag_place *place, struct diag *diag, struct pattern *pattern_out)
{
	struct parse ps = { .mode = mode, .source = text, .place = place, .diag = diag };
	int err;

	if (strlen(text) > PATTERN_MAX_TEXT) {
		diag_error(diag, place, "a pattern of more than %d octets", PATTERN_MAX_TEXT);
		return -E2BIG;
	}
	if (!text_is_clean(slice_str(text)))
		return fault(&ps, "control characters, or no UTF-8");
	begin(&ps);
	err = parse_all(&ps);
	if (err)
		return err;
	if (ps.blanks)
		diag_warning(diag, place, "\"%s\": the blank is ignored, URIs have none", text);
	return keep(&ps, arena, pattern_out);
}
