/* cig_cli_show.c - echo, show, status: what a running gateway tells. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/table.h"
#include "base/text.h"
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
		cli_say("%s", cli_text(answer, "text"));
	json_decref(answer);
	return CLI_OK;
}

enum { MAX_COLUMNS = 16, WATCH_S = 2 };

/* A column: its heading, and the member of each row that stands in it, "pbx.codec" for one
 * of a member's own.  A number is printed as one; "%" behind it: the share of the packets
 * that should have come. */
struct column {
	const char *heading, *member;
};

/* What a list is made of; the manual's columns first, those of --long behind them. */
struct listing {
	const char *what, *target, *long_target, *array;
	struct column columns[MAX_COLUMNS]; /* a NULL heading ends */
	size_t plain;                       /* so many without --long */
};

static const struct listing listings[] = {
	{ "call",
	  "/calls",
	  "/calls?media",
	  "calls",
	  { { "IN-FROM", "in_from" },
	    { "IN-TO", "in_to" },
	    { "OUT-FROM", "out_from" },
	    { "OUT-TO", "out_to" },
	    { "STATE", "state" },
	    { "CALL", "number" },
	    { "SECONDS", "duration_s" },
	    { "PBX", "pbx.codec" },
	    { "LOST", "pbx.lost%" },
	    { "JITTER-MS", "pbx.jitter_ms" },
	    { "SECURE", "secure.codec" },
	    { "LOST", "secure.lost%" },
	    { "JITTER-MS", "secure.jitter_ms" } },
	  5 },
	{ "umsg",
	  "/umsg",
	  "/umsg",
	  "sessions",
	  { { "FROM", "from" },
	    { "TO", "to" },
	    { "STATE", "state" },
	    { "TIME", "time_s" },
	    { "ID", "id" } },
	  5 },
	{ "message",
	  "/messages",
	  "/messages",
	  "messages",
	  { { "ID", "id" },
	    { "DIRECTION", "direction" },
	    { "FROM", "from" },
	    { "TO", "to" },
	    { "WHERE", "where" },
	    { "STATE", "state" },
	    { "TRIES", "tries" },
	    { "WHY", "why" } },
	  8 },
	{ "center",
	  "/centers",
	  "/centers",
	  "centers",
	  { { "CENTER", "name" },
	    { "STATE", "state" },
	    { "PEER", "peer" },
	    { "TAKEN", "taken" },
	    { "INCOMING", "incoming" },
	    { "IN-HAND", "in_hand" },
	    { "AWAITED", "awaited" },
	    { "WHY", "why" },
	    { "SECONDS", "since_s" },
	    { "SUBMITTED", "submitted" },
	    { "REFUSED", "refused" },
	    { "THROTTLES", "throttles" },
	    { "UNANSWERED", "unanswered" },
	    { "RECEIPTS", "receipts" },
	    { "CONNECTIONS", "connections" } },
	  8 },
};

/* The manual's columns alone, unless --long: scripts that read them go on working. */
static size_t count_columns(const struct listing *listing, bool is_long)
{
	size_t n = 0;

	while (listing->columns[n].heading && (is_long || n < listing->plain))
		n++;
	return n;
}

/* The packets that were lost, of those that should have come. */
static void put_share(struct table *table, const json_t *leg)
{
	double lost = json_number_value(json_object_get(leg, "lost"));
	double received = json_number_value(json_object_get(leg, "received"));

	if (!json_is_object(leg))
		table_cell(table, "-");
	else
		table_cellf(table, "%.1f%%", lost > 0 ? 100 * lost / (lost + received) : 0);
}

static void put_cell(struct table *table, const json_t *row, const char *member)
{
	const char *dot = strchr(member, '.'), *name = dot ? dot + 1 : member;
	const json_t *of = row, *cell;
	char outer[32];

	if (dot) {
		snprintf(outer, sizeof(outer), "%.*s", (int)(dot - member), member);
		of = json_object_get(row, outer);
	}
	if (strchr(name, '%')) {
		put_share(table, of);
		return;
	}
	cell = json_object_get(of, name);
	if (json_is_integer(cell))
		table_cellf(table, "%" JSON_INTEGER_FORMAT, json_integer_value(cell));
	else if (json_is_real(cell))
		table_cellf(table, "%.1f", json_real_value(cell));
	else
		table_cell(table, json_is_string(cell) ? json_string_value(cell) : dot ? "-" : "");
}

static void print_listing(const struct listing *listing, bool is_long, const json_t *rows)
{
	size_t columns = count_columns(listing, is_long), i;
	struct table *table = table_new(columns);
	json_t *row;

	if (!table)
		return;
	for (size_t c = 0; c < columns; c++)
		table_cell(table, listing->columns[c].heading);
	json_array_foreach((json_t *)rows, i, row)
	{
		for (size_t c = 0; c < columns; c++)
			put_cell(table, row, listing->columns[c].member);
	}
	table_print(table, stdout);
	table_free(&table);
}

static int show_once(struct cli *cli, const struct listing *listing, bool is_long)
{
	json_t *answer, *rows;
	int status;

	if (cli_call(cli, "GET", is_long ? listing->long_target : listing->target, &answer))
		return CLI_FAILED;
	rows = json_object_get(answer, listing->array);
	/* What has no list is not shown as an empty one. */
	if (!json_is_array(rows))
		cli_error("the server's answer has no list of %s", listing->array);
	else if (cli->json)
		cli_print_json(answer);
	else
		print_listing(listing, is_long, rows);
	status = json_is_array(rows) ? CLI_OK : CLI_FAILED;
	json_decref(answer);
	fflush(stdout);
	return status;
}

