/* page.h - what is handed over on paper or in a QR code: a letter or a
 * certificate, in one of its forms.
 */
#ifndef MANAGEMENT_PAGE_H
#define MANAGEMENT_PAGE_H

#include "base/buf.h"
#include "keys/letter_text.h"
#include "management/cms.h"

enum { PAGE_SIZE = 64 * 1024 }; /* a QR code takes most */

enum page_format { PAGE_TEXT, PAGE_BASE64, PAGE_BASE45, PAGE_OCTETS, PAGE_QR };

/* --format; text where it is not given.  Returns 0 or -EINVAL. */
int page_take_format(struct cms *cms, enum page_format *format_out);

/* Appends octets in that form.  Returns 0 or -ENOBUFS. */
int page_write(enum page_format format, struct slice octets, struct buf *b);

/* Writes the page to --output (0600) or standard output.  Returns 0 or -errno. */
int page_deliver(struct cms *cms, struct slice page);

#endif
