/* fp.c - the 1,024-bit field in Montgomery form, and its products in plain C.
 *
 * Everything runs in constant time: carries and choices are masks, never branches.
 */
#include "keys/fp_priv.h"

#include "keys/secret.h"

__extension__ typedef unsigned __int128 uint128;

enum { N = FP_LIMBS };

/* RFC 6509 appendix A, limbs least significant first. */
const uint64_t fp_prime[N] = { 0x666d807afea85febu, 0x80c5df10ac7ace87u, 0xfce3e82389857db0u,
			       0x9f94d6af56971f1fu, 0xa7cf3c521c3c09aau, 0xb6aff4a831852a82u,
			       0x512ac5cd65681ce1u, 0xe26c6487326b4cd4u, 0x356d27f4a666a6d0u,
			       0xe791b39ff7c88a19u, 0x228730d531a59cb0u, 0xf40aab27e2fc0f1bu,
			       0xbe9ae358b3e01a2eu, 0x416c0ce19cb48261u, 0x65c61198dad0657au,
			       0x997abb1f0a563fdau };

const uint64_t fp_order[N] = { 0xd99b601ebfaa17fbu, 0x203177c42b1eb3a1u, 0xff38fa08e2615f6cu,
			       0xa7e535abd5a5c7c7u, 0xa9f3cf14870f026au, 0x6dabfd2a0c614aa0u,
			       0x144ab173595a0738u, 0x389b1921cc9ad335u, 0x4d5b49fd2999a9b4u,
			       0x39e46ce7fdf22286u, 0xc8a1cc354c69672cu, 0xbd02aac9f8bf03c6u,
			       0x6fa6b8d62cf8068bu, 0x905b0338672d2098u, 0x9971846636b4195eu,
			       0x265eaec7c2958ff6u };

/* 2^1024 mod p, which is 1 in Montgomery form, and 2^2048 mod p. */
const struct fp fp_one = {
	{ 0x99927f850157a015u, 0x7f3a20ef53853178u, 0x031c17dc767a824fu, 0x606b2950a968e0e0u,
	  0x5830c3ade3c3f655u, 0x49500b57ce7ad57du, 0xaed53a329a97e31eu, 0x1d939b78cd94b32bu,
	  0xca92d80b5999592fu, 0x186e4c60083775e6u, 0xdd78cf2ace5a634fu, 0x0bf554d81d03f0e4u,
	  0x41651ca74c1fe5d1u, 0xbe93f31e634b7d9eu, 0x9a39ee67252f9a85u, 0x668544e0f5a9c025u }
};

const struct fp fp_to_montgomery = {
	{ 0xe199c8ceed17b0a1u, 0x7ffd8b4be3620f7fu, 0xca865d5f4f76e245u, 0x623ff8dc27ecf5cbu,
	  0x229900e1d19bb697u, 0xed6aef26ea40c71fu, 0xa3aed42cc906365cu, 0x17d461b69eab6451u,
	  0x2009367d7d666da9u, 0x8bcad1dcb63c1d56u, 0x5a126231c31a92dcu, 0x5fb41b0eb8d94c5bu,
	  0xc113d394843f623cu, 0x5d8d8e74f159f1ebu, 0xae4ba7edb5d48c14u, 0x191640b9698af16au }
};

bool fp_is_zero(const struct fp *a)
{
	uint64_t any = 0;

	for (size_t i = 0; i < N; i++)
		any |= a->v[i];
	return any == 0;
}

bool fp_eq(const struct fp *a, const struct fp *b)
{
	uint64_t differ = 0;

	for (size_t i = 0; i < N; i++)
		differ |= a->v[i] ^ b->v[i];
	return differ == 0;
}

void fp_move_if(uint64_t mask, struct fp *out, const struct fp *a)
{
	for (size_t i = 0; i < N; i++)
		out->v[i] ^= mask & (out->v[i] ^ a->v[i]);
}

#if defined(__x86_64__) && defined(__GNUC__)

/* A compiler keeps no carry from limb to limb. */
#define LIMB(op, at)                                                                               \
	"movq " #at "(%[a]), %[t]\n\t" op " " #at "(%[b]), %[t]\n\tmovq %[t], " #at "(%[out])\n\t"
