/* text.c - UTF-8 (RFC 3629), lines and decimal numbers, from octets of any kind. */
#include "base/text.h"

/* The second octet's bounds tell overlong forms, surrogates and values out of range. */
static const struct {
	uint8_t first_low, first_high, second_low, second_high, octets;
} forms[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

static bool continues(struct slice text, size_t from, size_t to)
{
	if (to > text.n)
		return false;
	for (size_t i = from; i < to; i++)
		if ((text.p[i] & 0xc0) != 0x80)
			return false;
	return true;
}

size_t text_char(struct slice text)
{
	if (text.n == 0)
		return 0;
	if (text.p[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (text.p[0] < forms[i].first_low || text.p[0] > forms[i].first_high)
			continue;
		if (text.n < 2 || text.p[1] < forms[i].second_low ||
		    text.p[1] > forms[i].second_high || !continues(text, 2, forms[i].octets))
			return 0;
		return forms[i].octets;
	}
	return 0;
}

bool text_is_utf8(struct slice text)
{
	while (text.n > 0) {
		size_t n = text_char(text);

		if (n == 0)
			return false;
		text = slice_from(text, n);
	}
	return true;
}

struct slice text_take_line(struct slice *text)
{
	const uint8_t *end = text->n ? memchr(text->p, '\n', text->n) : NULL;
	struct slice line = slice_of(text->p, end ? (size_t)(end - text->p) : text->n);

	*text = slice_from(*text, end ? line.n + 1 : line.n);
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* The octets at the front that are plain: from 0x20 to 0x7e, as most text is throughout.
 * Eight at a time: an octet below 0x20, 0x7f or one above sets its highest bit in a
 * term (what a borrow or carry adds to the next one is wrong only behind such an octet). */
static size_t plain_run(struct slice text)
{
	const uint64_t ones = UINT64_MAX / 0xff;
	size_t n = 0;

	for (uint64_t w; n + 8 <= text.n; n += 8) {
		memcpy(&w, text.p + n, 8);
		if (((w - 0x20 * ones) | (w + ones) | w) & 0x80 * ones)
			break;
	}
	while (n < text.n && text.p[n] >= 0x20 && text.p[n] < 0x7f)
		n++;
	return n;
}

bool text_is_clean(struct slice text)
{
	for (;;) {
		size_t n;

		text = slice_from(text, plain_run(text));
		if (text.n == 0)
			return true;
		n = text_char(text);
		if (n <= 1)
			return false;
		if (n == 2 && text.p[0] == 0xc2 && text.p[1] < 0xa0)
			return false; /* C1 */
		text = slice_from(text, n);
	}
}

bool text_number(struct slice text, unsigned long min, unsigned long max, unsigned long *number_out)
{
	unsigned long number = 0;

	if (text.n == 0 || text.n > 19) /* that many digits fit */
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		number = number * 10 + (unsigned long)(text.p[i] - '0');
	}
	if (number < min || number > max)
		return false;
	*number_out = number;
	return true;
}
