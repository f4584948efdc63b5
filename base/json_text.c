#include "base/json_text.h"

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
