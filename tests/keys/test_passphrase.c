/* Secrets from files and from a terminal: a child asks on a pseudo terminal of its own, whose user
 * is played. */
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"
#include "keys/passphrase.h"

enum { WAIT_MS = 10000, CHILD_S = 30, SHOWN_MAX = 8192 };

/* What became of the question, as the child tells it. */
struct told {
	int err;
	struct passphrase passphrase;
	char why[128];
};

struct terminal {
	int fd;       /* the user's end */
	int told;     /* the child writes a struct told here */
	pid_t asking; /* the child */
	char shown[SHOWN_MAX];
	size_t shown_n;
};

static void ask_in_child(const char *tty, bool twice, int told_fd)
{
	struct told told = { .err = 0 };
	struct diag *diag = diag_new();

	signal(SIGINT, SIG_DFL); /* who is started in the background has it ignored */
	alarm(CHILD_S);          /* where the test fails, nobody answers it any more */
	setsid();
	/* The first terminal that the leader of a session opens is its own: /dev/tty. */
	if (tty && open(tty, O_RDWR) < 0)
		exit(1);
	told.err = passphrase_ask("Secret", twice, &told.passphrase, diag);
	snprintf(told.why, sizeof(told.why), "%s", diag_first_error(diag));
	diag_free(&diag);
	exit(write(told_fd, &told, sizeof(told)) == sizeof(told) ? 0 : 1);
}

static void begin(struct terminal *t, bool has_tty, bool twice)
{
	int told[2];

	memset(t, 0, sizeof(*t));
	t->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(t->fd >= 0);
	assert_int_equal(grantpt(t->fd) | unlockpt(t->fd), 0);
	assert_int_equal(pipe(told), 0);
	t->asking = fork();
	assert_true(t->asking >= 0);
	if (t->asking == 0) {
		/* Ignored in what a shell without job control runs behind it (POSIX, "&"). */
		signal(SIGINT, SIG_DFL);
		close(told[0]);
		ask_in_child(has_tty ? ptsname(t->fd) : NULL, twice, told[1]);
	}
	close(told[1]);
	t->told = told[0];
}

/* Reads what the terminal shows until it ends so. */
static void await_shown(struct terminal *t, const char *ending)
{
	size_t n = strlen(ending);

	while (t->shown_n < n || strcmp(t->shown + t->shown_n - n, ending) != 0) {
		struct pollfd p = { .fd = t->fd, .events = POLLIN };
		ssize_t got;

		if (poll(&p, 1, WAIT_MS) <= 0)
			fail_msg("\"%s\" is shown, not \"%s\"", t->shown, ending);
		got = read(t->fd, t->shown + t->shown_n, sizeof(t->shown) - 1 - t->shown_n);
		assert_true(got > 0);
		t->shown_n += (size_t)got;
		t->shown[t->shown_n] = '\0';
	}
}

static bool echoes(const struct terminal *t)
{
	struct termios now;

	assert_int_equal(tcgetattr(t->fd, &now), 0);
	return now.c_lflag & ECHO;
}

static void types(const struct terminal *t, const char *text)
{
	assert_int_equal(write(t->fd, text, strlen(text)), strlen(text));
}

/* The prompt is there; the answer is not shown. */
static void answers(struct terminal *t, const char *prompt, const char *text)
{
	await_shown(t, prompt);
	assert_false(echoes(t));
	types(t, text);
}

/* The child's end, and what it has told (an err of its own where it has not: it died). */
static int end(struct terminal *t, struct told *told_out)
{
	int status;

	memset(told_out, 0, sizeof(*told_out));
	if (read(t->told, told_out, sizeof(*told_out)) != sizeof(*told_out))
		told_out->err = -ECHILD;
	assert_int_equal(waitpid(t->asking, &status, 0), t->asking);
	close(t->told);
	close(t->fd);
	return status;
}

static void what_is_typed_is_taken_and_not_shown(void **state)
{
	struct terminal t;
	struct told told;

	(void)state;
	begin(&t, true, false);
	answers(&t, "Secret: ", "correct horse\n");
	await_shown(&t, "\r\n");
	assert_int_equal(end(&t, &told), 0);
	assert_int_equal(told.err, 0);
	assert_string_equal(told.passphrase.text, "correct horse");
	assert_int_equal(told.passphrase.n, strlen("correct horse"));
	assert_string_equal(t.shown, "Secret: \r\n");
}

