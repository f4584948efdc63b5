/* statistics_print.c - statistics as tab-separated values.
 *
 * Columns come in the manual's order (5.4), whatever the order of the members. A member that is
 * missing is an empty cell, not one cell less.
 */
#include <stdio.h>

#include "base/visible.h"
#include "rendezvous/statistics.h"

/* A tab or the end of a line in a value would be a cell or a row more. */
static void print_value(const json_t *value, FILE *to)
{
	if (json_is_integer(value))
		fprintf(to, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_boolean(value))
		fputs(json_is_true(value) ? "true" : "false", to);
	else if (json_is_string(value))
		visible_print(to, slice_str(json_string_value(value)), "");
}

void statistics_print(const json_t *rows, FILE *to)
{
	const json_t *row;
	size_t i;

	for (size_t c = 0; c < STATISTICS_COLUMNS; c++)
		fprintf(to, "%s%s", c ? "\t" : "", statistics_columns[c]);
	putc('\n', to);
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; c < STATISTICS_COLUMNS; c++) {
			if (c)
				putc('\t', to);
			print_value(json_object_get(row, statistics_columns[c]), to);
		}
		putc('\n', to);
	}
}
