/* json_text.c - JSON strings out of octets that may not be UTF-8.
 *
 * Both ways, through jansson and into a buffer, give the same text: a test compares them.
 */
#include "base/json_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

enum { ESCAPED = 4 /* octets of "\\xNN" */ };

json_t *json_text(const char *text)
{
	struct slice rest = slice_str(text ? text : "");
	char *room = malloc(ESCAPED * rest.n + 1);
	struct buf b;
	json_t *made;

	if (!room)
		return NULL;
	b = buf_over(room, ESCAPED * rest.n + 1);
	/* Octet by octet where there is no character, as logs write them. */
	while (rest.n) {
		size_t n = text_char(rest);

		if (n)
			buf_put(&b, rest.p, n);
		else
			buf_printf(&b, "\\x%02X", rest.p[0]);
		rest = slice_from(rest, n ? n : 1);
	}
	made = json_stringn(buf_str(&b), b.len);
	free(room);
	return made;
}

/* The octets of a control character at text that jansson leaves as it is, or 0.  What it wrote is
 * UTF-8 with a NUL behind it: there is an octet behind 0xc2. */
static size_t bare_control(const char *text)
{
	const uint8_t *p = (const uint8_t *)text;

	if (p[0] == 0x7f)
		return 1;
	return p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0 ? 2 : 0;
}

int json_show(const json_t *value, size_t flags, FILE *to)
{
	char *text = json_dumps(value, flags);

	if (!text)
		return -ENOMEM;
	for (const char *at = text; *at;) {
		size_t n = bare_control(at);

		/* U+0080 to U+009F end in the octet of their number. */
		if (n)
			fprintf(to, "\\u%04X", (unsigned)(uint8_t)at[n - 1]);
		else
			fputc(*at, to);
		at += n ? n : 1;
	}
	fputc('\n', to);
	free(text);
	return 0;
}

/* ---- members of an object, into a buffer ---- */

void json_put_name(struct buf *b, const char *name)
{
	if (b->len > 0 && b->p[b->len - 1] != '{')
		buf_put_char(b, ',');
	buf_put_char(b, '"');
	buf_put_str(b, name);
	buf_put_str(b, "\":");
}

/* One character of n octets, or an octet that is none (n 0), within a string: RFC 8259 7. */
static void put_character(struct buf *b, struct slice at, size_t n)
{
	if (n == 0)
		buf_printf(b, "\\\\x%02X", at.p[0]);
	else if (at.p[0] == '"' || at.p[0] == '\\')
		buf_printf(b, "\\%c", at.p[0]);
	else if (at.p[0] < 0x20)
		buf_printf(b, "\\u%04X", at.p[0]);
	else
		buf_put(b, at.p, n);
}

/* How many octets in front can be copied as they are: most texts are nothing else. */
static size_t plain(struct slice text)
{
	size_t n = 0;

	while (n < text.n && text.p[n] >= 0x20 && text.p[n] < 0x7f && text.p[n] != '"' &&
	       text.p[n] != '\\')
		n++;
	return n;
}

void json_put_text(struct buf *b, const char *name, const char *text)
{
	struct slice rest = slice_str(text ? text : "");

	json_put_name(b, name);
	buf_put_char(b, '"');
	while (rest.n) {
		size_t n = plain(rest);

		buf_put(b, rest.p, n);
		rest = slice_from(rest, n);
		if (!rest.n)
			break;
		n = text_char(rest);
		put_character(b, rest, n);
		rest = slice_from(rest, n ? n : 1);
	}
	buf_put_char(b, '"');
}

void json_put_number(struct buf *b, const char *name, int64_t number)
{
	json_put_name(b, name);
	buf_printf(b, "%" PRId64, number);
}

void json_put_thousandths(struct buf *b, const char *name, int64_t number)
{
	json_put_name(b, name);
	buf_printf(b, "%" PRId64 ".%03d", number / 1000, (int)(number % 1000));
}

void json_put_null(struct buf *b, const char *name)
{
	json_put_name(b, name);
	buf_put_str(b, "null");
}