/* Until Ctrl-C, or until the server is gone. */
static int watch(struct cli *cli, const struct listing *listing, bool is_long, unsigned seconds)
{
	/* Ctrl-C ends the program, in interactive mode, too. */
	for (;;) {
		if (isatty(STDOUT_FILENO))
			fputs("\x1b[H\x1b[2J", stdout); /* from the top of an empty screen */
		if (show_once(cli, listing, is_long) != CLI_OK)
			return CLI_FAILED;
		sleep(seconds);
		if (!isatty(STDOUT_FILENO))
			putchar('\n');
	}
}

/* The lists' names are what stands behind "show". */
static const struct listing *find_listing(const char *what)
{
	for (size_t i = 0; i < sizeof(listings) / sizeof(listings[0]); i++)
		if (strcmp(what, listings[i].what) == 0)
			return &listings[i];
	return NULL;
}

static int show_usage(void)
{
	fputs("usage: cig-cli show call|umsg|message|center [--long] [--json] [--watch "
	      "[SECONDS]]\n",
	      stderr);
	return CLI_USAGE;
}

static const struct option show_options[] = {
	{ "long", no_argument, NULL, 'l' },
	{ "json", no_argument, NULL, 'j' },
	{ "watch", no_argument, NULL, 'w' },
	{ NULL, 0, NULL, 0 },
};

int cli_show(struct cli *cli, int argc, char **argv)
{
	bool is_long = false, watched = false;
	const struct listing *listing;
	unsigned long seconds = WATCH_S;
	int option;

	while ((option = getopt_long(argc, argv, "", show_options, NULL)) != -1) {
		is_long = is_long || option == 'l';
		cli->json = cli->json || option == 'j';
		watched = watched || option == 'w';
		if (option == '?')
			return show_usage();
	}
	listing = optind < argc ? find_listing(argv[optind]) : NULL;
	/* The seconds are a word of their own behind --watch: getopt has moved it behind the
	 * other one. */
	if (!listing || argc - optind > 1 + watched ||
	    (argc - optind == 2 && !text_number(slice_str(argv[optind + 1]), 1, 3600, &seconds)))
		return show_usage();
	return watched ? watch(cli, listing, is_long, (unsigned)seconds)
		       : show_once(cli, listing, is_long);
}

static json_int_t number(const json_t *object, const char *member)
{
	return json_integer_value(json_object_get(object, member));
}

static void line(const char *label, const char *value)
{
	cli_say("%-26s%s", label, *value ? value : "-");
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
		cli_say("%-26s%s-%" JSON_INTEGER_FORMAT, label, cli_text(period, "month"),
			number(period, "revision"));
	}
}

static void print_pbx(const json_t *pbx)
{
	const json_t *registration = json_object_get(pbx, "registration");
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
		cli_put("%-26s%s", text, cli_text(server, "state"));
		if (number(server, "code"))
			printf(" (%" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT " ms)",
			       number(server, "code"), number(server, "round_trip_ms"));
		putchar('\n');
	}
	if (json_is_object(registration))
		cli_say("  %-24s%s", cli_text(registration, "aor"),
			cli_text(registration, "state"));
}

static void print_centers(const json_t *centers)
{
	json_t *center;
	size_t i;

	if (json_array_size(centers))
		puts("\nSMPP status:\n----------------------------------------");
	json_array_foreach((json_t *)centers, i, center)
	{
		line("Message center", cli_text(center, "name"));
		line("Connection state", cli_text(center, "state"));
	}
}

/* Which one is live, by the digest that `read` tells of a file. */
static void print_config(const json_t *config)
{
	puts("\nConfiguration:\n----------------------------------------");
	line("File", cli_text(config, "path"));
	line("Read", cli_text(config, "read"));
	line("Digest", cli_text(config, "digest"));
}

/* What cig-relay told last; nothing while it is down. */
static void print_load(const json_t *relay)
{
	if (!json_object_get(relay, "calls"))
		return;
	puts("\nMedia:\n----------------------------------------");
	printf("%-26s%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT "\n", "Calls",
	       number(relay, "calls"), number(relay, "capacity"));
	printf("%-26sCPU %" JSON_INTEGER_FORMAT " %%, %" JSON_INTEGER_FORMAT
	       " ms late, Opus complexity %" JSON_INTEGER_FORMAT "\n",
	       "Load", number(relay, "cpu_percent"), number(relay, "late_ms"),
	       number(relay, "opus_complexity"));
	printf("%-26s%" JSON_INTEGER_FORMAT " packets, %" JSON_INTEGER_FORMAT " calls refused\n",
	       "Dropped", number(relay, "dropped"), number(relay, "refused"));
}

/* The manual's page, and below it what it has no line for. */
static void print_status(const json_t *status)
{
	const json_t *engines = json_object_get(status, "engines");
	const json_t *sip = json_object_get(status, "sip");
	json_t *problem, *pbx;
	size_t i;

	cli_say("Tandem interconnect gateway v%s", cli_text(status, "version"));
	putchar('\n');
	line("Relay connection state", cli_text(json_object_get(status, "relay"), "state"));
	printf("%-26s%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT "\n",
	       "Crypto engines available", number(engines, "available"), number(engines, "total"));
	print_umsg(json_object_get(status, "umsg"));
	puts("\nSIP status:\n----------------------------------------");
	line("SIP Bind address", cli_text(sip, "bind"));
	line("SIP state", cli_text(sip, "state"));
	json_array_foreach(json_object_get(sip, "pbxs"), i, pbx) print_pbx(pbx);
	print_load(json_object_get(status, "relay"));
	print_centers(json_object_get(status, "centers"));
	print_config(json_object_get(status, "config"));
	json_array_foreach(json_object_get(status, "problems"), i, problem)
	{
		const char *text = json_string_value(problem);

		if (i == 0)
			putchar('\n');
		cli_say("Problem: %s", text ? text : "");
	}
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
