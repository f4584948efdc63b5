#include "tests/unit.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/file.h"
#include "base/net.h"
#include "rendezvous/counters.h"
#include "rendezvous/paths.h"
#include "rendezvous/peer_limits.h"
#include "rendezvous/settings.h"

static const char good[] = "features\nip crs1 192.0.2.1\nhost crs1\n";

/* Reads two texts as the two files; the messages are in told. */
static int read_texts(const char *config, const char *local, struct settings *settings, char *told,
		      size_t cap)
{
	char root[] = "/tmp/crs-settings-XXXXXX", command[128];
	struct crs_paths paths;
	struct diag *diag = diag_new();
	FILE *f = fmemopen(told, cap, "w");
	int err;

	told[0] = '\0';
	assert_non_null(mkdtemp(root));
	assert_int_equal(crs_paths_init(&paths, root), 0);
	assert_int_equal(file_write_atomic(paths.config, 0644, slice_str(config)), 0);
	assert_int_equal(file_write_atomic(paths.local, 0644, slice_str(local)), 0);
	err = settings_read(&paths, settings, diag);
	diag_print(diag, f);
	fclose(f);
	settings_clear(settings); /* what is looked at are its values */
	diag_free(&diag);
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	assert_int_equal(system(command), 0);
	return err;
}

/* CRS-034: crsname must match a host line and an ip line. */
static void crsname_has_to_match(void **state)
{
	static const struct {
		const char *config, *local, *complaint; /* NULL: fine */
	} cases[] = {
		{ good, "crsname crs1\n", NULL },
		{ good, "crsname crs2\n", "crsname \"crs2\" must match" },
		{ good, "", "\"crsname NAME\" is missing" },
		{ "features\nip crs1 192.0.2.1\n", "crsname crs1\n", "is not declared by" },
		{ "features\nhost crs1\n", "crsname crs1\n", "has no \"ip crs1 ADDRESS\" line" },
		{ "features\nip crs1 name.example\nhost crs1\n", "crsname crs1\n", "name.example" },
		{ "ip crs1 192.0.2.1\nip crs2 192.0.2.2\nhost crs1\nhost crs2\n", "crsname crs1\n",
		  "key SHARED-SECRET" },
	};
	struct settings settings;
	char told[2048];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int err =
			read_texts(cases[i].config, cases[i].local, &settings, told, sizeof(told));

		assert_int_equal(err, cases[i].complaint ? -EINVAL : 0);
		if (cases[i].complaint)
			assert_non_null(strstr(told, cases[i].complaint));
	}
}

/* CRS-128: files of older releases lack lines. */
static void a_missing_line_has_its_default_and_a_warning(void **state)
{
	struct settings settings;
	char told[2048];

	(void)state;
	assert_int_equal(read_texts("ip crs1 192.0.2.1\nhost crs1\n", "crsname crs1\n", &settings,
				    told, sizeof(told)),
			 0);
	assert_non_null(strstr(told, "warning: no \"features\" line: push notifications are off"));
	assert_non_null(strstr(told, "warning: no \"db-backup\" line: as \"db-backup none\""));
	assert_false(settings.push);
	assert_int_equal(settings.backup, BACKUP_NONE);
	assert_int_equal(settings.listen_port, SETTINGS_PORT_DEFAULT);
	assert_int_equal(settings.metrics_port, 0);
	assert_int_equal(
		read_texts(good, "crsname crs1\ndb-backup none\n", &settings, told, sizeof(told)),
		0);
	assert_string_equal(told, "");
}

