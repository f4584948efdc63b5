/* as_owner.c - effective ids alone change: the real ones stay root's, which is the way back. */
#include "base/as_owner.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int as_owner_begin(const char *dir, struct as_owner *was_out)
{
	struct stat home;
	int err;

	*was_out = (struct as_owner){ .uid = geteuid(), .gid = getegid() };
	if (was_out->uid != 0 || stat(dir, &home) < 0 || home.st_uid == 0)
		return 0;
	/* The group first: only root may change it. */
	if (setegid(home.st_gid) < 0)
		return -errno;
	if (seteuid(home.st_uid) < 0) {
		err = -errno;
		if (setegid(was_out->gid) < 0)
			abort();
		return err;
	}
	was_out->changed = true;
	return 0;
}

void as_owner_end(const struct as_owner *was)
{
	if (was->changed && (seteuid(was->uid) < 0 || setegid(was->gid) < 0))
		abort();
}
