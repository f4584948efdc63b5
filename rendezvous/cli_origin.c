/* cli_origin.c - from where crs-cli is used, as it is told to the audit log. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utmpx.h>

#include "base/buf.h"
#include "rendezvous/cli.h"

enum { TTY_SIZE = 64 };

/* "pts/3" of /dev/pts/3, from whichever of our standard files is a terminal; "" without one. */
static void find_tty(char out[TTY_SIZE])
{
	char path[TTY_SIZE];

	out[0] = '\0';
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && !*out; fd++)
		if (ttyname_r(fd, path, sizeof(path)) == 0 && strncmp(path, "/dev/", 5) == 0)
			snprintf(out, TTY_SIZE, "%s", path + 5);
}

/* Texts of the environment and of utmp, which may hold anything: what is no name or address is
 * left out, so that it can neither be another header nor look like another value; and what is too
 * long, so that it keeps nothing out that stands behind it (a buf takes nothing more once something
 * did not fit). */
static void put_word(struct buf *out, const char *before, const char *text, size_t n)
{
	size_t length = strnlen(text, n);

	if (!length || strlen(", ") + strlen(before) + length >= out->cap - out->len)
		return;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr(".:-_%/@", text[i]))
			return;
	buf_printf(out, "%s%s%.*s", out->len ? ", " : "", before, (int)length, text);
}

/* The host that the login on this terminal came from.  sudo takes SSH_CONNECTION out of the
 * environment (sudoers(5), env_reset); utmp keeps what sshd wrote there. */
static void put_login_host(struct buf *out, const char *tty)
{
	struct utmpx wanted = { .ut_type = USER_PROCESS };
	const struct utmpx *found;

	if (!*tty || strlen(tty) > sizeof(wanted.ut_line))
		return;
	memcpy(wanted.ut_line, tty, strlen(tty));
	setutxent();
	found = getutxline(&wanted);
	if (found)
		put_word(out, "login from ", found->ut_host, sizeof(found->ut_host));
	endutxent();
}

void cli_origin(char out[CLI_ORIGIN_SIZE])
{
	const char *ssh = getenv("SSH_CONNECTION"), *sudo = getenv("SUDO_USER");
	struct buf text = buf_over(out, CLI_ORIGIN_SIZE);
	char tty[TTY_SIZE];

	find_tty(tty);
	put_word(&text, "tty ", tty, sizeof(tty));
	if (ssh && *ssh)
		put_word(&text, "ssh ", ssh, strcspn(ssh, " "));
	else
		put_login_host(&text, tty);
	if (sudo)
		put_word(&text, "sudo ", sudo, strlen(sudo));
}
