/* qr.h - a QR code (ISO/IEC 18004) for the screen. */
#ifndef MANAGEMENT_QR_H
#define MANAGEMENT_QR_H

#include "base/buf.h"

/* Appends text, best of the code's alphanumeric set (base45), as a code with error
 * correction M and its quiet zone: half blocks of UTF-8, two rows of modules a line,
 * black on white by the terminal's escapes.
 * Returns 0, -EMSGSIZE when no code holds so much, -ENOBUFS or -ENOMEM. */
int qr_write(const char *text, struct buf *b);

#endif
