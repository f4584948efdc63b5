/* table.h - rows in aligned columns, as the manuals print them:
 *
 *     IN-FROM          IN-TO          STATE
 *     tel:+46701       tel:+8888      ANSWER
 *
 * Columns are as wide as their widest cell, counted in characters of UTF-8, and
 * two blanks apart; the last one is not padded.  Controls in a cell are written
 * as "\xNN", so that nobody else's text can disturb a terminal.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stddef.h>
#include <stdio.h>

struct table;

enum { TABLE_MAX_COLUMNS = 32 };

/* A table of so many columns (1 to TABLE_MAX_COLUMNS), without rows.  Returns NULL
 * when memory is out. */
struct table *table_new(size_t columns);
/* Frees *tablep with its cells and sets it to NULL; *tablep may be NULL. */
void table_free(struct table **tablep);

/* Numbers align at the right: column counts from 0. */
void table_align_right(struct table *table, size_t column);

/* Appends a row; cells are copied, NULL is an empty one.  The first row is the
 * heading where the program has one.  Returns 0 or -ENOMEM. */
int table_add(struct table *table, const char *const *cells);

/* One cell after the other: a row is full when it has all columns. */
int table_cell(struct table *table, const char *text);
/* The same with the text of a printf(3) format.  Return 0 or -ENOMEM. */
int table_cellf(struct table *table, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Whole rows, without the head. */
size_t table_rows(const struct table *table);

/* Prints all rows; an unfinished last row is printed as far as it goes. */
void table_print(const struct table *table, FILE *to);

#endif
