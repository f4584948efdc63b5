/* pattern.h - text with {name} parameters, matched in linear time.
 *
 * A pattern matches all of an address.  A parameter takes zero or more octets, the
 * fewest that let the rest match; a literal at the end is anchored there.  Literals
 * are normalised as addresses are (uri.h).  In a sip pattern the user part and what
 * is behind the "@" are matched apart, so that a parameter of the one never holds
 * text of the other.  Source: CIG manual 2.9, "Configuration" (parameterization).
 */
#ifndef MAPS_PATTERN_H
#define MAPS_PATTERN_H

#include "base/arena.h"
#include "base/diag.h"
#include "maps/uri.h"

struct buf;

enum { PATTERN_MAX_PIECES = 16, PATTERN_MAX_TEXT = URI_MAX };

enum pattern_kind { PATTERN_SIP, PATTERN_TEL, PATTERN_TEXT };

struct piece {
	uint16_t at, len; /* of the literal or the name in text */
	bool is_param;
};

/* sip: pieces [0, split) are the user part and [split, n) what is behind the "@";
 * tel: [0, split) the number and [split, n) the extension with its ";";
 * text: split is 0. */
struct pattern {
	uint8_t kind; /* enum pattern_kind */
	uint8_t n, split;
	bool has_at;  /* sip */
	bool no_host; /* sip, a side of an entry: what is literal behind the "@" is no host */
	const struct piece *piece;
	const char *text; /* literals without scheme and "@", and names, one behind the other */
};

/* What each parameter piece of a pattern took; slices of the address. */
struct captures {
	struct slice value[PATTERN_MAX_PIECES];
};

/* An address in the forms patterns are matched against. */
struct subject {
	struct slice text;     /* as it came */
	const struct uri *uri; /* NULL: no sip or tel URI */
};

/* What pattern is text?  SIP or TEL by its scheme, else TEXT. */
enum pattern_kind pattern_kind_of(const char *text);

enum pattern_mode {
	PATTERN_AS_URI,     /* a side of an entry */
	PATTERN_AS_ADDRESS, /* a match: a sip pattern without "@" is TEXT, too */
	PATTERN_AS_RESULT,  /* a translation: always TEXT, and a name may stand twice */
};

/* Parses text into arena.  Returns 0, -EINVAL (braces, empty or repeated names,
 * characters that have no place), -E2BIG (more than 16 pieces or 512 octets), -ENOMEM;
 * diag says what, at place.  Warns of blanks in a URI, which are dropped. */
int pattern_parse(struct arena *arena, const char *text, enum pattern_mode mode,
		  const struct diag_place *place, struct diag *diag, struct pattern *pattern_out);

bool pattern_match(const struct pattern *pattern, const struct subject *subject,
		   struct captures *captures_out);

static inline struct slice piece_text(const struct pattern *pattern, size_t i)
{
	return slice_of(pattern->text + pattern->piece[i].at, pattern->piece[i].len);
}

/* The piece that is the parameter name, or -1. */
int pattern_find_param(const struct pattern *pattern, struct slice name);

/* The value of parameter name, captured by a match of pattern; empty when unbound. */
struct slice captures_find(const struct captures *captures, const struct pattern *pattern,
			   struct slice name);

/* "9{SIPEXT}@secure.com" with its scheme again. */
void pattern_write(const struct pattern *pattern, struct buf *to);

/* "series=101, discard=" for explanations. */
void captures_write(const struct captures *captures, const struct pattern *pattern, struct buf *to);

/* The literal octets that every match begins with, without the scheme; those it ends
 * with.  For a pattern without parameters the beginning is all and the end empty.
 * out holds URI_MAX octets.  Return the length. */
size_t pattern_beginning(const struct pattern *pattern, uint8_t *out);
/* 0 for a pattern without parameters: pattern_beginning() has all of it. */
size_t pattern_end(const struct pattern *pattern, uint8_t *out);

/* Why does pattern not match?  Writes it for people and returns how many literal
 * octets were found before the failure: the more, the nearer the miss. */
size_t pattern_explain_miss(const struct pattern *pattern, const struct subject *subject,
			    struct buf *to);

#endif
