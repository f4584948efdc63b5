#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "base/encode.h"
#include "keys/eccsi.h"
#include "tests/keys/vectors.h"

struct world {
	struct vectors *rfc;
	struct eccsi *eccsi;
	uint8_t ksak[32], v[32], j[32];
	const uint8_t *kpak;
	struct slice id, message, signature;
	struct eccsi_signer signer;
};

/* The RFC prints some secrets short. */
static void widen(struct slice in, uint8_t out[32])
{
	memset(out, 0, 32);
	memcpy(out + 32 - in.n, in.p, in.n);
}

static int set_up(void **state)
{
	static struct world w; /* one for all tests of this program */

	w.rfc = vectors_open("rfc6507-eccsi.txt");
	w.eccsi = eccsi_new();
	assert_non_null(w.eccsi);
	widen(vector(w.rfc, "KSAK"), w.ksak);
	widen(vector(w.rfc, "v"), w.v);
	widen(vector(w.rfc, "j"), w.j);
	w.kpak = vector(w.rfc, "KPAK").p;
	w.id = vector(w.rfc, "ID");
	w.message = vector(w.rfc, "M");
	w.signature = vector(w.rfc, "Sig");
	assert_int_equal(eccsi_signer_init(w.eccsi, w.kpak, w.id, vector(w.rfc, "SSK").p,
					   vector(w.rfc, "PVT").p, &w.signer),
			 0);
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	eccsi_free(&w->eccsi);
	assert_null(w->eccsi);
	vectors_close(&w->rfc);
	return 0;
}

static void the_rfcs_keys_come_out(void **state)
{
	struct world *w = *state;
	uint8_t kpak[ECCSI_POINT], ssk[ECCSI_SECRET], pvt[ECCSI_POINT];

	assert_int_equal(eccsi_public(w->eccsi, w->ksak, kpak), 0);
	assert_memory_equal(kpak, w->kpak, ECCSI_POINT);
	assert_int_equal(eccsi_issue(w->eccsi, w->ksak, w->id, w->v, ssk, pvt), 0);
	assert_memory_equal(ssk, vector(w->rfc, "SSK").p, ECCSI_SECRET);
	assert_memory_equal(pvt, vector(w->rfc, "PVT").p, ECCSI_POINT);
	assert_memory_equal(w->signer.hs, vector(w->rfc, "HS").p, ECCSI_HASH);
}

static void the_rfcs_signature_comes_out_and_verifies(void **state)
{
	struct world *w = *state;
	uint8_t signature[ECCSI_SIGNATURE];

	assert_int_equal(eccsi_sign(w->eccsi, &w->signer, w->message, w->j, signature), 0);
	assert_memory_equal(signature, w->signature.p, ECCSI_SIGNATURE);
	assert_int_equal(eccsi_verify(w->eccsi, w->kpak, w->id, w->message, w->signature), 0);
}

static void new_keys_sign_and_verify(void **state)
{
	struct world *w = *state;
	uint8_t ksak[32], kpak[65], ssk[32], pvt[65], a[129], b[129];
	struct eccsi_signer signer;
	struct slice id = slice_str("someone"), text = slice_str("text");

	assert_int_equal(eccsi_generate(w->eccsi, ksak, kpak), 0);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(eccsi_issue(w->eccsi, ksak, id, NULL, ssk, pvt), 0);
		assert_int_equal(eccsi_signer_init(w->eccsi, kpak, id, ssk, pvt, &signer), 0);
		assert_int_equal(eccsi_sign(w->eccsi, &signer, text, NULL, a), 0);
		assert_int_equal(eccsi_sign(w->eccsi, &signer, text, NULL, b), 0);
		assert_memory_not_equal(a, b, 32); /* a fresh j each time */
		assert_int_equal(eccsi_verify(w->eccsi, kpak, id, text, slice_of(a, 129)), 0);
		assert_int_equal(eccsi_verify(w->eccsi, kpak, id, text, slice_of(b, 129)), 0);
		assert_int_equal(eccsi_verify(w->eccsi, w->kpak, id, text, slice_of(a, 129)),
				 -EBADMSG);
	}
}

static void another_text_identity_or_signature_fails(void **state)
{
	struct world *w = *state;
	uint8_t changed[ECCSI_SIGNATURE + 1] = { 0 };

	assert_int_equal(eccsi_verify(w->eccsi, w->kpak, w->id, slice_str("message"), w->signature),
			 -EBADMSG);
	assert_int_equal(
		eccsi_verify(w->eccsi, w->kpak, slice_str("other"), w->message, w->signature),
		-EBADMSG);
	memcpy(changed, w->signature.p, ECCSI_SIGNATURE);
	for (size_t i = 0; i < ECCSI_SIGNATURE; i++) {
		changed[i] ^= 2;
		assert_int_equal(eccsi_verify(w->eccsi, w->kpak, w->id, w->message,
					      slice_of(changed, ECCSI_SIGNATURE)),
				 -EBADMSG);
		changed[i] ^= 2;
	}
	for (size_t n = 0; n <= sizeof(changed); n++)
		assert_int_equal(
			eccsi_verify(w->eccsi, w->kpak, w->id, w->message, slice_of(changed, n)),
			n == ECCSI_SIGNATURE ? 0 : -EBADMSG);
}

