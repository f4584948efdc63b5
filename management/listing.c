/* listing.c - the listings of cms, either for people or for programs. */
#include "management/listing.h"

#include <errno.h>
#include <stdio.h>

int listing_append(json_t *list, json_t *object)
{
	return json_array_append_new(list, object) ? -ENOMEM : 1;
}

static void print(const json_t *list, const struct table *table)
{
	if (!list) {
		table_print(table, stdout);
		return;
	}
	json_dumpf(list, stdout, JSON_INDENT(2));
	printf("\n");
}

int listing_print(struct cms *cms, sqlite3_stmt *rows, const struct listing *listing)
{
	json_t *list = cms->value[OPTION_JSON] ? json_array() : NULL;
	struct table *table = list ? NULL : table_new(listing->columns);
	int more = 1, err = list || table ? 0 : -ENOMEM;

	if (!err && table)
		err = table_add(table, listing->head);
	/* Read to the end before anything is printed: widths need all rows, too. */
	while (!err && more > 0)
		more = listing->next(cms, rows, list, table);
	if (!err && more < 0)
		err = more;
	if (!err) /* all or nothing: half a list looks like a whole one */
		print(list, table);
	json_decref(list);
	table_free(&table);
	sqlite3_finalize(rows);
	return err;
}
