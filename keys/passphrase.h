/* passphrase.h - where the passphrase, and other secrets typed or kept in a file,
 * come from.
 */
#ifndef KEYS_PASSPHRASE_H
#define KEYS_PASSPHRASE_H

#include "base/slice.h"

struct diag;

/* A line of text; wipe it. */
struct passphrase {
	char text[1025];
	size_t n;
};

/* Reads the first line of a file that only its owner may read.  Returns 0, -EPERM,
 * -EINVAL (empty, or too long), -errno with diag set. */
int passphrase_from_file(const char *path, struct passphrase *out, struct diag *diag);

/* Asks on the terminal, without echo; twice where it is new.  Returns 0, -ENOTTY
 * (no terminal), -EINVAL (empty, too long, or the two differ) with diag set. */
int passphrase_ask(const char *prompt, bool twice, struct passphrase *out, struct diag *diag);

/* Overwrites the passphrase. */
void passphrase_wipe(struct passphrase *passphrase);

static inline struct slice passphrase_slice(const struct passphrase *passphrase)
{
	return slice_of(passphrase->text, passphrase->n);
}

#endif
