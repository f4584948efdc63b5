/* main.c - cca, the reference caller: enrols, calls, answers, sends, listens. */
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/text.h"
#include "build-config.h"
#include "caller/cca.h"

static const struct command {
	const char *name, *arguments, *help;
	int (*run)(const struct cca_options *options, int argc, char **argv);
} commands[] = {
	{ "enrol", "[--qr-key KEY] LETTER", "take the keys of an initiation letter", cca_enrol },
	{ "call", "[CALL OPTIONS] NUMBER[;EXT]", "call; \"w\" may stand for \";\"", cca_call },
	{ "answer", "[CALL OPTIONS] [--ring S] [--count N] [--reject busy|declined]",
	  "wait for calls", cca_answer },
	{ "send", "[--receipt] NUMBER[;EXT] | --channel NAME TEXT", "send a text message",
	  cca_send },
	{ "keep", "[--type TYPE] NAME FILE", "have the rendezvous keep a file's octets", cca_keep },
	{ "listen", "[--count N] [--save DIR]", "print text messages as they come", cca_listen },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void usage(FILE *to)
{
	fputs("usage: cca [--store DIR] [--crs HOST:PORT] [--json] COMMAND ...\n"
	      "A secure caller without a screen: calls, answers, sends and prints messages.\n\n",
	      to);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-7s %-50s %s\n", commands[i].name, commands[i].arguments,
			commands[i].help);
	fputs("\n"
	      "  --store DIR     where the keys are (default: ~/.cca)\n"
	      "  --crs HOST:PORT instead of the letter's rendezvous\n"
	      "  --timeout S     give up when not attached by then (default 30; 0: never)\n"
	      "  --json          events as JSON objects\n"
	      "  --verbose       tell about the connection, too\n"
	      "  --secondary     as one more device of a user who has another one\n"
	      "  --now TIME      YYYY-MM-DDTHH:MM:SSZ (test builds)\n"
	      "\n"
	      "Call options:\n"
	      "  --play FILE     speak this: WAV, 8 kHz, one channel, 16 bit\n"
	      "  --record FILE   write what is heard\n"
	      "  --codec NAME    opus, PCMU or PCMA; once or more, the best one first\n"
	      "  --group ID      invite to a group call: 32 hexadecimal digits, the same for all\n"
	      "  --early         take media already while it rings\n"
	      "  --dtmf DIGITS   send digits once the call is up; \",\" waits a second,\n"
	      "                  \"!\" holds or resumes\n"
	      "  --hangup S      hang up after S seconds (default: when the other side does;\n"
	      "                  with --play: a second after its end)\n"
	      "\n"
	      "Exit status: 0 done, 1 failed, 2 usage.\n",
	      to);
}

enum {
	OPT_STORE = 256,
	OPT_CRS,
	OPT_TIMEOUT,
	OPT_JSON,
	OPT_VERBOSE,
	OPT_SECONDARY,
	OPT_NOW,
	OPT_VERSION
};

static const struct option long_options[] = {
	{ "store", required_argument, NULL, OPT_STORE },
	{ "crs", required_argument, NULL, OPT_CRS },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "verbose", no_argument, NULL, OPT_VERBOSE },
	{ "secondary", no_argument, NULL, OPT_SECONDARY },
	{ "now", required_argument, NULL, OPT_NOW },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static int set_now(const char *text)
{
	struct diag *diag = diag_new();
	int err = clock_set_now(text, diag);

	diag_print(diag, stderr);
	diag_free(&diag);
	return err;
}

static int run_command(const struct cca_options *options, int argc, char **argv)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[0], commands[i].name) != 0)
			continue;
		/* The command parses its own options.  0, not 1: only then getopt() reads its "+"
		 * anew, too (getopt(3)). */
		optind = 0;
		return commands[i].run(options, argc, argv);
	}
	fprintf(stderr, "cca: unknown command \"%s\"; see cca --help\n", argv[0]);
	return CCA_USAGE;
}

int main(int argc, char **argv)
{
	char store[PATH_MAX];
	struct cca_options options = { .store = store, .timeout_s = 30 };
	const char *home = getenv("HOME");
	int option;

	/* Warnings only: standard output is for events. */
	log_set_verbose(-1);
	snprintf(store, sizeof(store), "%s/.cca", home ? home : ".");
	/* "+": options behind the command are the command's. */
	while ((option = getopt_long(argc, argv, "+h", long_options, NULL)) != -1) {
		switch (option) {
		case OPT_STORE:
			options.store = optarg;
			break;
		case OPT_CRS:
			options.address = optarg;
			break;
		case OPT_TIMEOUT:
			if (!text_number(slice_str(optarg), 0, CCA_NUMBER_MAX,
					 &options.timeout_s)) {
				fprintf(stderr, "cca: --timeout %s: expected seconds\n", optarg);
				return CCA_USAGE;
			}
			break;
		case OPT_JSON:
			options.json = true;
			break;
		case OPT_VERBOSE:
			log_set_verbose(1);
			break;
		case OPT_SECONDARY:
			options.secondary = true;
			break;
		case OPT_NOW:
			if (set_now(optarg))
				return CCA_USAGE;
			break;
		case OPT_VERSION:
			puts("cca " PACKAGE_VERSION);
			return CCA_OK;
		case 'h':
			usage(stdout);
			return CCA_OK;
		default:
			fputs("see cca --help\n", stderr); /* getopt_long() has said why */
			return CCA_USAGE;
		}
	}
	if (optind == argc) {
		usage(stderr);
		return CCA_USAGE;
	}
	/* A connection that is gone is told by the write. */
	signal(SIGPIPE, SIG_IGN);
	return run_command(&options, argc - optind, argv + optind);
}
