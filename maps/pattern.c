/* pattern.c - matching, and what an index and an explanation want to know of a pattern.
 *
 * Matching goes from left to right, each literal at its first place, never a way back.  Regular
 * expressions are what it is not: a pattern from a file must not be able to stall calls.
 */
#include "maps/pattern.h"

#include "base/buf.h"

/* Matches pieces [from, to) against all of text.  *done_out receives the literal octets
 * found, *failed_out the piece that was not. */
static bool match_pieces(const struct pattern *p, size_t from, size_t to, struct slice text,
			 struct captures *captures, size_t *done_out, size_t *failed_out)
{
	size_t pos = 0, param = SIZE_MAX;

	for (size_t i = from; i < to; i++) {
		struct slice literal = piece_text(p, i), left = slice_from(text, pos);
		const uint8_t *found = left.p;

		*failed_out = i;
		/* Two parameters side by side: the first one gets nothing, the second what both
		 * had. */
		if (p->piece[i].is_param) {
			if (param != SIZE_MAX)
				captures->value[param] = slice_of(left.p, 0);
			param = i;
			continue;
		}
		if (literal.n > left.n)
			return false;
		if (i + 1 == to)
			found = left.p + (left.n - literal.n); /* anchored at the end */
		/* The first place where the literal stands: the shortest text for the parameter
		 * before it.  A later place could never help, for what follows it may stand
		 * behind the first one as well. */
		else if (param != SIZE_MAX)
			found = memmem(left.p, left.n, literal.p, literal.n);
		if (!found || memcmp(found, literal.p, literal.n) != 0)
			return false;
		if (param == SIZE_MAX && found != left.p)
			return false;
		if (param != SIZE_MAX)
			captures->value[param] = slice_of(left.p, (size_t)(found - left.p));
		param = SIZE_MAX;
		pos += (size_t)(found - left.p) + literal.n;
		*done_out += literal.n;
	}
	*failed_out = to;
	if (param == SIZE_MAX)
		return pos == text.n;
	captures->value[param] = slice_from(text, pos);
	return true;
}

/* The octets behind the scheme, "tel:" or "sip:". */
static struct slice behind_scheme(struct slice text)
{
	return slice_from(text, 4);
}

static bool match(const struct pattern *p, const struct subject *subject, struct captures *captures,
		  size_t *done_out, size_t *failed_out)
{
	const struct uri *uri = subject->uri;

	*done_out = 0;
	*failed_out = 0;
	if (p->kind == PATTERN_TEXT)
		return match_pieces(p, 0, p->n, subject->text, captures, done_out, failed_out);
	if (!uri || uri->scheme != (p->kind == PATTERN_SIP ? URI_SIP : URI_TEL))
		return false;
	if (p->kind == PATTERN_TEL)
		return match_pieces(p, 0, p->n, behind_scheme(uri->text), captures, done_out,
				    failed_out);
	if (uri->has_user != p->has_at)
		return false;
	/* User and host apart, so that no text of a user part can stand for an "@" and choose a
	 * host. */
	return match_pieces(p, 0, p->split, uri->user, captures, done_out, failed_out) &&
	       match_pieces(p, p->split, p->n, uri->rest, captures, done_out, failed_out);
}

/* The fewest octets for each parameter (ours), so no way back is ever tried: time is linear
 * in pattern and address. */
bool pattern_match(const struct pattern *pattern, const struct subject *subject,
		   struct captures *captures_out)
{
	size_t done, failed;

	return match(pattern, subject, captures_out, &done, &failed);
}

int pattern_find_param(const struct pattern *pattern, struct slice name)
{
	for (size_t i = 0; i < pattern->n; i++)
		if (pattern->piece[i].is_param && slice_eq(piece_text(pattern, i), name))
			return (int)i;
	return -1;
}

struct slice captures_find(const struct captures *captures, const struct pattern *pattern,
			   struct slice name)
{
	int i = pattern_find_param(pattern, name);

	return i < 0 ? (struct slice){ NULL, 0 } : captures->value[i];
}

static void write_piece(const struct pattern *p, size_t i, struct buf *to)
{
	if (p->piece[i].is_param)
		buf_put_char(to, '{');
	buf_put_slice(to, piece_text(p, i));
	if (p->piece[i].is_param)
		buf_put_char(to, '}');
}

void pattern_write(const struct pattern *pattern, struct buf *to)
{
	static const char *const schemes[] = { "sip:", "tel:", "" };

	buf_put_str(to, schemes[pattern->kind]);
	for (size_t i = 0; i < pattern->n; i++) {
		if (pattern->has_at && i == pattern->split)
			buf_put_char(to, '@');
		write_piece(pattern, i, to);
	}
	if (pattern->has_at && pattern->split == pattern->n)
		buf_put_char(to, '@');
}

