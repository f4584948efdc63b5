/* cig_cli.c - looks into a gateway, in direct or interactive mode. */
#include "gateway/cig_cli.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/suggest.h"
#include "build-config.h"
#include "gateway/cig_config.h"

enum { MAX_WORDS = 16, HELP_COLUMN = 50 };

static int cli_help(struct cli *cli, int argc, char **argv);

static const struct action {
	const char *name, *arguments, *help;
	cli_action_fn *run;
	bool local; /* works without a server and without cig.conf */
} actions[] = {
	{ "echo", "<anything>", "echo test functionality", cli_echo, false },
	{ "show", "call|umsg|message|center [--long] [--watch [SECONDS]]",
	  "show active calls, umsg sessions, queued texts or message centers", cli_show, false },
	{ "message", "retry|drop <ID>", "try a queued text at once, or give it up", cli_message,
	  false },
	{ "status", "", "show the state of the gateway", cli_status, false },
	{ "read", "<FILE>", "test read a configuration file", cli_read, true },
	{ "reload", "", "read the configuration again; say what changed", cli_reload, false },
	{ "route", "[--config FILE] [--explain] <TO> [<FROM>] | -",
	  "show where a call to TO goes, and why", cli_route, false },
	{ "trace", "call [NUMBER|URI] | sip NUMBER|CALL-ID [FILE]",
	  "show what happens to calls, live; the SIP messages of one", cli_trace, false },
	{ "set-key", "[--file FILE]", "take the key letter of this gateway", cli_set_key, false },
	{ "help", "", "shows this help", cli_help, true },
};

enum { ACTIONS = sizeof(actions) / sizeof(actions[0]) };

static int cli_help(struct cli *cli, int argc, char **argv)
{
	(void)cli;
	(void)argc;
	(void)argv;
	puts("Tandem interconnect gateway");
	for (size_t i = 0; i < ACTIONS; i++) {
		char left[64];

		snprintf(left, sizeof(left), "%s%s%s", actions[i].name,
			 actions[i].arguments[0] ? " " : "", actions[i].arguments);
		/* What is too long for its column has a line of its own. */
		if (strlen(left) > HELP_COLUMN)
			printf("  %s\n  %-*s %s\n", left, HELP_COLUMN, "", actions[i].help);
		else
			printf("  %-*s %s\n", HELP_COLUMN, left, actions[i].help);
	}
	return CLI_OK;
}

static void usage(FILE *to)
{
	fputs("usage: cig-cli [--config FILE] [--address HOST:PORT] [--json] [ACTION "
	      "[ARGUMENT]...]\n"
	      "Looks into a running gateway, and into configurations.  Without an action it reads\n"
	      "actions line by line.\n"
	      "\n"
	      "  --config FILE   says where the gateway is (default " CIG_CONFIG_PATH ")\n"
	      "  --address HOST:PORT\n"
	      "                  its control port, instead\n"
	      "  --json          print JSON\n"
	      "\n"
	      "Actions (\"help\" says more):\n",
	      to);
	for (size_t i = 0; i < ACTIONS; i++)
		fprintf(to, "  %s%s%s\n", actions[i].name, actions[i].arguments[0] ? " " : "",
			actions[i].arguments);
	fputs("\nExit status: 0 done, 1 failed (no server, no route, faults found), 2 usage.\n",
	      to);
}

