/* Reading: GMime takes the file apart, within bounds; what it means is decided
 * here.
 */
#include "mailbox/mime.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include <gmime/gmime.h>

#include "base/diag.h"
#include "base/text.h"
#include "mailbox/message.h"
#include "mailbox/mime_priv.h"

enum {
	/* Lines that could open a level of nesting.  More are refused before GMime,
	 * which recurses, sees them. */
	MAX_STRUCTURE_LINES = 4 * MIME_MAX_PARTS,
};

struct reader {
	struct message *m;
	struct diag *diag;
	unsigned parts;
	bool have_text;
};

/* --- what is mended or refused before GMime sees the file --- */

static bool starts_with_nocase(struct slice s, const char *what)
{
	size_t n = strlen(what);

	return s.n >= n && strncasecmp((const char *)s.p, what, n) == 0;
}

/* Where the manual's example has "boundary=..." at the start of the line behind
 * "Content-Type: multipart/mixed;": the offset of that line, or 0. */
static int scan_header(struct slice octets, size_t *unfolded_out, struct diag *diag)
{
	struct slice rest = octets, before = { NULL, 0 };

	*unfolded_out = 0;
	while (rest.n) {
		size_t at = octets.n - rest.n;
		struct slice line = text_take_line(&rest);

		if (at > MIME_MAX_HEADER_BYTES) {
			diag_error(diag, NULL, "the header has more than %d octets",
				   MIME_MAX_HEADER_BYTES);
			return -EFBIG;
		}
		if (line.n == 0)
			break;
		if (before.n && before.p[before.n - 1] == ';' &&
		    starts_with_nocase(line, "boundary="))
			*unfolded_out = at;
		before = line;
	}
	return 0;
}

static int count_structure(struct slice octets, struct diag *diag)
{
	static const char name[] = "content-type";
	struct slice rest = octets;
	unsigned lines = 0;

	while (rest.n) {
		struct slice line = text_take_line(&rest);

		if (starts_with_nocase(line, name) && ++lines > MAX_STRUCTURE_LINES) {
			diag_error(diag, NULL, "more than %d parts", MIME_MAX_PARTS);
			return -EFBIG;
		}
	}
	return 0;
}

static GMimeStream *open_octets(struct slice octets, size_t unfolded)
{
	GMimeStream *stream;
	GByteArray *copy;

	/* With a blank where a line was not folded: then it is a header as RFC 5322 2.2.3 wants
	 * it. */
	copy = g_byte_array_sized_new((guint)octets.n + 1);
	if (unfolded) {
		g_byte_array_append(copy, octets.p, (guint)unfolded);
		g_byte_array_append(copy, (const guint8 *)" ", 1);
	}
	octets = slice_from(octets, unfolded);
	g_byte_array_append(copy, octets.p, (guint)octets.n);
	stream = g_mime_stream_mem_new_with_byte_array(copy); /* owns copy */
	return stream;
}

/* --- parts --- */

/* The part's octets with its transfer encoding undone; the caller unrefs. */
static GByteArray *decode(GMimePart *part)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GByteArray *octets = g_byte_array_new();
	GMimeStream *to = g_mime_stream_mem_new_with_byte_array(octets);

	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(to), FALSE);
	if (content)
		g_mime_data_wrapper_write_to_stream(content, to);
	g_object_unref(to);
	return octets;
}

/* Only charsets of one octet a character: the conversion's modules are chosen by
 * the sender, and the others have a history. */
static bool may_convert(const char *charset)
{
	static const char *const families[] = { "iso-8859-", "windows-125", "cp125" };

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		size_t n = strlen(families[i]), digits;

		if (strncasecmp(charset, families[i], n) != 0)
			continue;
		digits = strspn(charset + n, "0123456789");
		return digits >= 1 && digits <= 2 && charset[n + digits] == '\0';
	}
	return false;
}

static bool is_unicode(const char *charset)
{
	return !charset || strcasecmp(charset, "utf-8") == 0 || strcasecmp(charset, "utf8") == 0 ||
	       strcasecmp(charset, "us-ascii") == 0 || strcasecmp(charset, "ascii") == 0;
}

/* Line ends become LF, the last ones are taken off (manual: "Trailing newlines are
 * ignored").  Returns the new length. */
static size_t normalise_lines(char *text, size_t n)
{
	size_t out = 0;

	for (size_t i = 0; i < n; i++) {
		if (text[i] != '\r')
			text[out++] = text[i];
		else if (i + 1 == n || text[i + 1] != '\n')
			text[out++] = '\n';
	}
	while (out && text[out - 1] == '\n')
		out--;
	return out;
}

static int set_text(struct reader *r, char *text, size_t n)
{
	struct slice s;

	n = normalise_lines(text, n);
	s = slice_of(text, n);
	if (!text_is_utf8(s) || (n && memchr(text, '\0', n))) {
		diag_error(r->diag, NULL, "the text is not UTF-8");
		return -EBADMSG;
	}
	r->have_text = true;
	return message_set(&r->m->text, s);
}

static int take_text(struct reader *r, GMimePart *part)
{
	const char *charset =
		g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset");
	GByteArray *octets = decode(part);
	gsize n = octets->len;
	char *text = NULL;
	int err;

	if (n == 0 || is_unicode(charset))
		text = g_memdup2(octets->data, n);
	else if (may_convert(charset))
		text = g_convert((const char *)octets->data, (gssize)n, "UTF-8", charset, NULL, &n,
				 NULL);
	if (text || octets->len == 0) {
		err = set_text(r, text, n);
	} else {
		diag_error(r->diag, NULL, "cannot read a text in charset \"%.40s\"", charset);
		err = -EBADMSG;
	}
	g_free(text);
	g_byte_array_unref(octets);
	return err;
}

