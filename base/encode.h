/* encode.h - octets as text: hexadecimal and base64 (RFC 4648). */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include "base/slice.h"

/* Octets that the text of n octets needs, NUL included. */
#define HEX_TEXT_SIZE(n) (2 * (n) + 1)
#define BASE64_TEXT_SIZE(n) (((n) + 2) / 3 * 4 + 1)

/* Lower-case hexadecimal; out holds HEX_TEXT_SIZE(in.n). */
void hex_encode(struct slice in, char *out);

/* Exactly in.n / 2 octets, either case.  Returns 0, -EINVAL for an odd length or
 * another character, -ENOBUFS when more than cap octets would be written. */
int hex_decode(struct slice in, uint8_t *out, size_t cap, size_t *len_out);

enum base64_alphabet {
	BASE64_STANDARD, /* RFC 4648 section 4, padded */
	BASE64_URL,      /* RFC 4648 section 5, without padding */
};

/* out holds BASE64_TEXT_SIZE(in.n). */
void base64_encode(enum base64_alphabet alphabet, struct slice in, char *out);

/* Strict: padding as the alphabet has it, zero bits behind the last octet, no
 * blanks.  Returns 0, -EINVAL, or -ENOBUFS (more than cap octets). */
int base64_decode(enum base64_alphabet alphabet, struct slice in, uint8_t *out, size_t cap,
		  size_t *len_out);

#endif
