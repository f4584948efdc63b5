/* Rules about clients, by network or credentials: the first match applies. */
#include "tests/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "maps/client_rules.h"
#include "maps/explain.h"

static int add(struct client_rules *rules, const char *who, unsigned line, struct diag *diag)
{
	struct config_word word = { .text = who, .place = { "crs.conf", line, 12 } };

	return client_rules_add(rules, &word, diag);
}

static int find(const struct client_rules *rules, const char *ip, const char *uri,
		const char *account)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct client_subject client = { NULL, slice_str(uri), slice_str(account) };

	if (ip) {
		assert_int_equal(inet_pton(AF_INET, ip, &in.sin_addr), 1);
		client.address = (const struct sockaddr *)(const void *)&in;
	}
	return client_rules_find(rules, &client, NULL);
}

/* CRS-022, CRS-023, CRS-025, CRS-031, CRS-032: by network or by credentials, first match */
static void the_first_rule_that_matches_applies(void **state)
{
	struct client_rules *rules = client_rules_new("keep-alive");

	(void)state;
	assert_int_equal(add(rules, "10.1.0.0/16", 1, NULL), 0);
	assert_int_equal(add(rules, "tel:+4670@acct", 2, NULL), 1);
	assert_int_equal(add(rules, "urn:x@acct", 3, NULL), -EINVAL);
	assert_int_equal(add(rules, "10.0.0.0/8", 4, NULL), 2);
	assert_int_equal(find(rules, "10.1.2.3", "tel:+4670", "acct"), 0);
	assert_int_equal(find(rules, "10.2.2.3", "tel:+4670", "acct"), 1);
	assert_int_equal(find(rules, "10.2.2.3", "tel:+46-70", "acct"), 1);
	assert_int_equal(find(rules, "10.2.2.3", "tel:+4670", "other"), 2);
	assert_int_equal(find(rules, "10.2.2.3", "tel:+4671", "acct"), 2);
	assert_int_equal(find(rules, "11.2.2.3", "tel:+4671", "acct"), -1);
	assert_int_equal(find(rules, NULL, "tel:+4670", "acct"), 1);
	assert_int_equal(find(rules, NULL, "", ""), -1);
	client_rules_free(&rules);
	assert_null(rules);
}

static void refuses_faults_and_warns_of_hidden_rules(void **state)
{
	struct client_rules *rules = client_rules_new("detach-cleanup");
	struct diag *diag = diag_new();
	struct diag_item item;

	(void)state;
	assert_int_equal(add(rules, "10.0.0.0/33", 1, diag), -EINVAL);
	assert_int_equal(add(rules, "tel:+1@", 2, diag), -EINVAL);
	assert_int_equal(add(rules, "@acct", 3, diag), -EINVAL);
	assert_int_equal(add(rules, "", 4, diag), -EINVAL);
	assert_int_equal(diag_errors(diag), 4);
	assert_int_equal(add(rules, "10.0.0.0/8", 5, diag), 0);
	assert_int_equal(add(rules, "10.1.0.0/16", 6, diag), 1);
	assert_int_equal(add(rules, "0.0.0.0/0", 7, diag), 2);
	assert_int_equal(add(rules, "::/0", 8, diag), 3);
	assert_int_equal(diag_warnings(diag), 1);
	assert_true(diag_get(diag, 4, &item));
	assert_string_equal(item.text,
			    "detach-cleanup 10.1.0.0/16 is never used: 10.0.0.0/8 in line 5 "
			    "comes first");
	client_rules_free(&rules);
	diag_free(&diag);
}

static void explains_which_rule_it_was(void **state)
{
	struct client_rules *rules = client_rules_new("keep-alive");
	struct explain *explain = explain_new();
	struct client_subject client = { NULL, slice_str("tel:+4670"), slice_str("acct") };
	char text[256];
	struct buf b = BUF_OF(text);

	(void)state;
	add(rules, "tel:+4670@acct", 9, NULL);
	assert_int_equal(client_rules_find(rules, &client, explain), 0);
	client.account = slice_str("other");
	assert_int_equal(client_rules_find(rules, &client, explain), -1);
	explain_write(explain, &b);
	assert_string_equal(text,
			    "match: (crs.conf:9): keep-alive tel:+4670@acct applies (rule 1 of 1)\n"
			    "none of 1 keep-alive rules applies\n");
	explain_free(&explain);
	client_rules_free(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_rule_that_matches_applies),
		cmocka_unit_test(refuses_faults_and_warns_of_hidden_rules),
		cmocka_unit_test(explains_which_rule_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
