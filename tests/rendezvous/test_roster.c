#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rendezvous/roster.h"

static struct slice s(const char *text)
{
	return slice_str(text);
}

static const char floors[] = "applied 1000\n"
			     "listed 3 tel:+46701\n"
			     "deleted 1 tel:+46702\n"
			     "unlisted 1 tel:+46703\n"
			     "observed 2 tel:+46704\n";

static struct roster *loaded(void)
{
	struct roster *roster = roster_new(NULL, NULL);

	assert_non_null(roster);
	assert_int_equal(roster_load(roster, "acme", s(floors)), 0);
	return roster;
}

/* Floors keep old keys out (row CRS-051); CRS-038. */
static void a_user_enters_by_its_floor_and_state(void **state)
{
	static const struct {
		const char *account, *uri;
		uint32_t generation;
		enum roster_verdict want;
	} cases[] = {
		{ "acme", "tel:+46701", 3, ROSTER_ADMIT },
		{ "acme", "tel:+46701", 2, ROSTER_DENY_OLD },
		{ "acme", "tel:+46701", 4, ROSTER_ADMIT_RAISE },
		{ "acme", "tel:+46702", 9, ROSTER_DENY_DELETED },
		{ "acme", "tel:+46703", 9, ROSTER_DENY_UNLISTED },
		{ "acme", "tel:+46704", 2, ROSTER_ADMIT },
		{ "acme", "tel:+46704", 1, ROSTER_DENY_OLD },
		{ "acme", "tel:+46799", 0, ROSTER_ADMIT_RAISE },
		{ "other", "tel:+46701", 3, ROSTER_DENY_ACCOUNT },
		{ "other", "tel:+46704", 2, ROSTER_DENY_ACCOUNT },
	};
	struct roster *roster = loaded();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(roster_check(roster, cases[i].account, s(cases[i].uri),
					      cases[i].generation),
				 cases[i].want);
	roster_free(&roster);
}

static void a_raised_floor_is_never_lowered(void **state)
{
	struct roster *roster = loaded();

	(void)state;
	assert_int_equal(roster_raise(roster, "acme", s("tel:+46701"), 7), 0);
	assert_int_equal(roster_raise(roster, "acme", s("tel:+46701"), 5), 0);
	assert_int_equal(roster_check(roster, "acme", s("tel:+46701"), 6), ROSTER_DENY_OLD);
	assert_int_equal(roster_check(roster, "acme", s("tel:+46701"), 7), ROSTER_ADMIT);
	roster_free(&roster);
}

static void what_is_written_can_be_loaded_again(void **state)
{
	struct roster *roster = loaded(), *again = roster_new(NULL, NULL);
	char *text = NULL, line[64];
	size_t n = 0;

	(void)state;
	assert_int_equal(roster_raise(roster, "acme", s("tel:+46705"), 1), 0);
	assert_int_equal(roster_line(roster, s("tel:+46705"), line, sizeof(line)), 0);
	assert_string_equal(line, "observed 1 tel:+46705\n");
	assert_int_equal(roster_text(roster, "acme", &text, &n), 0);
	assert_int_equal(roster_load(again, "acme", slice_of(text, n)), 0);
	assert_int_equal(roster_check(again, "acme", s("tel:+46701"), 2), ROSTER_DENY_OLD);
	assert_int_equal(roster_check(again, "acme", s("tel:+46705"), 1), ROSTER_ADMIT);
	assert_int_equal(roster_count(again, "acme"), 3);
	free(text);
	roster_free(&roster);
	roster_free(&again);
}

