/* table.c - text in columns.
 *
 * Cells are kept as they will be printed, so a width is known as soon as its cell is there, and
 * printing needs no memory.
 */
#include "base/table.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/visible.h"

struct table {
	size_t columns;
	size_t width[TABLE_MAX_COLUMNS]; /* characters */
	bool right[TABLE_MAX_COLUMNS];
	char **cells; /* row after row, ready to print */
	size_t n, cap;
};

enum { GAP = 2 }; /* blanks between columns */

struct table *table_new(size_t columns)
{
	struct table *table = calloc(1, sizeof(*table));

	assert(columns >= 1 && columns <= TABLE_MAX_COLUMNS);
	if (table)
		table->columns = columns;
	return table;
}

void table_free(struct table **tablep)
{
	struct table *table = *tablep;

	if (!table)
		return;
	*tablep = NULL;
	for (size_t i = 0; i < table->n; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

void table_align_right(struct table *table, size_t column)
{
	assert(column < table->columns);
	table->right[column] = true;
}

/* Characters of UTF-8: octets that do not continue one. */
static size_t characters(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((uint8_t)*text & 0xc0) != 0x80;
	return n;
}

int table_cell(struct table *table, const char *text)
{
	size_t column = table->n % table->columns, width;
	char *cell;

	if (table->n == table->cap) {
		size_t cap = table->cap ? 2 * table->cap : 64;
		char **more = reallocarray(table->cells, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		table->cells = more;
		table->cap = cap;
	}
	cell = visible_copy(text ? text : "");
	if (!cell)
		return -ENOMEM;
	table->cells[table->n++] = cell;
	width = characters(cell);
	if (width > table->width[column])
		table->width[column] = width;
	return 0;
}

int table_cellf(struct table *table, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n, err;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	err = table_cell(table, text);
	free(text);
	return err;
}

int table_add(struct table *table, const char *const *cells)
{
	size_t before = table->n;

	for (size_t i = 0; i < table->columns; i++) {
		if (table_cell(table, cells[i]) == 0)
			continue;
		/* A row that is there in part would shift all behind it. */
		while (table->n > before)
			free(table->cells[--table->n]);
		return -ENOMEM;
	}
	return 0;
}

size_t table_rows(const struct table *table)
{
	return table->n / table->columns;
}

void table_print(const struct table *table, FILE *to)
{
	for (size_t i = 0; i < table->n; i++) {
		size_t column = i % table->columns;
		size_t pad = table->width[column] - characters(table->cells[i]);
		bool last = column + 1 == table->columns || i + 1 == table->n;

		if (table->right[column])
			fprintf(to, "%*s", (int)pad, "");
		fputs(table->cells[i], to);
		if (last)
			putc('\n', to);
		else
			fprintf(to, "%*s", (int)(GAP + (table->right[column] ? 0 : pad)), "");
	}
}
