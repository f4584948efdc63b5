/* fill.c - the other side of an entry with the captured values in it.
 *
 * Every limit of what a call may put into a URI is here, behind the substitution: no way of
 * writing a pattern or an address leads around it.
 */
#include "maps/fill.h"

#include <errno.h>

#include "base/buf.h"
#include "base/text.h"

/* Empty where the matching side has no parameter of that name. */
static struct slice value_of(const struct pattern *out, size_t i, const struct values *values)
{
	return captures_find(values->captures, values->in, piece_text(out, i));
}

static int refuse(int err, const char *why, const char **why_out)
{
	*why_out = why;
	return err;
}

/* RFC 3261 section 25.1, as bits: unreserved and user-unreserved but for ";" and "?", which
 * only a literal of the entry may have, as it may a ":". */
enum { PLAIN = 1, LITERAL_ONLY = 2 };

static const uint8_t classes[256] = {
	['-'] = PLAIN,        ['_'] = PLAIN,        ['.'] = PLAIN,  ['!'] = PLAIN,
	['~'] = PLAIN,        ['*'] = PLAIN,        ['\''] = PLAIN, ['('] = PLAIN,
	[')'] = PLAIN,        ['&'] = PLAIN,        ['='] = PLAIN,  ['+'] = PLAIN,
	['$'] = PLAIN,        [','] = PLAIN,        ['/'] = PLAIN,  [';'] = LITERAL_ONLY,
	['?'] = LITERAL_ONLY, [':'] = LITERAL_ONLY,
};

static bool is_allowed(uint8_t c, unsigned allowed)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       classes[c] & allowed;
}

/* The octets at the front of text that need no escape. */
static size_t allowed_run(struct slice text, unsigned allowed)
{
	size_t n = 0;

	while (n < text.n && is_allowed(text.p[n], allowed))
		n++;
	return n;
}

static void put_user(struct buf *to, struct slice text, unsigned allowed)
{
	for (;;) {
		size_t n = allowed_run(text, allowed);

		buf_put(to, text.p, n);
		if (n == text.n)
			return;
		buf_printf(to, "%%%02X", text.p[n]);
		text = slice_from(text, n + 1);
	}
}

/* Percent-encoding could carry all of these; nothing good needs them. */
static const char *why_not_in_user(struct slice value)
{
	if (!text_is_clean(value))
		return "a control character, or no UTF-8, in the user part";
	for (size_t i = 0; i < value.n; i++)
		if (!is_allowed(value.p[i], PLAIN) && strchr("@<>\" ", value.p[i]))
			return "\"@\", \"<\", \">\", a quote or a blank in the user part";
	return NULL;
}

/* A literal behind the "@": whether it is a host was checked when the map was loaded. */
static bool has_host(const struct pattern *out)
{
	for (size_t i = out->split; i < out->n; i++)
		if (!out->piece[i].is_param)
			return true;
	return false;
}

int fill_sip(const struct pattern *out, const struct values *values, struct buf *to,
	     const char **why_out)
{
	const char *why = NULL;
	size_t user;

	buf_put_str(to, "sip:");
	user = to->len;
	for (size_t i = 0; i < out->split; i++) {
		bool is_param = out->piece[i].is_param;
		struct slice text = is_param ? value_of(out, i, values) : piece_text(out, i);

		if (is_param && !why)
			why = why_not_in_user(text);
		put_user(to, text, is_param ? PLAIN : PLAIN | LITERAL_ONLY);
	}
	/* Where the user part began becomes how long it is, escapes included. */
	user = to->len - user;
	if (out->has_at)
		buf_put_char(to, '@');
	for (size_t i = out->split; i < out->n; i++)
		if (!out->piece[i].is_param) /* no input chooses the host or what follows it */
			buf_put_slice(to, piece_text(out, i));
	/* Too long comes first: of the text that was cut nothing else can be said. */
	if (!buf_ok(to))
		return refuse(-EMSGSIZE, "the new URI is longer than 512 octets", why_out);
	if (why)
		return refuse(-EILSEQ, why, why_out);
	if (user == 0)
		return refuse(-ENODATA, "the user part is empty", why_out);
	if (!has_host(out))
		return refuse(-EINVAL, "there is no host", why_out);
	return 0;
}

static bool all_digits(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

/* Values in the number are digits and nothing else, so that the ";" stays a literal's. */
static const char *why_not_in_number(struct slice value)
{
	if (all_digits(value))
		return NULL;
	if (value.p[0] == '+')
		return "the dialled number begins with \"+\" itself: the entry must not add "
		       "another, or must have a \"+\" before the parameter";
	return "the number holds something else than digits";
}

/* The whole result is checked, not only what came from the call: literals and values may
 * make together what neither is. */
int fill_tel(const struct pattern *out, const struct values *values, struct buf *to,
	     const char **why_out)
{
	const char *why = NULL;
	struct slice text;

	buf_put_str(to, "tel:");
	for (size_t i = 0; i < out->n; i++) {
		struct slice value;

		if (!out->piece[i].is_param) {
			buf_put_slice(to, piece_text(out, i));
			continue;
		}
		value = value_of(out, i, values);
		if (i < out->split && !why)
			why = why_not_in_number(value);
		buf_put_slice(to, value);
	}
	if (!buf_ok(to))
		return refuse(-EMSGSIZE, "the new URI is longer than 512 octets", why_out);
	if (why)
		return refuse(-EILSEQ, why, why_out);
	text = buf_slice(to);
	if (uri_check_tel(text, why_out) == 0)
		return 0;
	/* uri_check_tel() has said why. */
	return slice_eq_str(uri_without_extension(text), "tel:+") ? -ENODATA : -EILSEQ;
}

int fill_text(const struct pattern *out, const struct values *values, struct buf *to)
{
	for (size_t i = 0; i < out->n; i++)
		buf_put_slice(to, out->piece[i].is_param ? value_of(out, i, values)
							 : piece_text(out, i));
	if (!buf_ok(to))
		return -ENOBUFS;
	return text_is_clean(buf_slice(to)) ? 0 : -EILSEQ;
}