/* A crash may tear the last line, a hand may spoil any. */
static void bad_lines_are_counted_and_a_torn_one_is_left_out(void **state)
{
	static const struct {
		const char *text;
		int bad;
	} cases[] = {
		{ "listed 1 tel:+46701\nlisted 9 tel:+467", 0 },
		{ "listed x tel:+46701\n", 1 },
		{ "listed 4294967296 tel:+46701\n", 1 },
		{ "listed 99999999999999999999 tel:+46701\n", 1 },
		{ "listed 1\n", 1 },
		{ "listed 1 \n", 1 },
		{ "king 1 tel:+46701\n", 1 },
		{ "\n\n", 2 },
		{ "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct roster *roster = roster_new(NULL, NULL);

		assert_int_equal(roster_load(roster, "acme", s(cases[i].text)), cases[i].bad);
		assert_null(roster_account_of(roster, s("tel:+467")));
		roster_free(&roster);
	}
}

static void an_update_lists_deletes_and_shuts_out_the_missing(void **state)
{
	const struct roster_user first[] = { { s("tel:+46701"), 1, false },
					     { s("tel:+46702"), 1, false } };
	const struct roster_user second[] = { { s("tel:+46701"), 2, false },
					      { s("tel:+46703"), 0, true } };
	struct roster *roster = roster_new(NULL, NULL);

	(void)state;
	assert_int_equal(roster_raise(roster, "acme", s("tel:+46709"), 1), 0);
	assert_int_equal(roster_apply(roster, "acme", 100, first, COUNT(first)), 1);
	assert_int_equal(roster_apply(roster, "acme", 200, second, COUNT(second)), 1);
	assert_int_equal(roster_check(roster, "acme", s("tel:+46701"), 1), ROSTER_DENY_OLD);
	assert_int_equal(roster_check(roster, "acme", s("tel:+46702"), 1), ROSTER_DENY_UNLISTED);
	assert_int_equal(roster_check(roster, "acme", s("tel:+46703"), 1), ROSTER_DENY_DELETED);
	assert_int_equal(roster_check(roster, "acme", s("tel:+46709"), 1), ROSTER_ADMIT);
	/* An older one raises floors but changes no list. */
	assert_int_equal(roster_apply(roster, "acme", 150, first, COUNT(first)), 0);
	assert_int_equal(roster_check(roster, "acme", s("tel:+46702"), 1), ROSTER_DENY_UNLISTED);
	roster_free(&roster);
}

static void a_uri_belongs_to_the_account_that_lists_it(void **state)
{
	const struct roster_user mine[] = { { s("tel:+46701"), 1, false } };
	struct roster *roster = roster_new(NULL, NULL);

	(void)state;
	assert_int_equal(roster_raise(roster, "first", s("tel:+46701"), 1), 0);
	assert_int_equal(roster_check(roster, "acme", s("tel:+46701"), 1), ROSTER_DENY_ACCOUNT);
	assert_int_equal(roster_apply(roster, "acme", 1, mine, 1), 1);
	assert_int_equal(roster_check(roster, "acme", s("tel:+46701"), 1), ROSTER_ADMIT);
	assert_int_equal(roster_check(roster, "first", s("tel:+46701"), 1), ROSTER_DENY_ACCOUNT);
	/* Listed by both: it stays with the first that listed it. */
	assert_int_equal(roster_apply(roster, "first", 2, mine, 1), 1);
	assert_string_equal(roster_account_of(roster, s("tel:+46701")), "acme");
	roster_drop_account(roster, "acme");
	assert_int_equal(roster_check(roster, "first", s("tel:+46701"), 1), ROSTER_ADMIT_RAISE);
	roster_free(&roster);
}

/* A number that moves to another domain, and what a restart finds of it in both files. */
static void a_deleted_uri_may_be_listed_by_another_account(void **state)
{
	const struct roster_user user = { s("tel:+46701"), 3, false };
	const struct roster_user tombstone = { s("tel:+46701"), 3, true };
	struct roster *roster = roster_new(NULL, NULL);

	(void)state;
	assert_int_equal(roster_apply(roster, "first", 1, &user, 1), 1);
	assert_int_equal(roster_apply(roster, "acme", 2, &tombstone, 1),
			 1); /* not theirs to delete */
	assert_string_equal(roster_account_of(roster, s("tel:+46701")), "first");
	assert_int_equal(roster_apply(roster, "first", 3, &tombstone, 1), 1);
	assert_int_equal(roster_check(roster, "acme", s("tel:+46701"), 3), ROSTER_DENY_ACCOUNT);
	assert_int_equal(roster_apply(roster, "acme", 4, &user, 1), 1);
	assert_int_equal(roster_check(roster, "acme", s("tel:+46701"), 3), ROSTER_ADMIT);
	assert_int_equal(roster_apply(roster, "first", 5, &tombstone, 1),
			 1); /* as in each update */
	assert_string_equal(roster_account_of(roster, s("tel:+46701")), "acme");
	assert_int_equal(roster_check(roster, "first", s("tel:+46701"), 9), ROSTER_DENY_ACCOUNT);
	roster_free(&roster);
	for (int order = 0; order < 2; order++) {
		roster = roster_new(NULL, NULL);
		for (int i = 0; i < 2; i++)
			assert_int_equal(roster_load(roster, i == order ? "first" : "acme",
						     i == order ? s("deleted 3 tel:+46701\n")
								: s("listed 3 tel:+46701\n")),
					 0);
		assert_string_equal(roster_account_of(roster, s("tel:+46701")), "acme");
		roster_free(&roster);
	}
}

static void free_uris(char **uris, int n)
{
	while (n > 0)
		free(uris[--n]);
	free(uris);
}

/* Keys of a lost phone must not enter because its user moves to another domain. */
static void who_is_forgotten_is_nobodys_user_and_keeps_its_floor(void **state)
{
	struct roster *roster = loaded(), *again = roster_new(NULL, NULL);
	char **uris = NULL, *text = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(roster_forget_observed(roster, "acme", &uris), 1);
	assert_string_equal(uris[0], "tel:+46704");
	free_uris(uris, 1);
	assert_null(roster_account_of(roster, s("tel:+46704")));
	assert_false(roster_has(roster, "acme", s("tel:+46704")));
	assert_int_equal(roster_count(roster, "acme"), 1);
	assert_int_equal(roster_forget_observed(roster, "acme", &uris), 0);
	free_uris(uris, 0);
	/* So it stands in the file. */
	assert_int_equal(roster_text(roster, "acme", &text, &n), 0);
	assert_int_equal(roster_load(again, "acme", slice_of(text, n)), 0);
	free(text);
	roster_free(&roster);
	assert_int_equal(roster_check(again, "acme", s("tel:+46704"), 1), ROSTER_DENY_OLD);
	assert_int_equal(roster_check(again, "other", s("tel:+46704"), 1), ROSTER_ADMIT_RAISE);
	/* It may come again here, with the keys that it had ... */
	assert_int_equal(roster_check(again, "acme", s("tel:+46704"), 2), ROSTER_ADMIT_RAISE);
	assert_int_equal(roster_raise(again, "acme", s("tel:+46704"), 2), 0);
	assert_string_equal(roster_account_of(again, s("tel:+46704")), "acme");
	assert_int_equal(roster_check(again, "acme", s("tel:+46704"), 2), ROSTER_ADMIT);
	/* ... or with another account. */
	assert_int_equal(roster_forget_observed(again, "acme", &uris), 1);
	free_uris(uris, 1);
	assert_int_equal(roster_raise(again, "other", s("tel:+46704"), 1), 0);
	assert_string_equal(roster_account_of(again, s("tel:+46704")), "other");
	roster_free(&again);
}

/* An update that does not list it leaves it as it is: it was never listed. */
static void an_update_does_not_shut_out_who_is_forgotten(void **state)
{
	const struct roster_user listed = { s("tel:+46701"), 3, false };
	struct roster *roster = loaded();
	char **uris = NULL;

	(void)state;
	assert_int_equal(roster_forget_observed(roster, "acme", &uris), 1);
	free_uris(uris, 1);
	assert_int_equal(roster_apply(roster, "acme", 2000, &listed, 1), 1);
	assert_int_equal(roster_check(roster, "acme", s("tel:+46704"), 2), ROSTER_ADMIT_RAISE);
	roster_free(&roster);
}

static void anothers_floor_is_not_raised(void **state)
{
	struct roster *roster = loaded();

	(void)state;
	assert_int_equal(roster_raise(roster, "other", s("tel:+46701"), 9), -EACCES);
	assert_int_equal(roster_check(roster, "acme", s("tel:+46701"), 3), ROSTER_ADMIT);
	roster_free(&roster);
}

static void the_blacklist_shuts_out_known_and_unknown_users(void **state)
{
	struct roster *roster = loaded();

	(void)state;
	assert_int_equal(roster_set_blacklist(roster, "acme", s("tel:+46701\n\ntel:+46777")), 0);
	assert_int_equal(roster_check(roster, "acme", s("tel:+46701"), 3), ROSTER_DENY_BLACKLISTED);
	assert_int_equal(roster_check(roster, "acme", s("tel:+46777"), 1), ROSTER_DENY_BLACKLISTED);
	assert_null(roster_account_of(roster, s("tel:+46701")));
	assert_int_equal(roster_set_blacklist(roster, "acme", s("")), 0);
	assert_int_equal(roster_check(roster, "acme", s("tel:+46701"), 3), ROSTER_ADMIT);
	assert_int_equal(roster_check(roster, "acme", s("tel:+46777"), 1), ROSTER_ADMIT_RAISE);
	roster_free(&roster);
}

static bool only_701(void *arg, struct slice uri)
{
	(void)arg;
	return slice_eq_str(uri, "tel:+46701");
}

static void a_filter_keeps_the_others_out_of_memory(void **state)
{
	struct roster *roster = roster_new(only_701, NULL);

	(void)state;
	assert_int_equal(roster_load(roster, "acme", s(floors)), 0);
	assert_int_equal(roster_count(roster, "acme"), 1);
	roster_free(&roster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_enters_by_its_floor_and_state),
		cmocka_unit_test(a_raised_floor_is_never_lowered),
		cmocka_unit_test(what_is_written_can_be_loaded_again),
		cmocka_unit_test(bad_lines_are_counted_and_a_torn_one_is_left_out),
		cmocka_unit_test(an_update_lists_deletes_and_shuts_out_the_missing),
		cmocka_unit_test(a_uri_belongs_to_the_account_that_lists_it),
		cmocka_unit_test(a_deleted_uri_may_be_listed_by_another_account),
		cmocka_unit_test(who_is_forgotten_is_nobodys_user_and_keeps_its_floor),
		cmocka_unit_test(an_update_does_not_shut_out_who_is_forgotten),
		cmocka_unit_test(anothers_floor_is_not_raised),
		cmocka_unit_test(the_blacklist_shuts_out_known_and_unknown_users),
		cmocka_unit_test(a_filter_keeps_the_others_out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
