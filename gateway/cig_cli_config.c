/* cig_cli_config.c - read and route: configurations and what their maps do. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "gateway/cig_cli.h"
#include "gateway/cig_config.h"
#include "gateway/route_report.h"

static int read_config(const char *path, const struct cig_config **config_out)
{
	struct diag *diag = diag_new();
	int err = cig_config_read(path, diag, config_out);

	diag_print(diag, stderr);
	if (err)
		fprintf(stderr, "cig-cli: %s: %zu errors, %zu warnings; not usable\n", path,
			diag_errors(diag), diag_warnings(diag));
	diag_free(&diag);
	return err;
}

int cli_read(struct cli *cli, int argc, char **argv)
{
	const struct cig_config *config;
	char summary[512];

	(void)cli;
	if (argc != 2) {
		fputs("usage: cig-cli read <FILE>\n", stderr);
		return CLI_USAGE;
	}
	if (read_config(argv[1], &config))
		return CLI_FAILED;
	cig_config_summary(config, summary, sizeof(summary));
	printf("%s: %s\n", argv[1], summary);
	cig_config_release(&config);
	return CLI_OK;
}

static void print_decision(const json_t *decision, bool explained)
{
	json_t *step;
	size_t i;

	if (json_is_true(json_object_get(decision, "routed"))) {
		printf("interface  %s\nto         %s\nfrom       %s\n",
		       cli_text(decision, "interface"), cli_text(decision, "to"),
		       cli_text(decision, "from"));
		if (*cli_text(decision, "auth"))
			printf("auth       %s\n", cli_text(decision, "auth"));
		printf("by         %s\n", cli_text(decision, "to_entry"));
		printf("from by    %s\n", cli_text(decision, "from_entry"));
	} else {
		printf("rejected   %" JSON_INTEGER_FORMAT " %s\n",
		       json_integer_value(json_object_get(decision, "code")),
		       cli_text(decision, "reason"));
	}
	json_array_foreach(json_object_get(decision, "explain"), i, step)
	{
		if (explained)
			printf("  %s\n", json_string_value(step));
	}
}

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

static int ask_file(const char *path, const char *to, const char *from, json_t **decision_out)
{
	const struct cig_config *config;

	if (read_config(path, &config))
		return -1;
	*decision_out = route_report(cig_config_router(config), to, from);
	cig_config_release(&config);
	if (*decision_out)
		return 0;
	fputs("cig-cli: out of memory\n", stderr);
	return -1;
}

static const struct option route_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "explain", no_argument, NULL, 'e' },
	{ "json", no_argument, NULL, 'j' },
	{ NULL, 0, NULL, 0 },
};

int cli_route(struct cli *cli, int argc, char **argv)
{
	const char *file = NULL, *to, *from;
	bool explained = false, routed;
	json_t *decision;
	int option;

	while ((option = getopt_long(argc, argv, "", route_options, NULL)) != -1) {
		if (option == 'c')
			file = optarg;
		else if (option == 'e')
			explained = true;
		else if (option == 'j')
			cli->json = true;
		else
			return CLI_USAGE;
	}
	if (argc - optind < 1 || argc - optind > 2) {
		fputs("usage: cig-cli route [--config FILE] [--explain] <TO> [<FROM>]\n", stderr);
		return CLI_USAGE;
	}
	to = argv[optind];
	from = argc - optind == 2 ? argv[optind + 1] : NULL;
	if (file ? ask_file(file, to, from, &decision) : ask_server(cli, to, from, &decision))
		return CLI_FAILED;
	routed = json_is_true(json_object_get(decision, "routed"));
	if (cli->json)
		cli_print_json(decision);
	else
		print_decision(decision, explained);
	json_decref(decision);
	return routed ? CLI_OK : CLI_FAILED;
}