#define LIMBS(op)                                                                                  \
	LIMB(op, 0)                                                                                \
	LIMB(op, 8)                                                                                \
	LIMB(op, 16)                                                                               \
	LIMB(op, 24)                                                                               \
	LIMB(op, 32)                                                                               \
	LIMB(op, 40)                                                                               \
	LIMB(op, 48) LIMB(op, 56) LIMB(op, 64) LIMB(op, 72) LIMB(op, 80) LIMB(op, 88) LIMB(op, 96) \
		LIMB(op, 104) LIMB(op, 112) LIMB(op, 120)

uint64_t fp_add_limbs(uint64_t out[N], const uint64_t a[N], const uint64_t b[N])
{
	uint64_t carry, t;

	__asm__("xorl %k[carry], %k[carry]\n\t" LIMBS("adcq") "adcq %[carry], %[carry]\n\t"
		: [carry] "=&r"(carry), [t] "=&r"(t)
		: [out] "r"(out), [a] "r"(a), [b] "r"(b)
		: "cc", "memory");
	return carry;
}

uint64_t fp_sub_limbs(uint64_t out[N], const uint64_t a[N], const uint64_t b[N])
{
	uint64_t carry, t;

	__asm__("xorl %k[carry], %k[carry]\n\t" LIMBS("sbbq") "adcq %[carry], %[carry]\n\t"
		: [carry] "=&r"(carry), [t] "=&r"(t)
		: [out] "r"(out), [a] "r"(a), [b] "r"(b)
		: "cc", "memory");
	return carry;
}

#else

uint64_t fp_add_limbs(uint64_t out[N], const uint64_t a[N], const uint64_t b[N])
{
	uint64_t carry = 0;

	for (size_t i = 0; i < N; i++) {
		uint128 t = (uint128)a[i] + b[i] + carry;

		out[i] = (uint64_t)t;
		carry = (uint64_t)(t >> 64);
	}
	return carry;
}

uint64_t fp_sub_limbs(uint64_t out[N], const uint64_t a[N], const uint64_t b[N])
{
	uint64_t borrow = 0;

	for (size_t i = 0; i < N; i++) {
		uint128 t = (uint128)a[i] - b[i] - borrow;

		out[i] = (uint64_t)t;
		borrow = (uint64_t)(t >> 64) & 1;
	}
	return borrow;
}

#endif

/* Where a + high is below p the difference needs more than high. */
void fp_reduce_once(uint64_t a[N], uint64_t *high)
{
	uint64_t t[N];
	uint64_t borrow = fp_sub_limbs(t, a, fp_prime);
	uint64_t keep = 0 - (uint64_t)(borrow > *high);

	*high -= borrow & ~keep;
	for (size_t i = 0; i < N; i++)
		a[i] = (a[i] & keep) | (t[i] & ~keep);
}

/* Inputs are below p, so one subtraction is enough. */
void fp_add(struct fp *out, const struct fp *a, const struct fp *b)
{
	uint64_t high = fp_add_limbs(out->v, a->v, b->v);

	fp_reduce_once(out->v, &high);
}

void fp_sub(struct fp *out, const struct fp *a, const struct fp *b)
{
	uint64_t mask = 0 - fp_sub_limbs(out->v, a->v, b->v);
	uint64_t t[N];

	for (size_t i = 0; i < N; i++)
		t[i] = fp_prime[i] & mask;
	fp_add_limbs(out->v, out->v, t);
}

void fp_neg(struct fp *out, const struct fp *a)
{
	const struct fp zero = { { 0 } };

	fp_sub(out, &zero, a);
}

/* acc += a b over N + 2 limbs, a being one limb. */
static inline void add_row(uint64_t acc[N + 2], uint64_t a, const uint64_t b[N])
{
	uint64_t carry = 0;

	for (size_t j = 0; j < N; j++) {
		uint128 t = (uint128)a * b[j] + acc[j] + carry;

		acc[j] = (uint64_t)t;
		carry = (uint64_t)(t >> 64);
	}
	for (size_t j = N; j < N + 2; j++) {
		uint128 t = (uint128)acc[j] + carry;

		acc[j] = (uint64_t)t;
		carry = (uint64_t)(t >> 64);
	}
}

