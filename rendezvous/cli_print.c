/* cli_print.c - what crs-cli shows of crs's answers.
 *
 * An answer may be anything: another version's, or that of something else at the socket.  What is
 * missing is shown as nothing, and no text of it reaches the terminal as it came.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/table.h"
#include "base/visible.h"
#include "rendezvous/cli.h"

/* Lines stay lines: crs tells the faults of a file one each. */
static void put_line(FILE *to, const char *fmt, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0)
		return;
	visible_print(to, slice_str(text), "\n");
	fputc('\n', to);
	free(text);
}

int cli_error(const char *fmt, ...)
{
	va_list args;

	fputs("crs-cli: ", stderr);
	va_start(args, fmt);
	put_line(stderr, fmt, args);
	va_end(args);
	return CLI_ERROR;
}

void cli_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_line(stdout, fmt, args);
	va_end(args);
}

const char *cli_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

int cli_print_json(json_t *answer, size_t flags)
{
	json_dumpf(answer, stdout, flags);
	putchar('\n');
	json_decref(answer);
	return CLI_OK;
}

static void add_cell(struct table *table, const json_t *value)
{
	if (json_is_integer(value)) {
		table_cellf(table, "%lld", (long long)json_integer_value(value));
	} else if (json_is_array(value)) {
		char text[1024] = "";
		size_t i, n = 0;
		json_t *item;

		json_array_foreach(value, i, item)
		{
			const char *s = json_string_value(item);

			if (s && n + strlen(s) + 2 < sizeof(text))
				n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s",
						      i ? "," : "", s);
		}
		table_cell(table, text);
	} else {
		table_cell(table, json_string_value(value));
	}
}

int cli_print(const struct cli *cli, json_t *list, const struct cli_column *columns)
{
	struct table *table;
	size_t n = 0, i;
	json_t *row;

	if (cli->json)
		return cli_print_json(list, JSON_INDENT(2));
	while (columns[n].name)
		n++;
	table = table_new(n);
	for (size_t c = 0; c < n; c++) {
		table_cell(table, columns[c].heading);
		if (columns[c].number)
			table_align_right(table, c);
	}
	json_array_foreach(list, i, row)
	{
		for (size_t c = 0; c < n; c++)
			add_cell(table, json_object_get(row, columns[c].name));
	}
	table_print(table, stdout);
	table_free(&table);
	json_decref(list);
	return CLI_OK;
}
