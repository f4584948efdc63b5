#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/encode.h"
#include "keys/box.h"

static const uint8_t key[32] = { 7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
static const uint8_t nonce[12] = { 9, 8, 7 };

/* Test case 4 of the GCM specification (McGrew, Viega). */
static void gcm_gives_the_specifications_example(void **state)
{
	static const char plain_hex[] =
		"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
		"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
	static const char want[] =
		"42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
		"21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
		"5bc94fbc3221a5db94fae95ae7121a47";
	uint8_t k[16], iv[12], aad[20], plain[60], sealed[76];
	char text[HEX_TEXT_SIZE(76)];
	size_t n;

	(void)state;
	hex_decode(slice_str("feffe9928665731c6d6a8f9467308308"), k, 16, &n);
	hex_decode(slice_str("cafebabefacedbaddecaf888"), iv, 12, &n);
	hex_decode(slice_str("feedfacedeadbeeffeedfacedeadbeefabaddad2"), aad, 20, &n);
	assert_int_equal(hex_decode(slice_str(plain_hex), plain, 60, &n), 0);
	assert_int_equal(gcm128_seal(k, iv, slice_of(aad, 20), slice_of(plain, 60), sealed), 0);
	hex_encode(slice_of(sealed, 76), text);
	assert_string_equal(text, want);
}

static void every_seal_opens_again_at_every_length(void **state)
{
	uint8_t plain[64], sealed[64 + BOX_OVERHEAD], open[64];

	(void)state;
	memset(plain, 0x42, sizeof(plain));
	for (size_t n = 0; n <= sizeof(plain); n++) {
		struct slice p = { plain, n };

		assert_int_equal(box_seal(key, slice_str("aad"), p, sealed), 0);
		assert_int_equal(
			box_open(key, slice_str("aad"), slice_of(sealed, n + BOX_OVERHEAD), open),
			0);
		assert_memory_equal(open, plain, n);
		assert_int_equal(box_seal_nonce(key, nonce, slice_str(""), p, sealed), 0);
		assert_int_equal(box_open_nonce(key, nonce, slice_str(""),
						slice_of(sealed, n + BOX_TAG), open),
				 0);
		assert_int_equal(gcm128_seal(key, nonce, slice_str("x"), p, sealed), 0);
		assert_int_equal(gcm128_open(key, nonce, slice_str("x"),
					     slice_of(sealed, n + BOX_TAG), open),
				 0);
		assert_memory_equal(open, plain, n);
		if (n == 0)
			continue;
		assert_int_equal(siv_seal(key, p, sealed), 0);
		assert_int_equal(siv_open(key, slice_of(sealed, n + SIV_TAG), open), 0);
		assert_memory_equal(open, plain, n);
	}
}

static void sealing_in_place_gives_the_same(void **state)
{
	uint8_t apart[5 + BOX_TAG], place[5 + BOX_TAG] = "hello";

	(void)state;
	assert_int_equal(gcm128_seal(key, nonce, slice_str("a"), slice_of(place, 5), apart), 0);
	assert_int_equal(gcm128_seal(key, nonce, slice_str("a"), slice_of(place, 5), place), 0);
	assert_memory_equal(apart, place, sizeof(place));
	assert_int_equal(
		gcm128_open(key, nonce, slice_str("a"), slice_of(place, sizeof(place)), place), 0);
	assert_memory_equal(place, "hello", 5);
}

static void boxes_of_the_same_text_differ(void **state)
{
	uint8_t a[4 + BOX_OVERHEAD], b[4 + BOX_OVERHEAD];

	(void)state;
	assert_int_equal(box_seal(key, slice_str(""), slice_str("text"), a), 0);
	assert_int_equal(box_seal(key, slice_str(""), slice_str("text"), b), 0);
	assert_memory_not_equal(a, b, sizeof(a));
}

/* Flips each octet and cuts at each length: nothing of it may open, nothing may be left. */
static void what_was_changed_or_cut_does_not_open(void **state)
{
	static const uint8_t zeros[64];
	uint8_t box[8 + BOX_OVERHEAD], siv[8 + SIV_TAG], open[64];
	struct slice text = slice_str("contents"), aad = slice_str("a");

	(void)state;
	assert_int_equal(box_seal(key, aad, text, box), 0);
	assert_int_equal(siv_seal(key, text, siv), 0);
	for (size_t i = 0; i < sizeof(box); i++) {
		memset(open, 0, sizeof(open));
		box[i] ^= 0x10;
		assert_int_equal(box_open(key, aad, slice_of(box, sizeof(box)), open), -EBADMSG);
		box[i] ^= 0x10;
		assert_int_equal(box_open(key, aad, slice_of(box, i), open), -EBADMSG);
		assert_memory_equal(open, zeros, sizeof(open));
	}
	for (size_t i = 0; i < sizeof(siv); i++) {
		memset(open, 0, sizeof(open));
		siv[i] ^= 1;
		assert_int_equal(siv_open(key, slice_of(siv, sizeof(siv)), open), -EBADMSG);
		siv[i] ^= 1;
		assert_int_equal(siv_open(key, slice_of(siv, i), open), -EBADMSG);
		assert_memory_equal(open, zeros, sizeof(open));
	}
	assert_int_equal(box_open(key, slice_str("b"), slice_of(box, sizeof(box)), open), -EBADMSG);
}

/* CMAC with AES-128 by OpenSSL, the part from which RFC 5297 2.4 is built here again. */
static void cmac(const uint8_t k[16], struct slice data, uint8_t out[16])
{
	size_t n;

	assert_non_null(EVP_Q_mac(NULL, "CMAC", NULL, "AES-128-CBC", NULL, k, 16, data.p, data.n,
				  out, 16, &n));
}

static void siv_is_rfc_5297_without_additional_data(void **state)
{
	static const uint8_t zero[16], plain[20] = "a text of 20 octets";
	uint8_t d[16], t[20], want[SIV_TAG + 20], counter[16], got[SIV_TAG + 20];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	(void)state;
	cmac(key, slice_of(zero, 16), d);
	memcpy(t, plain, 20);
	for (size_t i = 0; i < 16; i++)
		t[4 + i] ^= d[i];
	cmac(key, slice_of(t, 20), want);
	memcpy(counter, want, 16);
	counter[8] &= 0x7f;
	counter[12] &= 0x7f;
	assert_int_equal(EVP_EncryptInit_ex2(ctx, EVP_aes_128_ctr(), key + 16, counter, NULL), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, want + SIV_TAG, &n, plain, 20), 1);
	EVP_CIPHER_CTX_free(ctx);

	assert_int_equal(siv_seal(key, slice_of(plain, 20), got), 0);
	assert_memory_equal(got, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gcm_gives_the_specifications_example),
		cmocka_unit_test(every_seal_opens_again_at_every_length),
		cmocka_unit_test(sealing_in_place_gives_the_same),
		cmocka_unit_test(boxes_of_the_same_text_differ),
		cmocka_unit_test(what_was_changed_or_cut_does_not_open),
		cmocka_unit_test(siv_is_rfc_5297_without_additional_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
