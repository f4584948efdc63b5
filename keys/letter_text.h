/* letter_text.h - a letter's octets, or a domain certificate's, as text: lines for
 * people to type, and base45 (RFC 9285) for the QR code.
 *
 * A line is its number, up to 8 groups of 4 base64 characters and a checksum of
 * 4 more, so that whoever types knows at the end of each line whether it is right:
 *
 *	07. Ab3d EfGh IjKl MnOp QrSt UvWx YzAb CdEf : x7Qz
 *
 * Source: docs/key-management.md "Text form".
 */
#ifndef KEYS_LETTER_TEXT_H
#define KEYS_LETTER_TEXT_H

#include "keys/letter.h"

/* Writes the octets (at most LETTER_OCTETS_MAX) as lines; out has LETTER_TEXT_MAX
 * octets.  Returns 0 or -ENOBUFS. */
int letter_text_write(struct slice octets, char *out, size_t outsz);

/* Reads line number (from 1) as people type it: the number with its dot and the
 * colon may be left out, blanks may stand anywhere.  Writes 1 to
 * LETTER_LINE_OCTETS octets to out; fewer than that mean the last line, which may
 * also be full.  Returns 0, -EINVAL (not base64, too long or too short), -ERANGE
 * (another line's number) or -EBADMSG (the checksum). */
int letter_text_line(struct slice line, unsigned number, uint8_t out[LETTER_LINE_OCTETS],
		     size_t *len_out);

/* Reads a whole letter from whatever a file may hold: the octets themselves,
 * lines (those that do not begin with a number and a dot are text for people, and
 * ignored), base64 in one piece, or base45.  Returns 0, or -EBADMSG with the line named
 * in diag. */
int letter_text_read(struct slice content, uint8_t out[LETTER_OCTETS_MAX], size_t *len_out,
		     struct diag *diag);

/* RFC 9285.  out holds BASE45_TEXT_SIZE(in.n). */
#define BASE45_TEXT_SIZE(n) ((n) / 2 * 3 + (n) % 2 * 2 + 1)
/* Two octets become three characters, a last one two; NUL-terminated. */
void base45_encode(struct slice in, char *out);

/* Returns 0, -EINVAL, or -ENOBUFS (more than cap octets). */
int base45_decode(struct slice in, uint8_t *out, size_t cap, size_t *len_out);

#endif
