/* The real crs and crs-relay: what they say to words and files that mean nothing, and that they do
 * not start then.  Nothing serves here. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/net.h"
#include "tests/rendezvous/scene.h"
#include "tests/tools/remove_tree.h"

enum { OK = 0, FAILED = 1, USAGE = 2 };

struct place {
	char dir[64], output[SCENE_OUTPUT];
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	snprintf(place->dir, sizeof(place->dir), "/tmp/crs-words-XXXXXX");
	assert_non_null(mkdtemp(place->dir));
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	assert_int_equal(remove_tree(place->dir), 0);
	free(place);
	return 0;
}

static void write_file(const struct place *place, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", place->dir, name);
	assert_int_equal(file_write_atomic(path, 0644, slice_str(text)), 0);
}

/* Runs program with these words in the place's folder. */
static int run(struct place *place, const char *program, const char *words)
{
	char command[1024];

	assert_true(snprintf(command, sizeof(command), "cd '%s' && '%s' %s 2>&1", place->dir,
			     program, words) < (int)sizeof(command));
	return scene_shell(command, place->output);
}

struct word_case {
	const char *words;
	int status;
	const char *told;
};

static void expect_each(struct place *place, const char *program, const struct word_case *cases,
			size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int status = run(place, program, cases[i].words);

		if (status != cases[i].status || !strstr(place->output, cases[i].told))
			fail_msg("%s %s: exit %d, and said:\n%s", program, cases[i].words, status,
				 place->output);
	}
}

/* ---- crs ---- */

#define CRS_CONF "features\nip crs1 127.0.0.1\nhost crs1\nlisten-address 127.0.0.1\n"

static void crs_takes_only_words_that_it_knows(void **state)
{
	static const struct word_case cases[] = {
		{ "--help", OK, "usage: crs [options]" },
		{ "--version", OK, "crs " },
		{ "--what", USAGE, "see crs --help\n" },
		{ "-x", USAGE, "see crs --help\n" },
		{ "--root", USAGE, "see crs --help\n" },
		{ "-n everything", USAGE, "crs: unexpected \"everything\"; see crs --help\n" },
		{ "--now yesterday", USAGE, "--now" },
		{ "-n --root .", OK, "" },
		/* A worker without its channel is none. */
		{ "--worker 3<&-", FAILED, "" },
		{ "-n --root /nowhere", FAILED, "not usable" },
		{ "--root /nowhere", FAILED, "not started" },
	};
	struct place *place = *state;

	write_file(place, "crs.conf", CRS_CONF);
	write_file(place, "crs-local.conf", "crsname crs1\ndb-backup none\n");
	expect_each(place, CRS, cases, COUNT(cases));
}

static void the_configuration_is_checked_where_the_words_say_that_it_is(void **state)
{
	struct place *place = *state;
	char words[4500], long_name[4200];

	write_file(place, "crs.conf", CRS_CONF);
	write_file(place, "crs-local.conf", "crsname crs1\ndb-backup none\n");
	write_file(place, "bad.conf", CRS_CONF "no-such-key 1\n");
	write_file(place, "bad-local.conf", "crsname crs9\nworkers none\n");
	assert_int_equal(run(place, CRS, "-n --root . --config bad.conf"), FAILED);
	assert_non_null(strstr(place->output, "/bad.conf:5"));
	assert_non_null(strstr(place->output, "crs: 1 error in the configuration: not usable\n"));
	assert_int_equal(run(place, CRS, "-n --root . --local bad-local.conf"), FAILED);
	assert_non_null(strstr(place->output, "/bad-local.conf:2"));
	assert_non_null(strstr(place->output, " errors in the configuration: not usable\n"));
	assert_int_equal(run(place, CRS, "-n --config bad.conf --root . --config crs.conf"), OK);
	/* The same when it is to serve, and then nothing is made. */
	assert_int_equal(run(place, CRS, "--root . --config bad.conf"), FAILED);
	assert_non_null(strstr(place->output, ": not started\n"));
	assert_int_not_equal(run(place, "/bin/ls", "data log run"), OK);
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	snprintf(words, sizeof(words), "cd '%s' && '%s' --root . --run /%s 2>&1", place->dir, CRS,
		 long_name);
	assert_int_equal(scene_shell(words, place->output), FAILED);
	assert_string_equal(place->output, "crs: a path cannot be used: File name too long\n");
}

/* Each place can be another one than the root's: what is wrong with it names it. */
static void each_place_may_be_elsewhere(void **state)
{
	static const struct word_case cases[] = {
		{ "--root . --run file", FAILED, "/file/crs.lock: Not a directory" },
		{ "--root . --log file", FAILED, "/file/crs.log: Not a directory" },
		{ "--root . --log logs", FAILED, "/logs/crs.log: Is a directory" },
		/* With -e no file is needed: the next thing is. */
		{ "-e -v --root . --log logs --run file", FAILED, "/file/crs.lock" },
		{ "--root . --accounts file --run there", FAILED, "/file" },
		{ "--root . --data file --run there", FAILED, "/file" },
	};
	struct place *place = *state;

	write_file(place, "crs.conf", CRS_CONF "listen-port 1\n");
	write_file(place, "crs-local.conf", "crsname crs1\ndb-backup none\n");
	write_file(place, "file", "");
	assert_int_equal(run(place, "/bin/mkdir", "-p logs/crs.log"), OK);
	expect_each(place, CRS, cases, COUNT(cases));
}

