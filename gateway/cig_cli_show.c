/* cig_cli_show.c - echo, show, status: what a running gateway tells. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "gateway/cig_cli.h"

int cli_echo(struct cli *cli, int argc, char **argv)
{
	char target[4096] = "/echo", text[2048] = "";
	json_t *answer;
	size_t used = 0;

	for (int i = 1; i < argc; i++) {
		int n = snprintf(text + used, sizeof(text) - used, "%s%s", i > 1 ? " " : "",
				 argv[i]);

		if (n < 0 || (size_t)n >= sizeof(text) - used) {
			fputs("cig-cli: that is too long to echo\n", stderr);
			return CLI_USAGE;
		}
		used += (size_t)n;
	}
	if (control_target_arg(target, sizeof(target), "text", text)) {
		fputs("cig-cli: that is too long to echo\n", stderr);
		return CLI_USAGE;
	}
	if (cli_call(cli, "GET", target, &answer))
		return CLI_FAILED;
	if (cli->json)
		cli_print_json(answer);
	else
		puts(cli_text(answer, "text"));
	json_decref(answer);
	return CLI_OK;
}

/* What a list is made of: the heading and the members of each row, in order. */
struct listing {
	const char *what, *target, *array;
	const char *headings[9], *members[9]; /* NULL ends; a number is printed as one */
};

static const struct listing listings[] = {
	{ "call",
	  "/calls",
	  "calls",
	  { "IN-FROM", "IN-TO", "OUT-FROM", "OUT-TO", "STATE" },
	  { "in_from", "in_to", "out_from", "out_to", "state" } },
	{ "umsg",
	  "/umsg",
	  "sessions",
	  { "FROM", "TO", "STATE", "TIME", "ID" },
	  { "from", "to", "state", "time_s", "id" } },
	{ "message",
	  "/messages",
	  "messages",
	  { "ID", "DIRECTION", "FROM", "TO", "WHERE", "STATE", "TRIES", "WHY" },
	  { "id", "direction", "from", "to", "where", "state", "tries", "why" } },
};

static void print_listing(const struct listing *listing, const json_t *rows)
{
	struct table *table;
	size_t columns = 0, i;
	json_t *row;

	while (listing->headings[columns])
		columns++;
	table = table_new(columns);
	if (!table)
		return;
	table_add(table, listing->headings);
	json_array_foreach((json_t *)rows, i, row)
	{
		for (size_t c = 0; c < columns; c++) {
			const json_t *cell = json_object_get(row, listing->members[c]);

			if (json_is_integer(cell))
				table_cellf(table, "%" JSON_INTEGER_FORMAT,
					    json_integer_value(cell));
			else
				table_cell(table,
					   json_is_string(cell) ? json_string_value(cell) : "");
		}
	}
	table_print(table, stdout);
	table_free(&table);
}

int cli_show(struct cli *cli, int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof(listings) / sizeof(listings[0]); i++) {
		json_t *answer;

		if (strcmp(argv[1], listings[i].what) != 0)
			continue;
		if (cli_call(cli, "GET", listings[i].target, &answer))
			return CLI_FAILED;
		if (cli->json)
			cli_print_json(answer);
		else
			print_listing(&listings[i], json_object_get(answer, listings[i].array));
		json_decref(answer);
		return CLI_OK;
	}
	fputs("usage: cig-cli show call|umsg|message\n", stderr);
	return CLI_USAGE;
}

static void line(const char *label, const char *value)
{
	printf("%-26s%s\n", label, *value ? value : "-");
}

static void print_umsg(const json_t *umsg)
{
	json_t *period;
	size_t i;

	puts("\nUMSG status:\n----------------------------------------");
	line("Public ID", cli_text(umsg, "public_id"));
	line("Security Domain", cli_text(umsg, "domain"));
	line("CRS Address", cli_text(umsg, "crs_address"));
	line("Connection state", cli_text(umsg, "connection"));
	line("Crypto state", cli_text(umsg, "crypto"));
	json_array_foreach(json_object_get(umsg, "periods"), i, period)
	{
		char label[40];

		snprintf(label, sizeof(label), "Crypto period %zu", i + 1);
		printf("%-26s%s-%" JSON_INTEGER_FORMAT "\n", label, cli_text(period, "month"),
		       json_integer_value(json_object_get(period, "revision")));
	}
}

static void print_pbx(const json_t *pbx)
{
	json_t *server;
	char label[40];
	size_t i;

	snprintf(label, sizeof(label), "PBX %s", cli_text(pbx, "name"));
	line(label, cli_text(pbx, "state"));
	json_array_foreach(json_object_get(pbx, "servers"), i, server)
	{
		char text[80];

		snprintf(text, sizeof(text), "  %s/%s", cli_text(server, "address"),
			 cli_text(server, "transport"));
		printf("%-26s%s", text, cli_text(server, "state"));
		if (json_integer_value(json_object_get(server, "code")))
			printf(" (%" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT " ms)",
			       json_integer_value(json_object_get(server, "code")),
			       json_integer_value(json_object_get(server, "round_trip_ms")));
		putchar('\n');
	}
}

/* The manual's page, and below it what it has no line for. */
static void print_status(const json_t *status)
{
	const json_t *engines = json_object_get(status, "engines");
	const json_t *sip = json_object_get(status, "sip");
	json_t *problem, *pbx;
	size_t i;

	printf("Tandem interconnect gateway v%s\n\n", cli_text(status, "version"));
	line("Relay connection state", cli_text(json_object_get(status, "relay"), "state"));
	printf("%-26s%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT "\n",
	       "Crypto engines available",
	       json_integer_value(json_object_get(engines, "available")),
	       json_integer_value(json_object_get(engines, "total")));
	print_umsg(json_object_get(status, "umsg"));
	puts("\nSIP status:\n----------------------------------------");
	line("SIP Bind address", cli_text(sip, "bind"));
	line("SIP state", cli_text(sip, "state"));
	json_array_foreach(json_object_get(sip, "pbxs"), i, pbx) print_pbx(pbx);
	json_array_foreach(json_object_get(status, "problems"), i, problem)
		printf("%sProblem: %s\n", i ? "" : "\n", json_string_value(problem));
}

int cli_status(struct cli *cli, int argc, char **argv)
{
	json_t *status;

	if (argc != 1) {
		fprintf(stderr, "usage: cig-cli %s\n", argv[0]);
		return CLI_USAGE;
	}
	if (cli_call(cli, "GET", "/status", &status))
		return CLI_FAILED;
	if (cli->json)
		cli_print_json(status);
	else
		print_status(status);
	json_decref(status);
	return CLI_OK;
}
