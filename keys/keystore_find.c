/* keystore_find.c - which of a directory's files is its key store. */
#include "keys/keystore.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "keys/identity.h"

/* Lock files and what a crash has left half-written end in no identity. */
static bool is_store(const char *name)
{
	return strncmp(name, ".ks.", 4) == 0 && identity_check(slice_str(name + 4), NULL) == 0;
}

int keystore_find(const char *dir, char *out, size_t outsz, struct diag *diag)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	int n = 0, found = 0;

	if (!d && errno == ENOENT)
		return -ENOENT;
	if (!d) {
		int err = -errno;

		diag_error(diag, NULL, "%s: %s", dir, strerror(-err));
		return err;
	}
	while (n >= 0 && (size_t)n < outsz && (entry = readdir(d))) {
		if (!is_store(entry->d_name))
			continue;
		n = snprintf(out, outsz, "%s/%s", dir, entry->d_name);
		/* Goes on, to tell of a second one. */
		found++;
	}
	closedir(d);
	if (n < 0 || (size_t)n >= outsz)
		return -ENAMETOOLONG;
	if (found > 1)
		diag_error(diag, NULL, "%s holds several key stores (.ks.URI): leave one", dir);
	return found == 1 ? 0 : found ? -EEXIST : -ENOENT;
}
