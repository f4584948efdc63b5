#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "keys/curve.h"
#include "keys/sakke.h"
#include "tests/keys/vectors.h"

/* The RFC's key management server and receiver. */
struct world {
	struct vectors *rfc, *edge;
	struct sakke *sakke;
	struct sakke_kms *kms;
	struct sakke_receiver *receiver;
	struct slice id;
};

static int set_up(void **state, enum fp_path path)
{
	static struct world w; /* one for all tests of a path */

	w.rfc = vectors_open("rfc6508-sakke.txt");
	w.edge = vectors_open("sakke-edge.txt");
	w.id = vector(w.rfc, "b");
	w.sakke = sakke_new_for(path);
	assert_non_null(w.sakke);
	assert_int_equal(sakke_kms_new(w.sakke, vector(w.rfc, "Z"), &w.kms), 0);
	assert_int_equal(sakke_receiver_new(w.kms, w.id, vector(w.rfc, "Kb"), &w.receiver), 0);
	*state = &w;
	return 0;
}

static int set_up_narrow(void **state)
{
	return set_up(state, FP_NARROW);
}

static int set_up_wide(void **state)
{
	return set_up(state, FP_WIDE);
}

static int tear_down(void **state)
{
	struct world *w = *state;

	sakke_receiver_free(&w->receiver);
	assert_null(w->receiver);
	sakke_kms_free(&w->kms);
	sakke_free(&w->sakke);
	assert_null(w->sakke);
	vectors_close(&w->rfc);
	vectors_close(&w->edge);
	return 0;
}

static void seals_and_opens_the_rfcs_example(void **state)
{
	struct world *w = *state;
	struct slice want = vector(w->rfc, "EncapsulatedData");
	uint8_t sealed[SAKKE_SEALED], ssv[SAKKE_SSV];

	assert_int_equal(sakke_seal(w->kms, w->id, vector(w->rfc, "SSV").p, sealed, NULL), 0);
	assert_int_equal(want.n, SAKKE_SEALED);
	assert_memory_equal(sealed, want.p, want.n);
	assert_int_equal(sakke_open(w->receiver, want, ssv), 0);
	assert_memory_equal(ssv, vector(w->rfc, "SSV").p, SAKKE_SSV);
}

static void seals_and_opens_at_the_edges(void **state)
{
	static const struct {
		const char *name;
		struct sakke_zeros zeros;
	} cases[] = {
		{ "gr_lead0", { true, false } },   { "h_lead0", { false, true } },
		{ "plain", { false, false } },     { "ssv_zero", { false, false } },
		{ "ssv_lead0", { false, false } }, { "ssv_ff", { false, false } },
	};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t sealed[SAKKE_SEALED], opened[SAKKE_SSV];
		struct sakke_zeros zeros;
		char name[64];
		struct slice ssv, want;

		snprintf(name, sizeof(name), "%s_SSV", cases[i].name);
		ssv = vector(w->edge, name);
		snprintf(name, sizeof(name), "%s_EncapsulatedData", cases[i].name);
		want = vector(w->edge, name);
		assert_int_equal(sakke_seal(w->kms, w->id, ssv.p, sealed, &zeros), 0);
		assert_memory_equal(sealed, want.p, want.n);
		assert_int_equal(zeros.of_value, cases[i].zeros.of_value);
		assert_int_equal(zeros.of_hidden, cases[i].zeros.of_hidden);
		assert_int_equal(sakke_open(w->receiver, want, opened), 0);
		assert_memory_equal(opened, ssv.p, SAKKE_SSV);
	}
}

/* As Streamwide's library and jim-b seal: g^r and H are numbers to them. */
static void opens_what_senders_made_that_drop_leading_zeros(void **state)
{
	static const uint8_t nothing[SAKKE_SSV];
	struct world *w = *state;
	struct slice ssv = vector(w->edge, "gr_lead0_SSV"), gr = vector(w->edge, "gr_lead0_g_r");
	struct slice h = vector(w->edge, "h_lead0_EncapsulatedData");
	uint8_t sealed[SAKKE_SEALED], opened[SAKKE_SSV], hash[SAKKE_SSV];

	/* w without its zero octet was hashed */
	memcpy(sealed, vector(w->edge, "gr_lead0_EncapsulatedData").p, sizeof(sealed));
	assert_int_equal(gr.p[0], 0);
	scalar_hash128(hash, slice_of(gr.p + 1, gr.n - 1));
	for (size_t i = 0; i < SAKKE_SSV; i++)
		sealed[SAKKE_POINT + i] = ssv.p[i] ^ hash[i];
	assert_int_equal(sakke_open(w->receiver, slice_of(sealed, sizeof(sealed)), opened), 0);
	assert_memory_equal(opened, ssv.p, SAKKE_SSV);
	sealed[SAKKE_POINT] ^= 1;
	assert_int_equal(sakke_open(w->receiver, slice_of(sealed, sizeof(sealed)), opened),
			 -EBADMSG);
	assert_memory_equal(opened, nothing, SAKKE_SSV);

	/* H without its zero octet was sent */
	memcpy(sealed, h.p, SAKKE_POINT);
	assert_int_equal(h.p[SAKKE_POINT], 0);
	memcpy(sealed + SAKKE_POINT, h.p + SAKKE_POINT + 1, SAKKE_SSV - 1);
	assert_int_equal(sakke_open(w->receiver, slice_of(sealed, sizeof(sealed) - 1), opened), 0);
	assert_memory_equal(opened, vector(w->edge, "h_lead0_SSV").p, SAKKE_SSV);
}

