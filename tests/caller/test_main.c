/* cca's words before the command's own: what they set, and what is told about wrong ones.  The
 * commands are played: they say what they were given. */
#include "tests/unit.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "caller/cca.h"
#include "tests/tools/inside.h"

/* The program's main() has that name here (local.mk). */
#undef main
int cca_main(int argc, char **argv);

/* ---- the commands ---- */

static int tell(const char *name, const struct cca_options *options, int argc, char **argv)
{
	/* As they do: optind and the "+" of what was parsed before must be gone. */
	static const struct option long_options[] = { { "own", no_argument, NULL, 'o' },
						      { NULL, 0, NULL, 0 } };
	int own = 0;

	while (getopt_long(argc, argv, "", long_options, NULL) == 'o')
		own++;
	printf("%s(%s) own=%d store=%s crs=%s timeout=%lu%s%s", argv[0], name, own, options->store,
	       options->address ? options->address : "-", options->timeout_s,
	       options->json ? " json" : "", options->secondary ? " secondary" : "");
	for (int i = optind; i < argc; i++)
		printf(" <%s>", argv[i]);
	putchar('\n');
	fflush(stdout);
	log_debug("cca", "some detail");
	log_info("cca", "some news");
	return CCA_OK;
}

int cca_enrol(const struct cca_options *options, int argc, char **argv)
{
	return tell("enrol", options, argc, argv);
}

int cca_call(const struct cca_options *options, int argc, char **argv)
{
	return tell("call", options, argc, argv);
}

int cca_answer(const struct cca_options *options, int argc, char **argv)
{
	return tell("answer", options, argc, argv);
}

int cca_send(const struct cca_options *options, int argc, char **argv)
{
	return tell("send", options, argc, argv);
}

int cca_keep(const struct cca_options *options, int argc, char **argv)
{
	return tell("keep", options, argc, argv);
}

int cca_listen(const struct cca_options *options, int argc, char **argv)
{
	tell("listen", options, argc, argv);
	return CCA_FAILED;
}

/* ---- the words ---- */

static int run(const char *command, char output[INSIDE_OUTPUT])
{
	setenv("HOME", "/home/somebody", 1);
	return inside_run(cca_main, command, output);
}

static void every_command_gets_its_words_and_our_options(void **state)
{
	static const struct {
		const char *command;
		int status;
		const char *told;
	} cases[] = {
		{ "cca enrol letter", CCA_OK,
		  "enrol(enrol) own=0 store=/home/somebody/.cca crs=- timeout=30 <letter>\n" },
		{ "cca --store /s --crs h:1 --timeout 0 --json --secondary call --own +8888",
		  CCA_OK, "call(call) own=1 store=/s crs=h:1 timeout=0 json secondary <+8888>\n" },
		/* Behind the command they are the command's, and there they may stand anywhere. */
		{ "cca --timeout 1000000000 answer a --own b", CCA_OK,
		  "answer(answer) own=1 store=/home/somebody/.cca crs=- timeout=1000000000 "
		  "<a> <b>\n" },
		{ "cca --store=/s send +1 two'words", CCA_OK,
		  "send(send) own=0 store=/s crs=- timeout=30 <+1> <two words>\n" },
		{ "cca --store=/s keep a b", CCA_OK,
		  "keep(keep) own=0 store=/s crs=- timeout=30 <a> <b>\n" },
		{ "cca --store=/s listen", CCA_FAILED,
		  "listen(listen) own=0 store=/s crs=- timeout=30\n" },
	};
	char output[INSIDE_OUTPUT];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(run(cases[i].command, output), cases[i].status);
		assert_string_equal(output, cases[i].told);
	}
}

static void without_a_home_the_keys_are_in_the_folder_that_we_are_in(void **state)
{
	char output[INSIDE_OUTPUT];

	(void)state;
	unsetenv("HOME");
	assert_int_equal(inside_run(cca_main, "cca keep a b", output), CCA_OK);
	assert_non_null(strstr(output, " store=./.cca "));
}

static void wrong_words_are_a_usage_error(void **state)
{
	static const struct {
		const char *command;
		int status;
		const char *told;
	} cases[] = {
		{ "cca", CCA_USAGE, "usage: cca [--store DIR]" },
		{ "cca --json", CCA_USAGE, "usage: cca [--store DIR]" },
		{ "cca dance", CCA_USAGE, "cca: unknown command \"dance\"; see cca --help\n" },
		{ "cca --what call", CCA_USAGE, "see cca --help\n" },
		{ "cca --store", CCA_USAGE, "see cca --help\n" },
		{ "cca --timeout soon call", CCA_USAGE, "cca: --timeout soon: expected seconds\n" },
		{ "cca --timeout -1 call", CCA_USAGE, "cca: --timeout -1: expected seconds\n" },
		{ "cca --timeout 1000000001 call", CCA_USAGE, "expected seconds\n" },
		{ "cca --now yesterday call", CCA_USAGE, "" },
		{ "cca --help", CCA_OK, "  listen  [--count N] [--save DIR]" },
		{ "cca -h call", CCA_OK, "Exit status: 0 done, 1 failed, 2 usage.\n" },
		{ "cca --version", CCA_OK, "cca " },
	};
	char output[INSIDE_OUTPUT];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(run(cases[i].command, output), cases[i].status);
		assert_true(*output);
		assert_non_null(strstr(output, cases[i].told));
		assert_null(strstr(output, "own="));
	}
}

/* Standard output is for events; the log is for who asks for it. */
static void details_are_told_when_asked_for(void **state)
{
	char output[INSIDE_OUTPUT];

	(void)state;
	assert_int_equal(run("cca --verbose keep a b", output), CCA_OK);
	assert_non_null(strstr(output, "some detail"));
	assert_int_equal(run("cca keep a b", output), CCA_OK);
	assert_null(strstr(output, "some "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_gets_its_words_and_our_options),
		cmocka_unit_test(without_a_home_the_keys_are_in_the_folder_that_we_are_in),
		cmocka_unit_test(wrong_words_are_a_usage_error),
		cmocka_unit_test(details_are_told_when_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
