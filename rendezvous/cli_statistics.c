/* cli_statistics.c - crs-cli stats (CRS manual 5.4). */
#include <inttypes.h>
#include <stdio.h>

#include "base/control_client.h"
#include "rendezvous/cli.h"
#include "rendezvous/statistics.h"

enum { TARGET_SIZE = 128 };

static void print_value(const json_t *value)
{
	if (json_is_integer(value))
		printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_boolean(value))
		fputs(json_is_true(value) ? "true" : "false", stdout);
	else if (json_is_string(value))
		fputs(json_string_value(value), stdout);
}

/* Tab-separated, with a first line of names: the columns and their order are the
 * manual's. */
static void print_tsv(const json_t *rows)
{
	const json_t *row;
	size_t i;

	for (size_t c = 0; c < STATISTICS_COLUMNS; c++)
		printf("%s%s", c ? "\t" : "", statistics_columns[c]);
	putchar('\n');
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; c < STATISTICS_COLUMNS; c++) {
			if (c)
				putchar('\t');
			print_value(json_object_get(row, statistics_columns[c]));
		}
		putchar('\n');
	}
}

int cli_stats_export(const struct cli *cli, int argc, char **argv)
{
	char target[TARGET_SIZE] = "/stats";
	json_t *rows = NULL;

	(void)argc;
	if (control_target_arg(target, sizeof(target), "account", argv[0]))
		return cli_error("the account id is too long");
	if (cli_call(cli, "GET", target, NULL, false, &rows))
		return CLI_ERROR;
	if (cli->json)
		return cli_print(cli, rows, NULL);
	print_tsv(rows);
	json_decref(rows);
	return CLI_OK;
}

static int change(const struct cli *cli, const char *account, const char *action)
{
	return cli_act(cli, "/stats",
		       json_pack("{s:s, s:s}", "account", account, "action", action));
}

int cli_stats_enable(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return change(cli, argv[0], "enable");
}

int cli_stats_disable(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return change(cli, argv[0], "disable");
}

int cli_stats_clear(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return change(cli, argv[0], "clear");
}
