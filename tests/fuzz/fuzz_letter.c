/* fuzz_letter.c - a letter or a certificate in whatever form a file or a scanner
 * gives it.
 */
#include <errno.h>
#include <stdlib.h>

#include "keys/certificate.h"
#include "keys/letter_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[LETTER_QR_KEY_SIZE] = "0123456789abcdef";
	uint8_t octets[LETTER_OCTETS_MAX], plain[LETTER_OCTETS_MAX], again[LETTER_OCTETS_MAX];
	struct update_domain domain;
	struct letter letter;
	size_t n, m;

	(void)letter_text_line(slice_of(data, size), 1, octets, &n);
	if (letter_text_read(slice_of(data, size), octets, &n, NULL))
		return 0;
	if (letter_unprotect(slice_of(octets, n), key, plain, &m, NULL) == 0)
		(void)letter_decode(slice_of(plain, m), &letter, NULL);
	(void)certificate_decode(slice_of(octets, n), &domain, NULL);
	/* What is read can be written, unless unknown fields made it long. */
	if (letter_decode(slice_of(octets, n), &letter, NULL) == 0 &&
	    letter_encode(&letter, again, &m) == -EINVAL)
		abort();
	return 0;
}
