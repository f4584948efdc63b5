/* cli_show.c - crs-cli: listings (CRS manual 5.4).
 *
 * Each has its table: which member of crs's answer under which heading, in the manual's order
 * where it has one. A new member of an answer is shown with --json alone until it is named here.
 */
#include <stdio.h>
#include <string.h>

#include "base/control_client.h"
#include "rendezvous/cli.h"

enum { TARGET_SIZE = 512 };

static int show(const struct cli *cli, const char *target, const struct cli_column *columns)
{
	json_t *list = NULL;

	if (cli_call(cli, "GET", target, NULL, false, &list))
		return CLI_ERROR;
	return cli_print(cli, list, columns);
}

/* "crs-cli show attach": who is connected. */
int cli_show_attach(const struct cli *cli, int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "uri", "URI", false },         { "account", "ACCOUNT", false },
		{ "time", "TIME", true },        { "version", "VERSION", false },
		{ "address", "IP:PORT", false }, { "crs", "CRS", false },
		{ NULL, NULL, false },
	};

	(void)argc;
	(void)argv;
	return show(cli, "/attach", columns);
}

/* "crs-cli show session": calls. */
int cli_show_session(const struct cli *cli, int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "caller", "CALLER", false }, { "callee", "CALLEE", false },
		{ "time", "TIME", true },      { "state", "STATE", false },
		{ NULL, NULL, false },
	};

	(void)argc;
	(void)argv;
	return show(cli, "/session", columns);
}

/* "crs-cli show message": what was counted of messages. */
int cli_show_message(const struct cli *cli, int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "uri", "URI", false },         { "post", "POST", true },
		{ "deliv", "DELIV", true },      { "read", "READ", false },
		{ "account", "ACCOUNT", false }, { NULL, NULL, false },
	};

	(void)argc;
	(void)argv;
	return show(cli, "/message", columns);
}

/* "crs-cli show relays": sessions at the media relay. */
int cli_show_relays(const struct cli *cli, int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "type", "TYPE", false },
		{ "nodes", "NODES", true },
		{ "last active", "LAST-ACTIVE", false },
		{ "identifiers", "IDENTIFIERS", false },
		{ NULL, NULL, false },
	};

	(void)argc;
	(void)argv;
	return show(cli, "/relays", columns);
}

/* "crs-cli show services": processes, and how they are. */
int cli_show_services(const struct cli *cli, int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "server", "SERVER", false },
		{ "service", "SERVICE", false },
		{ "status", "STATUS", false },
		{ NULL, NULL, false },
	};

	(void)argc;
	(void)argv;
	return show(cli, "/services", columns);
}

/* "crs-cli show system". */
int cli_show_system(const struct cli *cli, int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "server", "SERVER", false }, { "process", "PROCESS", false },
		{ "pid", "PID", true },        { "slots", "SLOTS", true },
		{ NULL, NULL, false },
	};

	(void)argc;
	(void)argv;
	return show(cli, "/system", columns);
}

/* "crs-cli show account". */
int cli_show_account(const struct cli *cli, int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "server", "SERVER", false }, { "module", "MODULE", false },
		{ "pid", "PID", true },        { "accounts", "LOADED-ACCOUNTS", false },
		{ NULL, NULL, false },
	};

	(void)argc;
	(void)argv;
	return show(cli, "/loaded", columns);
}

/* "crs-cli show updates": which month's update each account has. */
int cli_show_updates(const struct cli *cli, int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "account", "ACCOUNT", false },
		{ "current", "CURRENT-MONTH", false },
		{ "next", "NEXT-MONTH", false },
		{ NULL, NULL, false },
	};

	(void)argc;
	(void)argv;
	return show(cli, "/updates", columns);
}

/* "crs-cli show blacklist ACCOUNT". */
int cli_show_blacklist(const struct cli *cli, int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "uri", "URI", false },
		{ NULL, NULL, false },
	};
	char target[TARGET_SIZE] = "/blacklist";

	(void)argc;
	if (control_target_arg(target, sizeof(target), "account", argv[0]))
		return cli_error("the account id is too long");
	return show(cli, target, columns);
}

/* A listing of what is kept for the clients of an account, or for one of them. */
static int show_data(const struct cli *cli, const char *path, char **argv, int argc,
		     const struct cli_column *columns)
{
	char target[TARGET_SIZE];

	snprintf(target, sizeof(target), "%s", path);
	if (control_target_arg(target, sizeof(target), "account", argv[0]) ||
	    (argc > 1 && control_target_arg(target, sizeof(target), "uri", argv[1])))
		return cli_error("the account id or the URI is too long");
	return show(cli, target, columns);
}

