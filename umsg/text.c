#include "umsg/text.h"

enum { EXTENSION_MAX = 64 };

/* Octets of the character that begins with c, and the least value that needs so
 * many; 0 for an octet that begins none. */
static size_t sequence(uint8_t c, uint32_t *value_out, uint32_t *least_out)
{
	if (c < 0x80) {
		*value_out = c;
		*least_out = 0;
		return 1;
	}
	if (c >= 0xc2 && c < 0xe0) {
		*value_out = c & 0x1f;
		*least_out = 0x80;
		return 2;
	}
	if (c >= 0xe0 && c < 0xf0) {
		*value_out = c & 0x0f;
		*least_out = 0x800;
		return 3;
	}
	if (c >= 0xf0 && c < 0xf5) {
		*value_out = c & 0x07;
		*least_out = 0x10000;
		return 4;
	}
	return 0;
}

static bool control(uint32_t c, bool lines)
{
	if (c == '\n' || c == '\t' || c == '\r')
		return !lines;
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

bool text_ok(struct slice s, bool lines)
{
	for (size_t i = 0; i < s.n;) {
		uint32_t value = 0, least = 0;
		size_t n = sequence(s.p[i], &value, &least);

		if (n == 0 || n > s.n - i)
			return false;
		for (size_t k = 1; k < n; k++) {
			if ((s.p[i + k] & 0xc0) != 0x80)
				return false;
			value = value << 6 | (s.p[i + k] & 0x3f);
		}
		if (value < least || value > 0x10ffff || (value >= 0xd800 && value < 0xe000) ||
		    control(value, lines))
			return false;
		i += n;
	}
	return true;
}

bool text_extension_ok(const char *s)
{
	size_t n = strspn(s, "0123456789*#ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz._-");

	return s[n] == '\0' && n <= EXTENSION_MAX;
}
