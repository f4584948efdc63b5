/* Reading the headers of a mail file: what they say, whatever form they have. */
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "base/diag.h"
#include "base/text.h"
#include "mailbox/message.h"
#include "mailbox/mime_priv.h"

/* The only header of that name, unfolded and trimmed; the caller frees *value_out,
 * NULL without one.  Two are refused: which one counts would be a guess. */
static int get_header(GMimeHeaderList *list, const char *name, char **value_out, struct diag *diag)
{
	const char *raw = NULL;
	size_t n = 0;
	char *value;

	*value_out = NULL;
	for (int i = 0; i < g_mime_header_list_get_count(list); i++) {
		GMimeHeader *header = g_mime_header_list_get_header_at(list, i);

		if (strcasecmp(g_mime_header_get_name(header), name) != 0)
			continue;
		if (raw) {
			diag_error(diag, NULL, "two %s headers", name);
			return -EBADMSG;
		}
		/* Raw: GMime's own decoding would guess at charsets, and unfold as it likes. */
		raw = g_mime_header_get_raw_value(header);
	}
	if (!raw)
		return 0;
	value = malloc(strlen(raw) + 1);
	if (!value)
		return -ENOMEM;
	for (; *raw; raw++)
		if (*raw != '\r' && *raw != '\n')
			value[n++] = *raw == '\t' ? ' ' : *raw;
	value[n] = '\0';
	g_strstrip(value);
	if (!text_is_utf8(slice_str(value))) {
		diag_error(diag, NULL, "%s is not UTF-8", name);
		free(value);
		return -EBADMSG;
	}
	*value_out = value;
	return 0;
}

/* Finds the text between "<" and ">" in value, which may have a display name, or
 * the whole value without them.  Returns false when there are two addresses or the
 * brackets do not match. */
static bool find_address(struct slice value, struct slice *out)
{
	bool quoted = false, found = false;
	size_t open = 0;

	*out = value;
	for (size_t i = 0; i < value.n; i++) {
		uint8_t c = value.p[i];

		/* RFC 5322 3.2.4: within quotes a backslash takes the next character's meaning. */
		if (quoted && c == '\\') {
			i++;
		} else if (c == '"' && !open) {
			quoted = !quoted;
		} else if (!quoted && c == '<') {
			if (open || found)
				return false;
			open = i + 1;
		} else if (!quoted && c == '>') {
			if (!open)
				return false;
			*out = slice_of(value.p + open, i - open);
			open = 0;
			found = true;
		}
	}
	return !open && !quoted;
}

static int read_address(GMimeHeaderList *list, const char *name, char **field, struct diag *diag)
{
	struct slice address;
	char *value;
	int err = get_header(list, name, &value, diag);

	if (err)
		return err;
	if (!value) {
		diag_error(diag, NULL, "no %s header", name);
		return -EBADMSG;
	}
	if (!find_address(slice_str(value), &address) || address.n == 0) {
		diag_error(diag, NULL, "%s is not one address in \"<\" and \">\"", name);
		err = -EBADMSG;
	} else {
		err = message_set(field, address);
	}
	free(value);
	return err;
}

/* Is value the word, perhaps with parameters behind it (RFC 3834, section 5)? */
static bool is_word(const char *value, const char *word)
{
	size_t n = strlen(word);

	return strncasecmp(value, word, n) == 0 && strchr("; (", value[n]);
}

static int read_auto_submitted(GMimeHeaderList *list, struct message *m, struct diag *diag)
{
	char *value;
	int err = get_header(list, "Auto-Submitted", &value, diag);

	if (err || !value)
		return err;
	m->auto_submitted = MESSAGE_AUTO_GENERATED; /* what we do not know did not come by hand */
	for (enum message_auto v = MESSAGE_BY_HAND; v <= MESSAGE_AUTO_NOTIFIED; v++)
		if (is_word(value, message_auto_text(v)))
			m->auto_submitted = v;
	free(value);
	return 0;
}

static int read_responder(GMimeHeaderList *list, struct message *m, struct diag *diag)
{
	char *value;
	int err = get_header(list, "X-Responder-Type", &value, diag);

	if (err || !value)
		return err;
	for (enum message_responder v = MESSAGE_RESPONDER_UNKNOWN; v <= MESSAGE_RESPONDER_CHANNEL;
	     v++)
		if (is_word(value, message_responder_text(v)))
			m->responder = v;
	free(value);
	return 0;
}

/* A date that cannot be read is none. */
static int read_date(GMimeHeaderList *list, const char *name, int64_t *date_s, struct diag *diag)
{
	GDateTime *date;
	char *value;
	int err = get_header(list, name, &value, diag);

	if (err || !value)
		return err;
	date = g_mime_utils_header_decode_date(value);
	if (date) {
		*date_s = g_date_time_to_unix(date);
		g_date_time_unref(date);
	}
	free(value);
	return 0;
}

int mime_read_headers(GMimeHeaderList *list, struct message *m, struct diag *diag)
{
	int err = read_address(list, "From", &m->from, diag);

	if (!err)
		err = read_address(list, "To", &m->to, diag);
	if (!err)
		err = get_header(list, "X-Sender-URI", &m->sender_uri, diag);
	if (!err)
		err = get_header(list, "X-Sender-Domain", &m->sender_domain, diag);
	if (!err)
		err = read_date(list, "Date", &m->date_s, diag);
	if (!err)
		err = read_date(list, "Expires", &m->end_s, diag);
	if (!err && !m->end_s) /* the older name of the same (RFC 1327, RFC 2156) */
		err = read_date(list, "Expiry-Date", &m->end_s, diag);
	if (!err)
		err = read_auto_submitted(list, m, diag);
	if (!err)
		err = read_responder(list, m, diag);
	return err;
}