/* r and s outside their ranges, in hexadecimal. */
static void numbers_out_of_range_fail(void **state)
{
	static const char zero[] =
		"0000000000000000000000000000000000000000000000000000000000000000";
	static const char p[] = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
	static const char order[] =
		"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
	static const char all[] =
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
	static const struct {
		size_t at;
		const char *value;
	} cases[] = { { 0, zero }, { 0, p }, { 0, all }, { 32, zero }, { 32, order }, { 32, all } };
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t changed[ECCSI_SIGNATURE];
		size_t n;

		memcpy(changed, w->signature.p, sizeof(changed));
		hex_decode(slice_str(cases[i].value), changed + cases[i].at, 32, &n);
		assert_int_equal(eccsi_verify(w->eccsi, w->kpak, w->id, w->message,
					      slice_of(changed, sizeof(changed))),
				 -EBADMSG);
	}
}

static void a_signing_key_must_be_the_identitys(void **state)
{
	struct world *w = *state;
	struct eccsi_signer signer;
	uint8_t ssk[32], pvt[65];

	memcpy(ssk, w->signer.ssk, sizeof(ssk));
	memcpy(pvt, w->signer.pvt, sizeof(pvt));
	assert_int_equal(
		eccsi_signer_init(w->eccsi, w->kpak, slice_str("other"), ssk, pvt, &signer),
		-EKEYREJECTED);
	ssk[31] ^= 1;
	assert_int_equal(eccsi_signer_init(w->eccsi, w->kpak, w->id, ssk, pvt, &signer),
			 -EKEYREJECTED);
	ssk[31] ^= 1;
	pvt[64] ^= 1; /* off the curve */
	assert_int_equal(eccsi_signer_init(w->eccsi, w->kpak, w->id, ssk, pvt, &signer),
			 -EKEYREJECTED);
	pvt[64] ^= 1;
	memset(ssk, 0, sizeof(ssk));
	assert_int_equal(eccsi_signer_init(w->eccsi, w->kpak, w->id, ssk, pvt, &signer),
			 -EKEYREJECTED);
	memset(ssk, 0xff, sizeof(ssk));
	assert_int_equal(eccsi_signer_init(w->eccsi, w->kpak, w->id, ssk, pvt, &signer),
			 -EKEYREJECTED);
}

static void points_are_read_in_two_forms_only(void **state)
{
	struct world *w = *state;
	uint8_t small[ECCSI_COMPRESSED], out[ECCSI_POINT], point[ECCSI_POINT];

	small[0] = 2 | (w->kpak[64] & 1);
	memcpy(small + 1, w->kpak + 1, 32);
	assert_int_equal(eccsi_point_read(w->eccsi, slice_of(small, 33), out), 0);
	assert_memory_equal(out, w->kpak, ECCSI_POINT);
	assert_int_equal(eccsi_point_read(w->eccsi, slice_of(small, 32), out), -EINVAL);
	small[0] = 4;
	assert_int_equal(eccsi_point_read(w->eccsi, slice_of(small, 33), out), -EINVAL);
	memset(small, 0xff, sizeof(small));
	small[0] = 2;
	assert_int_equal(eccsi_point_read(w->eccsi, slice_of(small, 33), out), -EINVAL);
	memcpy(point, w->kpak, sizeof(point));
	point[0] = 6; /* the hybrid form */
	assert_int_equal(eccsi_point_read(w->eccsi, slice_of(point, 65), out), -EINVAL);
	point[0] = 0;
	assert_int_equal(eccsi_point_read(w->eccsi, slice_of(point, 1), out), -EINVAL);
	assert_int_equal(eccsi_point_read(w->eccsi, slice_of(NULL, 0), out), -EINVAL);
}

static void a_ksak_has_a_range(void **state)
{
	struct world *w = *state;
	uint8_t ksak[32] = { 0 }, kpak[65];

	assert_int_equal(eccsi_public(w->eccsi, ksak, kpak), -EINVAL);
	memset(ksak, 0xff, sizeof(ksak));
	assert_int_equal(eccsi_public(w->eccsi, ksak, kpak), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rfcs_keys_come_out),
		cmocka_unit_test(the_rfcs_signature_comes_out_and_verifies),
		cmocka_unit_test(new_keys_sign_and_verify),
		cmocka_unit_test(another_text_identity_or_signature_fails),
		cmocka_unit_test(numbers_out_of_range_fail),
		cmocka_unit_test(a_signing_key_must_be_the_identitys),
		cmocka_unit_test(points_are_read_in_two_forms_only),
		cmocka_unit_test(a_ksak_has_a_range),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
