/* stepped_clock.c - a wall clock that a test steps, for a cig-sip of its own.
 *
 * Linked into the program, these stand before the system's for the libraries, too: whatever
 * asks for the wall time gets it shifted by the milliseconds that the file named by
 * STEPPED_CLOCK holds at the moment (eight octets in the host's order, as for --now).  The
 * monotonic clock is the system's.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BEFORE_LIBRARIES __attribute__((visibility("default")))

/* Without the file the program is of no use: it ends. */
static const volatile int64_t *steps(void)
{
	static const volatile int64_t *map; /* the clock has no argument for it */

	if (!map) {
		const char *path = getenv("STEPPED_CLOCK");
		int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		void *p = mmap(NULL, sizeof(*map), PROT_READ, MAP_SHARED, fd, 0);

		if (p == MAP_FAILED)
			_exit(3);
		close(fd);
		map = p;
	}
	return map;
}

BEFORE_LIBRARIES int clock_gettime(clockid_t id, struct timespec *out)
{
	int err = (int)syscall(SYS_clock_gettime, id, out);

	if (err == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		out->tv_sec += (time_t)(*steps() / 1000);
	return err;
}

BEFORE_LIBRARIES int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*out = (struct timeval){ now.tv_sec, (suseconds_t)(now.tv_nsec / 1000) };
	return 0;
}

BEFORE_LIBRARIES time_t time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}
