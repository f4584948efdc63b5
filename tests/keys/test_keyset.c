#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "base/encode.h"
#include "keys/period.h"
#include "tests/keys/party.h"

static const char alice[] = "tel:+447700900123";
static const char channel[] = "urn:uuid:01234567-89ab-cdef-0123-456789abcdef";

static int set_up(void **state)
{
	static struct realm realm; /* one for all tests of this program */

	realm_open(&realm, "Example");
	*state = &realm;
	return 0;
}

static int tear_down(void **state)
{
	realm_close(*state);
	return 0;
}

static void a_master_is_written_and_read(void **state)
{
	struct realm *realm = *state;
	struct master *again;
	uint8_t octets[MASTER_OCTETS + 1];
	struct issued_keys a, b;

	master_write(realm->master, octets);
	assert_int_equal(master_read(realm->curves, slice_of(octets, MASTER_OCTETS), &again), 0);
	assert_memory_equal(master_kpak(again), master_kpak(realm->master), 65);
	assert_memory_equal(master_z(again), master_z(realm->master), 257);
	assert_int_equal(master_issue(realm->master, slice_str(alice), 500, &a), 0);
	assert_int_equal(master_issue(again, slice_str(alice), 500, &b), 0);
	assert_memory_equal(a.rsk, b.rsk, sizeof(a.rsk));
	assert_memory_not_equal(a.ssk, b.ssk, sizeof(a.ssk)); /* a fresh v each time */
	master_free(&again);
	assert_null(again);

	assert_int_equal(master_read(realm->curves, slice_of(octets, MASTER_OCTETS - 1), &again),
			 -EINVAL);
	assert_int_equal(master_read(realm->curves, slice_of(octets, MASTER_OCTETS + 1), &again),
			 -EINVAL);
	octets[0] = 2;
	assert_int_equal(master_read(realm->curves, slice_of(octets, MASTER_OCTETS), &again),
			 -EINVAL);
	octets[0] = 1;
	memset(octets + 33, 0, 128); /* z = 0 */
	assert_int_equal(master_read(realm->curves, slice_of(octets, MASTER_OCTETS), &again),
			 -EINVAL);
	memset(octets + 33, 0xff, 128);
	assert_int_equal(master_read(realm->curves, slice_of(octets, MASTER_OCTETS), &again),
			 -EINVAL);
}

static void keys_are_issued_to_identities_only(void **state)
{
	struct realm *realm = *state;
	struct issued_keys keys;

	assert_int_equal(master_issue(realm->master, slice_str("tel:123"), 500, &keys), -EINVAL);
	assert_int_equal(master_issue(realm->master, slice_str(alice), -1, &keys), -EINVAL);
	assert_int_equal(master_issue(realm->master, slice_str(channel), 500, &keys), 0);
	assert_false(keys.can_sign);
}

static void issued_keys_travel_in_a_compact_form(void **state)
{
	struct realm *realm = *state;
	uint8_t packed[ISSUED_PACKED];
	struct issued_keys keys, again;
	size_t len;

	assert_int_equal(master_issue(realm->master, slice_str(alice), 500, &keys), 0);
	assert_int_equal(issued_pack(&keys, packed, &len), 0);
	assert_int_equal(len, 194);
	assert_int_equal(issued_unpack(realm->curves, slice_of(packed, len), &again), 0);
	assert_memory_equal(&again, &keys, sizeof(keys));
	for (size_t n = 0; n < len; n++)
		if (n != ISSUED_PACKED_RECEIVER)
			assert_int_equal(issued_unpack(realm->curves, slice_of(packed, n), &again),
					 -EINVAL);
	memset(packed + 65, 0xff, 128);
	assert_int_equal(issued_unpack(realm->curves, slice_of(packed, len), &again), -EINVAL);

	assert_int_equal(master_issue(realm->master, slice_str(channel), 500, &keys), 0);
	assert_int_equal(issued_pack(&keys, packed, &len), 0);
	assert_int_equal(len, 129);
	assert_int_equal(issued_unpack(realm->curves, slice_of(packed, len), &again), 0);
	assert_memory_equal(&again, &keys, sizeof(keys));
	keys.rsk[0] = 0;
	assert_int_equal(issued_pack(&keys, packed, &len), -EINVAL);
}

static void a_keyset_keeps_periods_until_they_are_dropped(void **state)
{
	struct realm *realm = *state;
	struct keyset *keyset = realm_enrol(realm, alice, 500, 3);
	struct period_keys *held;

	assert_string_equal(keyset_uri(keyset), alice);
	assert_ptr_equal(keyset_domain(keyset), realm->domain);
	assert_int_equal(keyset_newest(keyset), 502);
	assert_true(keyset_has(keyset, 500));
	assert_false(keyset_has(keyset, 503));
	assert_null(keyset_hold(keyset, 503));
	held = keyset_hold(keyset, 500);
	assert_non_null(held);
	keyset_drop_before(keyset, 502);
	assert_false(keyset_has(keyset, 501));
	assert_true(keyset_has(keyset, 502));
	assert_int_equal(period_keys_period(held), 500); /* it lives on while it is held */
	assert_true(period_keys_can_sign(held));
	keyset_free(&keyset);
	assert_null(keyset);
	assert_string_equal(period_keys_uri(held), alice);
	period_keys_release(&held);
	assert_null(held);
}

