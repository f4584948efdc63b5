/* failing_fsync.h - fsync() that fails for directories while a test wants it: a name that is there
 * and may not be on the disk.  Linked with $(FAILING_FSYNC_LDFLAGS). */
#ifndef TESTS_BASE_FAILING_FSYNC_H
#define TESTS_BASE_FAILING_FSYNC_H

#include <stdbool.h>

/* From now on fsync() of a directory is -1 with EIO, or again what it is. */
void fsync_of_directories_fails(bool fails);

#endif
