/* cli_accounts.c - crs-cli: accounts, updates, blacklists (CRS manual 4.2 to 4.4, 5.4).
 *
 * Nearly everything is asked of crs, which alone writes while it runs. Accounts can be made and
 * listed without it, for a server is set up before it is started.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/as_owner.h"
#include "base/control_client.h"
#include "base/diag.h"
#include "base/encode.h"
#include "base/file.h"
#include "base/text.h"
#include "keys/account.h"
#include "keys/identity.h"
#include "rendezvous/accounts.h"
#include "rendezvous/apply.h"
#include "rendezvous/cli.h"
#include "rendezvous/control_api_priv.h"
#include "rendezvous/slot.h"

/* -s SECRET, -b BITS, -B BYTES: only one of them. */
struct secret_options {
	const char *secret;
	unsigned long bytes;
};

/* -b BITS or -B BYTES; the number may be joined, as the manual has it (-B32). */
static int parse_length(int argc, char **argv, struct secret_options *out)
{
	const char *number_text = argv[0][2] ? argv[0] + 2 : argv[1];
	unsigned long number;

	if ((argv[0][2] != '\0') != (argc == 1))
		return CLI_USAGE;
	if (!text_number(slice_str(number_text), 0, 8 * ACCOUNTS_SECRET_BYTES_MAX, &number))
		return cli_error("%.2s %s: expected a number", argv[0], number_text);
	out->bytes = argv[0][1] == 'b' ? (number + 7) / 8 : number;
	if (out->bytes < ACCOUNT_SECRET_MIN || out->bytes > ACCOUNTS_SECRET_BYTES_MAX)
		return cli_error("a shared secret has %d to %d bytes (%d to %d bits)",
				 ACCOUNT_SECRET_MIN, ACCOUNTS_SECRET_BYTES_MAX,
				 8 * ACCOUNT_SECRET_MIN, 8 * ACCOUNTS_SECRET_BYTES_MAX);
	return CLI_OK;
}

static int parse_secret_options(int argc, char **argv, bool secret_allowed,
				struct secret_options *out)
{
	*out = (struct secret_options){ .bytes = ACCOUNTS_SECRET_BYTES_DEFAULT };
	if (argc == 0)
		return CLI_OK;
	if (argc > 2) {
		cli_error("%s and %s do not go together", argv[0], argv[2]);
		return CLI_USAGE;
	}
	if (argc == 2 && strcmp(argv[0], "-s") == 0 && secret_allowed) {
		out->secret = argv[1];
		return CLI_OK;
	}
	if (strncmp(argv[0], "-b", 2) != 0 && strncmp(argv[0], "-B", 2) != 0)
		return CLI_USAGE;
	return parse_length(argc, argv, out);
}

static int make_secret(const struct secret_options *options, char out[ACCOUNTS_SECRET_TEXT])
{
	if (options->secret) {
		if (strlen(options->secret) >= ACCOUNTS_SECRET_TEXT)
			return cli_error("the shared secret is too long");
		memcpy(out, options->secret, strlen(options->secret) + 1);
		return CLI_OK;
	}
	if (accounts_make_secret(options->bytes, out, ACCOUNTS_SECRET_TEXT))
		return cli_error("no random numbers to be had");
	return CLI_OK;
}

/* "crs-cli create sharedSecret": random, and kept nowhere. */
int cli_create_secret(const struct cli *cli, int argc, char **argv)
{
	struct secret_options options;
	char secret[ACCOUNTS_SECRET_TEXT];
	int status = parse_secret_options(argc, argv, false, &options);

	if (status == CLI_OK)
		status = make_secret(&options, secret);
	if (status == CLI_OK && cli->json)
		printf("{\"secret\": \"%s\"}\n", secret);
	else if (status == CLI_OK)
		puts(secret);
	OPENSSL_cleanse(secret, sizeof(secret));
	return status;
}

/* Nothing is done behind the back of a running crs: only when nobody answers at the
 * socket the files are changed here. */
static bool is_down(int err)
{
	return err == -ECONNREFUSED || err == -ENOENT;
}

static int create_on_disk(const struct cli *cli, const char *id, const char *secret)
{
	struct diag *diag = diag_new();
	int err = file_mkdirs(cli->paths.accounts, 0750);
	struct as_owner was;

	if (!err)
		/* Or crs, which is crsuser, could not read what root makes here. */
		err = as_owner_begin(cli->paths.accounts, &was);
	if (err) {
		diag_error(diag, NULL, "cannot make %s: %s", cli->paths.accounts, strerror(-err));
	} else {
		err = accounts_create(cli->paths.accounts, id, slice_str(secret), diag);
		as_owner_end(&was);
	}
	if (err)
		cli_error("%s", diag_first_error(diag));
	diag_free(&diag);
	return err ? CLI_ERROR : CLI_OK;
}

