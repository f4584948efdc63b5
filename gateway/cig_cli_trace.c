/* cig_cli_trace.c - trace call: what happens to calls, as it happens. */
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/json_text.h"
#include "base/visible.h"
#include "gateway/cig_cli.h"

/* A row without columns to keep: lines come one by one and have any length. */
static void print_event(const json_t *event)
{
	const char *what = cli_text(event, "event");

	/* With a phrase of the PBX, who may have put anything into it. */
	cli_put("%s call=%" JSON_INTEGER_FORMAT " %-6s %s", cli_text(event, "time"),
		json_integer_value(json_object_get(event, "call")), cli_text(event, "side"), what);
	if (strcmp(what, "routing") == 0)
		cli_put(" from=%s to=%s", cli_text(event, "in_from"), cli_text(event, "in_to"));
	if (strcmp(what, "routed") == 0)
		cli_put(" from=%s to=%s", cli_text(event, "out_from"), cli_text(event, "out_to"));
	putchar('\n');
}

/* A line that is no JSON is the control port's own: how many lines were lost. */
static bool take_line(void *arg, struct slice text)
{
	const struct cli *cli = arg;
	json_t *event = json_loadb((const char *)text.p, text.n, 0, NULL);

	if (!event) {
		visible_print(stdout, text, "");
		putchar('\n');
	} else if (cli->json) {
		json_show(event, JSON_COMPACT, stdout);
	} else {
		print_event(event);
	}
	fflush(stdout); /* for whoever pipes it into grep */
	json_decref(event);
	return true;
}

/* Ctrl-C ends the program, and with it the trace. */
static int trace_call(struct cli *cli, int argc, char **argv)
{
	struct control_server server = cli->server;
	char target[2048] = "/trace/call";
	struct diag *diag;
	int err;

	if (argc > 3) {
		fputs("usage: cig-cli trace call [NUMBER|URI]\n", stderr);
		return CLI_USAGE;
	}
	if (argc == 3 && control_target_arg(target, sizeof(target), "match", argv[2])) {
		fputs("cig-cli: that is too long\n", stderr);
		return CLI_USAGE;
	}
	server.timeout_ms = CLI_TRACE_SILENCE_MS;
	diag = diag_new();
	err = control_follow(&server, target, take_line, cli, diag);
	if (err)
		cli_error("%s", diag_first_error(diag));
	diag_free(&diag);
	return err ? CLI_FAILED : CLI_OK;
}

int cli_trace(struct cli *cli, int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "call") == 0)
		return trace_call(cli, argc, argv);
	if (strcmp(what, "sip") == 0)
		return cli_trace_sip(cli, argc, argv);
	fputs("usage: cig-cli trace call [NUMBER|URI]\n"
	      "       cig-cli trace sip NUMBER|CALL-ID [FILE]\n",
	      stderr);
	return CLI_USAGE;
}
