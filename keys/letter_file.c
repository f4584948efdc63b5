/* letter_file.c - a letter from a file, in any of its forms, and the key that opens it. */
#include "keys/letter_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/file.h"
#include "keys/letter_text.h"
#include "keys/secret.h"

enum { FILE_MAX = 64 * 1024 }; /* a letter with text for people around it */

void letter_octets_wipe(struct letter_octets *letter)
{
	wipe(letter, sizeof(*letter));
}

int letter_octets_add(struct letter_octets *letter, struct slice octets)
{
	if (octets.n > sizeof(letter->p) - letter->n)
		return -EMSGSIZE;
	memcpy(letter->p + letter->n, octets.p, octets.n);
	letter->n += octets.n;
	return 0;
}

int letter_file_read(const char *path, struct letter_octets *letter_out, struct diag *diag)
{
	uint8_t *content;
	size_t n;
	int err = file_read(path, FILE_MAX, &content, &n);

	if (err) {
		diag_error(diag, NULL, "%s: %s", path, strerror(-err));
		return err;
	}
	err = letter_text_read(slice_of(content, n), letter_out->p, &letter_out->n, diag);
	wipe(content, n);
	free(content);
	return err;
}

int letter_octets_open(struct letter_octets *letter, const char *key_text, struct diag *diag)
{
	uint8_t key[LETTER_QR_KEY_SIZE];
	/* Apart, so that a wrong key leaves the letter as it was and may be asked for again. */
	struct letter_octets plain;
	int err = letter_qr_key_parse(slice_str(key_text), key);

	if (err) {
		diag_error(diag, NULL, "a letter's key is 32 hexadecimal digits");
		return err;
	}
	err = letter_unprotect(slice_of(letter->p, letter->n), key, plain.p, &plain.n, diag);
	if (!err)
		*letter = plain;
	letter_octets_wipe(&plain);
	wipe(key, sizeof(key));
	return err;
}
