/* keyhash.c - SipHash-1-3 (Aumasson, Bernstein 2012), as hash tables use it: nobody sees
 * its values.
 *
 * One round a word instead of SipHash-2-4's two: whoever sends keys never sees a hash, so all
 * that is asked of it is that he cannot choose keys that fall into one bucket.
 *
 * Values differ from process to process: they are not to be stored or sent to another worker.
 * What has to be the same everywhere is slot.h.
 */
#include "rendezvous/keyhash.h"

#include <endian.h>
#include <errno.h>

#include <openssl/rand.h>

struct sip {
	uint64_t v0, v1, v2, v3;
};

int keyhash_init(struct keyhash *keyhash)
{
	/* The struct is its key and nothing else, so all of it is filled. */
	if (RAND_bytes((unsigned char *)keyhash, sizeof(*keyhash)) != 1)
		return -EIO;
	return 0;
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void mix(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

/* The first n octets, at most 8, as a little-endian number. */
static uint64_t little_endian(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	/* An empty slice's pointer may be NULL, which memcpy() does not allow even for 0
	 * octets. */
	if (n)
		memcpy(&v, p, n);
	return le64toh(v);
}

static void absorb(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	mix(s);
	s->v0 ^= word;
}

uint64_t keyhash_of(const struct keyhash *keyhash, struct slice text)
{
	struct sip s = {
		/* "somepseudorandomlygeneratedbytes" */
		keyhash->k0 ^ 0x736f6d6570736575,
		keyhash->k1 ^ 0x646f72616e646f6d,
		keyhash->k0 ^ 0x6c7967656e657261,
		keyhash->k1 ^ 0x7465646279746573,
	};
	size_t whole = text.n & ~(size_t)7;

	for (size_t i = 0; i < whole; i += 8)
		absorb(&s, little_endian(text.p + i, 8));
	/* The last word holds the octets that are left and, in the upper eight bits, the
	 * length: texts that differ in zeros at their end only get other hashes. */
	absorb(&s,
	       (uint64_t)text.n << 56 | little_endian(slice_from(text, whole).p, text.n - whole));
	/* One round a word above, three at the end: the 1 and 3 of its name. */
	s.v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		mix(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
