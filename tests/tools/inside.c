#include "tests/unit.h"

#include "tests/tools/inside.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 24, COMMAND_MAX = 2048 };

static int split(const char *command, char text[COMMAND_MAX], char *argv[WORDS_MAX + 1])
{
	char *rest = text, *word;
	int argc = 0;

	assert_true(snprintf(text, COMMAND_MAX, "%s", command) < COMMAND_MAX);
	while ((word = strsep(&rest, " "))) {
		for (char *at = word; (at = strchr(at, '\'')); at++)
			*at = ' ';
		assert_true(argc < WORDS_MAX);
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	return argc;
}

int inside_run(inside_main *program, const char *command, char output[INSIDE_OUTPUT])
{
	char text[COMMAND_MAX], *argv[WORDS_MAX + 1];
	int argc = split(command, text, argv), kept[2], status;
	FILE *file = tmpfile();
	size_t n;

	assert_non_null(file);
	fflush(stdout);
	kept[0] = dup(STDOUT_FILENO);
	kept[1] = dup(STDERR_FILENO);
	dup2(fileno(file), STDOUT_FILENO);
	dup2(fileno(file), STDERR_FILENO);
	optind = 0; /* getopt_long() begins anew */
	status = program(argc, argv);
	fflush(stdout);
	dup2(kept[0], STDOUT_FILENO);
	dup2(kept[1], STDERR_FILENO);
	close(kept[0]);
	close(kept[1]);
	rewind(file);
	n = fread(output, 1, INSIDE_OUTPUT - 1, file);
	output[n] = '\0';
	fclose(file);
	return status;
}