/* "crs-cli create account ACCOUNT [-s SECRET | -b BITS | -B BYTES]". */
int cli_create_account(const struct cli *cli, int argc, char **argv)
{
	struct secret_options options;
	char secret[ACCOUNTS_SECRET_TEXT];
	json_t *body, *answer = NULL;
	int status = parse_secret_options(argc - 1, argv + 1, true, &options), err;

	if (status == CLI_OK)
		status = make_secret(&options, secret);
	if (status != CLI_OK)
		return status;
	body = json_pack("{s:s, s:s}", "id", argv[0], "secret", secret);
	err = body ? cli_call(cli, "POST", "/account", body, true, &answer) : -EINVAL;
	if (!body)
		status = cli_error("the account id and the secret must be UTF-8");
	else if (is_down(err))
		status = create_on_disk(cli, argv[0], secret);
	else
		status = err ? CLI_ERROR : CLI_OK;
	if (status == CLI_OK && cli->json)
		cli_print_json(json_incref(body), 0);
	else if (status == CLI_OK && !options.secret)
		puts(secret);
	json_decref(body);
	json_decref(answer);
	OPENSSL_cleanse(secret, sizeof(secret));
	return status;
}

/* "crs-cli list account": with their secrets. */
int cli_list_account(const struct cli *cli, int argc, char **argv)
{
	static const struct cli_column columns[] = {
		{ "id", "ID", false },
		{ "path", "PATH", false },
		{ "secret", "SHARED-SECRET", false },
		{ NULL, NULL, false },
	};
	struct diag *diag;
	struct diag_item item;
	json_t *list = NULL;
	int err = cli_call(cli, "GET", "/accounts", NULL, true, &list);

	(void)argc;
	(void)argv;
	if (is_down(err)) {
		diag = diag_new();
		err = accounts_json(cli->paths.accounts, &list, diag);
		for (size_t i = 0; diag_get(diag, i, &item); i++)
			cli_error("%s%s%s", item.place.file ? item.place.file : "",
				  item.place.file ? ": " : "", item.text);
		diag_free(&diag);
	}
	return err ? CLI_ERROR : cli_print(cli, list, columns);
}

/* An action whose answer needs no printing. */
int cli_act(const struct cli *cli, const char *target, json_t *body)
{
	json_t *answer = NULL, *warnings, *warning;
	size_t i;
	int err;

	if (!body)
		return cli_error("the parameters must be UTF-8");
	err = cli_call(cli, "POST", target, body, false, &answer);
	json_decref(body);
	if (err)
		return CLI_ERROR;
	warnings = json_object_get(answer, "warnings");
	json_array_foreach(warnings, i, warning) if (json_is_string(warning))
		cli_error("warning: %s", json_string_value(warning));
	if (cli->json)
		return cli_print_json(answer, 0);
	json_decref(answer);
	return CLI_OK;
}

/* "crs-cli delete account ACCOUNT". */
int cli_delete_account(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return cli_act(cli, "/account/delete", json_pack("{s:s}", "id", argv[0]));
}

/* "crs-cli reload account": crs reads the accounts' folders anew. */
int cli_reload(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return cli_act(cli, "/reload", json_object());
}

/* Copies the file to copy_out, in crs's own directory and for crs's user.  Returns 0 or -errno. */
static int lend(const struct cli *cli, const char *path, const struct stat *home,
		char copy_out[CRS_PATH_SIZE])
{
	uint8_t *data = NULL;
	size_t n = 0;
	int err = file_read(path, APPLY_FILE_MAX, &data, &n), fd = -1;

	if (!err)
		err = crs_path_join(copy_out, CRS_PATH_SIZE, cli->paths.data, "lent-XXXXXX");
	if (!err) {
		/* 0600 by mkostemp(), and crs's own from here on: nobody else reads it
		 * meanwhile. */
		fd = mkostemp(copy_out, O_CLOEXEC);
		if (fd < 0 || fchown(fd, home->st_uid, home->st_gid))
			err = -errno;
	}
	if (!err)
		err = file_write_all(fd, slice_of(data, n));
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && err)
		unlink(copy_out);
	free(data);
	return err;
}

/* crs reads the file itself, but not as root: what root alone may read, or what lies in a home
 * directory, which the unit hides from crs, is lent to it as a copy.  Takes nothing over. */
