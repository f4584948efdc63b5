#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "base/diag.h"
#include "tests/keys/sample.h"

static size_t encode(uint8_t *out)
{
	struct letter letter = sample_letter();
	size_t n = 0;

	assert_int_equal(letter_encode(&letter, out, &n), 0);
	return n;
}

/* Puts the checksum right, so that what is behind it is looked at. */
static void mend(uint8_t *octets, size_t n)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];

	SHA256(octets, n - 4, hash);
	memcpy(octets + n - 4, hash, 4);
}

/* So that a read behind the end is seen. */
static int decode_exact(const uint8_t *octets, size_t n, struct letter *letter)
{
	uint8_t *copy = malloc(n ? n : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, octets, n);
	err = letter_decode(slice_of(copy, n), letter, NULL);
	free(copy);
	return err;
}

static void a_letter_holds_what_was_put_into_it(void **state)
{
	struct letter letter = sample_letter(), got;
	uint8_t octets[LETTER_OCTETS_MAX];
	size_t n;

	(void)state;
	letter.engines = 3;
	assert_int_equal(letter_encode(&letter, octets, &n), 0);
	assert_true(n < 900);
	assert_int_equal(decode_exact(octets, n, &got), 0);
	assert_string_equal(got.uri, letter.uri);
	assert_int_equal(got.generation, 1);
	assert_int_equal(got.created, letter.created);
	assert_string_equal(got.address, letter.address);
	assert_string_equal(got.account, letter.account);
	assert_string_equal(got.tls_identity, letter.tls_identity);
	assert_memory_equal(got.tls_key, letter.tls_key, sizeof(got.tls_key));
	assert_memory_equal(got.update_key, letter.update_key, sizeof(got.update_key));
	assert_string_equal(got.domain, letter.domain);
	assert_memory_equal(got.kpak, letter.kpak, sizeof(got.kpak));
	assert_memory_equal(got.z, letter.z, sizeof(got.z));
	assert_int_equal(got.engines, 3);
	assert_int_equal(got.max_message_lifetime, 86400);
	assert_int_equal(got.n_months, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(got.months[i].month, SAMPLE_MONTH + (int64_t)i);
		assert_int_equal(got.months[i].revision, 4);
		assert_int_equal(got.months[i].created, SAMPLE_TIME);
		assert_memory_equal(got.months[i].packed, letter.months[i].packed, ISSUED_PACKED);
	}
}

static void a_letter_cut_or_changed_anywhere_is_damaged(void **state)
{
	uint8_t octets[LETTER_OCTETS_MAX];
	size_t n = encode(octets);
	struct letter got;

	(void)state;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(decode_exact(octets, i, &got), -EBADMSG);
	for (size_t i = 2; i < n; i++) {
		octets[i] ^= 0x10;
		assert_int_equal(decode_exact(octets, n, &got), -EBADMSG);
		assert_string_equal(got.uri, "");
		octets[i] ^= 0x10;
	}
	octets[n] = 0;
	assert_int_equal(decode_exact(octets, n + 1, &got), -EBADMSG);
}

/* The checksum guards against accidents only; a forger can make it.  Between two
 * of its last fields a letter may end, if what it needs is there. */
static void a_letter_cut_with_a_right_checksum_is_damaged_or_whole(void **state)
{
	uint8_t octets[LETTER_OCTETS_MAX], cut[LETTER_OCTETS_MAX];
	size_t n = encode(octets), whole = 0;
	struct letter got;

	(void)state;
	for (size_t i = 6; i < n; i++) {
		int err;

		memcpy(cut, octets, i);
		mend(cut, i);
		err = decode_exact(cut, i, &got);
		assert_true(err == 0 || err == -EBADMSG);
		assert_true(err || got.n_months >= 1);
		whole += err == 0;
	}
	assert_int_equal(whole, 2); /* behind either month */
}

static void a_letter_of_another_version_says_so(void **state)
{
	uint8_t octets[LETTER_OCTETS_MAX];
	size_t n = encode(octets);
	struct diag *diag = diag_new();
	struct letter got;

	(void)state;
	octets[1] = 2;
	mend(octets, n);
	assert_int_equal(letter_decode(slice_of(octets, n), &got, diag), -EPROTONOSUPPORT);
	assert_non_null(strstr(diag_first_error(diag), "version 2"));
	diag_free(&diag);
	octets[0] = 'T';
	assert_int_equal(letter_decode(slice_of(octets, n), &got, NULL), -ENOKEY);
}

static void a_letter_that_lacks_something_is_not_made(void **state)
{
	const struct letter good = sample_letter();
	uint8_t octets[LETTER_OCTETS_MAX];
	struct letter bad[14];
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		bad[i] = good;
	SET_TEXT(bad[0].uri, "tel:46706764287"); /* CMS-011: without the plus */
	SET_TEXT(bad[1].address, "crs.example.net");
	SET_TEXT(bad[2].address, "crs.example.net:0");
	SET_TEXT(bad[3].address, "crs.example.net:65536");
	SET_TEXT(bad[4].account, "a.b");
	bad[5].domain[0] = '\0';
	SET_TEXT(bad[6].domain, "two\nlines");
	bad[7].generation = 0;
	bad[8].n_months = 0;
	bad[9].months[1].month++;
	bad[10].kpak[0] = 4;
	bad[11].engines = 2; /* CMS-038: not less than three */
	SET_TEXT(bad[12].domain, "\xc0\xaf");
	bad[13].months[0].packed[SSK_OCTETS] = 4;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(letter_encode(&bad[i], octets, &n), -EINVAL);
}

