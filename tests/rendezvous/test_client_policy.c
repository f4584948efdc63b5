#include "tests/unit.h"

#include "base/diag.h"
#include "base/net.h"
#include "rendezvous/client_policy.h"

/* Reads the lines of a crs.conf and hands the policy over as a worker gets it. */
static struct client_policy *read_policy(const char *text, struct diag *diag)
{
	struct client_policy *policy = client_policy_new("crs.conf"), *unpacked;
	CrsWorker__Setup setup = CRS_WORKER__SETUP__INIT;
	struct config_lines *lines = NULL;
	const struct config_line *line;

	config_lines_parse("crs.conf", slice_str(text), diag, &lines);
	for (size_t i = 0; (line = config_lines_get(lines, i)); i++)
		client_policy_read(policy, line, diag);
	config_lines_free(&lines);
	client_policy_pack(policy, &setup);
	unpacked = client_policy_unpack(&setup);
	client_policy_free(&policy);
	assert_non_null(unpacked);
	return unpacked;
}

/* CRS-025: the first line that matches counts.  CRS-026: a bit more than 20 minutes
 * without one.  CRS-023 and CRS-032: by credentials. */
static void the_first_line_that_matches_counts(void **state)
{
	static const struct {
		const char *address, *uri;
		struct keep_alive keep;
		unsigned line;
		long cleanup_ms;
	} cases[] = {
		{ "10.1.2.3", "tel:+46701", { false, 60000, 5000 }, 1, 7000 },
		{ "10.2.2.3", "tel:+46702", { true, 30000, CLIENT_PING_GRACE_MS }, 2, 7000 },
		{ "192.0.2.1", "tel:+46702", { true, 30000, CLIENT_PING_GRACE_MS }, 2, -1 },
		{ "10.2.2.3", "tel:+46703", { false, 90000, CLIENT_PING_GRACE_MS }, 3, 7000 },
		{ "192.0.2.1", "tel:+46703", { false, 21 * 60000, 30000 }, 0, 0 },
		{ "192.0.2.1", "tel:+46704", { false, 21 * 60000, 30000 }, 0, -1 },
	};
	struct diag *diag = diag_new();
	struct client_policy *policy = read_policy("keep-alive 10.1.0.0/16 ws 60000 5000\n"
						   "keep-alive tel:+46702@acme tcp 30000\n"
						   "keep-alive 10.0.0.0/8 ws 90000\n"
						   "detach-cleanup 10.0.0.0/8 7000\n"
						   "detach-cleanup tel:+46703@acme 0\n",
						   diag);

	(void)state;
	assert_int_equal(diag_errors(diag), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct client_subject client = { .uri = slice_str(cases[i].uri),
						 .account = slice_str("acme") };
		struct net_addr address;
		struct keep_alive keep;
		unsigned line;

		assert_int_equal(net_parse(cases[i].address, 1, &address), 0);
		client.address = &address.sa;
		keep = client_policy_keep_alive(policy, &client, &line);
		assert_int_equal(keep.tcp, cases[i].keep.tcp);
		assert_int_equal(keep.interval_ms, cases[i].keep.interval_ms);
		assert_int_equal(keep.grace_ms, cases[i].keep.grace_ms);
		assert_int_equal(line, cases[i].line);
		assert_int_equal(client_policy_cleanup_ms(policy, &client), cases[i].cleanup_ms);
	}
	client_policy_free(&policy);
	diag_free(&diag);
}

/* CRS-024: a grace period only with ws. */
static void what_is_wrong_with_a_line_is_told(void **state)
{
	static const struct {
		const char *line, *complaint;
	} cases[] = {
		{ "keep-alive 10.0.0.0/40 ws 5000", "10.0.0.0/40" },
		{ "keep-alive tel:+1@ ws 5000", "expected an account" },
		{ "keep-alive 10.0.0.0/8 wss 5000", "expected tcp or ws" },
		{ "keep-alive 10.0.0.0/8 ws 5", "1000" },
		{ "keep-alive 10.0.0.0/8 tcp 5000 5000",
		  "a grace period is possible with ws only" },
		{ "detach-cleanup 10.0.0.0/8 soon", "soon" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct diag *diag = diag_new();
		struct client_policy *policy = read_policy(cases[i].line, diag);

		assert_int_equal(diag_errors(diag), 1);
		assert_non_null(strstr(diag_first_error(diag), cases[i].complaint));
		client_policy_free(&policy);
		diag_free(&diag);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_line_that_matches_counts),
		cmocka_unit_test(what_is_wrong_with_a_line_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