/* Of the manual's lines that are accepted and not acted on, each is warned of. */
static void a_line_without_effect_is_accepted_with_a_warning(void **state)
{
	static const struct {
		const char *config, *local, *warning; /* warning NULL: none */
	} cases[] = {
		{ "cps cps.cryptify.net 5230 id shared-secret\n", "", "\"cps\" has no effect" },
		{ "iw-listen-port 8080\n", "", "\"iw-listen-port\" has no effect" },
		{ "addr-map 203.0.113.101 198.51.100.1\n", "", "\"addr-map\" has no effect" },
		{ "key c2VjcmV0\nip crs2 192.0.2.2\nhost crs2\n", "", "\"crs2\" has no effect" },
		{ "", "db-backup replicate-from-peer\n", "\"replicate-from-peer\" has no effect" },
		{ "", "db-backup read-from\n", "\"read-from\" has no effect" },
		{ "", "db-backup none\n", NULL },
	};
	struct settings settings;
	char config[256], local[256], told[2048];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *backup = cases[i].local[0] ? cases[i].local : "db-backup none\n";

		snprintf(config, sizeof(config), "%s%s", good, cases[i].config);
		snprintf(local, sizeof(local), "crsname crs1\n%s", backup);
		assert_int_equal(read_texts(config, local, &settings, told, sizeof(told)), 0);
		if (cases[i].warning)
			assert_non_null(strstr(told, cases[i].warning));
		else
			assert_string_equal(told, "");
	}
}

static void a_client_may_post_so_much_unless_told_otherwise(void **state)
{
	static const struct {
		const char *line;
		unsigned long at_once, per_second; /* 0: refused */
	} cases[] = {
		{ "", 200000, 1000 },        { "post-rate 100 5\n", 100, 5 },
		{ "post-rate 0 5\n", 0, 0 }, { "post-rate 100 1001\n", 0, 0 },
		{ "post-rate 100\n", 0, 0 },
	};
	struct settings settings;
	char local[128], told[2048];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(local, sizeof(local), "crsname crs1\ndb-backup none\n%s", cases[i].line);
		assert_int_equal(read_texts(good, local, &settings, told, sizeof(told)),
				 cases[i].at_once ? 0 : -EINVAL);
		if (!cases[i].at_once)
			continue;
		assert_int_equal(settings.posts_at_once, cases[i].at_once);
		assert_int_equal(settings.posts_per_second, cases[i].per_second);
	}
}

/* A line of the local file and the number that it gives. */
struct number_case {
	const char *line;
	unsigned long number;
	bool good;
};

/* at: where the settings have that number. */
static void check_numbers(const struct number_case *cases, size_t n, size_t at)
{
	struct settings settings;
	char local[128], told[2048];
	unsigned long number;

	for (size_t i = 0; i < n; i++) {
		snprintf(local, sizeof(local), "crsname crs1\ndb-backup none\n%s", cases[i].line);
		assert_int_equal(read_texts(good, local, &settings, told, sizeof(told)),
				 cases[i].good ? 0 : -EINVAL);
		memcpy(&number, (const char *)&settings + at, sizeof(number));
		if (cases[i].good)
			assert_int_equal(number, cases[i].number);
	}
}

static void a_worker_that_hangs_has_thirty_seconds_unless_told_otherwise(void **state)
{
	static const struct number_case cases[] = {
		{ "", 30, true },
		{ "hang-limit 0\n", 0, true },
		{ "hang-limit 3\n", 3, true },
		{ "hang-limit 3600\n", 3600, true },
		{ "hang-limit 1\n", 0, false },
		{ "hang-limit 2\n", 0, false },
		{ "hang-limit 3601\n", 0, false },
		{ "hang-limit never\n", 0, false },
		{ "hang-limit\n", 0, false },
	};

	(void)state;
	check_numbers(cases, COUNT(cases), offsetof(struct settings, hang_limit_s));
}

static void statistics_are_kept_for_ever_or_for_days(void **state)
{
	static const struct number_case cases[] = {
		{ "", 0, true },
		{ "statistics-retention 1\n", 1, true },
		{ "statistics-retention 3650\n", 3650, true },
		{ "statistics-retention 0\n", 0, false },
		{ "statistics-retention 3651\n", 0, false },
		{ "statistics-retention -1\n", 0, false },
		{ "statistics-retention week\n", 0, false },
	};

	(void)state;
	check_numbers(cases, COUNT(cases), offsetof(struct settings, statistics_days));
}

