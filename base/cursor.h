/* cursor.h - reads big-endian integers and octets from a buffer it does not own.
 *
 * Every read is bounded.  The first read that does not fit marks the cursor
 * bad; from then on all reads yield zeros and empty slices, so that a parser
 * may read a whole header and ask cursor_ok() once.  A bad cursor stays bad.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "base/slice.h"

struct cursor {
	const uint8_t *p;
	size_t left;
	bool bad;
};

static inline struct cursor cursor_of(struct slice s)
{
	return (struct cursor){ s.p, s.n, false };
}

static inline bool cursor_ok(const struct cursor *c)
{
	return !c->bad;
}

/* Was everything read, and nothing beyond the end? */
static inline bool cursor_at_end(const struct cursor *c)
{
	return !c->bad && c->left == 0;
}

/* Takes n octets; an empty slice when fewer are left. */
static inline struct slice cursor_take(struct cursor *c, size_t n)
{
	struct slice s = { c->p, n };

	if (c->bad || n > c->left) {
		c->bad = true;
		return (struct slice){ NULL, 0 };
	}
	c->p += n;
	c->left -= n;
	return s;
}

static inline uint64_t cursor_uint(struct cursor *c, size_t octets)
{
	struct slice s = cursor_take(c, octets);
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | s.p[i];
	return v;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	return (uint8_t)cursor_uint(c, 1);
}

static inline uint16_t cursor_u16(struct cursor *c)
{
	return (uint16_t)cursor_uint(c, 2);
}

static inline uint32_t cursor_u32(struct cursor *c)
{
	return (uint32_t)cursor_uint(c, 4);
}

static inline uint64_t cursor_u64(struct cursor *c)
{
	return cursor_uint(c, 8);
}

/* Takes L(x): a 2-octet length and as many octets. */
static inline struct slice cursor_l16(struct cursor *c)
{
	return cursor_take(c, cursor_u16(c));
}

#endif