/* ---- crs-relay ---- */

static void crs_relay_takes_only_words_that_it_knows(void **state)
{
	static const struct word_case cases[] = {
		{ "--help", OK, "usage: crs-relay [--root DIR]" },
		{ "-h", OK, "SIGHUP reopens the log" },
		{ "--version", OK, "crs-relay " },
		{ "--what", USAGE, "see crs-relay --help\n" },
		{ "--root . now", USAGE, "crs-relay: unexpected \"now\"" },
		{ "--threads 0", USAGE, "--threads: expected a number from 1 to 64, not \"0\"" },
		{ "--threads 65", USAGE, "--threads: expected a number from 1 to 64, not \"65\"" },
		{ "--threads some", USAGE, "not \"some\"\nsee crs-relay --help\n" },
		{ "--listen localhost", USAGE, "--listen: expected ADDRESS or ADDRESS:PORT" },
		{ "--listen 127.0.0.1:70000", USAGE, "not \"127.0.0.1:70000\"" },
		{ "--now yesterday", USAGE, "--now: expected a time, not \"yesterday\"" },
	};

	expect_each(*state, CRS_RELAY, cases, COUNT(cases));
}

/* The keys of the manual and ours. */
static void a_line_that_it_does_not_understand_keeps_crs_relay_from_starting(void **state)
{
	static const struct {
		const char *lines, *told;
	} cases[] = {
		{ "MAX_CALLS=1\n", "/crs-relay.conf:1" },
		{ "MAX_RTP_RELAYS=1\nMAX_RTP_RELAYS=many\n", "/crs-relay.conf:2" },
		{ "MAX_OPAQUE_RELAYS=-1\n", "/crs-relay.conf:1" },
		{ "MAX_RTP_RELAYS=4294967295\n", "/crs-relay.conf:1" },
		{ "\nMAX_SESSION_PACKETS_PER_S=99\n", "/crs-relay.conf:2" },
		{ "MAX_SESSION_KBIT_PER_S=127\n", "/crs-relay.conf:1" },
		{ "LISTEN=somewhere\n", "\"somewhere\": expected ADDRESS or ADDRESS:PORT" },
		{ "MAX_RTP_RELAYS\n", "/crs-relay.conf:1" },
	};
	struct place *place = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		write_file(place, "crs-relay.conf", cases[i].lines);
		assert_int_equal(run(place, CRS_RELAY, "--root \"$PWD\""), USAGE);
		if (!strstr(place->output, cases[i].told))
			fail_msg("%s: said:\n%s", cases[i].lines, place->output);
		assert_non_null(strstr(place->output, "crs-relay: not started\n"));
	}
	/* A folder is no configuration; none at all means no limits. */
	assert_int_equal(run(place, "/bin/mkdir", "folder"), OK);
	assert_int_equal(run(place, CRS_RELAY, "--root . --config folder"), USAGE);
}

/* What it would do is told before it fails; "-" is standard error. */
static void where_crs_relay_cannot_serve_it_says_why(void **state)
{
	struct place *place = *state;
	struct net_addr taken;
	char words[256], where[NET_TEXT_SIZE];
	int fd;

	assert_int_equal(run(place, CRS_RELAY, "--log nowhere/log"), FAILED);
	assert_non_null(strstr(place->output, "nowhere/log"));
	assert_non_null(strstr(place->output, "crs-relay: not started\n"));

	write_file(place, "crs-relay.conf",
		   "MAX_RTP_RELAYS=7\nMAX_OPAQUE_RELAYS=\n"
		   "MAX_SESSION_PACKETS_PER_S=\n"
		   "MAX_SESSION_KBIT_PER_S=200\n");
	assert_int_equal(run(place, CRS_RELAY,
			     "--log - --config crs-relay.conf --socket nowhere/s --threads 1 "
			     "--listen 127.0.0.1:0"),
			 FAILED);
	assert_non_null(strstr(place->output, "MAX_RTP_RELAYS=7\n"));
	assert_null(strstr(place->output, "MAX_OPAQUE_RELAYS="));
	assert_non_null(
		strstr(place->output, "MAX_SESSION_PACKETS_PER_S=0 MAX_SESSION_KBIT_PER_S=200 "));
	assert_non_null(strstr(place->output,
			       "with the socket nowhere/s: No such file or "
			       "directory (the directory of the socket is not there)"));

	assert_int_equal(net_parse("127.0.0.1", 0, &taken), 0);
	fd = net_udp_socket(&taken, false);
	assert_true(fd >= 0);
	assert_int_equal(net_local(fd, &taken), 0);
	net_format(&taken, where);
	/* The words count before the file. */
	write_file(place, "crs-relay.conf", "LISTEN=127.0.0.1:0\n");
	snprintf(words, sizeof(words),
		 "--log - --config crs-relay.conf --socket s --threads 1 --listen %s", where);
	assert_int_equal(run(place, CRS_RELAY, words), FAILED);
	snprintf(words, sizeof(words), "cannot serve %s with the socket s: Address already in use",
		 where);
	assert_non_null(strstr(place->output, words));
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(crs_takes_only_words_that_it_knows),
		TEST(the_configuration_is_checked_where_the_words_say_that_it_is),
		TEST(each_place_may_be_elsewhere),
		TEST(crs_relay_takes_only_words_that_it_knows),
		TEST(a_line_that_it_does_not_understand_keeps_crs_relay_from_starting),
		TEST(where_crs_relay_cannot_serve_it_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
