/* cli_scene.h - cig-cli's main() within a test, and a control port that is played: a Unix socket
 * whose server answers each request with the next of the octets it was given, and hangs up.
 */
#ifndef TESTS_GATEWAY_CLI_SCENE_H
#define TESTS_GATEWAY_CLI_SCENE_H

#include <stddef.h>

enum { CLI_OUTPUT_MAX = 16384, CLI_REQUEST_MAX = 4096, CLI_ANSWERS_MAX = 12 };

struct cli_scene {
	char dir[64];                                  /* everything is in here */
	char out[CLI_OUTPUT_MAX], err[CLI_OUTPUT_MAX]; /* what the last run printed */
	char *answers[CLI_ANSWERS_MAX];                /* octets as they go out */
	size_t answers_n;
	/* What came, nonces apart: whole heads. */
	char requests[CLI_ANSWERS_MAX][CLI_REQUEST_MAX];
	size_t requests_n;
	int listener;
	const char *input; /* standard input of the next run; NULL: empty */
	const char *typed; /* what is answered to a question for a secret */
	unsigned slept_s;  /* in all */
};

/* For cmocka_unit_test_setup_teardown(): a folder with cig.conf, which names it as userdata, and
 * with a control token. */
int cli_scene_begin(void **state);
int cli_scene_end(void **state);

/* The next request is answered 200 with this JSON, or with these octets. */
void cli_scene_answers(struct cli_scene *scene, const char *json);
void cli_scene_answers_octets(struct cli_scene *scene, const char *octets);
/* With a status, and {"error": why}. */
void cli_scene_refuses(struct cli_scene *scene, unsigned status, const char *why);

/* Runs "cig-cli --config CIG.CONF --address SOCKET" and the words of command, parted by blanks; in
 * a word "'" stands for a blank and "@" for the scene's folder.  Returns the exit status.  Answers
 * that nobody asked for make the test fail. */
int cli_scene_run(struct cli_scene *scene, const char *command);
/* The same without a server: nothing listens at the socket. */
int cli_scene_run_alone(struct cli_scene *scene, const char *command);
/* The same without the two options. */
int cli_scene_run_at(struct cli_scene *scene, const char *command);

/* Writes a file in the scene's folder. */
void cli_scene_file(const struct cli_scene *scene, const char *name, const char *text);

#endif
