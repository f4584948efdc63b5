/* cli_call.c - crs-cli asks crs at its control socket. */
#include <errno.h>

#include "base/control_client.h"
#include "base/diag.h"
#include "rendezvous/cli.h"

int cli_call(const struct cli *cli, const char *method, const char *target, json_t *body,
	     bool quiet_if_down, json_t **answer_out)
{
	struct control_server server = { .program = "crs",
					 .address = cli->socket,
					 .says = *cli->origin ? cli->origin : NULL };
	struct diag *diag = diag_new();
	int err = control_call(&server, method, target, body, answer_out, diag);

	if (err && !(quiet_if_down && (err == -ECONNREFUSED || err == -ENOENT)))
		cli_call_error(err, diag);
	diag_free(&diag);
	return err;
}
