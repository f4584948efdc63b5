/* bench_keys.c - what sealing, opening, signing and verifying cost, beside
 * OpenSSL's own operations on the same core.
 *
 * Prints name, value, unit, reference, ratio, separated by tabs; times are CPU
 * time, medians of several runs.  The reference of SAKKE is one Montgomery product
 * of 1,024 bits, that of ECCSI an ECDSA signature on P-256.  SAKKE is measured by the
 * path that this processor takes, and by the one that every processor can take.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "keys/eccsi.h"
#include "keys/fp.h"
#include "keys/sakke.h"

enum { RUNS = 9, MESSAGE = 600 };

/* What SAKKE needs, for one path. */
struct path {
	struct sakke *sakke;
	struct sakke_kms *kms;
	struct sakke_receiver *receiver;
};

struct bench {
	struct path best, portable;
	const struct path *path; /* the one in use */
	struct eccsi *eccsi;
	struct eccsi_signer signer;
	uint8_t kpak[ECCSI_POINT];
	uint8_t sealed[SAKKE_SEALED], ssv[SAKKE_SSV];
	uint8_t signature[ECCSI_SIGNATURE];
	uint8_t message[MESSAGE];
	BIGNUM *x, *y;
	BN_MONT_CTX *mont;
	BN_CTX *ctx;
	EVP_PKEY *ecdsa;
	uint8_t ecdsa_signature[128];
	size_t ecdsa_len;
};

static const char identifier[] = "2026-11\0tel:+447700900123";

static struct slice id(void)
{
	return slice_of(identifier, sizeof(identifier)); /* its NUL, too */
}

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench_keys: %s failed\n", what);
	exit(1);
}

static void open_path(struct path *path, enum fp_path which, const struct scalar *z)
{
	uint8_t z_public[SAKKE_POINT], rsk[SAKKE_POINT];

	path->sakke = sakke_new_for(which);
	must(path->sakke && sakke_public(path->sakke, z, z_public) == 0 &&
		     sakke_issue(path->sakke, z, id(), rsk) == 0 &&
		     sakke_kms_new(path->sakke, slice_of(z_public, SAKKE_POINT), &path->kms) == 0 &&
		     sakke_receiver_new(path->kms, id(), slice_of(rsk, SAKKE_POINT),
					&path->receiver) == 0,
	     "SAKKE");
}

static void open_sakke(struct bench *b)
{
	struct scalar z;

	must(scalar_random(&z) == 0, "a random number");
	open_path(&b->best, fp_best_path(), &z);
	open_path(&b->portable, FP_NARROW, &z);
	must(sakke_seal(b->best.kms, id(), b->ssv, b->sealed, NULL) == 0, "sealing");
}

static void open_eccsi(struct bench *b)
{
	uint8_t ksak[ECCSI_SECRET], ssk[ECCSI_SECRET], pvt[ECCSI_POINT];

	b->eccsi = eccsi_new();
	must(b->eccsi && eccsi_generate(b->eccsi, ksak, b->kpak) == 0 &&
		     eccsi_issue(b->eccsi, ksak, id(), NULL, ssk, pvt) == 0 &&
		     eccsi_signer_init(b->eccsi, b->kpak, id(), ssk, pvt, &b->signer) == 0 &&
		     eccsi_sign(b->eccsi, &b->signer, slice_of(b->message, MESSAGE), NULL,
				b->signature) == 0,
	     "ECCSI");
}

static void open_references(struct bench *b)
{
	uint8_t octets[FP_OCTETS];
	BIGNUM *p;

	for (size_t i = 0; i < FP_OCTETS; i++)
		octets[i] = (uint8_t)(fp_prime[i / 8] >> 8 * (i % 8));
	p = BN_lebin2bn(octets, FP_OCTETS, NULL);
	b->ctx = BN_CTX_new();
	b->mont = BN_MONT_CTX_new();
	b->x = BN_new();
	b->y = BN_new();
	b->ecdsa = EVP_EC_gen("P-256");
	must(p && b->ctx && b->mont && b->x && b->y && b->ecdsa &&
		     BN_MONT_CTX_set(b->mont, p, b->ctx) && BN_rand_range(b->x, p) &&
		     BN_rand_range(b->y, p),
	     "OpenSSL");
	BN_free(p);
}

static void seal(struct bench *b)
{
	must(sakke_seal(b->path->kms, id(), b->ssv, b->sealed, NULL) == 0, "sealing");
}

static void unseal(struct bench *b)
{
	uint8_t ssv[SAKKE_SSV];

	must(sakke_open(b->path->receiver, slice_of(b->sealed, SAKKE_SEALED), ssv) == 0 &&
		     memcmp(ssv, b->ssv, SAKKE_SSV) == 0,
	     "opening");
}

static void sign(struct bench *b)
{
	must(eccsi_sign(b->eccsi, &b->signer, slice_of(b->message, MESSAGE), NULL, b->signature) ==
		     0,
	     "signing");
}

static void verify(struct bench *b)
{
	must(eccsi_verify(b->eccsi, b->kpak, id(), slice_of(b->message, MESSAGE),
			  slice_of(b->signature, ECCSI_SIGNATURE)) == 0,
	     "verifying");
}

static void product(struct bench *b)
{
	must(BN_mod_mul_montgomery(b->x, b->x, b->y, b->mont, b->ctx), "a product");
}

static void ecdsa_sign(struct bench *b)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	b->ecdsa_len = sizeof(b->ecdsa_signature);
	must(ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, b->ecdsa) == 1 &&
		     EVP_DigestSign(ctx, b->ecdsa_signature, &b->ecdsa_len, b->message, MESSAGE) ==
			     1,
	     "ECDSA signing");
	EVP_MD_CTX_free(ctx);
}

static void ecdsa_verify(struct bench *b)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	must(ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, b->ecdsa) == 1 &&
		     EVP_DigestVerify(ctx, b->ecdsa_signature, b->ecdsa_len, b->message, MESSAGE) ==
			     1,
	     "ECDSA verifying");
	EVP_MD_CTX_free(ctx);
}

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Median time of one call, in microseconds. */
static double measure(struct bench *b, void (*call)(struct bench *), unsigned times)
{
	double run[RUNS];

	for (size_t r = 0; r < RUNS; r++) {
		double start = cpu_us();

		for (unsigned i = 0; i < times; i++)
			call(b);
		run[r] = (cpu_us() - start) / times;
	}
	qsort(run, RUNS, sizeof(run[0]), by_value);
	return run[RUNS / 2];
}

static void print(const char *name, double us, double reference_us)
{
	printf("%s\t%.1f\tus\t%.3f\t%.2f\n", name, us, reference_us, us / reference_us);
}

int main(void)
{
	static struct bench b;
	double one;

	RAND_bytes(b.ssv, sizeof(b.ssv));
	RAND_bytes(b.message, sizeof(b.message));
	open_sakke(&b);
	open_eccsi(&b);
	open_references(&b);
	one = measure(&b, product, 20000);
	b.path = &b.best;
	print("keys.decapsulate", measure(&b, unseal, 40), one);
	print("keys.encapsulate", measure(&b, seal, 40), one);
	b.path = &b.portable;
	print("keys.decapsulate.portable", measure(&b, unseal, 40), one);
	print("keys.encapsulate.portable", measure(&b, seal, 40), one);
	one = measure(&b, ecdsa_sign, 1000);
	print("keys.sign", measure(&b, sign, 1000), one);
	one = measure(&b, ecdsa_verify, 500);
	print("keys.verify", measure(&b, verify, 500), one);
	return 0;
}
