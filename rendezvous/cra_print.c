/* cra_print.c - answers for people.
 *
 * A server's texts reach the terminal through base/visible.h or a table alone, which let no
 * control character pass; a member that is missing is shown as nothing.
 */
#include "rendezvous/cra_print.h"

#include <string.h>

#include "base/table.h"
#include "base/visible.h"

enum { WORDS_SIZE = 64 };

static const char *text_of(const json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));

	return text ? text : "";
}

/* With commas; those that find no room are left out. */
static void join_words(const json_t *list, char out[WORDS_SIZE])
{
	const json_t *word;
	size_t i, n = 0;

	out[0] = '\0';
	json_array_foreach(list, i, word)
	{
		const char *text = json_string_value(word);

		if (text && n + strlen(text) + 2 < WORDS_SIZE)
			n += (size_t)snprintf(out + n, WORDS_SIZE - n, "%s%s", n ? "," : "", text);
	}
}

void cra_print_accounts(const json_t *accounts, FILE *to)
{
	static const char *const headings[] = { "ACCOUNT", "AUTHORIZATIONS", "CURRENT-MONTH",
						"NEXT-MONTH" };
	struct table *table = table_new(4);
	const json_t *row;
	size_t i;

	if (!table)
		return;
	table_add(table, headings);
	json_array_foreach(accounts, i, row)
	{
		char words[WORDS_SIZE];
		const char *const cells[] = { text_of(row, "account"), words,
					      text_of(row, "current"), text_of(row, "next") };

		join_words(json_object_get(row, "authorizations"), words);
		table_add(table, cells);
	}
	table_print(table, to);
	table_free(&table);
}

void cra_print_applied(const json_t *applied, FILE *to)
{
	fputs("account ", to);
	visible_print(to, slice_str(text_of(applied, "account")), "");
	fputs(": update of ", to);
	visible_print(to, slice_str(text_of(applied, "month")), "");
	fprintf(to, ", revision %lld, %lld users\n",
		(long long)json_integer_value(json_object_get(applied, "revision")),
		(long long)json_integer_value(json_object_get(applied, "users")));
}

void cra_print_error(const char *why, FILE *to)
{
	fputs("cra: ", to);
	visible_print(to, slice_str(why), "\n");
	fputc('\n', to);
}