static void hashes_into_the_range_as_the_rfc_does(void **state)
{
	struct world *w = *state;
	struct scalar r;
	uint8_t octets[SCALAR_OCTETS], mask[16];

	assert_int_equal(scalar_hash(&r, vector(w->rfc, "SSV"), w->id), 0);
	scalar_write(&r, octets);
	assert_memory_equal(octets, vector(w->rfc, "v_mod_q").p, SCALAR_OCTETS);
	scalar_hash128(mask, vector(w->rfc, "g_r"));
	assert_memory_equal(mask, vector(w->rfc, "mask").p, 16);
}

static void read_z(struct world *w, struct scalar *z)
{
	uint8_t octets[SCALAR_OCTETS] = { 0 };
	struct slice v = vector(w->rfc, "z");

	memcpy(octets + sizeof(octets) - v.n, v.p, v.n);
	assert_int_equal(scalar_read(z, octets), 0);
}

static void issues_the_rfcs_keys(void **state)
{
	struct world *w = *state;
	uint8_t point[SAKKE_POINT];
	struct scalar z;

	read_z(w, &z);
	assert_int_equal(sakke_public(w->sakke, &z, point), 0);
	assert_memory_equal(point, vector(w->rfc, "Z").p, SAKKE_POINT);
	assert_int_equal(sakke_issue(w->sakke, &z, w->id, point), 0);
	assert_memory_equal(point, vector(w->rfc, "Kb").p, SAKKE_POINT);
}

/* Another identity's key, another KMS's, and points that are no key at all. */
static void a_receiver_key_must_be_the_identitys(void **state)
{
	struct world *w = *state;
	struct sakke_receiver *receiver = NULL;
	uint8_t key[SAKKE_POINT];
	struct scalar z;

	assert_int_equal(
		sakke_receiver_new(w->kms, slice_str("other"), vector(w->rfc, "Kb"), &receiver),
		-EKEYREJECTED);
	assert_int_equal(scalar_random(&z), 0);
	assert_int_equal(sakke_issue(w->sakke, &z, w->id, key), 0);
	assert_int_equal(sakke_receiver_new(w->kms, w->id, slice_of(key, sizeof(key)), &receiver),
			 -EKEYREJECTED);
	assert_int_equal(sakke_receiver_new(w->kms, w->id, vector(w->rfc, "Z"), &receiver),
			 -EKEYREJECTED);
	memcpy(key, vector(w->rfc, "Kb").p, sizeof(key));
	key[256] ^= 1;
	assert_int_equal(sakke_receiver_new(w->kms, w->id, slice_of(key, sizeof(key)), &receiver),
			 -EINVAL);
	assert_null(receiver);
}

/* Every octet flipped in turn (a sample of them), and each length one short or long. */
static void what_was_changed_does_not_open(void **state)
{
	struct world *w = *state;
	struct slice good = vector(w->rfc, "EncapsulatedData");
	uint8_t sealed[SAKKE_SEALED + 1] = { 0 }, ssv[SAKKE_SSV];
	static const uint8_t zeros[SAKKE_SSV];

	memcpy(sealed, good.p, good.n);
	for (size_t i = 0; i < SAKKE_SEALED; i += i < 256 ? 31 : 1) {
		sealed[i] ^= 0x40;
		memset(ssv, 1, sizeof(ssv));
		assert_int_equal(sakke_open(w->receiver, slice_of(sealed, SAKKE_SEALED), ssv),
				 -EBADMSG);
		assert_memory_equal(ssv, zeros, sizeof(ssv));
		sealed[i] ^= 0x40;
	}
	for (size_t n = 0; n < SAKKE_SEALED; n++)
		assert_int_equal(sakke_open(w->receiver, slice_of(sealed, n), ssv), -EBADMSG);
	assert_int_equal(sakke_open(w->receiver, slice_of(sealed, sizeof(sealed)), ssv), -EBADMSG);
}

/* R plus a point of order 2, (0, 0): the pairing does not see it, TEST does. */
static void a_part_of_small_order_does_not_open(void **state)
{
	struct world *w = *state;
	struct slice good = vector(w->rfc, "EncapsulatedData");
	struct curve_point r, sum;
	struct curve_jacobian j;
	struct fp inverse;
	uint8_t sealed[SAKKE_SEALED], ssv[SAKKE_SSV];
	struct curve_point of_order_2 = { { { 0 } }, { { 0 } } };

	assert_int_equal(curve_read(&r, slice_of(good.p, SAKKE_POINT)), 0);
	curve_to_jacobian(&j, &r);
	curve_add(&j, &j, &of_order_2);
	assert_int_equal(fp_inverse(&inverse, &j.z), 0);
	curve_scale(&sum, &j, &inverse);
	assert_true(curve_is_on(&sum));
	memcpy(sealed, good.p, sizeof(sealed));
	curve_write(&sum, sealed);
	assert_int_equal(sakke_open(w->receiver, slice_of(sealed, sizeof(sealed)), ssv), -EBADMSG);
}

