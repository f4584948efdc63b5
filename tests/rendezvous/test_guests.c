#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "rendezvous/guests.h"

#define ID "0123456789abcdef"
#define OTHER_ID "fedcba9876543210"

static const char *account_of(const struct guests *guests, const char *uri)
{
	return guests_account_of(guests, slice_str(uri));
}

/* CRS manual 5.4, "health-check": urn:x-crs:client:test-INDEX-ID. */
static void the_clients_of_an_announced_check_belong_to_its_account(void **state)
{
	static const struct {
		const char *uri, *account;
	} cases[] = {
		{ GUESTS_PREFIX "1-" ID, "acme" },
		{ GUESTS_PREFIX "2-" ID, "acme" },
		{ GUESTS_PREFIX "12-" ID, "acme" },
		{ GUESTS_PREFIX "1-" OTHER_ID, NULL },
		{ GUESTS_PREFIX "-" ID, NULL },
		{ GUESTS_PREFIX "1" ID, NULL },
		{ GUESTS_PREFIX "1-" ID "0", NULL },
		{ GUESTS_PREFIX "1-", NULL },
		{ GUESTS_PREFIX, NULL },
		{ "tel:+46701234567", NULL },
		{ "", NULL },
	};
	struct guests *guests = guests_new();

	(void)state;
	assert_non_null(guests);
	assert_null(account_of(guests, cases[0].uri)); /* nobody is announced yet */
	guests_announce(guests, "acme", ID, 1000);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *account = account_of(guests, cases[i].uri);

		if (cases[i].account)
			assert_string_equal(account, cases[i].account);
		else
			assert_null(account);
	}
	guests_free(&guests);
	assert_null(guests);
	guests_free(&guests);
}

static void such_names_are_known_without_a_check_too(void **state)
{
	(void)state;
	assert_true(guests_is_name(slice_str(GUESTS_PREFIX "1-" ID)));
	assert_true(guests_is_name(slice_str(GUESTS_PREFIX "x")));
	assert_false(guests_is_name(slice_str(GUESTS_PREFIX)));
	assert_false(guests_is_name(slice_str("urn:x-crs:client:tess-1")));
	assert_false(guests_is_name(slice_str("tel:+46701234567")));
}

static void a_check_is_over_after_a_minute(void **state)
{
	struct guests *guests = guests_new();

	(void)state;
	guests_announce(guests, "acme", ID, 1000);
	guests_announce(guests, "other", OTHER_ID, 2000);
	assert_false(guests_expire(guests, 1000 + GUESTS_STAY_MS - 1));
	assert_true(guests_expire(guests, 1000 + GUESTS_STAY_MS));
	assert_null(account_of(guests, GUESTS_PREFIX "1-" ID));
	assert_string_equal(account_of(guests, GUESTS_PREFIX "1-" OTHER_ID), "other");
	assert_false(guests_expire(guests, 1000 + GUESTS_STAY_MS)); /* told once */
	guests_free(&guests);
}

static void of_too_many_checks_the_oldest_goes(void **state)
{
	struct guests *guests = guests_new();
	char id[GUESTS_ID + 1], uri[64];

	(void)state;
	for (int i = 0; i <= GUESTS_CHECKS_MAX; i++) {
		snprintf(id, sizeof(id), "%016d", i);
		guests_announce(guests, "acme", id, i + 1);
	}
	for (int i = 0; i <= GUESTS_CHECKS_MAX; i++) {
		snprintf(uri, sizeof(uri), GUESTS_PREFIX "1-%016d", i);
		assert_int_equal(account_of(guests, uri) != NULL, i > 0);
	}
	guests_free(&guests);
}

static void texts_of_a_wrong_length_announce_nobody(void **state)
{
	struct guests *guests = guests_new();
	char long_account[512];

	(void)state;
	memset(long_account, 'a', sizeof(long_account) - 1);
	long_account[sizeof(long_account) - 1] = '\0';
	guests_announce(guests, "acme", "0123456789abcde", 1000);
	guests_announce(guests, "acme", ID "0", 1000);
	guests_announce(guests, "acme", "", 1000);
	guests_announce(guests, long_account, ID, 1000);
	assert_null(account_of(guests, GUESTS_PREFIX "1-" ID));
	assert_false(guests_expire(guests, INT64_MAX));
	guests_free(&guests);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_clients_of_an_announced_check_belong_to_its_account),
		cmocka_unit_test(such_names_are_known_without_a_check_too),
		cmocka_unit_test(a_check_is_over_after_a_minute),
		cmocka_unit_test(of_too_many_checks_the_oldest_goes),
		cmocka_unit_test(texts_of_a_wrong_length_announce_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
