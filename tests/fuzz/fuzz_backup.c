/* fuzz_backup.c - a backup archive that anybody may have written: it is refused, or restored
 * below the root and nowhere else.  The seed "sealed" has the passphrase below, and scrypt at
 * its cheapest; nobody else's can be opened, as it should be.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "rendezvous/backup.h"
#include "tests/fuzz/place.h"
#include "tests/fuzz/quiet.h"
#include "tests/tools/remove_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char words[] = "correct horse battery";

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* Checks and restores, with a passphrase or without. */
static void take(const char *file, struct slice passphrase, const struct crs_paths *paths)
{
	struct diag *diag = diag_new();
	struct backup_info info;
	int checked, restored;

	expect(diag != NULL && mkdir(paths->root, 0700) == 0);
	checked = backup_check(file, passphrase, &info, diag);
	expect(checked == 0 || (checked < 0 && diag_errors(diag) > 0));
	restored = backup_restore(file, passphrase, paths, &info, diag);
	expect(restored <= 0 && (checked == 0 || restored < 0));
	expect(remove_tree(paths->root) == 0);
	diag_free(&diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct crs_paths paths;
	char file[96], root[96];

	quiet();
	snprintf(file, sizeof(file), "%s/archive", place());
	snprintf(root, sizeof(root), "%s/root", place());
	expect(crs_paths_init(&paths, root) == 0);
	place_write(file, slice_of(data, size));
	take(file, slice_of(NULL, 0), &paths);
	take(file, slice_str(words), &paths);
	expect(unlink(file) == 0);
	expect(rmdir(place()) == 0 && mkdir(place(), 0700) == 0); /* nothing else is there */
	return 0;
}
