/* cli_trace.c - crs-cli: traces, as they come (CRS manual 5.4), of one user or account on request.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/control_client.h"
#include "base/diag.h"
#include "base/visible.h"
#include "rendezvous/cli.h"
#include "rendezvous/trace.h"

enum { TARGET_SIZE = 512 };

/* What URIs and the ids of accounts are made of, so that +4670 is not found in +46701. */
static bool is_part(char c)
{
	return isalnum((unsigned char)c) || strchr("+-_.", c);
}

/* Does word stand in the line by itself?  A line is a list of fields or a JSON object. */
static bool is_about(struct slice line, const char *word)
{
	size_t n = strlen(word);
	const char *text = (const char *)line.p;

	for (size_t i = 0; i + n <= line.n; i++)
		if (memcmp(text + i, word, n) == 0 && (i == 0 || !is_part(text[i - 1])) &&
		    (i + n == line.n || !is_part(text[i + n])))
			return true;
	return false;
}

static bool print_line(void *arg, struct slice text)
{
	const char *only = arg;

	if (only && !is_about(text, only))
		return true;
	visible_print(stdout, text, "\t"); /* fields are parted by tabs */
	putchar('\n');
	return fflush(stdout) == 0 && !ferror(stdout);
}

/* The elements, with commas.  Returns their number, or -1 where the words are wrong. */
static int read_words(int argc, char **argv, char *elements, size_t size, const char **only_out)
{
	size_t n = 0;
	int count = 0;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--only") == 0) {
			if (i + 1 == argc || *only_out)
				return -1;
			*only_out = argv[++i];
			continue;
		}
		n += (size_t)snprintf(elements + n, size - n, "%s%s", count++ ? "," : "", argv[i]);
		if (n >= size)
			return -1;
	}
	return count > 0 && count <= TRACE_ELEMENT_COUNT ? count : -1;
}

/* Ctrl-C ends the program, and with it the trace. */
int cli_trace(const struct cli *cli, int argc, char **argv)
{
	struct control_server server = { .program = "crs",
					 .address = cli->socket,
					 .timeout_ms = -1 };
	char target[TARGET_SIZE] = "/trace", elements[TARGET_SIZE] = "";
	const char *only = NULL;
	struct diag *diag;
	int err;

	if (read_words(argc, argv, elements, sizeof(elements), &only) < 0)
		return CLI_USAGE;
	if (control_target_arg(target, sizeof(target), "element", elements) ||
	    (cli->json && control_target_arg(target, sizeof(target), "json", "1")))
		return cli_error("too many elements");
	diag = diag_new();
	err = control_follow(&server, target, print_line, (void *)(uintptr_t)only, diag);
	if (err)
		cli_call_error(err, diag);
	diag_free(&diag);
	return err ? CLI_ERROR : CLI_OK;
}
