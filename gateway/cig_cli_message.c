/* cig_cli_message.c - what an administrator does about a queued text. */
#include <stdio.h>
#include <string.h>

#include "gateway/cig_cli.h"

int cli_message(struct cli *cli, int argc, char **argv)
{
	bool retry = argc == 3 && strcmp(argv[1], "retry") == 0;
	bool drop = argc == 3 && strcmp(argv[1], "drop") == 0;
	char target[256] = "";
	json_t *answer;

	if (!retry && !drop) {
		fputs("usage: cig-cli message retry|drop ID\n", stderr);
		return CLI_USAGE;
	}
	snprintf(target, sizeof(target), "/message/%s", argv[1]);
	if (control_target_arg(target, sizeof(target), "id", argv[2])) {
		fputs("cig-cli: that is too long for an id\n", stderr);
		return CLI_USAGE;
	}
	if (cli_call(cli, "POST", target, &answer))
		return CLI_FAILED;
	if (cli->json)
		cli_print_json(answer);
	json_decref(answer);
	return CLI_OK;
}
