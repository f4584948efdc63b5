/* page.c - the forms of a letter or certificate, and where it goes. */
#include "management/page.h"

#include <errno.h>
#include <stdio.h>

#include "base/diag.h"
#include "base/encode.h"
#include "base/file.h"
#include "keys/secret.h"
#include "management/qr.h"

static const char *const names[] = {
	[PAGE_TEXT] = "text",     [PAGE_BASE64] = "base64", [PAGE_BASE45] = "base45",
	[PAGE_OCTETS] = "octets", [PAGE_QR] = "qr",
};

int page_take_format(struct cms *cms, enum page_format *format_out)
{
	const char *name = cms->value[OPTION_FORMAT] ? cms->value[OPTION_FORMAT] : names[PAGE_TEXT];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0) {
			*format_out = (enum page_format)i;
			return 0;
		}
	diag_error(cms->diag, NULL, "\"%s\": expected text, base64, base45, octets or qr", name);
	return -EINVAL;
}

/* In base45 (RFC 9285), which is made for the alphanumeric mode of QR codes. */
static int write_qr(struct slice octets, struct buf *b)
{
	char text[BASE45_TEXT_SIZE(LETTER_OCTETS_MAX)];
	int err;

	base45_encode(octets, text);
	err = qr_write(text, b);
	wipe(text, sizeof(text));
	return err;
}

int page_write(enum page_format format, struct slice octets, struct buf *b)
{
	/* Of a letter this is keys in clear: wiped before it is left. */
	char text[LETTER_TEXT_MAX] = "";

	/* As they are, without a newline that would not belong to them. */
	if (format == PAGE_OCTETS) {
		buf_put_slice(b, octets);
		return buf_ok(b) ? 0 : -ENOBUFS;
	}
	if (octets.n > LETTER_OCTETS_MAX)
		return -ENOBUFS;
	if (format == PAGE_QR)
		return write_qr(octets, b);
	if (format == PAGE_TEXT && letter_text_write(octets, text, sizeof(text))) {
		wipe(text, sizeof(text));
		return -ENOBUFS;
	}
	if (format == PAGE_BASE64)
		base64_encode(BASE64_STANDARD, octets, text);
	if (format == PAGE_BASE45)
		base45_encode(octets, text);
	buf_put_str(b, text);
	if (format != PAGE_TEXT)
		buf_put_char(b, '\n');
	wipe(text, sizeof(text));
	return buf_ok(b) ? 0 : -ENOBUFS;
}

int page_deliver(struct cms *cms, struct slice page)
{
	const char *path = cms->value[OPTION_OUTPUT];
	int err = 0;

	/* A page may be a letter, which is keys in clear: its owner's alone. */
	if (path)
		err = file_write_atomic(path, 0600, page);
	else if (fwrite(page.p, 1, page.n, stdout) != page.n || fflush(stdout) != 0)
		err = -EIO;
	if (err)
		diag_error(cms->diag, NULL, "%s: %s", path ? path : "standard output",
			   strerror(-err));
	return err;
}
