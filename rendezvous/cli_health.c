/* cli_health.c - crs-cli health-check (CRS manual 5.4).
 *
 * A check reports what it finds and goes on: the report has each test with its result, and the
 * worst one is the exit status. Nothing is put right.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/net.h"
#include "rendezvous/cli.h"
#include "rendezvous/health_clients.h"
#include "rendezvous/health_report.h"

enum { HEALTH_CLOCK_S = 300 };

struct options {
	enum health_format format;
	bool local_only;
};

static int read_format(const char *name, enum health_format *format_out)
{
	static const char *const names[] = {
		[HEALTH_JSON] = "json", [HEALTH_SUMMARY] = "summary", [HEALTH_TSV] = "tsv"
	};

	for (int i = 0; i < 3; i++) {
		if (strcmp(name, names[i]) == 0) {
			*format_out = (enum health_format)i;
			return CLI_OK;
		}
	}
	cli_error("%s: expected summary, json or tsv", name);
	return CLI_USAGE;
}

static int read_options(int argc, char **argv, struct options *out)
{
	*out = (struct options){ .format = HEALTH_JSON };
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--local-only") == 0) {
			out->local_only = true;
		} else if (strcmp(argv[i], "--output-format") == 0 && i + 1 < argc) {
			if (read_format(argv[++i], &out->format))
				return CLI_USAGE;
		} else {
			return CLI_USAGE;
		}
	}
	return CLI_OK;
}

/* A listing of crs, or NULL: then the report says that crs does not answer. */
static json_t *ask(const struct cli *cli, const char *target, struct health_report *report)
{
	json_t *answer = NULL;

	if (cli_call(cli, "GET", target, NULL, false, &answer))
		health_report_add(report, HEALTH_ERROR, "crs", "does not answer at %s",
				  cli->socket);
	return answer;
}

/* ---- system ---- */

static void check_services(const struct cli *cli, struct health_report *report)
{
	json_t *list = ask(cli, "/services", report), *row;
	size_t i;

	json_array_foreach(list, i, row)
	{
		bool active = strcmp(cli_text(row, "status"), "active") == 0;
		char name[128];

		snprintf(name, sizeof(name), "service %s", cli_text(row, "service"));
		health_report_add(report, active ? HEALTH_OK : HEALTH_ERROR, name, "%s on %s",
				  cli_text(row, "status"), cli_text(row, "server"));
	}
	json_decref(list);
}

static void check_processes(const struct cli *cli, struct health_report *report)
{
	json_t *list = ask(cli, "/system", report), *row;
	size_t i;

	json_array_foreach(list, i, row)
	{
		json_int_t pid = json_integer_value(json_object_get(row, "pid"));
		char name[128];

		snprintf(name, sizeof(name), "process %s", cli_text(row, "process"));
		if (pid)
			health_report_add(report, HEALTH_OK, name, "pid %lld", (long long)pid);
		else
			health_report_add(report, HEALTH_ERROR, name, "not running");
	}
	json_decref(list);
}

/* Tokens of a clock that is ten minutes off are refused by the push service (CRS manual 4.8); half
 * of that is told, while there is time to act. */
static void check_clock(const struct cli *cli, struct health_report *report)
{
	json_t *list = ask(cli, "/clock", report), *row;
	size_t i;

	json_array_foreach(list, i, row)
	{
		long long ahead = (long long)json_integer_value(json_object_get(row, "ahead"));
		bool off = ahead > HEALTH_CLOCK_S || ahead < -HEALTH_CLOCK_S;

		health_report_add(report, off ? HEALTH_WARNING : HEALTH_OK, "clock",
				  "%+lld s from the push service's", ahead);
	}
	json_decref(list);
}

/* "crs-cli health-check system". */
int cli_health_system(const struct cli *cli, int argc, char **argv)
{
	struct health_report report;
	struct options options;
	int status = read_options(argc, argv, &options);

	if (status)
		return status;
	health_report_init(&report);
	check_services(cli, &report);
	if (json_array_size(report.tests) > 1) { /* it answers */
		check_processes(cli, &report);
		check_clock(cli, &report);
	}
	status = health_report_print(&report, options.format);
	health_report_clear(&report);
	return status;
}

/* ---- account ---- */

static void check_month(const json_t *row, const char *month, enum health_result if_missing,
			struct health_report *report)
{
	const char *created = cli_text(row, month);
	char name[64];

	snprintf(name, sizeof(name), "update: %s month", month);
	if (strcmp(created, "Not Available") == 0)
		health_report_add(report, if_missing, name,
				  "not available: apply it with crs-cli apply");
	else
		health_report_add(report, HEALTH_OK, name, "made at %s", created);
}

static void check_updates(const struct cli *cli, const char *id, struct health_report *report)
{
	json_t *list = ask(cli, "/updates", report), *row;
	size_t i;

	json_array_foreach(list, i, row)
	{
		if (strcmp(cli_text(row, "account"), id) == 0) {
			check_month(row, "current", HEALTH_ERROR, report);
			/* Only a warning: it comes in the course of this month, and is in time
			 * on its last day. */
			check_month(row, "next", HEALTH_WARNING, report);
		}
	}
	json_decref(list);
}

/* Where the clients connect: the loopback interface, or the server's public address; what
 * crs listens on where that is neither of them nor any. */
static int server_address(const json_t *guests, bool local_only, struct net_addr *out)
{
	const char *listen = cli_text(guests, "listen"), *public = cli_text(guests, "public");
	bool any = strcmp(listen, "0.0.0.0") == 0 || strcmp(listen, "::") == 0;
	uint16_t port = (uint16_t)json_integer_value(json_object_get(guests, "port"));

	if (!any)
		return net_parse(listen, port, out);
	return net_parse(local_only ? "127.0.0.1" : public, port, out);
}

static int read_secret(const struct cli *cli, const char *id, struct account_secret *out,
		       struct health_report *report)
{
	json_t *list = ask(cli, "/accounts", report), *row;
	int err = -1;
	size_t i;

	json_array_foreach(list, i, row)
	{
		if (strcmp(cli_text(row, "id"), id) == 0)
			err = account_secret_from_text(slice_str(cli_text(row, "secret")), id, out);
	}
	json_decref(list);
	return err;
}

static void run_clients(const struct cli *cli, const char *id, const struct options *options,
			struct health_report *report)
{
	json_t *body = json_pack("{s:s}", "account", id), *guests = NULL;
	struct health_account account = { .id = id };
	struct account_secret secret;

	if (!body || cli_call(cli, "POST", "/guests", body, false, &guests)) {
		health_report_add(report, HEALTH_ERROR, "attach", "crs lets no test clients in");
	} else if (server_address(guests, options->local_only, &account.server)) {
		health_report_add(report, HEALTH_ERROR, "attach", "crs names no address");
	} else if (read_secret(cli, id, &secret, report)) {
		health_report_add(report, HEALTH_ERROR, "attach",
				  "the account's secret is not readable");
	} else {
		account.check = cli_text(guests, "id");
		account.secret = &secret;
		health_clients_run(&account, report);
		account_secret_wipe(&secret);
	}
	json_decref(body);
	json_decref(guests);
}

/* "crs-cli health-check account ACCOUNT". */
int cli_health_account(const struct cli *cli, int argc, char **argv)
{
	struct health_report report;
	struct options options;
	int status = read_options(argc - 1, argv + 1, &options);

	if (status)
		return status;
	health_report_init(&report);
	check_updates(cli, argv[0], &report);
	run_clients(cli, argv[0], &options, &report);
	status = health_report_print(&report, options.format);
	health_report_clear(&report);
	return status;
}
