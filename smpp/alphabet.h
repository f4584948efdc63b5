/* alphabet.h - the text of short messages: UTF-8 to the alphabets of SMPP and back.
 *
 * GSM is the 7-bit default alphabet of 3GPP TS 23.038 (6.2.1) with its extension
 * table (6.2.1.1), a character an octet and an escape before those of the extension:
 * the form in which message centers take it.  UCS2 is big-endian, and UTF-16 in
 * fact: surrogate pairs are read and written.  The other one that is written is
 * Latin-1 (ISO 8859-1).  data_coding is that of SMPP 3.4, 5.2.19.
 */
#ifndef SMPP_ALPHABET_H
#define SMPP_ALPHABET_H

#include "base/buf.h"
#include "base/slice.h"

enum smpp_alphabet { SMPP_GSM, SMPP_LATIN1, SMPP_UCS2, SMPP_ASCII, SMPP_ALPHABETS };

/* "gsm", "latin1", "ucs2", "ascii". */
const char *smpp_alphabet_name(enum smpp_alphabet alphabet);

/* May text be written in that alphabet without a loss?  text is UTF-8; octets that are
 * none count as U+FFFD. */
bool smpp_alphabet_fits(enum smpp_alphabet alphabet, struct slice text);

/* The narrowest alphabet that holds text: the one that data_coding 0 stands for at this
 * center (standard: GSM, LATIN1 or ASCII), then Latin-1, then UCS2, which holds
 * everything. */
enum smpp_alphabet smpp_alphabet_narrowest(enum smpp_alphabet standard, struct slice text);

/* The data_coding to send with, where 0 stands for standard. */
uint8_t smpp_alphabet_coding(enum smpp_alphabet alphabet, enum smpp_alphabet standard);

/* What a received data_coding means, where 0 stands for standard: the SMPP numbers 0, 1, 3
 * and 8, and the groups of TS 23.038 section 4 (from 0x10 on).  Returns 0, or -ENOTSUP for
 * binary contents and for alphabets that are not known here. */
int smpp_alphabet_of_coding(uint8_t coding, enum smpp_alphabet standard,
			    enum smpp_alphabet *alphabet_out);

/* Appends text; a character that the alphabet does not have becomes "?", and is counted in
 * the result.  out remembers overflow. */
size_t smpp_alphabet_encode(enum smpp_alphabet alphabet, struct slice text, struct buf *out);

/* Appends octets as UTF-8.  What stands for no character (a lone surrogate, half a
 * character at the end, an octet above 0x7F in GSM, a control but tab, CR, LF and FF)
 * becomes U+FFFD; an unknown escape the character of the main table (23.038 6.2.1.1,
 * note 1).  Never more than SMPP_UTF8_SIZE(octets.n) octets with the NUL of out. */
#define SMPP_UTF8_SIZE(n) (3 * (size_t)(n) + 1)
/* Whether all of it fitted, out tells (base/buf.h). */
void smpp_alphabet_decode(enum smpp_alphabet alphabet, struct slice octets, struct buf *out);

/* The greatest length of at most n octets at which encoded text may be cut: not behind an
 * escape, nor within a UCS2 character or a surrogate pair.  0 when there is none. */
size_t smpp_alphabet_cut(enum smpp_alphabet alphabet, struct slice octets, size_t n);

#endif
