/* text.c - rules for text from a peer before it is shown, logged or written. */
#include "umsg/text.h"

#include "base/text.h"

enum { EXTENSION_MAX = 64 };

bool text_lines_ok(struct slice s)
{
	while (s.n) {
		size_t n = 0;

		/* For a NUL strchr() would find the end of its string. */
		while (n < s.n && !strchr("\n\r\t", s.p[n] ? s.p[n] : ' '))
			n++;
		if (!text_is_clean(slice_of(s.p, n)))
			return false;
		s = slice_from(s, n < s.n ? n + 1 : n);
	}
	return true;
}

bool text_extension_ok(const char *s)
{
	size_t n = strspn(s, "0123456789*#ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz._-");

	return s[n] == '\0' && n <= EXTENSION_MAX;
}
