/* constant_time.c - seals, opens and issues with secrets that valgrind takes for memory
 * without a value: it then complains of every branch and every address that depends on
 * one.  test_constant_time builds and runs it; valgrind.supp says what is allowed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/memcheck.h>

#include "keys/comb.h"
#include "keys/pairing.h"
#include "keys/sakke.h"

static const char identifier[] = "2026-11\0tel:+447700900123";

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "constant_time: %s failed\n", what);
	exit(1);
}

static void hide(void *p, size_t n)
{
	(void)VALGRIND_MAKE_MEM_UNDEFINED(p, n);
}

static void show(void *p, size_t n)
{
	(void)VALGRIND_MAKE_MEM_DEFINED(p, n);
}

/* Multiples of a known point and powers of a known value by hidden scalars. */
static void use_combs(void)
{
	struct curve_point p;
	struct curve_jacobian product;
	struct fp2 value;
	struct scalar k;
	struct comb *comb = NULL;
	struct comb_power *power = NULL;

	curve_generator(&p);
	must(comb_new(&p, FP_NARROW, &comb) == 0 && comb_power_new(&p.x, FP_NARROW, &power) == 0 &&
		     scalar_random(&k) == 0,
	     "combs");
	hide(&k, sizeof(k));
	comb_mul(comb, &k, &product);
	comb_power(power, &k, &value);
	comb_free(&comb);
	comb_power_free(&power);
}

/* A whole message: who knows the SSV, or a receiver's key, is not told by time. */
static void use_sakke(void)
{
	struct slice id = slice_of(identifier, sizeof(identifier));
	struct sakke *sakke = sakke_new_for(FP_NARROW);
	struct sakke_kms *kms = NULL;
	struct sakke_receiver *receiver = NULL;
	uint8_t z_public[SAKKE_POINT], rsk[SAKKE_POINT], sealed[SAKKE_SEALED];
	uint8_t ssv[SAKKE_SSV] = { 1, 2, 3 }, opened[SAKKE_SSV];
	struct scalar z;

	must(sakke && scalar_random(&z) == 0, "SAKKE");
	hide(&z, sizeof(z));
	must(sakke_public(sakke, &z, z_public) == 0 && sakke_issue(sakke, &z, id, rsk) == 0,
	     "issuing");
	show(z_public, sizeof(z_public));
	show(rsk, sizeof(rsk)); /* a receiver reads it once, at its start */
	must(sakke_kms_new(sakke, slice_of(z_public, SAKKE_POINT), &kms) == 0 &&
		     sakke_receiver_new(kms, id, slice_of(rsk, SAKKE_POINT), &receiver) == 0,
	     "keys");
	hide(ssv, sizeof(ssv));
	must(sakke_seal(kms, id, ssv, sealed, NULL) == 0, "sealing");
	show(sealed, sizeof(sealed));
	must(sakke_open(receiver, slice_of(sealed, SAKKE_SEALED), opened) == 0, "opening");
	show(opened, sizeof(opened));
	show(ssv, sizeof(ssv));
	must(memcmp(opened, ssv, sizeof(ssv)) == 0, "the same secret");
	sakke_receiver_free(&receiver);
	sakke_kms_free(&kms);
	sakke_free(&sakke);
}

/* A table index from a hidden digit: valgrind has to find that. */
static void leak(void)
{
	static const volatile int table[256] = { 1 };
	volatile int taken;
	uint8_t secret = 3;

	hide(&secret, sizeof(secret));
	taken = table[secret];
	(void)taken;
}

int main(int argc, char *argv[])
{
	if (argc > 1 && strcmp(argv[1], "leak") == 0) {
		leak();
		return 0;
	}
	use_combs();
	use_sakke();
	return 0;
}
