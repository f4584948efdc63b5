/* cig_cli_config.c - read and reload: whether a configuration is sound, and its use. */
#include <stdio.h>

#include "base/diag.h"
#include "gateway/cig_cli.h"
#include "gateway/cig_config.h"

int cli_read_config(const char *path, const struct cig_config **config_out)
{
	struct diag *diag = diag_new();
	int err = cig_config_read(path, diag, config_out);

	diag_print(diag, stderr);
	if (err)
		fprintf(stderr, "cig-cli: %s: %zu error%s, %zu warning%s; not usable\n", path,
			diag_errors(diag), diag_errors(diag) == 1 ? "" : "s", diag_warnings(diag),
			diag_warnings(diag) == 1 ? "" : "s");
	diag_free(&diag);
	return err;
}

/* What is said of a file, an object each, in the order in which it was found. */
static json_t *notes_json(const struct diag *diag)
{
	json_t *notes = json_array();
	struct diag_item item;

	for (size_t i = 0; diag_get(diag, i, &item); i++)
		json_array_append_new(
			notes, json_pack("{s:s, s:s?, s:i, s:i, s:s}", "severity",
					 item.severity == DIAG_WARNING ? "warning" : "error",
					 "file", item.place.file, "line", (int)item.place.line,
					 "column", (int)item.place.column, "text", item.text));
	return notes;
}

/* For --json: all of it on standard output, and nothing else there. */
static int read_as_json(const char *path)
{
	const struct cig_config *config;
	char summary[512], digest[CIG_DIGEST_SIZE];
	struct diag *diag = diag_new();
	int err = cig_config_read(path, diag, &config);
	json_t *report = json_pack("{s:s, s:b, s:I, s:I, s:o}", "file", path, "usable", !err,
				   "errors", (json_int_t)diag_errors(diag), "warnings",
				   (json_int_t)diag_warnings(diag), "notes", notes_json(diag));

	if (!err) {
		cig_config_summary(config, summary, sizeof(summary));
		cig_config_digest(config, digest);
		json_object_set_new(report, "summary", json_string(summary));
		json_object_set_new(report, "digest", json_string(digest));
		cig_config_release(&config);
	}
	cli_print_json(report);
	json_decref(report);
	diag_free(&diag);
	return err ? CLI_FAILED : CLI_OK;
}

/* CIG manual 2.9, "CLI commands": validates "without actually using it"; no server is
 * asked. */
int cli_read(struct cli *cli, int argc, char **argv)
{
	const struct cig_config *config;
	char summary[512], digest[CIG_DIGEST_SIZE];

	if (argc != 2) {
		fputs("usage: cig-cli read <FILE>\n", stderr);
		return CLI_USAGE;
	}
	if (cli->json)
		return read_as_json(argv[1]);
	if (cli_read_config(argv[1], &config))
		return CLI_FAILED;
	cig_config_summary(config, summary, sizeof(summary));
	cig_config_digest(config, digest);
	printf("%s: %s; digest %s\n", argv[1], summary, digest);
	cig_config_release(&config);
	return CLI_OK;
}

/* What a reload came to: the counts, then each line with the mark of a diff. */
static void print_reload(const json_t *report)
{
	json_t *line;
	size_t i;

	printf("%" JSON_INTEGER_FORMAT " added, %" JSON_INTEGER_FORMAT " changed, "
	       "%" JSON_INTEGER_FORMAT " removed\n",
	       json_integer_value(json_object_get(report, "added")),
	       json_integer_value(json_object_get(report, "changed")),
	       json_integer_value(json_object_get(report, "removed")));
	json_array_foreach(json_object_get(report, "lines"), i, line)
	{
		const char *change = cli_text(line, "change");

		cli_say("%c %s",
			*change == 'a'   ? '+'
			: *change == 'r' ? '-'
					 : '*',
			cli_text(line, "line"));
	}
	cli_say("new calls use: %s", cli_text(report, "summary"));
}

int cli_reload(struct cli *cli, int argc, char **argv)
{
	json_t *report;

	if (argc != 1) {
		fprintf(stderr, "usage: cig-cli %s\n", argv[0]);
		return CLI_USAGE;
	}
	if (cli_call(cli, "POST", "/reload", &report))
		return CLI_FAILED;
	if (cli->json)
		cli_print_json(report);
	else
		print_reload(report);
	json_decref(report);
	return CLI_OK;
}
