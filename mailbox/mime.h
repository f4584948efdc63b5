/* mime.h - a message as the octets of a mailbox file, and back.
 *
 * Source: CIG manual 2.9, "Message format".  What is written is exactly that,
 * plus MIME-Version, Message-ID and, of a message that has an end, Expires (RFC 4021,
 * section 2.1.50), which is read, too; what is read may differ as real mail programs do: names in
 * any case, folded lines, CRLF, quoted or bare boundary, quoted-printable, other
 * charsets, RFC 2231 names, a missing final boundary, the manual's own example
 * with "boundary=" at the start of a line.
 */
#ifndef MAILBOX_MIME_H
#define MAILBOX_MIME_H

#include "base/slice.h"

struct diag;
struct message;

enum {
	MIME_MAX_LINE_BYTES = 998, /* without LF; the manual says 1000 with it */
	MIME_MAX_NESTING = 8,
	MIME_MAX_PARTS = 80, /* more than MESSAGE_MAX_ATTACHMENTS */
	MIME_MAX_HEADER_BYTES = 64 * 1024,
	MIME_MAX_FILE_BYTES = 64 << 20, /* base64 of the largest message, and some */
};

/* Writes m: LF line ends, header, empty line, body.  Without attachments it is
 * text/plain, else multipart/mixed whose first part is the text.  Header values
 * are UTF-8 as they are (RFC 6532), filenames that are not ASCII RFC 2231.  The
 * same message gives the same octets.  The caller frees *out.  Returns 0 or
 *   -EINVAL  a text is not UTF-8, holds NUL, or a header value a control, or an
 *            address "<" or ">": nothing can add a header line
 *   -E2BIG   a header line would be longer than MIME_MAX_LINE_BYTES
 *   -ENOMEM
 * with the reason in diag. */
int mime_write(const struct message *m, uint8_t **out, size_t *n_out, struct diag *diag);

/* Reads octets into *m_out (message_init'ed; the caller clears it).  from and to
 * are what stands between "<" and ">", else the whole value.  Trailing newlines of
 * the text are taken off, CRLF becomes LF.  An unknown Auto-Submitted counts as
 * auto-generated.  Returns 0,
 *   -EBADMSG  not such a message; diag says what is wrong
 *   -EFBIG    a limit above is exceeded
 *   -ENOMEM
 * and m_out is empty on failure. */
int mime_read(struct slice octets, struct message *m_out, struct diag *diag);

#endif
