/* qr.c - a QR code of libqrencode in half blocks of the terminal. */
#include "management/qr.h"

#include <errno.h>

#include <qrencode.h>

enum { QUIET = 4 }; /* light modules on each side */

/* Bit 0 of a module is its colour; the others say what it is for. */
static bool dark(const QRcode *code, int x, int y)
{
	return x >= 0 && y >= 0 && x < code->width && y < code->width &&
	       code->data[y * code->width + x] & 1;
}

static void write_rows(const QRcode *code, int y, struct buf *b)
{
	static const char *const blocks[] = { " ", "\u2580", "\u2584", "\u2588" };

	/* Colours by number of the 256: a theme may have changed what "black" and "white" are. */
	buf_put_str(b, "\033[38;5;16;48;5;231m");
	for (int x = -QUIET; x < code->width + QUIET; x++)
		buf_put_str(b, blocks[(dark(code, x, y) ? 1 : 0) + (dark(code, x, y + 1) ? 2 : 0)]);
	buf_put_str(b, "\033[0m\n");
}

int qr_write(const char *text, struct buf *b)
{
	QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);

	if (!code)
		return errno == ERANGE ? -EMSGSIZE : -ENOMEM;
	for (int y = -QUIET; y < code->width + QUIET; y += 2)
		write_rows(code, y, b);
	QRcode_free(code);
	return buf_ok(b) ? 0 : -ENOBUFS;
}
