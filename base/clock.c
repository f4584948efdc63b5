/* clock.c - wall and monotonic time, and the shifts of both that test builds allow. */
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "build-config.h"

/* The system has one wall clock for all; a test build shifts it for all: once, or by what a
 * file holds at the moment. */
static int64_t wall_shift_ms;
#ifdef TEST_CLOCK
/* Volatile: another process writes them.  An aligned int64_t is read whole. */
static const volatile int64_t *wall_steps_ms, *mono_steps_ms;
#endif

enum { NAP_MS = 250 }; /* of a test that steps the clock: how late a timer may notice */

static int64_t read_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_mono_ms(void)
{
	int64_t now_ms = read_ms(CLOCK_MONOTONIC);

#ifdef TEST_CLOCK
	if (mono_steps_ms)
		now_ms += *mono_steps_ms;
#endif
	return now_ms;
}

int64_t clock_nap_ms(int64_t ms)
{
#ifdef TEST_CLOCK
	if (mono_steps_ms && ms > NAP_MS)
		return NAP_MS;
#endif
	return ms;
}

int64_t clock_wall_ms(void)
{
	int64_t now_ms = read_ms(CLOCK_REALTIME) + wall_shift_ms;

#ifdef TEST_CLOCK
	if (wall_steps_ms)
		now_ms += *wall_steps_ms;
#endif
	return now_ms;
}

int64_t clock_wall_s(void)
{
	return clock_wall_ms() / 1000;
}

#ifdef TEST_CLOCK
/* One or two numbers of milliseconds that their owner may change at any time: the clock
 * steps. */
static int follow_file(const char *path, struct diag *diag)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	struct stat st = { 0 };
	/* Never unmapped: the clock is read until the process ends. */
	const int64_t *map;

	if (fd < 0 || fstat(fd, &st) < 0 ||
	    (st.st_size != sizeof(*map) && st.st_size != 2 * sizeof(*map))) {
		diag_error(diag, NULL, "--now: %s is no file of eight or sixteen octets", path);
		err = -EINVAL;
	}
	map = err ? MAP_FAILED : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	if (map == MAP_FAILED)
		return -EINVAL;
	wall_steps_ms = map;
	if (st.st_size == 2 * sizeof(*map))
		mono_steps_ms = map + 1;
	return 0;
}
#endif

int clock_set_now(const char *text, struct diag *diag)
{
#ifdef TEST_CLOCK
	struct tm tm = { 0 };
	const char *end;

	if (text[0] == '/')
		return follow_file(text, diag);
	end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (!end || *end) {
		diag_error(diag, NULL, "--now: \"%s\" is not of the form YYYY-MM-DDTHH:MM:SSZ",
			   text);
		return -EINVAL;
	}
	/* A shift and not a fixed time: the clock goes on from there. */
	wall_shift_ms = (int64_t)timegm(&tm) * 1000 - read_ms(CLOCK_REALTIME);
	return 0;
#else
	(void)text;
	diag_error(diag, NULL, "--now needs a build configured with --enable-test-clock");
	return -EPERM;
#endif
}

/* n decimal digits of number, and what follows them. */
static char *put_digits(char *at, int number, int n, char next)
{
	for (int i = n; i-- > 0; number /= 10)
		at[i] = (char)('0' + number % 10);
	at[n] = next;
	return at + n + 1;
}

/* By hand, as every line of every log has one: strftime() and printf() take as long as
 * writing the line. */
void clock_format(int64_t wall_ms, char out[CLOCK_TEXT_SIZE])
{
	time_t s = (time_t)(wall_ms / 1000);
	struct tm tm;
	char *at;

	gmtime_r(&s, &tm);
	at = put_digits(out, tm.tm_year + 1900, 4, '-');
	at = put_digits(at, tm.tm_mon + 1, 2, '-');
	at = put_digits(at, tm.tm_mday, 2, 'T');
	at = put_digits(at, tm.tm_hour, 2, ':');
	at = put_digits(at, tm.tm_min, 2, ':');
	at = put_digits(at, tm.tm_sec, 2, '.');
	at = put_digits(at, (int)(wall_ms % 1000), 3, 'Z');
	*at = '\0';
}
