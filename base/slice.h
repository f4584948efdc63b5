/* slice.h - a pointer and a length: text or octets that someone else owns.
 *
 * Remote text is a slice until it is validated; it need not end in NUL.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const uint8_t *p; /* may be NULL when n is 0 */
	size_t n;         /* octets */
};

static inline struct slice slice_of(const void *p, size_t n)
{
	return (struct slice){ p, n };
}

/* The text without its NUL; s may be NULL (empty). */
static inline struct slice slice_str(const char *s)
{
	return (struct slice){ (const uint8_t *)s, s ? strlen(s) : 0 };
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool slice_eq_str(struct slice a, const char *s)
{
	return slice_eq(a, slice_str(s));
}

/* Does a begin with the text s? */
static inline bool slice_starts(struct slice a, const char *s)
{
	size_t n = strlen(s);

	return a.n >= n && memcmp(a.p, s, n) == 0;
}

/* What remains behind the first n octets; n is clamped to the length. */
static inline struct slice slice_from(struct slice a, size_t n)
{
	if (n > a.n)
		n = a.n;
	if (n == 0)
		return a; /* p may be NULL */
	return (struct slice){ a.p + n, a.n - n };
}

#endif
