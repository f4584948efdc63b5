/* letter_file.h - a letter as an administrator hands it to a program: read from a file,
 * and opened when it is protected.
 */
#ifndef KEYS_LETTER_FILE_H
#define KEYS_LETTER_FILE_H

#include "keys/letter.h"

/* A letter's octets, plain or protected.  Zero it at first, wipe it at the end. */
struct letter_octets {
	uint8_t p[LETTER_OCTETS_MAX];
	size_t n;
};

/* Overwrites the octets, plain or protected. */
void letter_octets_wipe(struct letter_octets *letter);

/* Appends octets.  Returns 0 or -EMSGSIZE. */
int letter_octets_add(struct letter_octets *letter, struct slice octets);

/* Reads a file in any of the forms of letter_text_read().  Returns 0, -EFBIG, or as that
 * and file_read(), with diag set. */
int letter_file_read(const char *path, struct letter_octets *letter_out, struct diag *diag);

/* Replaces a protected letter by its plain form; key_text is the QR key as people write
 * it.  Returns 0, -EINVAL (no key), or as letter_unprotect(), with diag set and the
 * letter as it was. */
int letter_octets_open(struct letter_octets *letter, const char *key_text, struct diag *diag);

#endif
