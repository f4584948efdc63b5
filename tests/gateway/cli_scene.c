/* cli_scene.c - cig-cli within a test, and its server in a thread. */
#include "tests/unit.h"

#include "tests/gateway/cli_scene.h"

#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/control_proof.h"
#include "base/file.h"
#include "base/slice.h"
#include "tests/tools/remove_tree.h"

/* cig_cli.c has its main() under this name (server.mk). */
int cig_cli_main(int argc, char **argv);

enum { WORDS_MAX = 24, WORD_SIZE = 1024, PATH_SIZE = 128 };

/* sleep() and getpass() have no argument that leads to the scene. */
static struct cli_scene *current;

unsigned sleep(unsigned seconds)
{
	current->slept_s += seconds;
	return 0;
}

char *getpass(const char *prompt)
{
	static char text[256];

	(void)prompt;
	snprintf(text, sizeof(text), "%s", current->typed ? current->typed : "");
	return text;
}

/* ---- the folder ---- */

static void path_of(const struct cli_scene *scene, const char *name, char out[PATH_SIZE])
{
	snprintf(out, PATH_SIZE, "%s/%s", scene->dir, name);
}

void cli_scene_file(const struct cli_scene *scene, const char *name, const char *text)
{
	char path[PATH_SIZE];

	path_of(scene, name, path);
	assert_int_equal(file_write_atomic(path, 0600, slice_str(text)), 0);
}

int cli_scene_begin(void **state)
{
	struct cli_scene *scene = calloc(1, sizeof(*scene));
	char config[512], path[PATH_SIZE];
	struct control_token token;

	assert_non_null(scene);
	snprintf(scene->dir, sizeof(scene->dir), "/tmp/cig-cli-test.XXXXXX");
	assert_non_null(mkdtemp(scene->dir));
	snprintf(config, sizeof(config),
		 "userdata \"%s\";\nlog_dir \"%s\";\n"
		 "map m { entry e tel \"tel:+8888;{x}\" sip \"sip:{x}@pbx.com\"; }\n"
		 "interfaces { tel { extension map m; } sip { extension map m; } }\n",
		 scene->dir, scene->dir);
	cli_scene_file(scene, "cig.conf", config);
	path_of(scene, ".control-token", path);
	assert_int_equal(control_token_create(path, &token), 0);
	current = scene;
	*state = scene;
	return 0;
}

int cli_scene_end(void **state)
{
	struct cli_scene *scene = *state;

	for (size_t i = 0; i < scene->answers_n; i++)
		free(scene->answers[i]);
	assert_int_equal(remove_tree(scene->dir), 0);
	free(scene);
	return 0;
}

/* ---- the server ---- */

void cli_scene_answers_octets(struct cli_scene *scene, const char *octets)
{
	assert_true(scene->answers_n < CLI_ANSWERS_MAX);
	scene->answers[scene->answers_n] = strdup(octets);
	assert_non_null(scene->answers[scene->answers_n++]);
}

void cli_scene_answers(struct cli_scene *scene, const char *json)
{
	char octets[CLI_OUTPUT_MAX];

	snprintf(octets, sizeof(octets), "HTTP/1.0 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
		 strlen(json), json);
	cli_scene_answers_octets(scene, octets);
}

void cli_scene_refuses(struct cli_scene *scene, unsigned status, const char *why)
{
	char octets[1024];

	snprintf(octets, sizeof(octets), "HTTP/1.0 %u No\r\n\r\n{\"error\":\"%s\"}", status, why);
	cli_scene_answers_octets(scene, octets);
}

static bool receive_head(int fd, char head[CLI_REQUEST_MAX])
{
	size_t n = 0;

	for (;;) {
		ssize_t got = recv(fd, head + n, CLI_REQUEST_MAX - 1 - n, 0);

		if (got <= 0)
			return false;
		n += (size_t)got;
		head[n] = '\0';
		if (strstr(head, "\r\n\r\n"))
			return true;
	}
}

static void send_text(int fd, const char *text)
{
	for (size_t n = strlen(text); n > 0;) {
		ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		text += sent;
		n -= (size_t)sent;
	}
}

