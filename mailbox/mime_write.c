/* Writing: the form of the manual, and nothing that could be read otherwise. */
#include "mailbox/mime.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/encode.h"
#include "base/text.h"
#include "mailbox/message.h"

enum {
	BASE64_LINE_OCTETS = 57, /* 76 characters (RFC 2045, section 6.8) */
	HEADERS_ROOM = 2048,     /* names, fixed values and boundaries */
	PART_ROOM = 1024,
	BOUNDARY_TEXT_SIZE = HEX_TEXT_SIZE(16),
};

#define LAST_DATE_S INT64_C(253402300799) /* 31 Dec 9999: a year has four digits */

/* --- checks --- */

/* A control, U+0080 to U+009F and U+2028, U+2029 among them: some readers break
 * lines there. */
static bool has_control(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i], next = i + 1 < s.n ? s.p[i + 1] : 0;

		if (c < 0x20 || c == 0x7f || (c == 0xc2 && next < 0xa0))
			return true;
		if (c == 0xe2 && next == 0x80 && i + 2 < s.n &&
		    (s.p[i + 2] == 0xa8 || s.p[i + 2] == 0xa9))
			return true;
	}
	return false;
}

static int check_header(const char *name, const char *value, struct diag *diag)
{
	struct slice s = slice_str(value);

	if (!text_is_utf8(s) || has_control(s)) {
		diag_error(diag, NULL, "%s holds a control character or is not UTF-8", name);
		return -EINVAL;
	}
	if (strlen(name) + s.n + sizeof(": <>") > MIME_MAX_LINE_BYTES) {
		diag_error(diag, NULL, "%s is longer than %d octets", name, MIME_MAX_LINE_BYTES);
		return -E2BIG;
	}
	return 0;
}

static int check_address(const char *name, const char *value, struct diag *diag)
{
	if (!value || strpbrk(value, "<>")) {
		diag_error(diag, NULL, value ? "%s holds '<' or '>'" : "%s is missing", name);
		return -EINVAL;
	}
	return check_header(name, value, diag);
}

static int check(const struct message *m, struct diag *diag)
{
	int err = check_address("To", m->to, diag);

	if (!err)
		err = check_address("From", m->from, diag);
	if (!err)
		err = check_header("X-Sender-URI", m->sender_uri, diag);
	if (!err)
		err = check_header("X-Sender-Domain", m->sender_domain, diag);
	if (!err && !text_is_utf8(slice_str(m->text))) {
		diag_error(diag, NULL, "the text is not UTF-8");
		err = -EINVAL;
	}
	return err;
}

