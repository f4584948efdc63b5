/* buf.h - writes text and octets into a fixed buffer and remembers overflow.
 *
 * Whatever does not fit is dropped and marks the buffer; ask buf_ok() once, at
 * the end.  Text stays NUL-terminated after every call (cap >= 1).
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/slice.h"

struct buf {
	uint8_t *p;
	size_t cap; /* octets at p, one of them for a NUL */
	size_t len; /* octets written, without the NUL */
	bool overflow;
};

/* A writer over cap octets at p, which the caller owns; cap >= 1. */
struct buf buf_over(void *p, size_t cap);

/* A writer over a local array. */
#define BUF_OF(array) buf_over((array), sizeof(array))

/* n octets of p (NULL when n is 0).  Nothing at all is written when they and a NUL do not
 * fit; then b has overflowed. */
void buf_put(struct buf *b, const void *p, size_t n);
/* The octets of s, as buf_put(). */
void buf_put_slice(struct buf *b, struct slice s);
/* s without its NUL, as buf_put(). */
void buf_put_str(struct buf *b, const char *s);
/* One octet, as buf_put(). */
void buf_put_char(struct buf *b, char c);
/* As printf(3); text that does not fit is left out as a whole. */
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Big-endian. */
void buf_put_u8(struct buf *b, uint8_t v);
/* Two octets, the high one first. */
void buf_put_u16(struct buf *b, uint16_t v);
/* Four octets, the highest first. */
void buf_put_u32(struct buf *b, uint32_t v);
/* Eight octets, the highest first. */
void buf_put_u64(struct buf *b, uint64_t v);

/* L(x): a 2-octet length, then x; x longer than 65,535 octets is overflow. */
void buf_put_l16(struct buf *b, struct slice s);

static inline bool buf_ok(const struct buf *b)
{
	return !b->overflow;
}

static inline const char *buf_str(const struct buf *b)
{
	return (const char *)b->p;
}

static inline struct slice buf_slice(const struct buf *b)
{
	return slice_of(b->p, b->len);
}

#endif
