/* cli_backup.c - crs-cli backup and restore (CRS manual 4.20). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "keys/passphrase.h"
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

/* What stands behind "backup" and "restore FILE". */
struct backup_words {
	bool check;
	const char *passphrase_file; /* NULL: in clear */
};

static int read_words(int argc, char **argv, bool may_check, struct backup_words *words_out)
{
	*words_out = (struct backup_words){ .check = false };
	for (int i = 0; i < argc; i++) {
		if (may_check && !words_out->check && strcmp(argv[i], "--check") == 0)
			words_out->check = true;
		else if (!words_out->passphrase_file && strcmp(argv[i], "--passphrase-file") == 0 &&
			 i + 1 < argc)
			words_out->passphrase_file = argv[++i];
		else
			return CLI_USAGE;
	}
	return CLI_OK;
}

/* Leaves passphrase_out empty where none was asked for. */
static int read_passphrase(const struct backup_words *words, struct passphrase *passphrase_out,
			   struct diag *diag)
{
	*passphrase_out = (struct passphrase){ .n = 0 };
	if (words->passphrase_file &&
	    passphrase_from_file(words->passphrase_file, passphrase_out, diag))
		return tell(diag);
	return CLI_OK;
}

/* "crs-cli backup [--passphrase-file FILE]": writes a file and prints its name. */
int cli_backup(const struct cli *cli, int argc, char **argv)
{
	struct crs_paths paths;
	struct settings settings = { .policy = NULL };
	struct backup_words words;
	struct backup_info info;
	struct passphrase passphrase;
	struct diag *diag;
	char path[PATH_MAX];
	int status = read_words(argc, argv, false, &words), err = 0;

	if (status == CLI_OK)
		status = full_paths(cli, &paths);
	if (status != CLI_OK)
		return status;
	diag = diag_new();
	status = read_passphrase(&words, &passphrase, diag);
	if (status == CLI_OK && settings_read(&paths, &settings, diag))
		status = tell(diag);
	/* What is odd in the configuration is told by crs, at its start. */
	diag_free(&diag);
	diag = diag_new();
	if (status == CLI_OK)
		err = backup_write(&paths, settings.name, passphrase_slice(&passphrase), path,
				   &info, diag);
	if (err)
		status = tell(diag);
	if (err == -EACCES)
		cli_error("a backup takes root: it has what only crs may read");
	if (status == CLI_OK) {
		audit(cli, "backup", path);
		print_info(cli, path, &info);
		tell(diag); /* warnings */
	}
	passphrase_wipe(&passphrase);
	settings_clear(&settings);
	diag_free(&diag);
	return status;
}

/* "crs-cli restore FILE [--check] [--passphrase-file FILE]". */
int cli_restore(const struct cli *cli, int argc, char **argv)
{
	struct crs_paths paths;
	struct backup_words words;
	struct backup_info info;
	struct passphrase passphrase;
	struct diag *diag;
	int status = read_words(argc - 1, argv + 1, true, &words), err = 0;

	if (status == CLI_OK && !words.check)
		status = full_paths(cli, &paths);
	if (status != CLI_OK)
		return status;
	diag = diag_new();
	status = read_passphrase(&words, &passphrase, diag);
	if (status == CLI_OK && words.check)
		err = backup_check(argv[0], passphrase_slice(&passphrase), &info, diag);
	else if (status == CLI_OK)
		err = backup_restore(argv[0], passphrase_slice(&passphrase), &paths, &info, diag);
	passphrase_wipe(&passphrase);
	if (err)
		status = tell(diag);
	if (status == CLI_OK)
		print_info(cli, argv[0], &info);
	if (status == CLI_OK && !words.check && !cli->json)
		fputs("restored; updates that were applied after this backup have to be applied "
		      "again\n",
		      stdout);
	diag_free(&diag);
	return status;
}
