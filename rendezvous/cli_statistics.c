/* cli_statistics.c - crs-cli stats and update-notification (CRS manual 5.4). */
#include <stdio.h>
#include <string.h>

#include "base/control_client.h"
#include "rendezvous/cli.h"
#include "rendezvous/statistics.h"

enum { TARGET_SIZE = 128 };

/* "crs-cli stats export ACCOUNT [--pseudonyms]". */
int cli_stats_export(const struct cli *cli, int argc, char **argv)
{
	char target[TARGET_SIZE] = "/stats";
	json_t *rows = NULL;

	if (argc == 2 && strcmp(argv[1], "--pseudonyms") != 0)
		return CLI_USAGE;
	if (control_target_arg(target, sizeof(target), "account", argv[0]) ||
	    (argc == 2 && control_target_arg(target, sizeof(target), "pseudonyms", "")))
		return cli_error("the account id is too long");
	if (cli_call(cli, "GET", target, NULL, false, &rows))
		return CLI_ERROR;
	if (cli->json)
		return cli_print(cli, rows, NULL);
	statistics_print(rows, stdout);
	json_decref(rows);
	return CLI_OK;
}

static int change(const struct cli *cli, const char *account, const char *action)
{
	return cli_act(cli, "/stats",
		       json_pack("{s:s, s:s}", "account", account, "action", action));
}

/* "crs-cli stats enable ACCOUNT". */
int cli_stats_enable(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return change(cli, argv[0], "enable");
}

/* "crs-cli stats disable ACCOUNT". */
int cli_stats_disable(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return change(cli, argv[0], "disable");
}

/* "crs-cli stats clear ACCOUNT". */
int cli_stats_clear(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return change(cli, argv[0], "clear");
}

static int notify(const struct cli *cli, const char *account, bool on)
{
	return cli_act(cli, "/update-notification",
		       json_pack("{s:s, s:b}", "account", account, "enable", on));
}

/* "crs-cli update-notification enable ACCOUNT". */
int cli_update_notification_enable(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return notify(cli, argv[0], true);
}

/* "crs-cli update-notification disable ACCOUNT". */
int cli_update_notification_disable(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return notify(cli, argv[0], false);
}
