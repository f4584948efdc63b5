/* crs_cli.c - crs-cli: finds the action.
 *
 * The table is the whole grammar: words, number of arguments, function, usage. Options of all
 * actions are taken out first, for they may stand anywhere; an action's own are left to it.
 */
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "build-config.h"
#include "rendezvous/cli.h"
#include "rendezvous/trace.h"

enum { CLI_URI_SIZE = 128 };

struct action {
	const char *word[2]; /* the second may be NULL */
	int min_args, max_args;
	cli_action_fn *run;
	const char *usage;
};

static const struct action actions[] = {
	{ { "add", "admin-account" },
	  2,
	  2,
	  cli_add_admin_account,
	  "add admin-account NAME ACCOUNT" },
	{ { "add", "admin-account-authorization" },
	  3,
	  3,
	  cli_add_admin_authorization,
	  "add admin-account-authorization NAME ACCOUNT update|statistics" },
	{ { "apply", NULL }, 1, 2, cli_apply, "apply FILE [--partial]" },
	{ { "backup", NULL }, 0, 2, cli_backup, "backup [--passphrase-file FILE]" },
	{ { "blacklist", "add" }, 2, 2, cli_blacklist_add, "blacklist add ACCOUNT URI" },
	{ { "blacklist", "remove" }, 2, 2, cli_blacklist_remove, "blacklist remove ACCOUNT URI" },
	{ { "check", "slot" }, 1, 1, cli_check_slot, "check slot URI" },
	{ { "create", "account" },
	  1,
	  5,
	  cli_create_account,
	  "create account ACCOUNT [-s SECRET | -b BITS | -B BYTES]" },
	{ { "create", "admin" }, 1, 1, cli_create_admin, "create admin NAME" },
	{ { "create", "sharedSecret" },
	  0,
	  2,
	  cli_create_secret,
	  "create sharedSecret [-b BITS | -B BYTES]" },
	{ { "delete", "account" }, 1, 1, cli_delete_account, "delete account ACCOUNT" },
	{ { "delete", "admin" }, 1, 1, cli_delete_admin, "delete admin NAME" },
	{ { "delete", "admin-account" },
	  2,
	  2,
	  cli_delete_admin_account,
	  "delete admin-account NAME ACCOUNT" },
	{ { "delete", "admin-account-authorization" },
	  3,
	  3,
	  cli_delete_admin_authorization,
	  "delete admin-account-authorization NAME ACCOUNT update|statistics" },
	{ { "delete", "client-info" },
	  2,
	  2,
	  cli_delete_client_info,
	  "delete client-info ACCOUNT URI" },
	{ { "health-check", "account" },
	  1,
	  4,
	  cli_health_account,
	  "health-check account ACCOUNT [--output-format json|summary|tsv] [--local-only]" },
	{ { "health-check", "system" },
	  0,
	  3,
	  cli_health_system,
	  "health-check system [--output-format json|summary|tsv]" },
	{ { "list", "account" }, 0, 0, cli_list_account, "list account" },
	{ { "list", "iw-crs" }, 0, 0, cli_list_iw_crs, "list iw-crs" },
	{ { "lookup", "client" }, 2, 3, cli_lookup_client, "lookup client ACCOUNT URI [-v]" },
	{ { "purge", "client" }, 2, 2, cli_purge_client, "purge client ACCOUNT URI" },
	{ { "purge", "clients" }, 1, 1, cli_purge_clients, "purge clients ACCOUNT" },
	{ { "purge", "observed" }, 1, 1, cli_purge_observed, "purge observed ACCOUNT" },
	{ { "reload", "account" }, 0, 0, cli_reload, "reload account" },
	{ { "restore", NULL },
	  1,
	  4,
	  cli_restore,
	  "restore FILE [--check] [--passphrase-file FILE]" },
	{ { "show", "account" }, 0, 0, cli_show_account, "show account" },
	{ { "show", "admin" }, 1, 1, cli_show_admin, "show admin NAME" },
	{ { "show", "admin-accounts" }, 1, 1, cli_show_admin_accounts, "show admin-accounts NAME" },
	{ { "show", "admins" }, 0, 0, cli_show_admins, "show admins" },
	{ { "show", "attach" }, 0, 0, cli_show_attach, "show attach" },
	{ { "show", "blacklist" }, 1, 1, cli_show_blacklist, "show blacklist ACCOUNT" },
	{ { "show", "client-info" }, 1, 1, cli_show_client_info, "show client-info ACCOUNT" },
	{ { "show", "client-storage" },
	  1,
	  1,
	  cli_show_client_storage,
	  "show client-storage ACCOUNT" },
	{ { "show", "iw-crs" }, 0, 0, cli_show_iw_crs, "show iw-crs" },
	{ { "show", "message" }, 0, 0, cli_show_message, "show message" },
	{ { "show", "push-token" }, 2, 2, cli_show_push_token, "show push-token ACCOUNT URI" },
	{ { "show", "relay" }, 0, 0, cli_show_relay, "show relay" },
	{ { "show", "relays" }, 0, 0, cli_show_relays, "show relays" },
	{ { "show", "services" }, 0, 0, cli_show_services, "show services" },
	{ { "show", "session" }, 0, 0, cli_show_session, "show session" },
	{ { "show", "system" }, 0, 0, cli_show_system, "show system" },
	{ { "show", "updates" }, 0, 0, cli_show_updates, "show updates" },
	{ { "show", "version" }, 0, 0, cli_show_version, "show version" },
	{ { "stats", "clear" }, 1, 1, cli_stats_clear, "stats clear ACCOUNT" },
	{ { "stats", "disable" }, 1, 1, cli_stats_disable, "stats disable ACCOUNT" },
	{ { "stats", "enable" }, 1, 1, cli_stats_enable, "stats enable ACCOUNT" },
	{ { "stats", "export" }, 1, 2, cli_stats_export, "stats export ACCOUNT [--pseudonyms]" },
	{ { "trace", NULL },
	  1,
	  TRACE_ELEMENT_COUNT + 2,
	  cli_trace,
	  "trace attach|session|message|connection|statistics|object|event... [--only "
	  "URI|ACCOUNT]" },
	{ { "update-notification", "disable" },
	  1,
	  1,
	  cli_update_notification_disable,
	  "update-notification disable ACCOUNT" },
	{ { "update-notification", "enable" },
	  1,
	  1,
	  cli_update_notification_enable,
	  "update-notification enable ACCOUNT" },
	{ { "wakeup", "client" }, 2, 2, cli_wakeup_client, "wakeup client ACCOUNT URI" },
};