static void answer(struct cli_scene *scene, int fd)
{
	char head[CLI_REQUEST_MAX], nonce[128];

	if (!receive_head(fd, head))
		return;
	if (strncmp(head, "GET /nonce ", 11) == 0) {
		snprintf(nonce, sizeof(nonce), "HTTP/1.0 200 OK\r\n\r\n{\"nonce\":\"%064d\"}", 7);
		send_text(fd, nonce);
	} else if (scene->requests_n < scene->answers_n) {
		memcpy(scene->requests[scene->requests_n], head, sizeof(head));
		send_text(fd, scene->answers[scene->requests_n++]);
	}
	/* Behind the last answer the server hangs up without a word. */
}

static void *serve(void *arg)
{
	struct cli_scene *scene = arg;
	int fd;

	/* Until the listener is shut down. */
	while ((fd = accept(scene->listener, NULL, NULL)) >= 0) {
		answer(scene, fd);
		close(fd);
	}
	return NULL;
}

static void listen_at(struct cli_scene *scene)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/s", scene->dir);
	unlink(at.sun_path);
	scene->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(scene->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(scene->listener, CLI_ANSWERS_MAX), 0);
}

/* ---- the program ---- */

static FILE *redirect(int fd, int *was_out)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	*was_out = dup(fd);
	assert_true(dup2(fileno(file), fd) >= 0);
	return file;
}

static void restore(int fd, int was, FILE *file, char *out)
{
	size_t n;

	assert_true(dup2(was, fd) >= 0);
	close(was);
	rewind(file);
	n = out ? fread(out, 1, CLI_OUTPUT_MAX - 1, file) : 0;
	if (out)
		out[n] = '\0';
	fclose(file);
}

static int run_main(struct cli_scene *scene, int argc, char **argv)
{
	int was[3], status;
	FILE *in, *out, *err;

	fflush(stdout);
	in = redirect(STDIN_FILENO, &was[0]);
	out = redirect(STDOUT_FILENO, &was[1]);
	err = redirect(STDERR_FILENO, &was[2]);
	if (scene->input)
		fputs(scene->input, in);
	rewind(in);
	/* What the last run left unread, or its end. */
	__fpurge(stdin);
	clearerr(stdin);
	optind = 0; /* getopt_long() begins anew */
	status = cig_cli_main(argc, argv);
	fflush(stdout);
	restore(STDIN_FILENO, was[0], in, NULL);
	restore(STDOUT_FILENO, was[1], out, scene->out);
	restore(STDERR_FILENO, was[2], err, scene->err);
	return status;
}

static int split(const struct cli_scene *scene, char *text, char words[WORDS_MAX][WORD_SIZE],
		 char **argv, int argc)
{
	char *word, *rest = text;

	while (*text && (word = strsep(&rest, " "))) {
		char *to = words[argc];
		char *at = strchr(word, '@');

		assert_true(argc < WORDS_MAX);
		if (at && at == word)
			snprintf(to, sizeof(words[0]), "%s%s", scene->dir, at + 1);
		else
			snprintf(to, sizeof(words[0]), "%s", word);
		for (char *p = to; *p; p++)
			if (*p == '\'')
				*p = ' ';
		argv[argc++] = to;
	}
	argv[argc] = NULL;
	return argc;
}

int cli_scene_run_at(struct cli_scene *scene, const char *command)
{
	static char words[WORDS_MAX][WORD_SIZE];
	char *argv[WORDS_MAX + 1], text[2048];

	snprintf(text, sizeof(text), "cig-cli %s", command);
	return run_main(scene, split(scene, text, words, argv, 0), argv);
}

int cli_scene_run_alone(struct cli_scene *scene, const char *command)
{
	char text[1600];

	snprintf(text, sizeof(text), "--config @/cig.conf --address @/s%s%s", *command ? " " : "",
		 command);
	return cli_scene_run_at(scene, text);
}

int cli_scene_run(struct cli_scene *scene, const char *command)
{
	pthread_t server;
	int status;

	listen_at(scene);
	assert_int_equal(pthread_create(&server, NULL, serve, scene), 0);
	status = cli_scene_run_alone(scene, command);
	shutdown(scene->listener, SHUT_RDWR);
	pthread_join(server, NULL);
	close(scene->listener);
	assert_int_equal(scene->requests_n, scene->answers_n);
	return status;
}