static void figures_are_given_at_an_address_only(void **state)
{
	static const struct {
		const char *line, *complaint; /* NULL: fine */
	} cases[] = {
		{ "metrics-listen 127.0.0.1:9465\n", NULL },
		{ "metrics-listen [::1]:9465\n", NULL },
		{ "metrics-listen 192.0.2.1:9465\n", "warning: whoever reaches" },
		{ "metrics-listen 127.0.0.1\n", "error" },
		{ "metrics-listen 127.0.0.1:0\n", "error" },
		{ "metrics-listen name.example:9465\n", "no IP address" },
	};
	struct settings settings;
	char local[128], told[2048];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(local, sizeof(local), "crsname crs1\ndb-backup none\n%s", cases[i].line);
		read_texts(good, local, &settings, told, sizeof(told));
		if (cases[i].complaint)
			assert_non_null(strstr(told, cases[i].complaint));
		else
			assert_string_equal(told, "");
	}
	assert_int_equal(settings.metrics_port, 0);
}

static void every_fault_of_both_files_is_told_at_once(void **state)
{
	struct settings settings;
	char told[4096];

	(void)state;
	assert_int_equal(read_texts("nonsense 1\nip crs1\nlisten-port 0\nkeep-alive 10.0.0.0/40 "
				    "udp 5\nfeatures pull\nhost crs9\n",
				    "db-backup sometimes\ncrsname crs1\n", &settings, told,
				    sizeof(told)),
			 -EINVAL);
	assert_non_null(strstr(told, "nonsense"));
	assert_non_null(strstr(told, "crs.conf:2:"));
	assert_non_null(strstr(told, "crs.conf:3:"));
	assert_non_null(strstr(told, "10.0.0.0/40"));
	assert_non_null(strstr(told, "expected tcp or ws"));
	assert_non_null(strstr(told, "unknown feature \"pull\""));
	assert_non_null(strstr(told, "crs9"));
	assert_non_null(strstr(told, "sometimes"));
	assert_non_null(strstr(told, "crsname \"crs1\" must match"));
}

static void the_manuals_lines_are_accepted_and_ours_count(void **state)
{
	struct settings settings;
	char told[2048];
	unsigned lines = 0;

	(void)state;
	assert_int_equal(read_texts("key c2VjcmV0\nfeatures push\npush-config apns type direct\n"
				    "cps cps.example.com 5230 id secret\niw-listen-port 8080\n"
				    "app attach\n# a comment\n// another\n"
				    "ip crs1 203.0.113.101\nip crs2 203.0.113.102\n"
				    "host crs1\nhost crs2\n"
				    "addr-map 203.0.113.101 198.51.100.1\n"
				    "keep-alive 10.0.0.0/8 ws 60000 5000\n"
				    "keep-alive tel:+46701@acme tcp 60000\n"
				    "detach-cleanup 10.0.0.0/8 1000\nlisten-port 15223\n",
				    "crsname crs2\ndb-backup replicate-from-peer\nworkers 3\n"
				    "relay-address relay.example.com:1460\n",
				    &settings, told, sizeof(told)),
			 0);
	assert_non_null(strstr(told, "warning: features push: nobody is woken up"));
	for (const char *p = told; (p = strchr(p, '\n')); p++)
		lines++;
	/* that one, and cps, iw-listen-port, the other host, addr-map, db-backup */
	assert_int_equal(lines, 6);
	assert_string_equal(settings.name, "crs2");
	assert_int_equal(settings.listen_port, 15223);
	assert_int_equal(settings.workers, 3);
	assert_int_equal(settings.backup, BACKUP_REPLICATE_FROM_PEER);
	assert_true(settings.push);
	assert_string_equal(settings.relay_host, "relay.example.com");
	assert_int_equal(settings.relay_port, 1460);
	assert_int_equal(read_texts(good, "crsname crs1\n", &settings, told, sizeof(told)), 0);
	assert_int_equal(settings.listen_port, 5223);
	assert_string_equal(settings.relay_host, "192.0.2.1");
	assert_int_equal(settings.relay_port, 0);
}

