/* buf.c - a bounded writer.  Invariant: len < cap and p[len] is NUL, also after an overflow.
 *
 * Behind the first overflow nothing more is written, not even what would fit: half a message must
 * never look like a whole one.
 */
#include "base/buf.h"

#include <assert.h>
#include <endian.h>
#include <stdarg.h>
#include <stdio.h>

/* The buffer is a text at any time: one octet is always kept for the NUL. */
struct buf buf_over(void *p, size_t cap)
{
	assert(cap >= 1);
	*(uint8_t *)p = 0;
	return (struct buf){ p, cap, 0, false };
}

void buf_put(struct buf *b, const void *p, size_t n)
{
	/* >=, for the NUL behind; cap - len cannot wrap, as len < cap always. */
	if (b->overflow || n >= b->cap - b->len) {
		b->overflow = true;
		return;
	}
	if (n)
		memcpy(b->p + b->len, p, n);
	b->len += n;
	b->p[b->len] = 0;
}

void buf_put_slice(struct buf *b, struct slice s)
{
	buf_put(b, s.p, s.n);
}

void buf_put_str(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void buf_put_char(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	size_t room = b->cap - b->len;
	va_list ap;
	int n;

	if (b->overflow)
		return;
	va_start(ap, fmt);
	n = vsnprintf((char *)b->p + b->len, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room) {
		b->p[b->len] = 0;
		b->overflow = true;
		return;
	}
	b->len += (size_t)n;
}

/* The value is shifted to the upper end first: its big-endian form then begins with its octets,
 * whatever their number. */
static void put_uint(struct buf *b, uint64_t v, size_t octets)
{
	uint64_t be = htobe64(v << 8 * (sizeof(v) - octets));

	buf_put(b, &be, octets);
}

void buf_put_u8(struct buf *b, uint8_t v)
{
	put_uint(b, v, 1);
}

void buf_put_u16(struct buf *b, uint16_t v)
{
	put_uint(b, v, 2);
}

void buf_put_u32(struct buf *b, uint32_t v)
{
	put_uint(b, v, 4);
}

void buf_put_u64(struct buf *b, uint64_t v)
{
	put_uint(b, v, 8);
}

void buf_put_l16(struct buf *b, struct slice s)
{
	/* An octet string that its length field cannot hold is no shorter one. */
	if (s.n > UINT16_MAX) {
		b->overflow = true;
		return;
	}
	buf_put_u16(b, (uint16_t)s.n);
	buf_put_slice(b, s);
}
