/* cli_backup.c - crs-cli backup and restore (CRS manual 4.20). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "rendezvous/backup.h"
#include "rendezvous/cli.h"
#include "rendezvous/settings.h"

static int tell(const struct diag *diag)
{
	struct diag_item item;

	for (size_t i = 0; diag_get(diag, i, &item); i++)
		cli_error("%s%s", item.severity == DIAG_WARNING ? "warning: " : "", item.text);
	return CLI_ERROR;
}

static void print_info(const struct cli *cli, const char *path, const struct backup_info *info)
{
	if (cli->json) {
		json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "path", path,
					   "instance", info->instance, "version", info->version,
					   "time", info->time, "files", (json_int_t)info->files,
					   "octets", (json_int_t)info->octets);

		json_dumpf(object, stdout, 0);
		putchar('\n');
		json_decref(object);
		return;
	}
	printf("%s: %s at %s, version %s, %zu files, %" PRIu64 " octets\n", path, info->instance,
	       info->time, info->version, info->files, info->octets);
}

/* The archive's names are full paths, whatever --root was. */
static int full_paths(const struct cli *cli, struct crs_paths *paths_out)
{
	char *root = realpath(cli->paths.root, NULL);
	int err = root ? 0 : -1;

	*paths_out = cli->paths;
	if (!err && cli->paths.root[0] != '/')
		err = crs_paths_init(paths_out, root);
	free(root);
	return err ? cli_error("%s: no such folder", cli->paths.root) : CLI_OK;
}

/* In crs's own audit log; a crs that does not run has nobody to tell. */
static void audit(const struct cli *cli, const char *action, const char *about)
{
	json_t *body = json_pack("{s:s, s:s}", "action", action, "about", about), *answer = NULL;

	if (body && cli_call(cli, "POST", "/audit", body, true, &answer) == 0)
		json_decref(answer);
	json_decref(body);
}

/* "crs-cli backup": writes a file and prints its name. */
int cli_backup(const struct cli *cli, int argc, char **argv)
{
	struct crs_paths paths;
	struct settings settings = { .policy = NULL };
	struct backup_info info;
	struct diag *diag = diag_new();
	char path[PATH_MAX];
	int status = full_paths(cli, &paths);

	(void)argc;
	(void)argv;
	if (status == CLI_OK && settings_read(&paths, &settings, diag))
		status = tell(diag);
	if (status == CLI_OK && backup_write(&paths, settings.name, path, &info, diag))
		status = tell(diag);
	if (status == CLI_OK) {
		audit(cli, "backup", path);
		print_info(cli, path, &info);
	}
	settings_clear(&settings);
	diag_free(&diag);
	return status;
}

/* "crs-cli restore FILE [--check]". */
int cli_restore(const struct cli *cli, int argc, char **argv)
{
	struct crs_paths paths;
	struct backup_info info;
	struct diag *diag;
	bool only_check = argc == 2;
	int status = CLI_OK, err;

	if (only_check && strcmp(argv[1], "--check") != 0)
		return CLI_USAGE;
	if (!only_check)
		status = full_paths(cli, &paths);
	if (status != CLI_OK)
		return status;
	diag = diag_new();
	err = only_check ? backup_check(argv[0], &info, diag)
			 : backup_restore(argv[0], &paths, &info, diag);
	status = err ? tell(diag) : CLI_OK;
	if (!err)
		print_info(cli, argv[0], &info);
	if (!err && !only_check && !cli->json)
		fputs("restored; updates that were applied after this backup have to be applied "
		      "again\n",
		      stdout);
	diag_free(&diag);
	return status;
}