static void one_address_gets_its_burst_and_then_its_rate(void **state)
{
	struct peer_limits *limits = peer_limits_new();
	struct net_addr one, other, near6, near6b;

	(void)state;
	assert_int_equal(net_parse("192.0.2.1", 1, &one), 0);
	assert_int_equal(net_parse("192.0.2.2", 1, &other), 0);
	assert_int_equal(net_parse("2001:db8::1", 1, &near6), 0);
	assert_int_equal(net_parse("2001:db8::2", 1, &near6b), 0);
	for (int i = 0; i < PEER_BURST; i++) {
		assert_true(peer_limits_take(limits, &one, 1000));
		assert_true(peer_limits_take(limits, i % 2 ? &near6 : &near6b, 1000));
	}
	assert_false(peer_limits_take(limits, &one, 1000));
	assert_false(peer_limits_take(limits, &near6, 1000)); /* one /64 is one address */
	assert_true(peer_limits_take(limits, &other, 1000));
	assert_true(peer_limits_take(limits, &one, 1000 + 1000 / PEER_PER_SECOND));
	assert_false(peer_limits_take(limits, &one, 1000 + 1000 / PEER_PER_SECOND));
	peer_limits_free(&limits);
}

struct sum {
	uint64_t post, deliv;
	int64_t read_s;
	int lines, refuse;
};

static int add_up(void *arg, struct counted *counted)
{
	struct sum *sum = arg;

	sum->post += counted->count[COUNTER_POST];
	sum->deliv += counted->count[COUNTER_DELIV];
	sum->read_s += counted->read_s;
	sum->lines++;
	return sum->refuse;
}

static void counts_stay_until_they_are_written(void **state)
{
	struct counters *counters = counters_new();
	struct sum sum = { .refuse = -EPIPE };

	(void)state;
	counters_add(counters, COUNTER_POST, "a", "tel:+1");
	counters_add(counters, COUNTER_POST, "a", "tel:+1");
	counters_add(counters, COUNTER_DELIV, "a", "tel:+2");
	counters_add(counters, COUNTER_DELIV, "b", "tel:+2");
	counters_read(counters, "a", "tel:+1", 77);
	counters_flush(counters, add_up, &sum);
	assert_int_equal(sum.lines, 3);
	sum = (struct sum){ 0 };
	counters_flush(counters, add_up, &sum);
	assert_int_equal(sum.post, 2);
	assert_int_equal(sum.deliv, 2);
	assert_int_equal(sum.read_s, 77);
	sum = (struct sum){ 0 };
	counters_flush(counters, add_up, &sum);
	assert_int_equal(sum.lines, 0);
	counters_free(&counters);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crsname_has_to_match),
		cmocka_unit_test(a_missing_line_has_its_default_and_a_warning),
		cmocka_unit_test(a_line_without_effect_is_accepted_with_a_warning),
		cmocka_unit_test(a_client_may_post_so_much_unless_told_otherwise),
		cmocka_unit_test(a_worker_that_hangs_has_thirty_seconds_unless_told_otherwise),
		cmocka_unit_test(statistics_are_kept_for_ever_or_for_days),
		cmocka_unit_test(figures_are_given_at_an_address_only),
		cmocka_unit_test(every_fault_of_both_files_is_told_at_once),
		cmocka_unit_test(the_manuals_lines_are_accepted_and_ours_count),
		cmocka_unit_test(one_address_gets_its_burst_and_then_its_rate),
		cmocka_unit_test(counts_stay_until_they_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