static void a_z_that_is_no_point_of_order_q_is_refused(void **state)
{
	struct world *w = *state;
	struct slice z = vector(w->rfc, "Z");
	uint8_t octets[SAKKE_POINT];
	struct sakke_kms *kms = NULL;
	struct curve_point p, of_order_2 = { { { 0 } }, { { 0 } } };
	struct curve_jacobian j;
	struct fp inverse;

	memset(octets, 0, sizeof(octets));
	octets[0] = 4; /* (0, 0) */
	assert_int_equal(sakke_kms_new(w->sakke, slice_of(octets, sizeof(octets)), &kms), -EINVAL);
	memset(octets + 1, 0xff, sizeof(octets) - 1); /* not below p */
	assert_int_equal(sakke_kms_new(w->sakke, slice_of(octets, sizeof(octets)), &kms), -EINVAL);
	memcpy(octets, z.p, z.n);
	octets[0] = 0; /* infinity's octet in other encodings */
	assert_int_equal(sakke_kms_new(w->sakke, slice_of(octets, sizeof(octets)), &kms), -EINVAL);
	assert_int_equal(sakke_kms_new(w->sakke, slice_of(z.p, 1), &kms), -EINVAL);
	assert_int_equal(sakke_kms_new(w->sakke, slice_of(NULL, 0), &kms), -EINVAL);

	assert_int_equal(curve_read(&p, z), 0); /* Z + (0, 0) is of order 2 q */
	curve_to_jacobian(&j, &p);
	curve_add(&j, &j, &of_order_2);
	assert_int_equal(fp_inverse(&inverse, &j.z), 0);
	curve_scale(&p, &j, &inverse);
	curve_write(&p, octets);
	assert_int_equal(sakke_kms_new(w->sakke, slice_of(octets, sizeof(octets)), &kms), -EINVAL);
	assert_null(kms);
}

static void points_travel_compressed(void **state)
{
	static const char *const names[] = { "Z", "Kb", "Rb" };
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(names); i++) {
		struct slice full = vector(w->rfc, names[i]);
		uint8_t small[CURVE_COMPRESSED], again[CURVE_OCTETS];
		struct curve_point p;

		assert_int_equal(curve_read(&p, full), 0);
		curve_write_compressed(&p, small);
		assert_int_equal(curve_read(&p, slice_of(small, sizeof(small))), 0);
		curve_write(&p, again);
		assert_memory_equal(again, full.p, full.n);
		small[0] ^= 1; /* the opposite point */
		assert_int_equal(curve_read(&p, slice_of(small, sizeof(small))), 0);
		curve_write(&p, again);
		assert_memory_not_equal(again, full.p, full.n);
		small[0] = 4;
		assert_int_equal(curve_read(&p, slice_of(small, sizeof(small))), -EINVAL);
		small[0] = 2;
		assert_int_equal(curve_read(&p, slice_of(small, sizeof(small) - 1)), -EINVAL);
	}
}

static void identifiers_have_a_bound(void **state)
{
	static const uint8_t long_id[121];
	struct world *w = *state;
	struct sakke_receiver *receiver;
	uint8_t sealed[SAKKE_SEALED];

	assert_int_equal(sakke_seal(w->kms, slice_of(long_id, 121), long_id, sealed, NULL),
			 -EINVAL);
	assert_int_equal(
		sakke_receiver_new(w->kms, slice_of(long_id, 121), vector(w->rfc, "Kb"), &receiver),
		-EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seals_and_opens_the_rfcs_example),
		cmocka_unit_test(seals_and_opens_at_the_edges),
		cmocka_unit_test(opens_what_senders_made_that_drop_leading_zeros),
		cmocka_unit_test(hashes_into_the_range_as_the_rfc_does),
		cmocka_unit_test(issues_the_rfcs_keys),
		cmocka_unit_test(a_receiver_key_must_be_the_identitys),
		cmocka_unit_test(what_was_changed_does_not_open),
		cmocka_unit_test(a_part_of_small_order_does_not_open),
		cmocka_unit_test(a_z_that_is_no_point_of_order_q_is_refused),
		cmocka_unit_test(points_travel_compressed),
		cmocka_unit_test(identifiers_have_a_bound),
	};

	int failed = cmocka_run_group_tests_name("one element at a time", tests, set_up_narrow,
						 tear_down);

	if (fp_best_path() == FP_WIDE)
		failed += cmocka_run_group_tests_name("eight at a time", tests, set_up_wide,
						      tear_down);
	return failed;
}