static int apply(const struct cli *cli, const char *path, bool partial, json_t **answer_out)
{
	char copy[CRS_PATH_SIZE] = "";
	struct stat home;
	json_t *body;
	int err = 0;

	if (geteuid() == 0 && stat(cli->paths.data, &home) == 0 && home.st_uid != 0)
		err = lend(cli, path, &home, copy);
	if (err) {
		cli_error("%s: %s", path, strerror(-err));
		return err;
	}
	body = json_pack("{s:s, s:s, s:b}", "path", *copy ? copy : path, "name", path, "partial",
			 partial);
	err = body ? cli_call(cli, "POST", "/apply", body, false, answer_out) : -EINVAL;
	json_decref(body);
	/* crs has answered, and so has read it. A crs-cli that is killed before leaves it in
	 * data/. */
	if (*copy)
		unlink(copy);
	return err;
}

/* "crs-cli apply FILE [--partial]": an update file. */
int cli_apply(const struct cli *cli, int argc, char **argv)
{
	bool partial = argc == 2;
	json_t *answer = NULL;
	char *path;
	int err;

	if (partial && strcmp(argv[1], "--partial") != 0)
		return CLI_USAGE;
	/* crs has another working directory. */
	path = realpath(argv[0], NULL);
	if (!path)
		return cli_error("%s: %s", argv[0], strerror(errno));
	err = apply(cli, path, partial, &answer);
	free(path);
	if (err)
		return CLI_ERROR;
	if (cli->json)
		return cli_print_json(answer, 0);
	cli_say("account %s: update of %s, revision %lld, %lld users", cli_text(answer, "account"),
		cli_text(answer, "month"),
		(long long)json_integer_value(json_object_get(answer, "revision")),
		(long long)json_integer_value(json_object_get(answer, "users")));
	json_decref(answer);
	return CLI_OK;
}

/* "crs-cli blacklist add ACCOUNT URI". */
int cli_blacklist_add(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return cli_act(
		cli, "/blacklist",
		json_pack("{s:s, s:s, s:b}", "account", argv[0], "uri", argv[1], "add", true));
}

/* "crs-cli blacklist remove ACCOUNT URI". */
int cli_blacklist_remove(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return cli_act(
		cli, "/blacklist",
		json_pack("{s:s, s:s, s:b}", "account", argv[0], "uri", argv[1], "add", false));
}

/* "crs-cli purge client ACCOUNT URI". */
int cli_purge_client(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return cli_act(cli, "/purge", json_pack("{s:s, s:s}", "account", argv[0], "uri", argv[1]));
}

/* "crs-cli purge clients ACCOUNT": the same for all its users. */
int cli_purge_clients(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return cli_act(cli, "/purge", json_pack("{s:s, s:b}", "account", argv[0], "all", true));
}

/* "crs-cli purge observed ACCOUNT": users who were only observed. */
int cli_purge_observed(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return cli_act(cli, "/purge/observed", json_pack("{s:s}", "account", argv[0]));
}

/* "crs-cli wakeup client ACCOUNT URI": by push. */
int cli_wakeup_client(const struct cli *cli, int argc, char **argv)
{
	json_t *body = json_pack("{s:s, s:s}", "account", argv[0], "uri", argv[1]), *answer = NULL;
	int err;

	(void)argc;
	if (!body)
		return cli_error("the parameters must be UTF-8");
	err = cli_call(cli, "POST", "/wakeup", body, false, &answer);
	json_decref(body);
	if (err)
		return CLI_ERROR;
	if (cli->json)
		return cli_print_json(answer, 0);
	/* Whether the service takes them comes later, and goes to crs's log. */
	cli_say("%s: notifications on their way: %lld", argv[1],
		(long long)json_integer_value(json_object_get(answer, "notifications")));
	json_decref(answer);
	return CLI_OK;
}

/* "crs-cli delete client-info ACCOUNT URI". */
int cli_delete_client_info(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return cli_act(cli, "/client-info/delete",
		       json_pack("{s:s, s:s}", "account", argv[0], "uri", argv[1]));
}

/* "crs-cli check slot URI": which worker a URI is at home in. */
int cli_check_slot(const struct cli *cli, int argc, char **argv)
{
	unsigned slot = slot_of(slice_str(argv[0]));

	(void)argc;
	if (identity_check(slice_str(argv[0]), NULL))
		return cli_error("\"%s\" is no URI: expected tel:+NUMBER", argv[0]);
	if (cli->json)
		printf("[{\"uri\": \"%s\", \"slot\": %u}]\n", argv[0], slot);
	else
		printf("%u\n", slot);
	return CLI_OK;
}
