/* cig_cli_print.c - what cig-cli shows of a server's answers.
 *
 * What is missing in an answer is shown as nothing: it may be another version's.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json_text.h"
#include "base/visible.h"
#include "gateway/cig_cli.h"

static void put(FILE *to, const char *kept, const char *fmt, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0)
		return;
	visible_print(to, slice_str(text), kept);
	free(text);
}

void cli_put(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put(stdout, "", fmt, args);
	va_end(args);
}

void cli_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put(stdout, "", fmt, args);
	va_end(args);
	putchar('\n');
}

void cli_error(const char *fmt, ...)
{
	va_list args;

	fputs("cig-cli: ", stderr);
	va_start(args, fmt);
	put(stderr, "\n", fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

void cli_print_json(const json_t *json)
{
	json_show(json, JSON_INDENT(2), stdout);
}

const char *cli_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}
