#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "keys/secret.h"
#include "keys/vault.h"

static void a_passphrase_opens_its_own_lock_only(void **state)
{
	uint8_t lock[VAULT_LOCK_SIZE], other[VAULT_LOCK_SIZE];
	struct vault vault, again;

	(void)state;
	assert_int_equal(vault_make(slice_str("correct horse"), lock, &vault), 0);
	assert_int_equal(vault_open(slice_str("correct horse"), lock, &again), 0);
	assert_memory_equal(vault.key, again.key, sizeof(vault.key));
	assert_int_equal(vault_open(slice_str("correct horsf"), lock, &again), -EACCES);
	assert_int_equal(vault_open(slice_str(""), lock, &again), -EACCES);
	assert_int_equal(vault_relock(&vault, slice_str("battery staple"), other), 0);
	assert_int_equal(vault_open(slice_str("battery staple"), other, &again), 0);
	assert_memory_equal(vault.key, again.key, sizeof(vault.key));
	lock[5] ^= 1; /* the salt */
	assert_int_equal(vault_open(slice_str("correct horse"), lock, &again), -EACCES);
	lock[0] = 2;
	assert_int_equal(vault_open(slice_str("correct horse"), lock, &again), -EPROTONOSUPPORT);
	lock[0] = 1;
	lock[1] = 40; /* nobody makes us use a terabyte */
	assert_int_equal(vault_open(slice_str("correct horse"), lock, &again), -EPROTONOSUPPORT);
}

static void a_passphrase_has_a_length(void **state)
{
	uint8_t lock[VAULT_LOCK_SIZE];
	char longest[VAULT_PASSPHRASE_MAX + 1];
	struct vault vault;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(vault_make(slice_str("1234567"), lock, &vault), -EINVAL);
	assert_int_equal(vault_make(slice_of(longest, sizeof(longest)), lock, &vault), -EINVAL);
}

static void a_sealed_secret_opens_in_its_own_place_only(void **state)
{
	struct vault vault = { .key = { 1 } }, other = { .key = { 2 } };
	uint8_t sealed[5 + BOX_OVERHEAD], plain[5];
	struct slice box = slice_of(sealed, sizeof(sealed));

	(void)state;
	assert_int_equal(vault_seal(&vault, "update key", "tel:+1", slice_str("hello"), sealed), 0);
	assert_int_equal(vault_unseal(&vault, "update key", "tel:+1", box, plain), 0);
	assert_memory_equal(plain, "hello", 5);
	assert_int_equal(vault_unseal(&vault, "update key", "tel:+2", box, plain), -EBADMSG);
	assert_int_equal(vault_unseal(&vault, "setting", "tel:+1", box, plain), -EBADMSG);
	assert_int_equal(vault_unseal(&other, "update key", "tel:+1", box, plain), -EBADMSG);
	for (size_t n = 0; n < box.n; n++)
		assert_int_equal(
			vault_unseal(&vault, "update key", "tel:+1", slice_of(sealed, n), plain),
			-EBADMSG);
	vault_wipe(&vault);
	assert_int_equal(vault.key[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_passphrase_opens_its_own_lock_only),
		cmocka_unit_test(a_passphrase_has_a_length),
		cmocka_unit_test(a_sealed_secret_opens_in_its_own_place_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