void captures_write(const struct captures *captures, const struct pattern *pattern, struct buf *to)
{
	const char *between = "";

	for (size_t i = 0; i < pattern->n; i++) {
		if (!pattern->piece[i].is_param)
			continue;
		buf_put_str(to, between);
		buf_put_slice(to, piece_text(pattern, i));
		buf_put_char(to, '=');
		buf_put_slice(to, captures->value[i]);
		between = ", ";
	}
}

static bool all_literal(const struct pattern *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->piece[i].is_param)
			return false;
	return true;
}

/* With the "@" of a sip pattern: user and host are matched apart, but indexed as one. */
size_t pattern_beginning(const struct pattern *pattern, uint8_t *out)
{
	size_t len = 0;

	for (size_t i = 0; i <= pattern->n; i++) {
		if (pattern->has_at && i == pattern->split)
			out[len++] = '@';
		if (i == pattern->n || pattern->piece[i].is_param)
			break;
		memcpy(out + len, piece_text(pattern, i).p, pattern->piece[i].len);
		len += pattern->piece[i].len;
	}
	return len;
}

size_t pattern_end(const struct pattern *pattern, uint8_t *out)
{
	size_t len = 0, i = pattern->n;

	/* Its beginning is all of it: counted as an end, too, a short address would seem too
	 * short. */
	if (all_literal(pattern))
		return 0;
	while (i > 0 && !pattern->piece[i - 1].is_param)
		i--;
	for (; i <= pattern->n; i++) {
		if (pattern->has_at && i == pattern->split)
			out[len++] = '@';
		if (i == pattern->n)
			break;
		memcpy(out + len, piece_text(pattern, i).p, pattern->piece[i].len);
		len += pattern->piece[i].len;
	}
	return len;
}

/* A fixed host fails most often for ":5060" or ";user=phone" behind it. */
static bool tell_what_follows(const struct pattern *p, const struct uri *uri, struct buf *to)
{
	struct slice literal;

	if (p->n - p->split != 1 || p->piece[p->split].is_param)
		return false;
	literal = piece_text(p, p->split);
	if (literal.n >= uri->rest.n || memcmp(uri->rest.p, literal.p, literal.n) != 0 ||
	    !memchr(":;?", uri->rest.p[literal.n], 3))
		return false;
	buf_put_str(to, "only \"");
	buf_put_slice(to, slice_from(uri->rest, literal.n));
	buf_put_str(to, "\" behind the host is too much: {discard} there would take it");
	return true;
}

static void tell_missing(const struct pattern *p, size_t failed, size_t end, struct buf *to)
{
	if (failed >= end) {
		buf_put_str(to, "something is left behind its end");
		return;
	}
	buf_put_char(to, '"');
	buf_put_slice(to, piece_text(p, failed));
	buf_put_str(to, failed + 1 == end ? "\" is not at the end" : "\" is not found");
}

/* Where the user part is at fault, what is behind the "@" does not count. */
static size_t failing_end(const struct pattern *p, const struct uri *uri)
{
	struct captures captures;
	size_t done = 0, failed;

	if (p->kind != PATTERN_SIP ||
	    match_pieces(p, 0, p->split, uri->user, &captures, &done, &failed))
		return p->n;
	return p->split;
}

size_t pattern_explain_miss(const struct pattern *pattern, const struct subject *subject,
			    struct buf *to)
{
	const struct uri *uri = subject->uri;
	struct captures captures;
	size_t done, failed, end;

	match(pattern, subject, &captures, &done, &failed);
	if (pattern->kind == PATTERN_TEXT) {
		tell_missing(pattern, failed, pattern->n, to);
	} else if (!uri) {
		buf_put_str(to, "no sip or tel URI");
	} else if (uri->scheme != (pattern->kind == PATTERN_SIP ? URI_SIP : URI_TEL)) {
		buf_put_str(to, "another scheme");
	} else if (pattern->kind == PATTERN_SIP && uri->has_user != pattern->has_at) {
		buf_put_str(to, uri->has_user ? "a user part where none is" : "no user part");
	} else {
		end = failing_end(pattern, uri);
		if (pattern->kind == PATTERN_SIP && end == pattern->n &&
		    tell_what_follows(pattern, uri, to))
			/* Nearer than any other miss of this host: it would be the one meant. */
			return done + uri->host.n;
		tell_missing(pattern, failed, end, to);
	}
	return done;
}
