/* place.h - a directory of the target's own, in memory where there is such a place, for
 * parsers that read files.  It is removed when the process ends in order.
 */
#ifndef TESTS_FUZZ_PLACE_H
#define TESTS_FUZZ_PLACE_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/slice.h"

static char place_dir[64]; /* one a process */

static inline void place_remove(void)
{
	rmdir(place_dir);
}

/* Its path; made by the first call. */
static inline const char *place(void)
{
	if (place_dir[0])
		return place_dir;
	snprintf(place_dir, sizeof(place_dir), "%s/fuzz.XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(place_dir))
		abort();
	atexit(place_remove);
	return place_dir;
}

/* Writes a file, 0600. */
static inline void place_write(const char *path, struct slice content)
{
	FILE *f = fopen(path, "we");

	if (!f || (content.n && fwrite(content.p, content.n, 1, f) != 1))
		abort();
	fclose(f);
	chmod(path, 0600);
}

#endif
