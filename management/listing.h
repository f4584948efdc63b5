/* listing.h - what "cms ... list" and "cms log" print: a table, or with --json an array. */
#ifndef MANAGEMENT_LISTING_H
#define MANAGEMENT_LISTING_H

#include <jansson.h>

#include "base/table.h"
#include "management/cms.h"

/* Takes the next row of rows and adds it to list, or to table: the other one is NULL.
 * Returns 1, 0 behind the last row, or -errno with cms->diag set. */
typedef int listing_next_fn(struct cms *cms, sqlite3_stmt *rows, json_t *list, struct table *table);

struct listing {
	const char *const *head; /* the table's first row */
	size_t columns;
	listing_next_fn *next;
};

/* Prints every row of a query, or nothing after a failure; finalizes rows in any case.
 * Returns 0, -ENOMEM, or what next says. */
int listing_print(struct cms *cms, sqlite3_stmt *rows, const struct listing *listing);

/* Appends object, which is taken over, to list.  Returns 1, or -ENOMEM, for NULL too. */
int listing_append(json_t *list, json_t *object);

#endif
