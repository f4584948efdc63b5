#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "base/buf.h"
#include "keys/kdf.h"
#include "keys/secret.h"

/* HKDF of OpenSSL over a whole info: the oracle. */
static void oracle(int mode, struct slice salt, struct slice key, struct slice info, uint8_t *out,
		   size_t n)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)key.p,
						  key.n),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info.p,
						  info.n),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt.p,
						  salt.n),
		OSSL_PARAM_construct_end(),
	};

	assert_int_equal(EVP_KDF_derive(ctx, out, n, params), 1);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
}

/* RFC 5869 A.1 */
static void extract_gives_the_rfcs_example(void **state)
{
	static const uint8_t salt[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
	static const uint8_t want[] = { 0x07, 0x77, 0x09, 0x36, 0x2c, 0x2e, 0x32, 0xdf,
					0x0d, 0xdc, 0x3f, 0x0d, 0xc4, 0x7b, 0xba, 0x63,
					0x90, 0xb6, 0xc7, 0x3b, 0xb5, 0x0f, 0x9c, 0x31,
					0x22, 0xec, 0x84, 0x4a, 0xd7, 0xc2, 0xb3, 0xe5 };
	uint8_t ikm[22], prk[KDF_HASH];

	(void)state;
	memset(ikm, 0x0b, sizeof(ikm));
	assert_int_equal(kdf_extract(slice_of(salt, sizeof(salt)), slice_of(ikm, sizeof(ikm)), prk),
			 0);
	assert_memory_equal(prk, want, sizeof(want));
}

/* "HKDF(k, label, a, b) is Expand(Extract(empty salt, k), label 00 L(a) L(b))" */
static void hkdf_writes_its_info_as_the_protocol_says(void **state)
{
	static const uint8_t info[] = "umsg link\0\0\3one\0\5three\0\0\0\7";
	const struct kdf_part parts[] = { kdf_text("one"), kdf_text("three"), kdf_u32(7) };
	uint8_t got[100], want[100];

	(void)state;
	for (size_t n = 1; n <= sizeof(got); n += 33) {
		oracle(EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND, slice_str(""), slice_str("secret"),
		       slice_of(info, sizeof(info) - 1), want, n);
		assert_int_equal(kdf_hkdf(slice_str("secret"), "umsg link", parts, 3, got, n), 0);
		assert_memory_equal(got, want, n);
	}
}

static void a_label_alone_still_ends_in_its_zero(void **state)
{
	uint8_t got[32], want[32];

	(void)state;
	oracle(EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND, slice_str(""), slice_str("k"),
	       slice_of("letter enc", 11), want, 32);
	assert_int_equal(kdf_hkdf(slice_str("k"), "letter enc", NULL, 0, got, 32), 0);
	assert_memory_equal(got, want, 32);
}

static void expand_starts_from_a_given_prk(void **state)
{
	static const uint8_t info[] = "umsg signal\0\0\2id\1\0\0\0\0\0\0\0\t##";
	const struct kdf_part parts[] = { kdf_text("id"), kdf_u8(1), kdf_u64(9), kdf_raw("##", 2) };
	uint8_t prk[KDF_HASH], got[28], want[28];

	(void)state;
	memset(prk, 0x5a, sizeof(prk));
	oracle(EVP_KDF_HKDF_MODE_EXPAND_ONLY, slice_str(""), slice_of(prk, 32),
	       slice_of(info, sizeof(info) - 1), want, 28);
	assert_int_equal(kdf_expand(prk, "umsg signal", parts, 4, got, 28), 0);
	assert_memory_equal(got, want, 28);
}

static void what_does_not_fit_is_refused(void **state)
{
	static uint8_t out[9000], big[1100];
	const struct kdf_part part = kdf_octets(slice_of(big, 1020));
	const struct kdf_part more = kdf_octets(slice_of(big, 1021));
	uint8_t prk[KDF_HASH] = { 0 };

	(void)state;
	assert_int_equal(kdf_expand(prk, "x", &part, 1, out, 8160), 0);
	assert_int_equal(kdf_expand(prk, "x", &more, 1, out, 32), -EMSGSIZE);
	assert_int_equal(kdf_expand(prk, "x", NULL, 0, out, 8161), -EMSGSIZE);
}

static void secrets_are_copied_compared_and_wiped(void **state)
{
	struct secret a, b;
	uint8_t long_one[SECRET_MAX + 1] = { 1 };

	(void)state;
	assert_int_equal(secret_set(&a, slice_str("twelve")), 0);
	assert_int_equal(secret_set(&b, slice_str("twelvf")), 0);
	assert_false(secret_eq(secret_slice(&a), secret_slice(&b)));
	assert_true(secret_eq(secret_slice(&a), slice_str("twelve")));
	assert_false(secret_eq(secret_slice(&a), slice_str("twelve ")));
	assert_int_equal(secret_set(&b, slice_of(long_one, sizeof(long_one))), -EMSGSIZE);
	assert_int_equal(b.n, 0);
	secret_wipe(&a);
	for (size_t i = 0; i < sizeof(a); i++)
		assert_int_equal(((uint8_t *)&a)[i], 0);
	assert_int_equal(secret_random(&a, 32), 0);
	assert_int_equal(secret_random(&b, 32), 0);
	assert_false(secret_eq(secret_slice(&a), secret_slice(&b)));
	assert_int_equal(secret_random(&a, SECRET_MAX + 1), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(extract_gives_the_rfcs_example),
		cmocka_unit_test(hkdf_writes_its_info_as_the_protocol_says),
		cmocka_unit_test(a_label_alone_still_ends_in_its_zero),
		cmocka_unit_test(expand_starts_from_a_given_prk),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(secrets_are_copied_compared_and_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
