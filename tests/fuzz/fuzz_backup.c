/* fuzz_backup.c - a backup archive that anybody may have written: it is refused, or restored
 * below the root and nowhere else.
 */
#include <ftw.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "rendezvous/backup.h"
#include "tests/fuzz/place.h"
#include "tests/fuzz/quiet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag *diag = diag_new();
	struct backup_info info;
	struct crs_paths paths;
	char file[96], root[96];
	int checked, restored;

	quiet();
	snprintf(file, sizeof(file), "%s/archive", place());
	snprintf(root, sizeof(root), "%s/root", place());
	expect(diag && crs_paths_init(&paths, root) == 0 && mkdir(root, 0700) == 0);
	place_write(file, slice_of(data, size));
	checked = backup_check(file, &info, diag);
	expect(checked == 0 || (checked < 0 && diag_errors(diag) > 0));
	restored = backup_restore(file, &paths, &info, diag);
	expect(restored <= 0 && (checked == 0 || restored < 0));
	expect(nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
	expect(unlink(file) == 0);
	expect(rmdir(place()) == 0 && mkdir(place(), 0700) == 0); /* nothing else is there */
	diag_free(&diag);
	return 0;
}
