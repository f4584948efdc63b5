/* cli_print.c - what crs-cli shows of crs's answers.
 *
 * An answer may be anything: another version's, or that of something else at the socket.  What is
 * missing is shown as nothing, and no text of it reaches the terminal as it came.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/json_text.h"
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

int cli_call_error(int err, const struct diag *diag)
{
	return cli_error("%s%s", diag_first_error(diag),
			 err == -EACCES ? ": this takes root, or a member of crsadmin" : "");
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
	json_show(answer, flags, stdout);
	json_decref(answer);
	return CLI_OK;
}

/* Nothing is shown as "-": who takes a line apart at its blanks finds every column where it is. */
static int add_text(struct table *table, const char *text)
{
	return table_cell(table, text && *text ? text : "-");
}

/* The texts of an array with commas between them; what is no text is left out. */
static int add_list(struct table *table, const json_t *list)
{
	char *text = NULL;
	size_t size = 0, shown = 0, i;
	FILE *out = open_memstream(&text, &size);
	json_t *item;
	int err = out ? 0 : -ENOMEM;

	json_array_foreach(list, i, item)
	{
		const char *s = json_string_value(item);

		if (out && s)
			fprintf(out, "%s%s", shown++ ? "," : "", s);
	}
	if (out && fclose(out) != 0)
		err = -ENOMEM;
	if (!err)
		err = add_text(table, text);
	free(text);
	return err;
}

static int add_cell(struct table *table, const json_t *value)
{
	if (json_is_integer(value))
		return table_cellf(table, "%lld", (long long)json_integer_value(value));
	if (json_is_array(value))
		return add_list(table, value);
	return add_text(table, json_string_value(value));
}

static int fill(struct table *table, const json_t *list, const struct cli_column *columns, size_t n)
{
	int err = 0;
	size_t i;
	json_t *row;

	for (size_t c = 0; c < n && !err; c++) {
		err = table_cell(table, columns[c].heading);
		if (columns[c].number)
			table_align_right(table, c);
	}
	json_array_foreach(list, i, row)
	{
		for (size_t c = 0; c < n && !err; c++)
			err = add_cell(table, json_object_get(row, columns[c].name));
	}
	return err;
}

int cli_print(const struct cli *cli, json_t *list, const struct cli_column *columns)
{
	struct table *table;
	size_t n = 0;
	int err;

	if (cli->json)
		return cli_print_json(list, JSON_INDENT(2));
	while (columns[n].name)
		n++;
	table = table_new(n);
	err = table ? fill(table, list, columns, n) : -ENOMEM;
	/* A table without one of its cells would show the rest under wrong headings. */
	if (!err)
		table_print(table, stdout);
	table_free(&table);
	json_decref(list);
	return err ? cli_error("%s", strerror(-err)) : CLI_OK;
}
