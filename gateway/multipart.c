/* multipart.c - MIME multipart (RFC 2046 5.1) as far as SDP within it needs;
 * sofia-sip's own parser reads NULL where a part is empty. */
#include "gateway/multipart.h"

#include <strings.h>

#include "base/text.h"

/* What the headers of a part say. */
struct head {
	bool wanted;   /* it is of the type that is looked for */
	bool plain;    /* it can be read as it stands */
	bool required; /* it must be understood */
};

enum mark { MARK_TEXT, MARK_PART, MARK_END };

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct slice trim(struct slice s)
{
	while (s.n && is_blank(s.p[0]))
		s = slice_from(s, 1);
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

static bool equal_nocase(struct slice a, const char *s)
{
	return a.n == strlen(s) && (a.n == 0 || strncasecmp((const char *)a.p, s, a.n) == 0);
}

/* "--boundary" begins a part, "--boundary--" ends the last one; blanks may follow. */
static enum mark mark_of(struct slice line, struct slice boundary)
{
	struct slice rest = line;

	if (!slice_starts(rest, "--"))
		return MARK_TEXT;
	rest = slice_from(rest, 2);
	if (rest.n < boundary.n || !slice_eq(slice_of(rest.p, boundary.n), boundary))
		return MARK_TEXT;
	rest = slice_from(rest, boundary.n);
	if (trim(rest).n == 0)
		return MARK_PART;
	return slice_starts(rest, "--") && trim(slice_from(rest, 2)).n == 0 ? MARK_END : MARK_TEXT;
}

/* Is it among the parameters of a header's value? */
static bool has_parameter(struct slice value, const char *parameter)
{
	while (value.n) {
		const uint8_t *end = memchr(value.p, ';', value.n);
		size_t n = end ? (size_t)(end - value.p) : value.n;

		if (equal_nocase(trim(slice_of(value.p, n)), parameter))
			return true;
		value = slice_from(value, end ? n + 1 : n);
	}
	return false;
}

static struct slice before(struct slice s, char c)
{
	const uint8_t *end = s.n ? memchr(s.p, c, s.n) : NULL;

	return slice_of(s.p, end ? (size_t)(end - s.p) : s.n);
}

/* A header, or the continuation of one, in which only a parameter can stand. */
static void read_header(struct slice line, const char *type, struct head *head)
{
	struct slice name = before(line, ':'), value = slice_from(line, name.n + 1);

	/* RFC 3261 20.11: what must be understood and is not makes the whole request fail. */
	if (has_parameter(line, "handling=required"))
		head->required = true;
	if (is_blank(line.p[0]))
		return;
	name = trim(name);
	if (equal_nocase(name, "Content-Type") || equal_nocase(name, "c"))
		head->wanted = equal_nocase(trim(before(value, ';')), type);
	if (equal_nocase(name, "Content-Transfer-Encoding")) {
		value = trim(value);
		head->plain = equal_nocase(value, "7bit") || equal_nocase(value, "8bit") ||
			      equal_nocase(value, "binary");
	}
}

static struct head read_head(struct slice *text, const char *type)
{
	struct head head = { .plain = true };

	while (text->n) {
		struct slice line = text_take_line(text);

		if (line.n == 0)
			break;
		read_header(line, type, &head);
	}
	return head;
}

/* Goes behind the next boundary; *part_out is what stands before it, and before the line end
 * that belongs to it. */
static enum mark next_mark(struct slice *text, struct slice boundary, struct slice *part_out)
{
	struct slice part = { text->p, 0 };

	while (text->n) {
		struct slice line = text_take_line(text);
		enum mark mark = mark_of(line, boundary);

		if (mark != MARK_TEXT) {
			*part_out = part;
			return mark;
		}
		/* The line's text without its end: CRLF before a boundary belongs to the boundary
		 * (RFC 2046 5.1.1). */
		part.n = (size_t)(line.p - part.p) + line.n;
	}
	*part_out = part;
	return MARK_END;
}

int multipart_find(struct slice body, struct slice boundary, const char *type,
		   struct slice *part_out)
{
	struct slice part, found = { NULL, 0 };
	bool is_found = false;
	enum mark mark;

	*part_out = found;
	if (boundary.n == 0 || boundary.n > MULTIPART_MAX_BOUNDARY || body.n == 0)
		return 0;
	mark = next_mark(&body, boundary, &part); /* what stands before it is for nobody */
	while (mark == MARK_PART) {
		struct head head = read_head(&body, type);

		mark = next_mark(&body, boundary, &part);
		if (head.wanted && head.plain && !is_found) {
			found = part;
			is_found = true;
		} else if (!head.wanted && head.required) {
			return 0;
		}
	}
	*part_out = found;
	return is_found;
}
