#include "tests/memory/scarce.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* The allocator is the process's: so is what it counts. */
static struct {
	unsigned left; /* 0: off, or it has failed */
	unsigned paused;
	bool failed;
} scarce;

void scarce_begin(unsigned n)
{
	scarce.left = n;
	scarce.paused = 0;
	scarce.failed = false;
}

bool scarce_end(void)
{
	scarce.left = 0;
	return scarce.failed;
}

void scarce_pause(void)
{
	scarce.paused++;
}

void scarce_resume(void)
{
	scarce.paused--;
}

unsigned scarce_each(bool (*act)(unsigned n, void *arg), void *arg)
{
	unsigned n = 1;

	while (act(n, arg))
		n++;
	return n - 1;
}

/* Is this the one? */
static bool fails(void)
{
	if (scarce.left == 0 || scarce.paused || --scarce.left > 0)
		return false;
	scarce.failed = true;
	errno = ENOMEM;
	return true;
}

/* ---- what the linker puts in the place of the C library's (ld's --wrap) ---- */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t n);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
int __real_vasprintf(char **out, const char *fmt, va_list args);

void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t n);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
int __wrap_vasprintf(char **out, const char *fmt, va_list args);
int __wrap_asprintf(char **out, const char *fmt, ...);

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(p, n, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t n)
{
	return fails() ? NULL : __real_aligned_alloc(alignment, n);
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
	return fails() ? NULL : __real_strndup(s, n);
}

int __wrap_vasprintf(char **out, const char *fmt, va_list args)
{
	return fails() ? -1 : __real_vasprintf(out, fmt, args);
}

int __wrap_asprintf(char **out, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = __wrap_vasprintf(out, fmt, args);
	va_end(args);
	return n;
}
