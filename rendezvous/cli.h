/* cli.h - crs-cli: one action a call, everything by parameters (CRS manual 5.3).
 *
 * Exit status: CLI_OK, CLI_ERROR (told on standard error), CLI_USAGE; a health check
 * has one more, 3: warnings.
 */
#ifndef RENDEZVOUS_CLI_H
#define RENDEZVOUS_CLI_H

#include <jansson.h>
#include <stdbool.h>

#include "rendezvous/paths.h"

struct diag;

enum { CLI_OK = 0, CLI_ERROR = 1, CLI_USAGE = 2 };
enum { CLI_ORIGIN_SIZE = 160 };

struct cli {
	struct crs_paths paths;
	const char *socket;
	bool json;
	char origin[CLI_ORIGIN_SIZE];
};

/* Writes where this crs-cli is used, for the audit log: "tty pts/3, ssh 192.0.2.9, sudo olga", of
 * which there is what is known; "" where nothing is, as from cron(8).  It is our own word: who may
 * open the control socket may write there what he likes. */
void cli_origin(char out[CLI_ORIGIN_SIZE]);

/* An action: argv holds the words behind its own (argc of them). */
typedef int cli_action_fn(const struct cli *cli, int argc, char **argv);

cli_action_fn cli_create_account, cli_create_secret, cli_list_account, cli_delete_account;
cli_action_fn cli_reload, cli_apply, cli_blacklist_add, cli_blacklist_remove;
cli_action_fn cli_purge_client, cli_purge_clients, cli_check_slot;
cli_action_fn cli_show_attach, cli_show_session, cli_show_message, cli_show_relay;
cli_action_fn cli_show_relays, cli_show_version, cli_show_services, cli_show_system;
cli_action_fn cli_show_account, cli_show_updates, cli_show_blacklist;
cli_action_fn cli_create_admin, cli_delete_admin, cli_add_admin_account;
cli_action_fn cli_delete_admin_account, cli_add_admin_authorization;
cli_action_fn cli_delete_admin_authorization, cli_show_admins, cli_show_admin;
cli_action_fn cli_show_admin_accounts, cli_show_iw_crs, cli_list_iw_crs;
cli_action_fn cli_show_client_info, cli_show_push_token, cli_show_client_storage;
cli_action_fn cli_wakeup_client, cli_lookup_client;
cli_action_fn cli_delete_client_info, cli_purge_observed;
cli_action_fn cli_backup, cli_restore;
cli_action_fn cli_health_account, cli_health_system;
cli_action_fn cli_stats_enable, cli_stats_disable, cli_stats_clear, cli_stats_export;
cli_action_fn cli_update_notification_enable, cli_update_notification_disable;
cli_action_fn cli_trace;

/* Asks crs.  Returns 0 with *answer_out (owned), or -errno: told on standard error
 * unless quiet_if_down and the server does not run (-ECONNREFUSED or -ENOENT). */
int cli_call(const struct cli *cli, const char *method, const char *target, json_t *body,
	     bool quiet_if_down, json_t **answer_out);

/* Tells why a call failed (err and diag as base/control_client.h has them) and, where the socket is
 * not for this user, for whom it is.  Returns the exit status of a failure. */
int cli_call_error(int err, const struct diag *diag);

/* Has crs do something that it answers by nothing worth printing; body is taken over. */
int cli_act(const struct cli *cli, const char *target, json_t *body);

/* Prints an array of objects: their members named by columns (a NULL behind the last)
 * under these headings; or as it is, with --json.  Takes list over. */
struct cli_column {
	const char *name, *heading;
	bool number;
};
/* Returns the exit status. */
int cli_print(const struct cli *cli, json_t *list, const struct cli_column *columns);

/* The same as JSON, as jansson's flags have it: indented, or 0: on one line. */
int cli_print_json(json_t *answer, size_t flags);

/* A text of an answer; "" where there is none. */
const char *cli_text(const json_t *object, const char *name);

/* Prints a line, without control characters of what came from elsewhere (base/visible.h). */
void cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints "crs-cli: " and the text on standard error, as cli_say() does.  Returns the exit status of
 * a failure. */
int cli_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
