/* failing_fsync.c - fsync() goes through here by ld's --wrap. */
#include "tests/base/failing_fsync.h"

#include <errno.h>
#include <sys/stat.h>

static bool directory_fails;

int __real_fsync(int fd);
int __wrap_fsync(int fd);

void fsync_of_directories_fails(bool fails)
{
	directory_fails = fails;
}

int __wrap_fsync(int fd)
{
	struct stat st;

	if (directory_fails && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		errno = EIO;
		return -1;
	}
	return __real_fsync(fd);
}
