/* diag.c - faults and warnings for people, at most DIAG_MAX_ITEMS of them.
 *
 * Linear looks and an insertion sort over so few: a file with many faults is the rare case.
 */
#include "base/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { DIAG_MAX_ITEMS = 1000, DIAG_MAX_TEXT = 1024 };

struct item {
	struct diag_item pub;
	char *file;
	char *text;
};

struct diag {
	struct item *items;
	size_t kept, errors, warnings;
	size_t reported; /* errors, those told before included */
};

struct diag *diag_new(void)
{
	return calloc(1, sizeof(struct diag));
}

void diag_free(struct diag **diagp)
{
	struct diag *diag = *diagp;

	if (!diag)
		return;
	for (size_t i = 0; i < diag->kept; i++) {
		free(diag->items[i].file);
		free(diag->items[i].text);
	}
	free(diag->items);
	free(diag);
	*diagp = NULL;
}

static void keep(struct diag *diag, enum diag_severity severity, const struct diag_place *place,
		 const char *text)
{
	struct item *items, *item;

	/* A file of a million faults shall not fill the memory; they are counted all the same. */
	if (diag->kept == DIAG_MAX_ITEMS)
		return;
	items = realloc(diag->items, (diag->kept + 1) * sizeof(*items));
	if (!items)
		return;
	diag->items = items;
	item = &items[diag->kept];
	*item = (struct item){ .text = strdup(text) };
	if (!item->text)
		return;
	if (place) {
		item->pub.place = *place;
		item->file = place->file ? strdup(place->file) : NULL;
	}
	item->pub.severity = severity;
	item->pub.place.file = item->file;
	item->pub.text = item->text;
	diag->kept++;
}

static bool same_place(const struct diag_place *a, const struct diag_place *b)
{
	return a->line == b->line && a->column == b->column &&
	       (a->file && b->file ? strcmp(a->file, b->file) == 0 : a->file == b->file);
}

/* A map is looked at in both directions, and what is wrong with a pattern is wrong in both.
 * Without a place the same words may be about two things, and both count. */
static bool is_told(const struct diag *diag, enum diag_severity severity,
		    const struct diag_place *place, const char *text)
{
	if (!place)
		return false;
	for (size_t i = 0; i < diag->kept; i++) {
		const struct diag_item *item = &diag->items[i].pub;

		if (item->severity == severity && strcmp(item->text, text) == 0 &&
		    same_place(&item->place, place))
			return true;
	}
	return false;
}

static void add(struct diag *diag, enum diag_severity severity, const struct diag_place *place,
		const char *fmt, va_list ap)
{
	char text[DIAG_MAX_TEXT];

	vsnprintf(text, sizeof(text), fmt, ap);
	diag->reported += severity == DIAG_ERROR;
	/* Before it is counted: the counts are of different faults, as a person would count. */
	if (is_told(diag, severity, place, text))
		return;
	if (severity == DIAG_ERROR)
		diag->errors++;
	else
		diag->warnings++;
	keep(diag, severity, place, text);
}

void diag_error(struct diag *diag, const struct diag_place *place, const char *fmt, ...)
{
	va_list ap;

	if (!diag)
		return;
	va_start(ap, fmt);
	add(diag, DIAG_ERROR, place, fmt, ap);
	va_end(ap);
}

void diag_warning(struct diag *diag, const struct diag_place *place, const char *fmt, ...)
{
	va_list ap;

	if (!diag)
		return;
	va_start(ap, fmt);
	add(diag, DIAG_WARNING, place, fmt, ap);
	va_end(ap);
}

size_t diag_errors(const struct diag *diag)
{
	return diag ? diag->errors : 0;
}

size_t diag_reported(const struct diag *diag)
{
	return diag ? diag->reported : 0;
}

size_t diag_warnings(const struct diag *diag)
{
	return diag ? diag->warnings : 0;
}

bool diag_get(const struct diag *diag, size_t i, struct diag_item *item_out)
{
	if (!diag || i >= diag->kept)
		return false;
	*item_out = diag->items[i].pub;
	return true;
}

const char *diag_first_error(const struct diag *diag)
{
	for (size_t i = 0; diag && i < diag->kept; i++)
		if (diag->items[i].pub.severity == DIAG_ERROR)
			return diag->items[i].text;
	return "";
}

static void print_item(const struct diag_item *item, FILE *to)
{
	if (item->place.file)
		fprintf(to, "%s:", item->place.file);
	if (item->place.line)
		fprintf(to, "%u:", item->place.line);
	if (item->place.column)
		fprintf(to, "%u:", item->place.column);
	fprintf(to, "%s%s: %s\n", item->place.file || item->place.line ? " " : "",
		item->severity == DIAG_ERROR ? "error" : "warning", item->text);
}

static bool same_file(const struct diag_place *a, const struct diag_place *b)
{
	return a->file && b->file ? strcmp(a->file, b->file) == 0 : a->file == b->file;
}

static bool stands_before(const struct diag_place *a, const struct diag_place *b)
{
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

void diag_print(const struct diag *diag, FILE *to)
{
	/* 8 KiB of stack, so that printing needs no memory where it may be just what is out. */
	const struct item *sorted[DIAG_MAX_ITEMS];
	size_t n = diag ? diag->kept : 0;

	/* Files in the order of their first fault; by place within each. */
	for (size_t i = 0; i < n; i++) {
		const struct diag_place *place = &diag->items[i].pub.place;
		size_t at = i, last = i;

		while (last > 0 && !same_file(&sorted[last - 1]->pub.place, place))
			last--;
		if (last > 0)
			at = last;
		while (at > 0 && same_file(&sorted[at - 1]->pub.place, place) &&
		       stands_before(place, &sorted[at - 1]->pub.place))
			at--;
		memmove(&sorted[at + 1], &sorted[at], (i - at) * sizeof(sorted[0]));
		sorted[at] = &diag->items[i];
	}
	for (size_t i = 0; i < n; i++)
		print_item(&sorted[i]->pub, to);
}
