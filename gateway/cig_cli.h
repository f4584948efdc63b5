/* cig_cli.h - the actions of cig-cli, one function each (CIG manual 2.9, "CLI
 * commands").
 */
#ifndef GATEWAY_CIG_CLI_H
#define GATEWAY_CIG_CLI_H

#include <stdbool.h>

#include "base/control_client.h"

struct cig_config;

enum { CLI_TRACE_SILENCE_MS = 24 * 3600 * 1000 /* a quiet gateway is no fault */ };
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* How this run was called. */
struct cli {
	const char *config_path; /* cig.conf: where the control port and userdata are */
	struct control_server server;
	char address[128] /* a socket's path has 107 at most */, token_path[4096], userdata[4096];
	bool json;
};

/* argv[0] is the action's name.  Each returns a CLI_ code and has told what went
 * wrong. */
typedef int cli_action_fn(struct cli *cli, int argc, char **argv);

/* The actions, each in a cig_cli_*.c of its own or in cig_cli.c. */
int cli_echo(struct cli *cli, int argc, char **argv);
/* "show LISTING [--long] [--watch [SECONDS]]". */
int cli_show(struct cli *cli, int argc, char **argv);
/* "message retry|drop ID": a text that waits. */
int cli_message(struct cli *cli, int argc, char **argv);
/* "status": parts, connections, keys and problems. */
int cli_status(struct cli *cli, int argc, char **argv);
int cli_read(struct cli *cli, int argc, char **argv);
/* "reload": the server reads its configuration anew and says what changed. */
int cli_reload(struct cli *cli, int argc, char **argv);
/* "route [--config FILE] TO FROM": which way a call would go, without one. */
int cli_route(struct cli *cli, int argc, char **argv);
/* "trace call|sip ...": events of calls, live; or SIP messages of one, from sip.log. */
int cli_trace(struct cli *cli, int argc, char **argv);
/* "trace sip NUMBER|CALL-ID [FILE]". */
int cli_trace_sip(struct cli *cli, int argc, char **argv);
/* "set-key --file LETTER": enrols the gateway. */
int cli_set_key(struct cli *cli, int argc, char **argv);

/* Calls the server.  Returns 0 with *answer_out, the caller's, which is an object (what else there
 * were is no answer of a cig-server); or -errno: the reason has been told. */
int cli_call(struct cli *cli, const char *method, const char *target, json_t **answer_out);

/* Reads a configuration and prints all that is said of it.  Returns 0 with the caller's
 * hold, else the config is not usable. */
int cli_read_config(const char *path, const struct cig_config **config_out);

/* Prints what the server answered, indented, for --json. */
void cli_print_json(const json_t *json);

/* What the server says comes from peers, too, or from something else at its port: no control
 * character of it reaches the terminal (base/visible.h), and no line looks like one of ours. */

/* Prints a part of a line, or a line with its end. */
void cli_put(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Prints "cig-cli: " and the text on standard error; its lines stay lines, for the faults of a file
 * are told one each. */
void cli_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A text member, "" where it is absent. */
const char *cli_text(const json_t *object, const char *name);

#endif