static void the_longest_letter_fits_its_protected_form_or_is_refused(void **state)
{
	struct letter letter = sample_letter();
	uint8_t octets[LETTER_OCTETS_MAX], sealed[LETTER_OCTETS_MAX], key[16] = { 7 };
	bool refused = false;
	size_t n, m;

	(void)state;
	for (size_t len = 10; len <= LETTER_ADDRESS_MAX; len++) {
		int err;

		memset(letter.address, 'a', len - 5);
		memcpy(letter.address + len - 5, ":5223", 6);
		memset(letter.domain, 'd', LETTER_DOMAIN_MAX);
		memset(letter.tls_identity, 'i', 100);
		err = letter_encode(&letter, octets, &n);
		if (err == 0)
			assert_int_equal(letter_protect(slice_of(octets, n), key, sealed, &m), 0);
		else
			assert_int_equal(err, -EMSGSIZE);
		assert_false(refused && err == 0);
		refused = err != 0;
	}
	assert_true(refused);
}

static void a_protected_letter_opens_with_its_key_only(void **state)
{
	uint8_t octets[LETTER_OCTETS_MAX], sealed[LETTER_OCTETS_MAX], back[LETTER_OCTETS_MAX];
	uint8_t key[LETTER_QR_KEY_SIZE] = { 1, 2, 3 }, wrong[LETTER_QR_KEY_SIZE] = { 1, 2, 4 };
	size_t n = encode(octets), m, k;

	(void)state; /* CMS-026: AES-128-CBC and HMAC-SHA-256, the MAC checked first */
	assert_int_equal(letter_protect(slice_of(octets, n), key, sealed, &m), 0);
	assert_int_equal(m, LETTER_PROTECTED_SIZE(n));
	assert_true(letter_is_protected(slice_of(sealed, m)));
	assert_int_equal(letter_unprotect(slice_of(sealed, m), key, back, &k, NULL), 0);
	assert_int_equal(k, n);
	assert_memory_equal(back, octets, n);
	assert_int_equal(letter_unprotect(slice_of(sealed, m), wrong, back, &k, NULL),
			 -EKEYREJECTED);
	for (size_t i = 2; i < m; i++) {
		sealed[i] ^= 1;
		assert_int_equal(letter_unprotect(slice_of(sealed, m), key, back, &k, NULL),
				 -EKEYREJECTED);
		sealed[i] ^= 1;
	}
	for (size_t i = 0; i < m; i++)
		assert_true(letter_unprotect(slice_of(sealed, i), key, back, &k, NULL) < 0);
	assert_int_equal(letter_unprotect(slice_of(octets, n), key, back, &k, NULL), -EBADMSG);
	sealed[1] = 2;
	assert_int_equal(letter_unprotect(slice_of(sealed, m), key, back, &k, NULL),
			 -EPROTONOSUPPORT);
}

static void a_qr_key_is_read_as_people_write_it(void **state)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{ "0001 0203 0405 0607 0809 0A0B 0C0D 0E0F", 0 },
		{ "000102030405060708090a0b0c0d0e0f", 0 },
		{ " 0001-0203-0405-0607-0809-0a0b-0c0d-0e0f\n", 0 },
		{ "0001 0203 0405 0607 0809 0A0B 0C0D 0E0", -EINVAL },
		{ "0001 0203 0405 0607 0809 0A0B 0C0D 0E0F0", -EINVAL },
		{ "0001 0203 0405 0607 0809 0A0B 0C0D 0E0G", -EINVAL },
		{ "", -EINVAL },
	};
	char text[LETTER_QR_KEY_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t key[LETTER_QR_KEY_SIZE];

		assert_int_equal(letter_qr_key_parse(slice_str(cases[i].text), key), cases[i].err);
		if (cases[i].err)
			continue;
		letter_qr_key_format(key, text);
		assert_string_equal(text, cases[0].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_letter_holds_what_was_put_into_it),
		cmocka_unit_test(a_letter_cut_or_changed_anywhere_is_damaged),
		cmocka_unit_test(a_letter_cut_with_a_right_checksum_is_damaged_or_whole),
		cmocka_unit_test(a_letter_of_another_version_says_so),
		cmocka_unit_test(a_letter_that_lacks_something_is_not_made),
		cmocka_unit_test(the_longest_letter_fits_its_protected_form_or_is_refused),
		cmocka_unit_test(a_protected_letter_opens_with_its_key_only),
		cmocka_unit_test(a_qr_key_is_read_as_people_write_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
