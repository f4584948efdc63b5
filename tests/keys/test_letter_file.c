/* test_letter_file.c - a letter from a file, and the key that opens it. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"
#include "keys/letter_file.h"
#include "keys/letter_text.h"
#include "tests/keys/sample.h"

static const uint8_t qr_key[LETTER_QR_KEY_SIZE] = { 1, 2, 3 };

/* The sample's plain form, and the same protected. */
static void make(struct letter_octets *plain, struct letter_octets *sealed)
{
	struct letter letter = sample_letter();

	assert_int_equal(letter_encode(&letter, plain->p, &plain->n), 0);
	assert_int_equal(
		letter_protect(slice_of(plain->p, plain->n), qr_key, sealed->p, &sealed->n), 0);
}

static void octets_are_added_up_to_those_of_a_letter(void **state)
{
	static const uint8_t much[LETTER_OCTETS_MAX] = { 1 };
	struct letter_octets letter = { .n = 0 };

	(void)state;
	assert_int_equal(letter_octets_add(&letter, slice_of(much, sizeof(much) - 1)), 0);
	assert_int_equal(letter_octets_add(&letter, slice_of(much, 2)), -EMSGSIZE);
	assert_int_equal(letter.n, sizeof(much) - 1);
	assert_int_equal(letter_octets_add(&letter, slice_of(much, 1)), 0);
	assert_int_equal(letter_octets_add(&letter, slice_of(much, 0)), 0);
	assert_int_equal(letter_octets_add(&letter, slice_of(much, SIZE_MAX)), -EMSGSIZE);
	letter_octets_wipe(&letter);
	assert_int_equal(letter.n, 0);
	assert_int_equal(letter.p[0], 0);
}

static void a_file_holds_a_letter_or_the_reason_is_told(void **state)
{
	char path[] = "/tmp/letter-file.XXXXXX", text[LETTER_TEXT_MAX];
	struct letter_octets plain, sealed, read;
	struct diag *diag = diag_new();
	uint8_t *large = calloc(1, 65 * 1024);

	(void)state;
	make(&plain, &sealed);
	close(mkstemp(path));
	assert_int_equal(letter_text_write(slice_of(plain.p, plain.n), text, sizeof(text)), 0);
	assert_int_equal(file_write_atomic(path, 0600, slice_str(text)), 0);
	assert_int_equal(letter_file_read(path, &read, diag), 0);
	assert_true(slice_eq(slice_of(read.p, read.n), slice_of(plain.p, plain.n)));
	assert_int_equal(diag_errors(diag), 0);

	assert_int_equal(file_write_atomic(path, 0600, slice_str("Dear Bob,\n")), 0);
	assert_true(letter_file_read(path, &read, diag) < 0);
	assert_int_equal(diag_errors(diag), 1);
	assert_int_equal(file_write_atomic(path, 0600, slice_of(large, 65 * 1024)), 0);
	assert_int_equal(letter_file_read(path, &read, diag), -EFBIG);
	assert_int_equal(diag_errors(diag), 2);
	unlink(path);
	diag_free(&diag);
	diag = diag_new();
	assert_int_equal(letter_file_read(path, &read, diag), -ENOENT);
	assert_non_null(strstr(diag_first_error(diag), path));
	free(large);
	diag_free(&diag);
}

/* CIG-004: a key that was typed wrong may be typed again. */
static void only_its_key_opens_a_letter_and_a_wrong_one_changes_nothing(void **state)
{
	static const char *const wrong[] = { "", "0102", "not a key",
					     "0102 0300 0000 0000 0000 0000 0000 0001",
					     "0102 0300 0000 0000 0000 0000 0000 0000 0" };
	struct letter_octets plain, sealed, letter;
	char right[LETTER_QR_KEY_TEXT_SIZE];

	(void)state;
	make(&plain, &sealed);
	letter = sealed;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct diag *diag = diag_new();
		int err = letter_octets_open(&letter, wrong[i], diag);

		assert_int_equal(err, i == 3 ? -EKEYREJECTED : -EINVAL);
		assert_int_equal(diag_errors(diag), 1);
		assert_null(strstr(diag_first_error(diag), "0102"));
		assert_true(slice_eq(slice_of(letter.p, letter.n), slice_of(sealed.p, sealed.n)));
		diag_free(&diag);
	}
	letter_qr_key_format(qr_key, right);
	assert_int_equal(letter_octets_open(&letter, right, NULL), 0);
	assert_true(slice_eq(slice_of(letter.p, letter.n), slice_of(plain.p, plain.n)));
	assert_int_equal(letter_octets_open(&letter, right, NULL), -EBADMSG); /* it is open */
	assert_true(slice_eq(slice_of(letter.p, letter.n), slice_of(plain.p, plain.n)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(octets_are_added_up_to_those_of_a_letter),
		cmocka_unit_test(a_file_holds_a_letter_or_the_reason_is_told),
		cmocka_unit_test(only_its_key_opens_a_letter_and_a_wrong_one_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
