/* cli_admins.c - crs-cli: remote administrators (CRS manual 4.9, 5.4). */
#include <stdio.h>

#include "base/control_client.h"
#include "rendezvous/cli.h"

enum { TARGET_SIZE = 128 };

/* "crs-cli create admin NAME": prints the secret, once. */
int cli_create_admin(const struct cli *cli, int argc, char **argv)
{
	json_t *body = json_pack("{s:s, s:b}", "name", argv[0], "create", true), *answer = NULL;
	int err;

	(void)argc;
	if (!body)
		return cli_error("the name must be UTF-8");
	err = cli_call(cli, "POST", "/admin", body, false, &answer);
	json_decref(body);
	if (err)
		return CLI_ERROR;
	if (cli->json)
		return cli_print(cli, answer, NULL);
	cli_say("%s", cli_text(answer, "secret"));
	json_decref(answer);
	return CLI_OK;
}

/* "crs-cli delete admin NAME". */
int cli_delete_admin(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return cli_act(cli, "/admin", json_pack("{s:s, s:b}", "name", argv[0], "create", false));
}

static int change_account(const struct cli *cli, char **argv, bool add)
{
	return cli_act(
		cli, "/admin/account",
		json_pack("{s:s, s:s, s:b}", "name", argv[0], "account", argv[1], "add", add));
}

/* "crs-cli add admin-account NAME ACCOUNT". */
int cli_add_admin_account(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return change_account(cli, argv, true);
}

/* "crs-cli delete admin-account NAME ACCOUNT". */
int cli_delete_admin_account(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return change_account(cli, argv, false);
}

static int change_authorization(const struct cli *cli, char **argv, bool add)
{
	return cli_act(cli, "/admin/authorization",
		       json_pack("{s:s, s:s, s:s, s:b}", "name", argv[0], "account", argv[1],
				 "authorization", argv[2], "add", add));
}

/* "crs-cli add admin-account-authorization NAME ACCOUNT update|statistics". */
int cli_add_admin_authorization(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return change_authorization(cli, argv, true);
}

/* "crs-cli delete admin-account-authorization NAME ACCOUNT update|statistics". */
int cli_delete_admin_authorization(const struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return change_authorization(cli, argv, false);
}

static int show(const struct cli *cli, const char *path, const char *name,
		const struct cli_column *columns)
{
	char target[TARGET_SIZE];
	json_t *list = NULL;

	snprintf(target, sizeof(target), "%s", path);
	if (name && control_target_arg(target, sizeof(target), "name", name))
		return cli_error("the name is too long");
	if (cli_call(cli, "GET", target, NULL, false, &list))
		return CLI_ERROR;
	return cli_print(cli, list, columns);
}

/* "crs-cli show admins". */
int cli_show_admins(const struct cli *cli, int argc, char **argv)
{
	static const struct cli_column columns[] = { { "name", "ADMIN", false },
						     { "accounts", "ACCOUNTS", false },
						     { NULL, NULL, false } };

	(void)argc;
	(void)argv;
	return show(cli, "/admins", NULL, columns);
}

/* "crs-cli show admin NAME". */
int cli_show_admin(const struct cli *cli, int argc, char **argv)
{
	static const struct cli_column columns[] = { { "name", "NAME", false },
						     { "secret", "SECRET", false },
						     { NULL, NULL, false } };

	(void)argc;
	return show(cli, "/admin", argv[0], columns);
}

/* "crs-cli show admin-accounts NAME". */
int cli_show_admin_accounts(const struct cli *cli, int argc, char **argv)
{
	static const struct cli_column columns[] = { { "account", "ACCOUNT", false },
						     { "authorizations", "AUTHORIZATIONS", false },
						     { NULL, NULL, false } };

	(void)argc;
	return show(cli, "/admin-accounts", argv[0], columns);
}