static const size_t action_count = sizeof(actions) / sizeof(actions[0]);

static void usage(FILE *to)
{
	fputs("usage: crs-cli [--root DIR] [--socket PATH] [--json] ACTION\n"
	      "Looks into the rendezvous of this host, and administers it.\n"
	      "\n"
	      "  --root DIR      that of crs --root DIR (default " CRS_DIR ", " CRS_RUN_DIR ")\n"
	      "  --socket PATH   of a crs whose socket is elsewhere\n"
	      "  --json          print JSON\n"
	      "\n"
	      "Actions:\n",
	      to);
	for (size_t i = 0; i < action_count; i++)
		fprintf(to, "  %s\n", actions[i].usage);
	fputs("list and show mean the same where only one of them is named.\n"
	      "exit status: 0 ok, 1 error, 2 usage, 3 warning of a health check\n",
	      to);
}

static bool same_verb(const char *word, const char *verb, bool either)
{
	return strcmp(word, verb) == 0 ||
	       (either && strcmp(word, "list") == 0 && strcmp(verb, "show") == 0) ||
	       (either && strcmp(word, "show") == 0 && strcmp(verb, "list") == 0);
}

/* The action of the first words: exact first, then with list for show. */
static const struct action *find(int argc, char **argv, bool either)
{
	for (size_t i = 0; argc > 0 && i < action_count; i++) {
		const struct action *a = &actions[i];

		if (!same_verb(argv[0], a->word[0], either))
			continue;
		if (!a->word[1] || (argc > 1 && strcmp(argv[1], a->word[1]) == 0))
			return a;
	}
	return NULL;
}

/* The manual has a user's URI as "the mobile number" everywhere (CRS manual 5.4): +NUMBER is taken
 * for tel:+NUMBER where the usage of the action says URI.  *word keeps pointing to it. */
static void complete_number(const struct action *action, int argc, char **argv, char *text,
			    size_t cap)
{
	const char *at = strstr(action->usage, " URI");
	int place = 0;

	for (const char *p = action->usage; at && p <= at; p++)
		place += *p == ' ';
	place -= action->word[1] ? 2 : 1;
	if (!at || place >= argc || argv[place][0] != '+')
		return;
	snprintf(text, cap, "tel:%s", argv[place]);
	argv[place] = text;
}