static int attach(struct reader *r, const char *filename, const char *type, GByteArray *octets)
{
	int err = message_attach(r->m, slice_str(filename), slice_str(type),
				 slice_of(octets->data, octets->len));

	g_byte_array_unref(octets);
	if (err == -E2BIG) {
		diag_error(r->diag, NULL, "more than %d attachments", MESSAGE_MAX_ATTACHMENTS);
		err = -EFBIG;
	}
	return err;
}

static char *type_name(GMimeObject *object)
{
	return g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object));
}

static int take_leaf(struct reader *r, GMimePart *part)
{
	GMimeObject *object = GMIME_OBJECT(part);
	GMimeContentType *type = g_mime_object_get_content_type(object);
	char *name;
	int err;

	/* The first plain text that is not called an attachment is the message; all else is
	 * attached. */
	if (!r->have_text && !g_mime_part_is_attachment(part) &&
	    g_mime_content_type_is_type(type, "text", "plain"))
		return take_text(r, part);
	name = type_name(object);
	err = attach(r, g_mime_part_get_filename(part), name, decode(part));
	g_free(name);
	return err;
}

/* A forwarded message is an attachment as it is. */
static int take_message(struct reader *r, GMimeMessagePart *part)
{
	GMimeMessage *inner = g_mime_message_part_get_message(part);
	GByteArray *octets = g_byte_array_new();
	GMimeStream *to = g_mime_stream_mem_new_with_byte_array(octets);

	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(to), FALSE);
	if (inner)
		g_mime_object_write_to_stream(GMIME_OBJECT(inner), NULL, to);
	g_object_unref(to);
	return attach(r, NULL, "message/rfc822", octets);
}

static int take_part(struct reader *r, GMimeObject *part, unsigned depth);

/* Of alternatives of one thing the plain text is taken, else the first. */
static int take_alternative(struct reader *r, GMimeMultipart *multipart, unsigned depth)
{
	GMimeObject *best = NULL;

	for (int i = 0; i < g_mime_multipart_get_count(multipart); i++) {
		GMimeObject *part = g_mime_multipart_get_part(multipart, i);

		if (!best || g_mime_content_type_is_type(g_mime_object_get_content_type(part),
							 "text", "plain"))
			best = part;
	}
	return best ? take_part(r, best, depth + 1) : 0;
}

static int take_multipart(struct reader *r, GMimeMultipart *multipart, unsigned depth)
{
	GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(multipart));
	int err = 0;

	if (g_mime_content_type_is_type(type, "multipart", "alternative"))
		return take_alternative(r, multipart, depth);
	for (int i = 0; !err && i < g_mime_multipart_get_count(multipart); i++)
		err = take_part(r, g_mime_multipart_get_part(multipart, i), depth + 1);
	return err;
}

static int take_part(struct reader *r, GMimeObject *part, unsigned depth)
{
	if (depth > MIME_MAX_NESTING || ++r->parts > MIME_MAX_PARTS) {
		diag_error(r->diag, NULL, "more than %d parts or %d levels of them", MIME_MAX_PARTS,
			   MIME_MAX_NESTING);
		return -EFBIG;
	}
	if (GMIME_IS_MULTIPART(part))
		return take_multipart(r, GMIME_MULTIPART(part), depth);
	if (GMIME_IS_MESSAGE_PART(part))
		return take_message(r, GMIME_MESSAGE_PART(part));
	return GMIME_IS_PART(part) ? take_leaf(r, GMIME_PART(part)) : 0;
}

static int read_parts(struct reader *r, GMimeMessage *message)
{
	GMimeObject *body = g_mime_message_get_mime_part(message);
	int err = body ? take_part(r, body, 0) : 0;

	if (err || r->have_text)
		return err;
	if (r->m->attachment_count == 0 && body) {
		diag_error(r->diag, NULL, "neither a text nor an attachment");
		return -EBADMSG;
	}
	return message_set(&r->m->text, slice_str(""));
}

/* --- the file as a whole --- */

/* In the one thread that reads mail. */
static void start_gmime(void)
{
	static bool started; /* the library is global and must be started once */

	if (!started)
		g_mime_init();
	started = true;
}

static int read_message(struct reader *r, GMimeStream *stream)
{
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	int err = -EBADMSG;

	if (message) {
		err = mime_read_headers(g_mime_object_get_header_list(GMIME_OBJECT(message)), r->m,
					r->diag);
		if (!err)
			err = read_parts(r, message);
		g_object_unref(message);
	} else {
		diag_error(r->diag, NULL, "this is no message");
	}
	g_object_unref(parser);
	return err;
}

int mime_read(struct slice octets, struct message *m_out, struct diag *diag)
{
	struct reader r = { .m = m_out, .diag = diag };
	GMimeStream *stream;
	size_t unfolded;
	int err;

	message_init(m_out);
	if (octets.n > MIME_MAX_FILE_BYTES) {
		diag_error(diag, NULL, "the file has more than %d octets", MIME_MAX_FILE_BYTES);
		return -EFBIG;
	}
	err = scan_header(octets, &unfolded, diag);
	if (!err)
		err = count_structure(octets, diag);
	if (err)
		return err;
	start_gmime();
	stream = open_octets(octets, unfolded);
	err = read_message(&r, stream);
	g_object_unref(stream);
	if (err)
		message_clear(m_out);
	return err;
}
