/* From where crs-cli is used, as the audit log of crs has it.  The terminal, and who is logged in
 * on it, are played. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utmpx.h>

#include "rendezvous/cli.h"

/* What the C library says; its functions have no argument of the test's. */
static struct {
	int fd; /* the standard file that is a terminal; -1: none */
	const char *terminal, *line;
	struct utmpx login;
} played;

/* Not hidden: calls come here, as from another library. */
__attribute__((visibility("default"))) int ttyname_r(int fd, char *out, size_t outsz)
{
	if (fd != played.fd)
		return ENOTTY;
	snprintf(out, outsz, "%s", played.terminal);
	return 0;
}

__attribute__((visibility("default"))) struct utmpx *getutxline(const struct utmpx *wanted)
{
	return played.line && strncmp(wanted->ut_line, played.line, sizeof(wanted->ut_line)) == 0
		       ? &played.login
		       : NULL;
}

__attribute__((visibility("default"))) void setutxent(void)
{
}

__attribute__((visibility("default"))) void endutxent(void)
{
}

static void set(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static void the_origin_is_what_is_known_and_nothing_else(void **state)
{
	static const struct {
		int fd;
		const char *terminal, *ssh, *sudo, *login, *origin;
	} cases[] = {
		{ -1, NULL, NULL, NULL, NULL, "" }, /* cron(8) */
		{ 0, "/dev/pts/3", NULL, NULL, NULL, "tty pts/3" },
		{ 2, "/dev/tty1", NULL, "olga", NULL, "tty tty1, sudo olga" },
		{ 1, "/dev/pts/3", "192.0.2.9 51234 198.51.100.1 22", "olga", "ignored",
		  "tty pts/3, ssh 192.0.2.9, sudo olga" },
		{ -1, NULL, "2001:db8::9 51234 2001:db8::1 22", NULL, NULL, "ssh 2001:db8::9" },
		/* sudo takes SSH_CONNECTION away; the login on the terminal is still known */
		{ 0, "/dev/pts/3", NULL, "olga", "office.example",
		  "tty pts/3, login from office.example, sudo olga" },
		{ 0, "/dev/pts/3", "", NULL, "office.example",
		  "tty pts/3, login from office.example" },
		/* on another terminal, or none: nobody's */
		{ 0, "/dev/pts/4", NULL, NULL, "office.example", "tty pts/4" },
		{ -1, NULL, NULL, NULL, "office.example", "" },
		{ 0, "/proc/odd", NULL, NULL, NULL, "" },
		/* what is no name could look like another value, or like another header */
		{ 0, "/dev/pts/3", "192.0.2.9\r\nX-Evil: 1", "olga, ssh 1.2.3.4", "a b",
		  "tty pts/3" },
		{ 0, "/dev/a b", NULL, "", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char out[CLI_ORIGIN_SIZE] = "unset";

		memset(&played, 0, sizeof(played));
		played.fd = cases[i].fd;
		played.terminal = cases[i].terminal;
		played.line = cases[i].login ? "pts/3" : NULL;
		if (cases[i].login)
			memcpy(played.login.ut_host, cases[i].login, strlen(cases[i].login));
		set("SSH_CONNECTION", cases[i].ssh);
		set("SUDO_USER", cases[i].sudo);
		cli_origin(out);
		assert_string_equal(out, cases[i].origin);
	}
}

/* utmp's fields have no NUL where they are full.  Who did it is told all the same. */
static void a_host_that_is_too_long_hides_nothing_else(void **state)
{
	char out[CLI_ORIGIN_SIZE];

	(void)state;
	memset(&played, 0, sizeof(played));
	played.terminal = "/dev/pts/3";
	played.line = "pts/3";
	memset(played.login.ut_host, 'h', sizeof(played.login.ut_host));
	set("SSH_CONNECTION", NULL);
	set("SUDO_USER", "olga");
	cli_origin(out);
	assert_string_equal(out, "tty pts/3, sudo olga");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_origin_is_what_is_known_and_nothing_else),
		cmocka_unit_test(a_host_that_is_too_long_hides_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
