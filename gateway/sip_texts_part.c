/* sip_texts_part.c - a text as SIP MESSAGEs: one line for each attachment, and parts of a
 * bounded length that end where a word or at least a character ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "gateway/sip_texts_priv.h"

enum {
	NAMED_ROOM = 600,  /* a line for an attachment */
	NAME_OCTETS = 200, /* of its name and of its type */
	LOOK_BACK = 100,   /* octets in which a blank is looked for */
};

/* At most most octets of text, whole characters of UTF-8 (RFC 3629). */
static int cut(const char *text, size_t most)
{
	size_t n = strnlen(text, most + 1);

	if (n > most)
		/* A continuation octet of UTF-8 is 10xxxxxx. */
		for (n = most; n > 0 && ((uint8_t)text[n] & 0xc0) == 0x80;)
			n--;
	return (int)n;
}

static void put_attachment(struct buf *b, const Umsg__Attachment *a)
{
	bool clean = text_is_clean(slice_str(a->name)) && text_is_clean(slice_str(a->type));
	const char *name = clean ? a->name : "?", *type = clean ? a->type : "?";

	buf_printf(b, "%s[attachment %.*s, %.*s, %zu octets: not sent by SIP]", b->len ? "\n" : "",
		   cut(name, NAME_OCTETS), name, cut(type, NAME_OCTETS), type, a->data.len);
}

char *sip_text_whole(const Umsg__TextBody *body)
{
	/* NAMED_ROOM holds a line whatever its name and type are. */
	size_t room = strlen(body->text) + body->n_attachments * NAMED_ROOM + 1;
	char *text = malloc(room);
	struct buf b;

	if (!text)
		return NULL;
	b = buf_over(text, room);
	buf_put_str(&b, body->text);
	for (size_t i = 0; i < body->n_attachments; i++)
		put_attachment(&b, body->attachments[i]);
	return text;
}

/* Where the part that begins at text ends.  Never within a character of UTF-8 (RFC 3629);
 * behind a blank where one is near. */
static size_t part_length(const char *text)
{
	size_t n = strnlen(text, SIP_TEXT_PART + 1), end;

	if (n <= SIP_TEXT_PART)
		return n;
	end = SIP_TEXT_PART;
	/* A character has at most four octets. */
	while (end > SIP_TEXT_PART - 4 && ((uint8_t)text[end] & 0xc0) == 0x80)
		end--;
	for (size_t i = end; i > end - LOOK_BACK; i--)
		if (text[i - 1] == ' ' || text[i - 1] == '\n')
			return i;
	return end;
}

size_t sip_text_parts(const char *text)
{
	/* Each part at least one octet: text that is no UTF-8 does not hold it up. */
	size_t parts = 1;

	for (text += part_length(text); *text; text += part_length(text))
		parts++;
	return parts;
}

void sip_text_part(const char *text, size_t number, size_t parts, char out[SIP_TEXT_PART_SIZE])
{
	for (size_t i = 0; i < number; i++)
		text += part_length(text);
	if (parts == 1)
		snprintf(out, SIP_TEXT_PART_SIZE, "%s", text);
	else
		snprintf(out, SIP_TEXT_PART_SIZE, "(%zu/%zu) %.*s", number + 1, parts,
			 (int)part_length(text), text);
}