static void keys_of_somebody_else_or_another_month_are_rejected(void **state)
{
	struct realm *realm = *state;
	struct keyset *keyset = realm_enrol(realm, alice, 500, 1);
	struct realm other;
	struct issued_keys keys, mixed;

	realm_open(&other, "Other");
	assert_int_equal(master_issue(realm->master, slice_str(alice), 501, &keys), 0);
	assert_int_equal(keyset_add(keyset, 502, &keys), -EKEYREJECTED);
	assert_int_equal(master_issue(realm->master, slice_str("tel:+447700900124"), 501, &mixed),
			 0);
	assert_int_equal(keyset_add(keyset, 501, &mixed), -EKEYREJECTED);
	memcpy(mixed.ssk, keys.ssk, sizeof(keys.ssk)); /* alice's signing key, another's RSK */
	memcpy(mixed.pvt, keys.pvt, sizeof(keys.pvt));
	assert_int_equal(keyset_add(keyset, 501, &mixed), -EKEYREJECTED);
	assert_int_equal(master_issue(other.master, slice_str(alice), 501, &mixed), 0);
	assert_int_equal(keyset_add(keyset, 501, &mixed), -EKEYREJECTED);
	assert_false(keyset_has(keyset, 501));
	assert_int_equal(keyset_add(keyset, 501, &keys), 0);
	assert_int_equal(keyset_add(keyset, 501, &keys), 0); /* replaced */
	keyset_drop_before(keyset, 501);
	assert_true(keyset_has(keyset, 501));
	keyset_drop_before(keyset, 502);
	assert_int_equal(keyset_newest(keyset), -1);
	keyset_free(&keyset);
	realm_close(&other);
}

static void a_channels_keys_only_receive(void **state)
{
	struct realm *realm = *state;
	struct keyset *keyset = realm_enrol(realm, channel, 500, 1);
	struct period_keys *held = keyset_hold(keyset, 500);

	assert_false(period_keys_can_sign(held));
	period_keys_release(&held);
	keyset_free(&keyset);
	assert_int_equal(keyset_new(realm->domain, slice_str("tel:123"), &keyset), -EINVAL);
}

static void a_domain_is_known_by_the_hash_of_its_keys(void **state)
{
	struct realm *realm = *state;
	uint8_t kpak[33], z[129];
	struct domain *again;
	char text[HEX_TEXT_SIZE(DOMAIN_ID)];

	domain_pack(realm->domain, kpak, z);
	assert_int_equal(
		domain_new(realm->curves, "Again", slice_of(kpak, 33), slice_of(z, 129), &again),
		0);
	assert_memory_equal(domain_id(again), domain_id(realm->domain), DOMAIN_ID);
	assert_memory_equal(domain_z(again), domain_z(realm->domain), Z_OCTETS);
	assert_memory_equal(domain_kpak(again), domain_kpak(realm->domain), KPAK_OCTETS);
	hex_encode(slice_of(domain_id(again), DOMAIN_ID), text);
	assert_string_equal(domain_id_text(again), text);
	assert_memory_equal(domain_kms_uri(again), "urn:x-umsg:domain:", 18);
	assert_string_equal(domain_kms_uri(again) + 18, text);
	assert_int_equal(domain_id_scheme(again), 1);
	assert_int_equal(domain_period(again, 0), 0);
	assert_int_equal(domain_period_start(again, 1), 31 * 86400);
	assert_string_equal(domain_name(again), "Again");
	domain_free(&again);
	assert_null(again);
}

static void a_domains_keys_must_be_points(void **state)
{
	struct realm *realm = *state;
	const uint8_t *kpak = domain_kpak(realm->domain), *z = domain_z(realm->domain);
	uint8_t bad[Z_OCTETS];
	struct domain *domain = NULL;

	memcpy(bad, kpak, KPAK_OCTETS);
	bad[64] ^= 1;
	assert_int_equal(domain_new(realm->curves, "x", slice_of(bad, KPAK_OCTETS),
				    slice_of(z, Z_OCTETS), &domain),
			 -EINVAL);
	memcpy(bad, z, Z_OCTETS);
	bad[256] ^= 1;
	assert_int_equal(domain_new(realm->curves, "x", slice_of(kpak, KPAK_OCTETS),
				    slice_of(bad, Z_OCTETS), &domain),
			 -EINVAL);
	assert_int_equal(domain_new(realm->curves, "", slice_of(kpak, KPAK_OCTETS),
				    slice_of(z, Z_OCTETS), &domain),
			 -EINVAL);
	assert_null(domain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_master_is_written_and_read),
		cmocka_unit_test(keys_are_issued_to_identities_only),
		cmocka_unit_test(issued_keys_travel_in_a_compact_form),
		cmocka_unit_test(a_keyset_keeps_periods_until_they_are_dropped),
		cmocka_unit_test(keys_of_somebody_else_or_another_month_are_rejected),
		cmocka_unit_test(a_channels_keys_only_receive),
		cmocka_unit_test(a_domain_is_known_by_the_hash_of_its_keys),
		cmocka_unit_test(a_domains_keys_must_be_points),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
