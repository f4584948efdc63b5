/* cig_cli_route.c - route: where calls would go, by a running gateway or by a file. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "gateway/cig_cli.h"
#include "gateway/cig_config.h"
#include "gateway/route_report.h"

/* Who is asked, and how the answers are shown. */
struct query {
	struct cli *cli;
	const struct cig_config *config; /* NULL: the running server */
	bool explained, batch;
};

static void print_explanation(const json_t *decision)
{
	json_t *step;
	size_t i;

	json_array_foreach(json_object_get(decision, "explain"), i, step) if (json_is_string(step))
		cli_say("  %s", json_string_value(step));
}

static void print_decision(const json_t *decision)
{
	if (json_is_true(json_object_get(decision, "routed"))) {
		cli_say("interface  %s", cli_text(decision, "interface"));
		cli_say("to         %s", cli_text(decision, "to"));
		cli_say("from       %s", cli_text(decision, "from"));
		if (*cli_text(decision, "auth"))
			cli_say("auth       %s", cli_text(decision, "auth"));
		cli_say("by         %s", cli_text(decision, "to_entry"));
		cli_say("from by    %s", cli_text(decision, "from_entry"));
	} else {
		cli_say("rejected   %" JSON_INTEGER_FORMAT " %s",
			json_integer_value(json_object_get(decision, "code")),
			cli_text(decision, "reason"));
	}
}

/* One line a call, in the order of the questions: TO, then what became of it. */
static void print_batch_line(const char *to, const json_t *decision)
{
	bool routed = json_is_true(json_object_get(decision, "routed"));

	/* The tabs are ours: one in a field would be another field. */
	cli_put("%s", to);
	putchar('\t');
	if (routed)
		cli_put("%s", cli_text(decision, "to"));
	else
		cli_put("rejected %" JSON_INTEGER_FORMAT,
			json_integer_value(json_object_get(decision, "code")));
	putchar('\t');
	cli_say("%s", cli_text(decision, routed ? "from" : "reason"));
}

/* The server's answer is the very report that a file gives (route_report.h). */
static int ask_server(struct cli *cli, const char *to, const char *from, json_t **decision_out)
{
	char target[8192] = "/route";

	if (control_target_arg(target, sizeof(target), "to", to) ||
	    (from && control_target_arg(target, sizeof(target), "from", from))) {
		fputs("cig-cli: the URI is too long\n", stderr);
		return -1;
	}
	return cli_call(cli, "GET", target, decision_out);
}

static int ask(const struct query *query, const char *to, const char *from, json_t **decision_out)
{
	if (!query->config)
		return ask_server(query->cli, to, from, decision_out);
	*decision_out = route_report(cig_config_router(query->config), to, from);
	if (*decision_out)
		return 0;
	fputs("cig-cli: out of memory\n", stderr);
	return -1;
}

/* A member that says what was asked: in a batch the answers stand alone. */
static void print_json_line(const char *to, json_t *decision)
{
	json_object_set_new(decision, "asked", json_string(to));
	json_show(decision, JSON_COMPACT, stdout);
}

static int route_one(const struct query *query, const char *to, const char *from)
{
	json_t *decision;
	bool routed;

	if (ask(query, to, from, &decision))
		return CLI_FAILED;
	routed = json_is_true(json_object_get(decision, "routed"));
	if (query->cli->json && query->batch)
		print_json_line(to, decision);
	else if (query->cli->json)
		cli_print_json(decision);
	else if (query->batch)
		print_batch_line(to, decision);
	else
		print_decision(decision);
	if (query->explained && !query->cli->json)
		print_explanation(decision);
	json_decref(decision);
	return routed ? CLI_OK : CLI_FAILED;
}

/* A URI that is typed without its scheme is the usual slip; a batch answers it with 416, as the
 * gateway would. */
static bool has_scheme(const char *uri)
{
	if (strncasecmp(uri, "tel:", 4) == 0 || strncasecmp(uri, "sip:", 4) == 0 ||
	    strncasecmp(uri, "sips:", 5) == 0)
		return true;
	fprintf(stderr,
		"cig-cli: \"%s\": write tel:%s for a call from the secure side, sip:%s for "
		"one from the PBX\n",
		uri, uri, uri);
	return false;
}

static int usage(void)
{
	fputs("usage: cig-cli route [--config FILE] [--explain] [--json] <TO> [<FROM>] | -\n",
	      stderr);
	return CLI_USAGE;
}

/* Lines of TO and perhaps FROM; empty ones and those that begin with "#" are passed over.  Every
 * other line is answered, and one that matches nothing makes the whole batch fail. */
static int route_lines(const struct query *query)
{
	int status = CLI_OK;
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) >= 0) {
		char *rest = NULL;
		const char *to = strtok_r(line, " \t\r\n", &rest);
		const char *from = strtok_r(NULL, " \t\r\n", &rest);

		if (!to || *to == '#')
			continue;
		if (strtok_r(NULL, " \t\r\n", &rest)) {
			fprintf(stderr,
				"cig-cli: %s %s: found a third word, expected <TO> [<FROM>]\n", to,
				from);
			status = CLI_FAILED;
		} else if (route_one(query, to, from) != CLI_OK) {
			status = CLI_FAILED;
		}
	}
	free(line);
	return status;
}

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "explain", no_argument, NULL, 'e' },
	{ "json", no_argument, NULL, 'j' },
	{ NULL, 0, NULL, 0 },
};

int cli_route(struct cli *cli, int argc, char **argv)
{
	struct query query = { .cli = cli };
	const char *file = NULL;
	int option, status;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'c')
			file = optarg;
		else if (option == 'e')
			query.explained = true;
		else if (option == 'j')
			cli->json = true;
		else
			return usage();
	}
	argv += optind;
	argc -= optind;
	query.batch = argc == 1 && strcmp(argv[0], "-") == 0;
	if (argc < 1 || argc > 2)
		return usage();
	if (!query.batch && (!has_scheme(argv[0]) || (argc == 2 && !has_scheme(argv[1]))))
		return CLI_USAGE;
	if (file && cli_read_config(file, &query.config))
		return CLI_FAILED;
	status = query.batch ? route_lines(&query)
			     : route_one(&query, argv[0], argc == 2 ? argv[1] : NULL);
	if (query.config)
		cig_config_release(&query.config);
	return status;
}
