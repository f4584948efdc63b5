/* crs.c - the rendezvous server: command line.
 *
 * The same program is supervisor and worker: the supervisor starts itself with --worker for
 * each, with the channel between them as descriptor WORKER_FD. Beside a test's clock a worker is
 * told all that it needs over the channel.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/diag.h"
#include "build-config.h"
#include "rendezvous/run_lock.h"
#include "rendezvous/supervisor.h"
#include "rendezvous/worker.h"

enum { WORKER_FD = 3, EXIT_USAGE = 2 };

enum option_key {
	OPT_ROOT = 256,
	/* In the order of place[] and set_paths(): OPT_CONFIG to OPT_LOG are indices. */
	OPT_CONFIG,
	OPT_LOCAL,
	OPT_ACCOUNTS,
	OPT_DATA,
	OPT_RUN,
	OPT_LOG,
	OPT_WORKER,
	OPT_NOW,
	OPT_VERSION,
	OPT_HELP,
};

static const struct option long_options[] = {
	{ "root", required_argument, NULL, OPT_ROOT },
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "local", required_argument, NULL, OPT_LOCAL },
	{ "accounts", required_argument, NULL, OPT_ACCOUNTS },
	{ "data", required_argument, NULL, OPT_DATA },
	{ "run", required_argument, NULL, OPT_RUN },
	{ "log", required_argument, NULL, OPT_LOG },
	{ "worker", no_argument, NULL, OPT_WORKER },
	{ "now", required_argument, NULL, OPT_NOW },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static void usage(FILE *to)
{
	fputs("usage: crs [options]\n"
	      "Serves the clients of secure domains: registrations, calls, messages, updates.\n"
	      "\n"
	      "  --root DIR      everything under DIR: crs.conf, crs-local.conf, accounts/, "
	      "data/,\n"
	      "                  run/, log/ (default " CRS_DIR ", " CRS_RUN_DIR ", " CRS_LOG_DIR
	      ")\n"
	      "  --config FILE, --local FILE, --accounts DIR, --data DIR, --run DIR, --log DIR\n"
	      "                  one of them elsewhere\n"
	      "  -n              check the configuration and end\n"
	      "  -e              log to standard error\n"
	      "  -v              log more\n"
	      "  --version, --help\n"
	      "\n"
	      "SIGHUP loads accounts and updates again, and reopens the logs.\n"
	      "Exit status: 0 ended, 1 not started, or faults in the configuration, 2 usage.\n",
	      to);
}

struct command_line {
	struct supervisor_options options;
	const char *root, *place[OPT_LOG - OPT_CONFIG + 1];
	bool check_only, worker;
};

/* Kept as text as well, for the workers, which are started with the same clock. */
static int set_clock(struct command_line *line, const char *text)
{
	struct diag *diag = diag_new();
	int err = clock_set_now(text, diag);

	diag_print(diag, stderr);
	diag_free(&diag);
	line->options.test_clock = err ? NULL : text;
	return err ? EXIT_USAGE : -1;
}

/* The exit status, or -1: go on. */
static int take_option(struct command_line *line, int key)
{
	switch (key) {
	case OPT_ROOT:
		line->root = optarg;
		return -1;
	case 'n':
		line->check_only = true;
		return -1;
	case 'e':
		line->options.log_to_stderr = true;
		return -1;
	case 'v':
		line->options.verbose = true;
		return -1;
	case OPT_WORKER:
		line->worker = true;
		return -1;
	case OPT_NOW:
		return set_clock(line, optarg);
	case OPT_VERSION:
		puts("crs " PACKAGE_VERSION);
		return 0;
	case OPT_HELP:
		usage(stdout);
		return 0;
	default:
		if (key >= OPT_CONFIG && key <= OPT_LOG) {
			line->place[key - OPT_CONFIG] = optarg;
			return -1;
		}
		fputs("see crs --help\n", stderr); /* getopt_long() has said why */
		return EXIT_USAGE;
	}
}

/* Single places that the command line moves. */
static int set_paths(struct command_line *line)
{
	struct crs_paths *paths = &line->options.paths;
	char *const places[] = { paths->config, paths->local, paths->accounts,
				 paths->data,   paths->run,   paths->log };
	int err = crs_paths_init(paths, line->root);

	for (size_t i = 0; !err && i < sizeof(places) / sizeof(places[0]); i++) {
		if (line->place[i])
			err = crs_path_absolute(places[i], CRS_PATH_SIZE, line->place[i]);
	}
	if (!err)
		/* Behind the places, from which these are made. */
		err = crs_path_join(paths->control, CRS_PATH_SIZE, paths->run, "crs.sock");
	if (!err)
		err = crs_path_join(paths->relay, CRS_PATH_SIZE, paths->run, "crs-relay.sock");
	if (!err)
		err = crs_path_join(paths->admins, CRS_PATH_SIZE, paths->data, "admins");
	if (err)
		fprintf(stderr, "crs: a path cannot be used: %s\n", strerror(-err));
	return err;
}

static int read_settings(struct command_line *line)
{
	struct diag *diag = diag_new();
	int err = settings_read(&line->options.paths, &line->options.settings, diag);

	diag_print(diag, stderr);
	if (err)
		fprintf(stderr, "crs: %zu error%s in the configuration: %s\n", diag_errors(diag),
			diag_errors(diag) == 1 ? "" : "s",
			line->check_only ? "not usable" : "not started");
	diag_free(&diag);
	return err;
}

/* Before anything is read that a restore may be exchanging, or a running crs writing.  The settings
 * were read to see whether they are good: what is none of ours must not make folders; they are
 * read again now that nobody changes them. */
static int lock(struct command_line *line)
{
	struct diag *diag = diag_new();
	int err = crs_paths_make(&line->options.paths, diag);

	if (!err)
		err = run_lock_take(&line->options.paths, diag, &line->options.lock_fd);

	diag_print(diag, stderr);
	diag_free(&diag);
	if (err)
		return err;
	settings_clear(&line->options.settings);
	diag = diag_new();
	err = settings_read(&line->options.paths, &line->options.settings, diag);
	/* Warnings were told the first time. */
	if (err)
		diag_print(diag, stderr);
	diag_free(&diag);
	return err;
}

int main(int argc, char **argv)
{
	struct command_line line = { .root = NULL };
	int key, status;

	while ((key = getopt_long(argc, argv, "nev", long_options, NULL)) != -1) {
		status = take_option(&line, key);
		if (status >= 0)
			return status;
	}
	if (optind < argc) {
		fprintf(stderr, "crs: unexpected \"%s\"; see crs --help\n", argv[optind]);
		return EXIT_USAGE;
	}
	/* Before any file is looked at: a worker's settings come over its channel. */
	if (line.worker) {
		prctl(PR_SET_NAME, "crs-worker"); /* else "exe", in what ps and ss tell */
		return worker_run(WORKER_FD);
	}
	if (set_paths(&line))
		return 1;
	/* Also with -n, which is this and nothing more. */
	status = read_settings(&line) ? 1 : 0;
	if (!status && !line.check_only)
		status = lock(&line) ? 1 : 0;
	if (!status && !line.check_only)
		status = supervisor_run(&line.options);
	settings_clear(&line.options.settings);
	return status;
}
