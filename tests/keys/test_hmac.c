#include "tests/unit.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/encode.h"
#include "keys/hmac.h"

/* RFC 4231 4.3: a key that is shorter than the result. */
static void sha256_gives_the_rfcs_example(void **state)
{
	uint8_t got[HMAC_SIZE_MAX];
	char text[HEX_TEXT_SIZE(sizeof(got))];

	(void)state;
	assert_int_equal(hmac_size(HMAC_HASH_SHA256), 32);
	assert_int_equal(hmac(HMAC_HASH_SHA256, slice_str("Jefe"),
			      slice_str("what do ya want for nothing?"), got),
			 0);
	hex_encode(slice_of(got, sizeof(got)), text);
	assert_string_equal(text,
			    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* The library's own HMAC is the oracle: keys around the length of a block, which are taken as
 * they are up to it and hashed beyond, and data of none to some blocks. */
static void every_length_of_key_and_data_gives_what_the_library_gives(void **state)
{
	static const size_t lengths[] = { 0, 1, 20, 32, 63, 64, 65, 131, 300 };
	static const size_t n = sizeof(lengths) / sizeof(lengths[0]);
	uint8_t octets[600], got[HMAC_SIZE_MAX], want[EVP_MAX_MD_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 7 + 1);
	for (size_t i = 0; i < 2 * n * n; i++) {
		enum hmac_hash hash = i % 2 ? HMAC_HASH_SHA1 : HMAC_HASH_SHA256;
		struct slice key = slice_of(octets, lengths[i / 2 % n]),
			     data = slice_of(octets + 300, lengths[i / 2 / n]);

		assert_int_equal(hmac(hash, key, data, got), 0);
		assert_non_null(HMAC(i % 2 ? EVP_sha1() : EVP_sha256(), key.p, (int)key.n, data.p,
				     data.n, want, NULL));
		assert_memory_equal(got, want, hmac_size(hash));
	}
}

static void the_result_may_lie_where_the_data_did(void **state)
{
	uint8_t place[40], apart[HMAC_SIZE_MAX];

	(void)state;
	memset(place, 3, sizeof(place));
	assert_int_equal(hmac(HMAC_HASH_SHA256, slice_str("key"), slice_of(place, 40), apart), 0);
	assert_int_equal(hmac(HMAC_HASH_SHA256, slice_str("key"), slice_of(place, 40), place), 0);
	assert_memory_equal(place, apart, sizeof(apart));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_gives_the_rfcs_example),
		cmocka_unit_test(every_length_of_key_and_data_gives_what_the_library_gives),
		cmocka_unit_test(the_result_may_lie_where_the_data_did),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