/* Why the words are no action, and what was meant: the verbs, or what goes with this one. */
static void tell_unknown(int argc, char **argv)
{
	const char *known[sizeof(actions) / sizeof(actions[0])] = { NULL };
	bool verb = false;
	const char *near;

	for (size_t i = 0; i < action_count; i++)
		if (same_verb(argv[0], actions[i].word[0], true)) {
			known[i] = actions[i].word[1];
			verb = true;
		}
	for (size_t i = 0; !verb && i < action_count; i++)
		known[i] = actions[i].word[0];
	near = verb && argc == 1 ? NULL : suggest_near(argv[verb ? 1 : 0], known, action_count);
	/* The manual has them (5.4, "add iw-crs"), and so its reader asks why not. */
	if (verb && argc > 1 && strcmp(argv[1], "iw-crs") == 0) {
		cli_error("this version does not work with other rendezvous: there is no iw-crs "
			  "to %s",
			  argv[0]);
		return;
	}
	if (!verb)
		cli_error("there is no action \"%s\"", argv[0]);
	else if (argc == 1)
		cli_error("%s what?", argv[0]);
	else
		cli_error("there is nothing to %s that is called \"%s\"", argv[0], argv[1]);
	if (near)
		fprintf(stderr, "did you mean \"%s%s%s\"?\n", verb ? argv[0] : "", verb ? " " : "",
			near);
	for (size_t i = 0; verb && !near && i < action_count; i++)
		if (same_verb(argv[0], actions[i].word[0], false))
			fprintf(stderr, "  crs-cli %s\n", actions[i].usage);
	fputs("usage: crs-cli ACTION [ARGUMENT...]; crs-cli --help lists all actions\n", stderr);
}

/* "health-check [options] system" is the manual's synopsis, and "health-check system [options]"
 * what it lists: options before the area go behind it. */
static void area_first(int argc, char **argv)
{
	int at = 1;

	if (argc < 2 || strcmp(argv[0], "health-check") != 0)
		return;
	while (at < argc && argv[at][0] == '-')
		at += strcmp(argv[at], "--output-format") == 0 ? 2 : 1;
	for (int moved = 1; at < argc; at++, moved++) {
		char *word = argv[at];

		memmove(&argv[moved + 1], &argv[moved], (size_t)(at - moved) * sizeof(*argv));
		argv[moved] = word;
	}
}

/* Takes --root, --socket and --json out of the words, wherever they stand. */
static int take_options(struct cli *cli, int *argc, char **argv)
{
	const char *root = NULL;
	int n = 0;

	for (int i = 1; i < *argc; i++) {
		bool has_value = strcmp(argv[i], "--root") == 0 || strcmp(argv[i], "--socket") == 0;

		if (has_value && i + 1 == *argc) {
			cli_error("%s lacks its value; see crs-cli --help", argv[i]);
			return CLI_USAGE;
		}
		if (strcmp(argv[i], "--json") == 0)
			cli->json = true;
		else if (strcmp(argv[i], "--root") == 0)
			root = argv[++i];
		else if (strcmp(argv[i], "--socket") == 0)
			cli->socket = argv[++i];
		else if (strcmp(argv[i], "-s") == 0 && i + 1 < *argc) {
			argv[n++] = argv[i++]; /* a secret may look like anything */
			argv[n++] = argv[i];
		} else
			argv[n++] = argv[i];
	}
	*argc = n;
	/* For the audit log, whatever the action: crs decides what it notes. */
	cli_origin(cli->origin);
	if (crs_paths_init(&cli->paths, root))
		return cli_error("%s: path too long", root);
	if (!cli->socket)
		cli->socket = cli->paths.control;
	return CLI_OK;
}

int main(int argc, char **argv)
{
	struct cli cli = { .socket = NULL };
	char uri[CLI_URI_SIZE];
	const struct action *action;
	int status = take_options(&cli, &argc, argv), words;

	if (status == CLI_OK && argc == 1 && strcmp(argv[0], "--help") == 0) {
		usage(stdout);
		return CLI_OK;
	}
	if (status == CLI_OK && argc == 1 && strcmp(argv[0], "--version") == 0) {
		puts("crs-cli " PACKAGE_VERSION);
		return CLI_OK;
	}
	if (status == CLI_ERROR)
		return status;
	/* Before the action is looked for: its second word may stand behind options. */
	area_first(argc, argv);
	/* Exact first: "list account" and "show account" are two different listings. */
	action = find(argc, argv, false);
	if (!action)
		action = find(argc, argv, true);
	if (!action || status == CLI_USAGE) {
		if (status == CLI_OK && argc > 0)
			tell_unknown(argc, argv);
		else if (status == CLI_OK)
			usage(stderr);
		return CLI_USAGE;
	}
	words = action->word[1] ? 2 : 1;
	complete_number(action, argc - words, argv + words, uri, sizeof(uri));
	status = CLI_USAGE;
	/* Numbers only: what the words have to be is for the action, which says CLI_USAGE as
	 * well. */
	if (argc - words >= action->min_args && argc - words <= action->max_args)
		status = action->run(&cli, argc - words, argv + words);
	if (status == CLI_USAGE)
		fprintf(stderr, "usage: crs-cli %s\n", action->usage);
	return status;
}