static const struct action *find_action(const char *name)
{
	for (size_t i = 0; i < ACTIONS; i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

static void tell_unknown(const char *name)
{
	const char *known[ACTIONS], *near;

	for (size_t i = 0; i < ACTIONS; i++)
		known[i] = actions[i].name;
	near = suggest_near(name, known, ACTIONS);
	fprintf(stderr, "cig-cli: unknown action \"%s\"%s%s%s; \"help\" lists them\n", name,
		near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* Takes control port and userdata from cig.conf, also when it has faults elsewhere: those
 * are told by `read` and `reload`.  Without a file that can be read the defaults serve. */
static void locate_server(struct cli *cli)
{
	const struct cig_config *config = NULL;
	const char *userdata = CIG_DIR "/userdata", *bind = "127.0.0.1";
	unsigned port = 8083;

	if (cig_config_read_places(cli->config_path, &config) == 0) {
		userdata = config->userdata;
		bind = config->control_bind;
		port = config->control_port;
	}
	if (!cli->address[0])
		snprintf(cli->address, sizeof(cli->address),
			 strchr(bind, ':') ? "[%s]:%u" : "%s:%u", bind, port);
	snprintf(cli->userdata, sizeof(cli->userdata), "%s", userdata);
	snprintf(cli->token_path, sizeof(cli->token_path), "%s/.control-token", userdata);
	if (config)
		cig_config_release(&config);
	cli->server = (struct control_server){ .program = "cig-server",
					       .address = cli->address,
					       .token_path = cli->token_path };
}

int cli_call(struct cli *cli, const char *method, const char *target, json_t **answer_out)
{
	struct diag *diag = diag_new();
	json_t *answer = NULL;
	int err = control_call(&cli->server, method, target, NULL, &answer, diag);

	if (err) {
		cli_error("%s", diag_first_error(diag));
	} else if (!json_is_object(answer)) {
		cli_error("%s on %s: the answer is not what was asked for", cli->server.program,
			  cli->server.address);
		json_decref(answer);
		err = -EPROTO;
	} else {
		*answer_out = answer;
	}
	diag_free(&diag);
	return err;
}

/* Takes --json out of the words of an action, wherever it stands.  Returns how many are left. */
static int take_json(struct cli *cli, int argc, char **argv)
{
	int n = 1;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			cli->json = true;
		else
			argv[n++] = argv[i];
	}
	return n;
}

static int run_action(struct cli *cli, int argc, char **argv)
{
	const struct action *action = find_action(argv[0]);
	bool json = cli->json;
	int status;

	if (!action) {
		tell_unknown(argv[0]);
		return CLI_USAGE;
	}
	if (action->run != cli_echo) /* which says every word again */
		argc = take_json(cli, argc, argv);
	/* Once for a session: later actions find it. */
	if (!action->local && !cli->server.address)
		locate_server(cli);
	/* 0, not 1: glibc then forgets what it remembers of the program's own options
	 * (getopt(3)). */
	optind = 0; /* actions parse their own options */
	status = action->run(cli, argc, argv);
	cli->json = json; /* an action's own --json is for it alone */
	return status;
}

/* Splits a line at blanks; words in double quotes may hold blanks. */
static int split(char *line, char **words)
{
	int n = 0;

	while (n < MAX_WORDS - 1) {
		bool quoted;

		while (isspace((unsigned char)*line))
			line++;
		if (!*line)
			break;
		quoted = *line == '"';
		words[n++] = quoted ? ++line : line;
		while (*line && (quoted ? *line != '"' : !isspace((unsigned char)*line)))
			line++;
		if (*line)
			*line++ = '\0';
	}
	words[n] = NULL;
	return n;
}

/* The manual's interactive mode; each action's outcome is told, as it has no exit
 * status there. */
static int interact(struct cli *cli)
{
	char *line = NULL, *words[MAX_WORDS];
	size_t cap = 0;
	int status = CLI_OK;

	for (;;) {
		int n;

		fputs("cig-cli$ ", stdout);
		fflush(stdout);
		if (getline(&line, &cap, stdin) < 0)
			break;
		n = split(line, words);
		if (n == 0)
			continue;
		if (strcmp(words[0], "exit") == 0 || strcmp(words[0], "quit") == 0)
			break;
		status = run_action(cli, n, words);
		puts(status == CLI_OK ? "OK" : "FAILED");
	}
	if (isatty(STDIN_FILENO))
		putchar('\n');
	free(line);
	return status;
}

enum { OPT_CONFIG = 256, OPT_ADDRESS, OPT_JSON, OPT_VERSION };

static const struct option long_options[] = {
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "address", required_argument, NULL, OPT_ADDRESS },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

int main(int argc, char **argv)
{
	struct cli cli = { .config_path = CIG_CONFIG_PATH };
	int option;

	while ((option = getopt_long(argc, argv, "+h", long_options, NULL)) != -1) {
		switch (option) {
		case OPT_CONFIG:
			cli.config_path = optarg;
			break;
		case OPT_ADDRESS:
			if (strlen(optarg) >= sizeof(cli.address)) {
				cli_error("--address: that is too long");
				return CLI_USAGE;
			}
			snprintf(cli.address, sizeof(cli.address), "%s", optarg);
			break;
		case OPT_JSON:
			cli.json = true;
			break;
		case OPT_VERSION:
			puts("cig-cli " PACKAGE_VERSION);
			return CLI_OK;
		case 'h':
			usage(stdout);
			return CLI_OK;
		default:
			fputs("see cig-cli --help\n", stderr); /* getopt_long() has said why */
			return CLI_USAGE;
		}
	}
	if (optind == argc)
		return interact(&cli);
	return run_action(&cli, argc - optind, argv + optind);
}
