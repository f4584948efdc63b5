/* uri.c - sip (RFC 3261 19.1) and tel (RFC 3966) URIs, parsed strictly and normalised.
 *
 * Strict because maps decide by them who is called: what two parsers could read differently is
 * refused.  On the path of every call, so octets are looked up in a table of classes and what
 * does not occur is not looked for.
 */
#include "maps/uri.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"

static int refuse(int err, const char *why, const char **why_out)
{
	if (why_out)
		*why_out = why;
	return err;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* RFC 3986 3.1: schemes in any case; both that we know have four octets with the colon. */
static bool has_scheme(struct slice text, const char *scheme)
{
	bool same = text.n >= 4;

	for (size_t i = 0; same && i < 4; i++)
		same = lower(text.p[i]) == (uint8_t)scheme[i];
	return same;
}

/* What octets part a URI, as bits: looked at for every octet of every call. */
enum { AT = 1, COLON = 2, SEMICOLON = 4, QUESTION = 8, BRACKET = 16, PERCENT = 32, REFUSED = 64 };

static const uint8_t classes[256] = {
	['@'] = AT,      [':'] = COLON,   [';'] = SEMICOLON, ['?'] = QUESTION, [']'] = BRACKET,
	[' '] = REFUSED, ['<'] = REFUSED, ['>'] = REFUSED,   ['"'] = REFUSED,  ['%'] = PERCENT,
};

/* All that occur in text: one pass without a branch tells what the parsers need not look for. */
static unsigned classes_in(struct slice text)
{
	unsigned all = 0;

	for (size_t i = 0; i < text.n; i++)
		all |= classes[text.p[i]];
	return all;
}

/* The part of text before the first "@", or all of it; what follows, with it, goes to *behind. */
static struct slice until_at(struct slice text, struct slice *behind)
{
	const uint8_t *at = text.n ? memchr(text.p, '@', text.n) : NULL;
	size_t n = at ? (size_t)(at - text.p) : text.n;

	*behind = slice_from(text, n);
	return slice_of(text.p, n);
}

/* The part of text before the first octet of class; what follows goes to *behind. */
static struct slice until(struct slice text, unsigned class, struct slice *behind)
{
	size_t n = 0;

	while (n < text.n && !(classes[text.p[n]] & class))
		n++;
	*behind = slice_from(text, n);
	return slice_of(text.p, n);
}

static int hex_value(uint8_t c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Returns 0, or -EILSEQ for an escape without two hexadecimal digits. */
static int put_decoded(struct buf *b, struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c == '%') {
			int high = i + 2 < text.n ? hex_value(text.p[i + 1]) : -1;
			int low = i + 2 < text.n ? hex_value(text.p[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -EILSEQ;
			c = (uint8_t)(high << 4 | low);
			i += 2;
		}
		buf_put_u8(b, c);
	}
	return 0;
}

/* A name or IPv4 address has no empty label (a dot at the end is one root label). */
static bool host_is_name(struct slice host)
{
	uint8_t before = '.';

	for (size_t i = 0; i < host.n; i++) {
		uint8_t c = host.p[i];

		if (c == '.' ? before == '.' : !is_digit(c) && !is_alpha(c) && c != '-' && c != '_')
			return false;
		before = c;
	}
	return host.n > 0;
}

/* The form only; whether it is an address is seen where it is resolved. */
static bool host_is_ipv6(struct slice host)
{
	if (host.n < 4 || host.p[0] != '[' || host.p[host.n - 1] != ']')
		return false;
	for (size_t i = 1; i + 1 < host.n; i++)
		if (hex_value(host.p[i]) < 0 && host.p[i] != ':' && host.p[i] != '.')
			return false;
	return true;
}

/* Five digits fit, so that the sum cannot run over. */
static bool port_is_valid(struct slice port)
{
	unsigned value = 0;

	for (size_t i = 0; i < port.n; i++) {
		if (!is_digit(port.p[i]))
			return false;
		value = value * 10 + (unsigned)(port.p[i] - '0');
	}
	return port.n > 0 && port.n <= 5 && value >= 1 && value <= 65535;
}

/* Takes apart what stands behind the "@": host, port, parameters, headers. */
static int split_rest(struct uri *uri, const char **why_out)
{
	struct slice rest = uri->rest, left;
	bool bracket = rest.n > 0 && rest.p[0] == '[';

	uri->host = until(rest, bracket ? BRACKET : COLON | SEMICOLON | QUESTION, &left);
	/* until() stops before the "]", which belongs to the host. */
	if (bracket && left.n > 0) {
		uri->host.n++;
		left = slice_from(left, 1);
	}
	if (!(bracket ? host_is_ipv6(uri->host) : host_is_name(uri->host)))
		return refuse(-EINVAL,
			      uri->host.n ? "the host is no name or address" : "there is no host",
			      why_out);
	if (left.n > 0 && left.p[0] == ':') {
		uri->port = until(slice_from(left, 1), SEMICOLON | QUESTION, &left);
		if (!port_is_valid(uri->port))
			return refuse(-EINVAL, "the port is no number from 1 to 65535", why_out);
	}
	if (left.n > 0 && left.p[0] == ';')
		uri->params = until(slice_from(left, 1), QUESTION, &left);
	if (left.n > 0 && left.p[0] == '?')
		uri->headers = slice_from(left, 1);
	else if (left.n > 0)
		return refuse(-EINVAL, "something follows the host", why_out);
	return 0;
}

/* Writes host and all behind it with the host in lower case. */
static void put_rest(struct buf *b, struct slice rest)
{
	struct slice behind, host = until(rest, SEMICOLON | QUESTION, &behind);
	size_t begin = b->len;

	buf_put_slice(b, rest);
	for (size_t i = begin; i < begin + host.n && i < b->len; i++)
		b->p[i] = lower(b->p[i]);
}

/* Writes the user part decoded.  Without an escape it is as clean as the text it is part of,
 * which is cut at an "@" only. */
static int put_user(struct buf *b, struct slice user, unsigned found, const char **why_out)
{
	size_t begin = b->len;

	if (!(found & PERCENT)) {
		buf_put_slice(b, user);
		return 0;
	}
	if (put_decoded(b, user) < 0)
		return refuse(-EILSEQ, "\"%\" without two hexadecimal digits", why_out);
	if (!text_is_clean(slice_of(b->p + begin, b->len - begin)))
		return refuse(-EILSEQ, "an escape for a control, or for no UTF-8", why_out);
	return 0;
}

/* The user part is compared decoded, the rest as it came but for the host's case (RFC 3261
 * 19.1.4); an "@" in the user part would have to be escaped there. */
static int parse_sip(struct slice text, unsigned found, struct uri *uri, const char **why_out)
{
	struct slice behind, front = until_at(text, &behind);
	struct buf b = BUF_OF(uri->buf);
	size_t user_end;
	int err = 0;

	uri->scheme = URI_SIP;
	uri->has_user = behind.n > 0;
	buf_put_str(&b, "sip:");
	if (uri->has_user)
		err = put_user(&b, front, found, why_out);
	if (err)
		return err;
	user_end = b.len;
	uri->user = slice_of(uri->buf + 4, user_end - 4);
	if (uri->has_user)
		buf_put_char(&b, '@');
	put_rest(&b, uri->has_user ? slice_from(behind, 1) : text);
	uri->text = buf_slice(&b);
	uri->rest = slice_from(uri->text, user_end + uri->has_user);
	until_at(uri->rest, &behind);
	if (behind.n > 0)
		return refuse(-EINVAL, "there is more than one \"@\"", why_out);
	return split_rest(uri, why_out);
}

static bool is_separator(uint8_t c)
{
	return c == '-' || c == '.' || c == '(' || c == ')';
}

/* RFC 3966: separators mean nothing.  "w" behind a digit is the manual's other spelling of
 * ";"; hexadecimal digits, "*" and "#" are local numbers'. */
static int parse_tel(struct slice text, unsigned found, struct uri *uri, const char **why_out)
{
	struct buf b = BUF_OF(uri->buf);
	size_t i = 0;

	uri->scheme = URI_TEL;
	uri->has_user = true;
	buf_put_str(&b, "tel:");
	for (; i < text.n && text.p[i] != ';'; i++) {
		uint8_t c = text.p[i];

		/* "w" is no hexadecimal digit, so nothing else of a number looks like it. */
		if (c == 'w' && b.len > 4 && is_digit(b.p[b.len - 1]))
			break;
		if (is_separator(c))
			continue;
		if (hex_value(c) < 0 && c != '*' && c != '#' && (c != '+' || b.len > 4))
			return refuse(-EINVAL, "a tel number with other characters than digits",
				      why_out);
		buf_put_u8(&b, c);
	}
	uri->user = slice_of(uri->buf + 4, b.len - 4);
	if (uri->user.n == 0 || slice_eq_str(uri->user, "+"))
		return refuse(-EINVAL, "a tel number without digits", why_out);
	if (i < text.n) {
		buf_put_char(&b, ';');
		buf_put_slice(&b, slice_from(text, i + 1));
	}
	uri->text = buf_slice(&b);
	uri->rest = slice_from(uri->text, 4 + uri->user.n);
	uri->params = slice_from(uri->rest, 1);
	if (found & AT)
		return refuse(-EINVAL, "a tel URI with \"@\"", why_out);
	return 0;
}

int uri_parse(struct slice text, struct uri *uri_out, const char **why_out)
{
	unsigned found;

	/* The buffer itself is left alone, 512 octets a call; its first one makes an empty text
	 * of it. */
	memset(uri_out, 0, offsetof(struct uri, buf) + 1);
	if (text.n > URI_MAX)
		return refuse(-EMSGSIZE, "more than 512 octets", why_out);
	if (!text_is_clean(text))
		return refuse(-EILSEQ, "control characters, or no UTF-8", why_out);
	found = classes_in(text);
	if (found & REFUSED)
		return refuse(-EILSEQ, "a blank, a quote, \"<\" or \">\"", why_out);
	if (has_scheme(text, "sip:"))
		return parse_sip(slice_from(text, 4), found, uri_out, why_out);
	if (has_scheme(text, "tel:"))
		return parse_tel(slice_from(text, 4), found, uri_out, why_out);
	return refuse(-EPROTONOSUPPORT, "neither a sip nor a tel URI", why_out);
}

/* Narrower than RFC 3966's parameters (ours): it is dialled digits or a mailbox's name. */
static bool extension_is_valid(struct slice extension)
{
	for (size_t i = 0; i < extension.n; i++)
		if (!is_digit(extension.p[i]) && !is_alpha(extension.p[i]) &&
		    !memchr("*#._-", extension.p[i], 5))
			return false;
	return true;
}

/* What may leave towards the secure side: an identity is the URI's octets. */
int uri_check_tel(struct slice text, const char **why_out)
{
	struct slice behind, number = until(text, SEMICOLON, &behind);
	struct slice digits = slice_from(number, 5);

	if (!slice_starts(text, "tel:+"))
		return refuse(-EINVAL, "it does not begin with \"tel:+\"", why_out);
	for (size_t i = 0; i < digits.n; i++)
		if (!is_digit(digits.p[i]))
			return refuse(-EINVAL, "the number holds something else than digits",
				      why_out);
	if (digits.n == 0)
		return refuse(-EINVAL, "the number has no digits", why_out);
	if (digits.n > URI_TEL_MAX_DIGITS)
		return refuse(-EINVAL, "the number has more than 15 digits", why_out);
	if (behind.n > 1 + URI_TEL_MAX_EXTENSION)
		return refuse(-EINVAL, "the extension has more than 64 characters", why_out);
	if (behind.n > 0 && !extension_is_valid(slice_from(behind, 1)))
		return refuse(-EINVAL, "the extension holds something else than 0-9*#A-Za-z._-",
			      why_out);
	return 0;
}

struct slice uri_without_extension(struct slice text)
{
	struct slice behind;

	return until(text, SEMICOLON, &behind);
}

bool uri_same_number(struct slice a, struct slice b)
{
	return slice_eq(uri_without_extension(a), uri_without_extension(b));
}

static int read_transport(struct slice value, struct sip_target *target)
{
	static const struct {
		const char *name;
		enum sip_transport transport;
	} known[] = { { "udp", SIP_UDP }, { "tcp", SIP_TCP }, { "tls", SIP_TLS } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (value.n == 3 && strncasecmp((const char *)value.p, known[i].name, 3) == 0) {
			target->transport = known[i].transport;
			return 0;
		}
	return -EPROTONOSUPPORT;
}

/* Only transport matters here; a repeated one is nobody's to choose (RFC 3261 19.1.1). */
static int read_params(struct slice params, struct sip_target *target)
{
	static const char name[] = "transport=";
	bool seen = false;

	while (params.n > 0) {
		struct slice behind, param = until(params, SEMICOLON, &behind);

		if (param.n >= strlen(name) &&
		    strncasecmp((const char *)param.p, name, strlen(name)) == 0) {
			if (seen || read_transport(slice_from(param, strlen(name)), target) < 0)
				return seen ? -EINVAL : -EPROTONOSUPPORT;
			seen = true;
		}
		params = slice_from(behind, 1);
	}
	return 0;
}

int uri_sip_target(const struct uri *uri, struct sip_target *target_out)
{
	struct slice host = uri->host;
	int err;

	if (uri->scheme != URI_SIP || host.n == 0)
		return -EINVAL;
	if (host.p[0] == '[')
		host = slice_of(host.p + 1, host.n - 2);
	if (host.n >= sizeof(target_out->host))
		return -EINVAL;
	memcpy(target_out->host, host.p, host.n);
	target_out->host[host.n] = '\0';
	target_out->transport = SIP_UDP;
	err = read_params(uri->params, target_out);
	if (err)
		return err;
	target_out->port_given = uri->port.n > 0;
	/* RFC 3261 19.1.2: the default ports. */
	target_out->port = target_out->transport == SIP_TLS ? 5061 : 5060;
	if (target_out->port_given) {
		target_out->port = 0;
		for (size_t i = 0; i < uri->port.n; i++)
			target_out->port =
				(uint16_t)(target_out->port * 10 + (uri->port.p[i] - '0'));
	}
	return 0;
}