/* May the text stand as it is: no long line, and no control but LF and TAB? */
static bool fits_8bit(struct slice text)
{
	size_t line = 0;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		line = c == '\n' ? 0 : line + 1;
		if (line > MIME_MAX_LINE_BYTES || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* --- pieces --- */

static void put_date(struct buf *b, const char *name, int64_t date_s)
{
	/* Not strftime: the month names must not depend on a locale. */
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t t = date_s < 0 ? 0 : date_s > LAST_DATE_S ? LAST_DATE_S : (time_t)date_s;
	struct tm tm = { .tm_mday = 1 };

	gmtime_r(&t, &tm);
	buf_printf(b, "%s: %02d %s %04d %02d:%02d:%02d +0000\n", name, tm.tm_mday,
		   months[tm.tm_mon], 1900 + tm.tm_year, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void put_base64(struct buf *b, struct slice data)
{
	char line[BASE64_TEXT_SIZE(BASE64_LINE_OCTETS)];

	while (data.n) {
		size_t n = data.n < BASE64_LINE_OCTETS ? data.n : BASE64_LINE_OCTETS;

		base64_encode(BASE64_STANDARD, slice_of(data.p, n), line);
		buf_put_str(b, line);
		buf_put_char(b, '\n');
		data = slice_from(data, n);
	}
}

/* The part's headers, an empty line and the text with a newline at its end. */
static void put_text(struct buf *b, const char *text)
{
	struct slice s = slice_str(text);

	buf_put_str(b, "Content-Type: text/plain; charset=\"UTF-8\"\n");
	if (!fits_8bit(s)) {
		buf_put_str(b, "Content-Transfer-Encoding: base64\n\n");
		put_base64(b, s);
		return;
	}
	buf_put_str(b, "Content-Transfer-Encoding: 8bit\n\n");
	buf_put_slice(b, s);
	if (s.n == 0 || s.p[s.n - 1] != '\n')
		buf_put_char(b, '\n');
}

/* May the name stand in quotes as it is?  "=?" would be read as an encoded word. */
static bool is_plain(const char *s)
{
	if (strstr(s, "=?"))
		return false;
	for (; *s; s++)
		if ((uint8_t)*s >= 0x80)
			return false;
	return true;
}

static void put_filename(struct buf *b, const char *name)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";
	bool ascii = is_plain(name);

	/* RFC 2231 4: charset, an empty language, and octets that are percent-encoded. */
	buf_put_str(b, ascii ? "filename=\"" : "filename*=UTF-8''");
	for (; *name; name++) {
		if (ascii && (*name == '"' || *name == '\\'))
			buf_put_char(b, '\\');
		if (ascii || strchr(plain, *name))
			buf_put_char(b, *name);
		else
			buf_printf(b, "%%%02X", (unsigned)(uint8_t)*name);
	}
	buf_put_str(b, ascii ? "\"\n" : "\n");
}

/* What an attachment is called: a composite type (multipart, message) may not be in base64
 * (RFC 2045 6.4), and a reader would look for parts in it where there are none. */
static const char *written_type(const char *type)
{
	bool composite = strncasecmp(type, "multipart/", strlen("multipart/")) == 0 ||
			 strncasecmp(type, "message/", strlen("message/")) == 0;

	return composite ? "application/octet-stream" : type;
}

static void put_attachment(struct buf *b, const struct message_attachment *a)
{
	buf_printf(b, "Content-Type: %s\n", written_type(a->content_type));
	buf_put_str(b, "Content-Transfer-Encoding: base64\n"
		       "Content-Disposition: attachment; ");
	put_filename(b, a->filename);
	buf_put_char(b, '\n');
	put_base64(b, slice_of(a->data, a->n));
}

/* A hash of the only part that is not base64: none can write a text that holds its
 * own boundary. */
static int make_boundary(const struct message *m, char out[BOUNDARY_TEXT_SIZE])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct slice text = slice_str(m->text);
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		  EVP_DigestUpdate(ctx, m->id, sizeof(m->id)) == 1 &&
		  EVP_DigestUpdate(ctx, text.p, text.n) == 1 &&
		  EVP_DigestFinal_ex(ctx, digest, NULL) == 1;

	EVP_MD_CTX_free(ctx);
	if (ok)
		hex_encode(slice_of(digest, 16), out);
	return ok ? 0 : -ENOMEM;
}

static void put_headers(struct buf *b, const struct message *m)
{
	char id[HEX_TEXT_SIZE(MESSAGE_ID_BYTES)];

	hex_encode(slice_of(m->id, sizeof(m->id)), id);
	/* The order is that of the manual's "Message format". */
	buf_printf(b, "To: <%s>\nFrom: <%s>\n", m->to, m->from);
	put_date(b, "Date", m->date_s);
	if (m->end_s > 0)
		put_date(b, "Expires", m->end_s);
	buf_printf(b, "Message-ID: <%s@cig>\n", id);
	buf_printf(b, "Auto-Submitted: %s\n", message_auto_text(m->auto_submitted));
	buf_printf(b, "X-Responder-Type: %s\n", message_responder_text(m->responder));
	if (m->sender_uri)
		buf_printf(b, "X-Sender-URI: %s\n", m->sender_uri);
	if (m->sender_domain)
		buf_printf(b, "X-Sender-Domain: %s\n", m->sender_domain);
	buf_put_str(b, "MIME-Version: 1.0\n");
}

static int put_multipart(struct buf *b, const struct message *m)
{
	char boundary[BOUNDARY_TEXT_SIZE];
	int err = make_boundary(m, boundary);

	if (err)
		return err;
	buf_put_str(b, "Content-Transfer-Encoding: 8bit\n");
	buf_printf(b, "Content-Type: multipart/mixed; boundary=%s\n\n--%s\n", boundary, boundary);
	put_text(b, m->text);
	for (size_t i = 0; i < m->attachment_count; i++) {
		buf_printf(b, "--%s\n", boundary);
		put_attachment(b, &m->attachments[i]);
	}
	buf_printf(b, "--%s--\n", boundary);
	return 0;
}

/* base64 of n octets with its newlines. */
static size_t encoded_size(size_t n)
{
	return BASE64_TEXT_SIZE(n) + n / BASE64_LINE_OCTETS + 2;
}

/* An upper bound of what mime_write writes. */
static size_t room_for(const struct message *m)
{
	size_t n =
		HEADERS_ROOM + strlen(m->to) + strlen(m->from) + encoded_size(slice_str(m->text).n);

	n += slice_str(m->sender_uri).n + slice_str(m->sender_domain).n;
	for (size_t i = 0; i < m->attachment_count; i++)
		n += PART_ROOM + strlen(m->attachments[i].content_type) +
		     encoded_size(m->attachments[i].n);
	return n;
}

int mime_write(const struct message *m, uint8_t **out, size_t *n_out, struct diag *diag)
{
	int err = check(m, diag);
	uint8_t *octets;
	size_t room;
	struct buf b;

	if (err)
		return err;
	room = room_for(m);
	octets = malloc(room);
	if (!octets)
		return -ENOMEM;
	b = buf_over(octets, room);
	put_headers(&b, m);
	if (m->attachment_count)
		err = put_multipart(&b, m);
	else
		put_text(&b, m->text);
	/* room_for() is an upper bound: this would be our own fault, and is no reason to abort. */
	if (!err && !buf_ok(&b)) {
		diag_error(diag, NULL, "the message does not fit its bound");
		err = -E2BIG;
	}
	if (err) {
		free(octets);
		return err;
	}
	*out = octets;
	*n_out = b.len;
	return 0;
}