/* "crs-cli show client-info ACCOUNT". */
int cli_show_client_info(const struct cli *cli, int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "uri", "URI", false },
		{ "timestamp", "TIMESTAMP", false },
		{ "client-time", "CLIENT-TIME", true },
		{ "scan-time", "SCAN-TIME", false },
		{ "os", "OS", false },
		{ "os-version", "OS-VERSION", false },
		{ "cca-version", "CCA-VERSION", false },
		{ NULL, NULL, false },
	};

	return show_data(cli, "/client-info", argv, argc, columns);
}

/* "crs-cli show push-token ACCOUNT URI". */
int cli_show_push_token(const struct cli *cli, int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "created", "CREATED", false }, { "saved", "SAVED", false },
		{ "age", "AGE", true },          { "client-type", "CLIENT-TYPE", false },
		{ "tokens", "TOKENS", false },   { NULL, NULL, false },
	};

	return show_data(cli, "/push-token", argv, argc, columns);
}

/* "crs-cli show client-storage ACCOUNT": what is kept for its users' devices. */
int cli_show_client_storage(const struct cli *cli, int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "server", "SERVER", false }, { "uri", "URI", false },
		{ "bytes", "BYTES", true },    { "updated", "LAST-UPDATED", false },
		{ "type", "TYPE", false },     { NULL, NULL, false },
	};

	return show_data(cli, "/client-storage", argv, argc, columns);
}

/* "crs-cli lookup client ACCOUNT URI [-v]": at which server a user is, and of which domain. */
int cli_lookup_client(const struct cli *cli, int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "source", "SOURCE", false },
		{ "uri", "URI", false },
		{ "domain", "DOMAIN", false },
		{ "client-token", "CLIENT-TOKEN", false },
		{ "domain-token", "DOMAIN-TOKEN", false },
		{ NULL, NULL, false },
	};
	static const struct cli_column brief[] = {
		{ "source", "SOURCE", false },
		{ "uri", "URI", false },
		{ "domain", "DOMAIN", false },
		{ NULL, NULL, false },
	};
	bool verbose = argc == 3;

	if (verbose && strcmp(argv[2], "-v") != 0)
		return CLI_USAGE;
	return show_data(cli, "/lookup", argv, 2, verbose ? columns : brief);
}

/* This version peers with no other rendezvous, so there is nobody to list; the columns are the
 * manual's (CRS manual 5.4), for those who read them by a program. */
int cli_show_iw_crs(const struct cli *cli, int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "iw-crs", "IW-CRS", false },
		{ "signal-link", "SIGNAL-LINK", false },
		{ "signal-outgoing", "SIGNAL-OUTGOING", false },
		{ "signal-incoming", "SIGNAL-INCOMING", false },
		{ "data-link", "DATA-LINK", false },
		{ "data-outgoing", "DATA-OUTGOING", false },
		{ "data-incoming", "DATA-INCOMING", false },
		{ "version", "VERSION", false },
		{ NULL, NULL, false },
	};

	(void)argc;
	(void)argv;
	return cli_print(cli, json_array(), columns);
}

/* "crs-cli list iw-crs": the same of what was added. */
int cli_list_iw_crs(const struct cli *cli, int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "ip", "IP", false },
		{ "secret", "SHARED-SECRET", false },
		{ "comment", "COMMENT", false },
		{ NULL, NULL, false },
	};

	(void)argc;
	(void)argv;
	return cli_print(cli, json_array(), columns);
}

/* "crs-cli show version": of crs, not of this program. */
int cli_show_version(const struct cli *cli, int argc, char **argv)
{
	json_t *list = NULL;

	(void)argc;
	(void)argv;
	if (cli_call(cli, "GET", "/version", NULL, false, &list))
		return CLI_ERROR;
	if (cli->json)
		return cli_print(cli, list, NULL);
	cli_say("crs %s", cli_text(json_array_get(list, 0), "version"));
	json_decref(list);
	return CLI_OK;
}

/* A part of the answer, a name and a number a line. */
static void print_numbers(const char *title, const json_t *object)
{
	const char *name;
	json_t *value;

	cli_say("%s:", title);
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		if (json_is_integer(value))
			cli_say("  %-16s %lld", name, (long long)json_integer_value(value));
	}
}

/* "crs-cli show relay": the media relay's figures. */
int cli_show_relay(const struct cli *cli, int argc, char **argv)
{
	json_t *answer = NULL, *types, *type;
	size_t i;

	(void)argc;
	(void)argv;
	if (cli_call(cli, "GET", "/relay", NULL, false, &answer))
		return CLI_ERROR;
	if (cli->json)
		return cli_print(cli, answer, NULL);
	types = json_object_get(answer, "types");
	json_array_foreach(types, i, type) print_numbers(cli_text(type, "type"), type);
	print_numbers("Sent", json_object_get(answer, "sent"));
	print_numbers("Received", json_object_get(answer, "received"));
	json_decref(answer);
	return CLI_OK;
}
