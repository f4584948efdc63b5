/* visible.c - control characters spelled out. */
#include "base/visible.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { SPELLED = 4 /* octets of "\xNN" */ };

/* The octets of the character at the front, when it can be shown as it is; else 0. */
static size_t harmless(struct slice text)
{
	size_t n = text_char(text);

	if (n == 1 && (text.p[0] < 0x20 || text.p[0] == 0x7f))
		return 0;
	if (n == 2 && text.p[0] == 0xc2 && text.p[1] < 0xa0) /* C1: U+009B begins a sequence */
		return 0;
	return n;
}

static void spell(uint8_t octet, char out[SPELLED])
{
	static const char digits[] = "0123456789abcdef";

	out[0] = '\\';
	out[1] = 'x';
	out[2] = digits[octet >> 4];
	out[3] = digits[octet & 15];
}

static size_t visible_size(struct slice text)
{
	size_t size = 0;

	while (text.n) {
		size_t n = harmless(text);

		size += n ? n : SPELLED;
		text = slice_from(text, n ? n : 1);
	}
	return size;
}

char *visible_copy(const char *text)
{
	struct slice rest = slice_str(text);
	char *copy = malloc(visible_size(rest) + 1), *end = copy;

	while (copy && rest.n) {
		size_t n = harmless(rest);

		if (n)
			memcpy(end, rest.p, n);
		else
			spell(rest.p[0], end);
		end += n ? n : SPELLED;
		rest = slice_from(rest, n ? n : 1);
	}
	if (copy)
		*end = '\0';
	return copy;
}

void visible_print(FILE *to, struct slice text, const char *kept)
{
	while (text.n) {
		size_t n = harmless(text);
		char spelled[SPELLED];

		if (!n && text.p[0] && strchr(kept, text.p[0]))
			n = 1;
		if (!n)
			spell(text.p[0], spelled);
		fwrite(n ? (const void *)text.p : spelled, 1, n ? n : SPELLED, to);
		text = slice_from(text, n ? n : 1);
	}
}