static void a_new_one_is_typed_twice_the_same(void **state)
{
	static const struct {
		const char *first, *second;
		int err;
	} cases[] = {
		{ "one\n", "one\n", 0 },
		{ "one\n", "two\n", -EINVAL },
		{ "one\n", "on\n", -EINVAL },
		{ "one\n", "\n", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct terminal t;
		struct told told;

		begin(&t, true, true);
		answers(&t, "Secret: ", cases[i].first);
		answers(&t, "once more: ", cases[i].second);
		assert_int_equal(end(&t, &told), 0);
		assert_int_equal(told.err, cases[i].err);
		if (cases[i].err)
			assert_string_equal(told.why, "empty, too long, or not twice the same");
		else
			assert_string_equal(told.passphrase.text, "one");
	}
}

static void nothing_and_too_much_are_no_secret(void **state)
{
	static const struct {
		size_t n; /* so many letters, */
		const char *end;
		int err;
	} cases[] = {
		{ 0, "\n", -EINVAL }, { 0, "\x04", -EINVAL }, /* the end of input */
		{ 1024, "\n", 0 },    { 1025, "\n", -EINVAL }, { 3000, "\n", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct terminal t;
		struct told told;
		char text[4096];

		memset(text, 'x', cases[i].n);
		snprintf(text + cases[i].n, 8, "%s", cases[i].end);
		begin(&t, true, false);
		answers(&t, "Secret: ", text);
		assert_int_equal(end(&t, &told), 0);
		assert_int_equal(told.err, cases[i].err);
		assert_string_equal(told.why, cases[i].err ? "empty or too long" : "");
	}
}

/* A signal does its work, and the terminal shows again what is typed. */
static void an_interruption_leaves_the_terminal_as_it_was(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

	(void)state;
	for (size_t i = 0; i < COUNT(signals); i++) {
		struct terminal t;
		struct told told;
		int status;

		begin(&t, true, false);
		await_shown(&t, "Secret: ");
		if (signals[i] == SIGINT)
			types(&t, "\x03"); /* as the keyboard sends it */
		else
			kill(t.asking, signals[i]);
		await_shown(&t, "\r\n");
		assert_true(echoes(&t));
		status = end(&t, &told);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), signals[i]);
		assert_int_equal(told.err, -ECHILD);
	}
}

static void without_a_terminal_a_file_is_asked_for(void **state)
{
	struct terminal t;
	struct told told;

	(void)state;
	begin(&t, false, false);
	assert_int_equal(end(&t, &told), 0);
	assert_int_equal(told.err, -ENOTTY);
	assert_string_equal(told.why,
			    "Secret: there is no terminal to ask on; name a file that holds it");
}

/* ---- files ---- */

static void the_first_line_of_a_private_file_is_taken(void **state)
{
	static const struct {
		const char *content;
		mode_t mode;
		int err;
		const char *text, *why;
	} cases[] = {
		{ "secret\n", 0600, 0, "secret", "" },
		{ "secret", 0400, 0, "secret", "" },
		{ "secret\r\nmore\n", 0600, 0, "secret", "" },
		{ " a b \n", 0600, 0, " a b ", "" },
		{ "secret\n", 0640, -EPERM, NULL, "others may read it; run: chmod 600 " },
		{ "secret\n", 0602, -EPERM, NULL, "others may read it; run: chmod 600 " },
		{ "", 0600, -EINVAL, NULL, "its first line is empty or too long" },
		{ "\nsecret\n", 0600, -EINVAL, NULL, "its first line is empty or too long" },
		{ "\r\n", 0600, -EINVAL, NULL, "its first line is empty or too long" },
	};
	char path[] = "/tmp/passphrase.XXXXXX";

	(void)state;
	close(mkstemp(path));
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct diag *diag = diag_new();
		struct passphrase passphrase;

		assert_int_equal(
			file_write_atomic(path, cases[i].mode, slice_str(cases[i].content)), 0);
		assert_int_equal(chmod(path, cases[i].mode), 0);
		assert_int_equal(passphrase_from_file(path, &passphrase, diag), cases[i].err);
		assert_non_null(strstr(diag_first_error(diag), cases[i].why));
		if (!cases[i].err)
			assert_string_equal(passphrase.text, cases[i].text);
		diag_free(&diag);
	}
	unlink(path);
	assert_int_equal(passphrase_from_file(path, &(struct passphrase){ .n = 0 }, NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_typed_is_taken_and_not_shown),
		cmocka_unit_test(a_new_one_is_typed_twice_the_same),
		cmocka_unit_test(nothing_and_too_much_are_no_secret),
		cmocka_unit_test(an_interruption_leaves_the_terminal_as_it_was),
		cmocka_unit_test(without_a_terminal_a_file_is_asked_for),
		cmocka_unit_test(the_first_line_of_a_private_file_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
