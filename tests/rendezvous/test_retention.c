#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/slice.h"
#include "rendezvous/account_set.h"
#include "rendezvous/accounts.h"
#include "rendezvous/retention.h"

enum { NOW_S = 1800000000, DAYS = 30 };

/* Accounts acme and other. */
static int load(void **state)
{
	static const char *const ids[] = { "acme", "other" };
	char dir[] = "/tmp/retention.XXXXXX", command[64];
	struct account_set *accounts = NULL;
	struct diag *diag = diag_new();

	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < COUNT(ids); i++)
		assert_int_equal(accounts_create(dir, ids[i], slice_str("0123456789abcdef"), diag),
				 0);
	assert_int_equal(account_set_load(dir, NULL, &accounts, diag), 0);
	diag_free(&diag);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	assert_int_equal(system(command), 0);
	*state = accounts;
	return 0;
}

static int unload(void **state)
{
	struct account_set *accounts = *state;

	account_set_free(&accounts);
	return 0;
}

static void an_account_is_due_when_its_days_are_over(void **state)
{
	static const struct {
		const char *since; /* before */
		bool changed;
		const char *due; /* NULL: none */
		const char *after;
	} cases[] = {
		/* Whoever is new begins now. */
		{ "{}", true, NULL, "{\"acme\": 1800000000, \"other\": 1800000000}" },
		{ "{\"acme\": 1799000000}", true, NULL,
		  "{\"acme\": 1799000000, \"other\": 1800000000}" },
		/* 30 days are 2592000 s. */
		{ "{\"acme\": 1797408001, \"other\": 1800000000}", false, NULL, NULL },
		{ "{\"acme\": 1797408000, \"other\": 1800000000}", false, "acme", NULL },
		{ "{\"acme\": 1800000000, \"other\": 0}", false, "other", NULL },
		{ "{\"acme\": -5, \"other\": 1800000000}", false, "acme", NULL },
		/* A clock that was wrong, and a file that was written by hand. */
		{ "{\"acme\": 1800000001, \"other\": \"x\"}", true, NULL,
		  "{\"acme\": 1800000000, \"other\": 1800000000}" },
		/* Who is gone is not remembered. */
		{ "{\"acme\": 1800000000, \"gone\": 1, \"other\": 1800000000}", true, NULL,
		  "{\"acme\": 1800000000, \"other\": 1800000000}" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *since = json_loads(cases[i].since, 0, NULL);
		json_t *after =
			json_loads(cases[i].after ? cases[i].after : cases[i].since, 0, NULL);
		const char *due = "?";

		assert_int_equal(retention_review(since, *state, DAYS, NOW_S, &due),
				 cases[i].changed);
		if (cases[i].due)
			assert_string_equal(due, cases[i].due);
		else
			assert_null(due);
		assert_true(json_equal(since, after));
		json_decref(since);
		json_decref(after);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_account_is_due_when_its_days_are_over),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
