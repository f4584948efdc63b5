/* message.c - a message's fields, copied, and made safe where they become names of files. */
#include "mailbox/message.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

enum { MAX_FILENAME_BYTES = 200 }; /* fits a file system and an encoded header line */

void message_init(struct message *m)
{
	*m = (struct message){ 0 };
}

void message_clear(struct message *m)
{
	for (size_t i = 0; i < m->attachment_count; i++) {
		free(m->attachments[i].filename);
		free(m->attachments[i].content_type);
		free(m->attachments[i].data);
	}
	free(m->attachments);
	free(m->from);
	free(m->to);
	free(m->sender_uri);
	free(m->sender_domain);
	free(m->text);
	message_init(m);
}

/* Returns NULL when memory is out. */
static char *copy_text(struct slice text)
{
	char *copy = malloc(text.n + 1);

	if (!copy)
		return NULL;
	if (text.n)
		memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	return copy;
}

int message_set(char **field, struct slice text)
{
	char *copy = copy_text(text);

	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

/* What stands behind the last path separator of either kind. */
static struct slice base_name(struct slice name)
{
	for (size_t i = name.n; i > 0; i--)
		if (name.p[i - 1] == '/' || name.p[i - 1] == '\\')
			return slice_from(name, i);
	return name;
}

/* Cuts a name at a character's border. */
static void shorten(char *name)
{
	size_t n = MAX_FILENAME_BYTES;

	if (strlen(name) <= n)
		return;
	while (n && ((uint8_t)name[n] & 0xc0) == 0x80)
		n--;
	name[n] = '\0';
}

/* Returns NULL when memory is out. */
static char *safe_filename(struct slice name, size_t number)
{
	char *out, numbered[32];
	size_t n = 0;

	name = text_is_utf8(name) ? base_name(name) : slice_of(NULL, 0);
	out = malloc(name.n + 1);
	if (!out)
		return NULL;
	for (size_t i = 0; i < name.n; i++) {
		char c = (char)name.p[i];

		/* No dots or blanks in front: a name that hides its file, or looks like none. */
		if (((uint8_t)c >= 0x20 && c != 0x7f) && (n || (c != '.' && c != ' ')))
			out[n++] = c;
	}
	out[n] = '\0';
	shorten(out);
	if (n)
		return out;
	free(out);
	snprintf(numbered, sizeof(numbered), "attachment-%zu", number);
	return strdup(numbered);
}

static bool is_token_char(uint8_t c)
{
	return isalnum(c) || (c && strchr("!#$&-^_.+", c));
}

/* RFC 6838, section 4.2: two names of at most 127 characters. */
static bool is_content_type(struct slice s)
{
	const uint8_t *slash = s.n ? memchr(s.p, '/', s.n) : NULL;
	size_t at = slash ? (size_t)(slash - s.p) : 0;

	if (at == 0 || at > 127 || s.n - at - 1 == 0 || s.n - at - 1 > 127)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (i != at && !is_token_char(s.p[i]))
			return false;
	return true;
}

int message_attach(struct message *m, struct slice filename, struct slice content_type,
		   struct slice data)
{
	struct message_attachment a, *more;

	if (m->attachment_count == MESSAGE_MAX_ATTACHMENTS)
		return -E2BIG;
	more = reallocarray(m->attachments, m->attachment_count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	m->attachments = more;
	if (!is_content_type(content_type))
		content_type = slice_str("application/octet-stream");
	a.filename = safe_filename(filename, m->attachment_count + 1);
	a.content_type = copy_text(content_type);
	/* With a NUL behind it, which does no harm and is not counted. */
	a.data = (uint8_t *)copy_text(data);
	a.n = data.n;
	if (!a.filename || !a.content_type || !a.data) {
		free(a.filename);
		free(a.content_type);
		free(a.data);
		return -ENOMEM;
	}
	m->attachments[m->attachment_count++] = a;
	return 0;
}

const char *message_auto_text(enum message_auto v)
{
	static const char *const words[] = {
		[MESSAGE_BY_HAND] = "no",
		[MESSAGE_AUTO_GENERATED] = "auto-generated",
		[MESSAGE_AUTO_REPLIED] = "auto-replied",
		[MESSAGE_AUTO_NOTIFIED] = "auto-notified",
	};

	return words[v];
}

const char *message_responder_text(enum message_responder v)
{
	static const char *const words[] = {
		[MESSAGE_RESPONDER_UNKNOWN] = "unknown",
		[MESSAGE_RESPONDER_TEL_URI] = "tel-uri",
		[MESSAGE_RESPONDER_CHANNEL] = "channel",
	};

	return words[v];
}
