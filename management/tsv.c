/* tsv.c - a user a line, as spreadsheets write tables with tabs. */
#include "management/tsv.h"

#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"

enum { COLUMNS = 4 };

static const char forbidden[] = "\",';\t"; /* the manual's, for names and comments */

static bool column_valid(struct slice column)
{
	for (size_t i = 0; i < column.n; i++)
		if (column.p[i] == '\0' || strchr(forbidden, column.p[i]))
			return false;
	return text_is_clean(column);
}

/* Cuts the line into exactly COLUMNS. */
static bool split(struct slice line, struct slice columns[COLUMNS])
{
	for (size_t i = 0; i < COLUMNS; i++) {
		const uint8_t *tab = line.n ? memchr(line.p, '\t', line.n) : NULL;

		/* A tab behind each but the last, and none behind that. */
		if ((tab != NULL) != (i + 1 < COLUMNS))
			return false;
		columns[i] = slice_of(line.p, tab ? (size_t)(tab - line.p) : line.n);
		line = slice_from(line, columns[i].n + 1);
	}
	return true;
}

static int refuse(char *reason, const char *text)
{
	snprintf(reason, TSV_REASON_SIZE, "%s", text);
	return -EINVAL;
}

int tsv_read(struct slice line, struct person *person, char reason[TSV_REASON_SIZE])
{
	struct buf name = BUF_OF(person->name), comment = BUF_OF(person->comment);
	struct slice columns[COLUMNS];
	char number[32];
	struct buf n = BUF_OF(number);

	*person = (struct person){ 0 };
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	if (!split(line, columns))
		return refuse(reason, "expected four columns with a tab between each two: first "
				      "name, last name, number, comment");
	for (size_t i = 0; i < COLUMNS; i++)
		if (i != 2 && !column_valid(columns[i]))
			return refuse(reason, "names and comments may not contain \" , ' ; or "
					      "controls, and must be UTF-8");
	if (columns[0].n == 0)
		return refuse(reason, "there is no first name");
	buf_put_slice(&name, columns[0]);
	if (columns[1].n)
		buf_put_char(&name, ' ');
	buf_put_slice(&name, columns[1]);
	buf_put_slice(&comment, columns[3]);
	buf_put_slice(&n, columns[2]);
	if (!buf_ok(&name) || !buf_ok(&comment))
		return refuse(reason, "a name or comment is too long");
	if (!buf_ok(&n) || number[0] != '+' || person_uri(number, person->uri, NULL))
		return refuse(reason, "the number must be in international format, beginning with "
				      "\"+\", for example +46706764287");
	return 0;
}

static void write_column(const char *text, size_t n, FILE *to)
{
	for (size_t i = 0; i < n; i++)
		fputc(strchr(forbidden, text[i]) ? ' ' : text[i], to);
}

void tsv_write(const struct person *person, FILE *to)
{
	/* A name that was never two columns becomes them here: a guess that reading puts right
	 * again. */
	const char *blank = strrchr(person->name, ' ');
	size_t n = strlen(person->name);
	size_t first = blank && blank != person->name ? (size_t)(blank - person->name) : n;

	write_column(person->name, first, to);
	fputc('\t', to);
	if (first < n)
		write_column(person->name + first + 1, n - first - 1, to);
	fprintf(to, "\t%s\t", person->uri + strlen("tel:"));
	write_column(person->comment, strlen(person->comment), to);
	fputc('\n', to);
}