/* acc += a b, then adds the multiple of p that makes the lowest limb zero and
 * drops that limb: both in one pass. */
static inline void add_and_reduce_row(uint64_t acc[N + 2], uint64_t a, const uint64_t b[N])
{
	uint128 t = (uint128)a * b[0] + acc[0];
	uint64_t m = (uint64_t)t * FP_PRIME_INVERSE;
	uint128 u = (uint128)m * fp_prime[0] + (uint64_t)t;

	for (size_t j = 1; j < N; j++) {
		t = (uint128)a * b[j] + acc[j] + (uint64_t)(t >> 64);
		u = (uint128)m * fp_prime[j] + (uint64_t)t + (uint64_t)(u >> 64);
		acc[j - 1] = (uint64_t)u;
	}
	t = (t >> 64) + (u >> 64) + acc[N];
	acc[N - 1] = (uint64_t)t;
	acc[N] = acc[N + 1] + (uint64_t)(t >> 64);
	acc[N + 1] = 0;
}

/* The sum of k products divided by 2^1024, by rows (CIOS).  Before the last step
 * it is below 0.6 k p + p, as p is below 0.6 * 2^1024. */
void fp_plain_sum(struct fp *out, size_t k, const struct fp *const a[], const struct fp *const b[])
{
	uint64_t acc[N + 2] = { 0 };

	for (size_t i = 0; i < N; i++) {
		for (size_t j = 1; j < k; j++)
			add_row(acc, a[j]->v[i], b[j]->v);
		add_and_reduce_row(acc, a[0]->v[i], b[0]->v);
	}
	/* Once for each product: the sum is below (0.6 k + 1) p. */
	for (size_t j = 0; j < k; j++)
		fp_reduce_once(acc, &acc[N]);
	for (size_t j = 0; j < N; j++)
		out->v[j] = acc[j];
}

/* The processor is asked each time; it is a load and a test. */
static void sum_products(struct fp *out, size_t k, const struct fp *const a[],
			 const struct fp *const b[])
{
	if (fp_adx_usable())
		fp_adx_sum(out, k, a, b);
	else
		fp_plain_sum(out, k, a, b);
}

void fp_mul(struct fp *out, const struct fp *a, const struct fp *b)
{
	sum_products(out, 1, &a, &b);
}

void fp_sqr(struct fp *out, const struct fp *a)
{
	if (fp_adx_usable())
		fp_adx_sqr(out, a);
	else
		fp_plain_sum(out, 1, &a, &a);
}

void fp_mul_add(struct fp *out, const struct fp *a, const struct fp *b, const struct fp *c,
		const struct fp *d)
{
	const struct fp *const left[] = { a, c };
	const struct fp *const right[] = { b, d };

	sum_products(out, 2, left, right);
}

void fp_mul_add3(struct fp *out, const struct fp *const a[3], const struct fp *const b[3])
{
	sum_products(out, 3, a, b);
}

/* Range first: a number not below p is another spelling of one that is. */
bool fp_read(struct fp *out, const uint8_t in[FP_OCTETS])
{
	struct fp t;

	for (size_t i = 0; i < N; i++) {
		out->v[i] = 0;
		for (size_t j = 0; j < 8; j++)
			out->v[i] = out->v[i] << 8 | in[8 * (N - 1 - i) + j];
	}
	if (!fp_sub_limbs(t.v, out->v, fp_prime)) {
		*out = (struct fp){ { 0 } };
		return false;
	}
	fp_mul(out, out, &fp_to_montgomery);
	return true;
}

/* A product with plain 1 takes the factor 2^1024 off. */
void fp_write(const struct fp *a, uint8_t out[FP_OCTETS])
{
	const struct fp plain_one = { { 1 } };
	struct fp t;

	fp_mul(&t, a, &plain_one);
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < 8; j++)
			out[8 * (N - 1 - i) + j] = (uint8_t)(t.v[i] >> 8 * (7 - j));
	wipe(&t, sizeof(t));
}

void fp_small(struct fp *out, unsigned v)
{
	const struct fp plain = { { v } };

	fp_mul(out, &plain, &fp_to_montgomery);
}
