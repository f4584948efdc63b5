/* explain.c - the steps of a decision, copied and bounded.
 *
 * A call is decided with explain NULL; "cig-cli route" asks the same code with one.
 */
#include "maps/explain.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/buf.h"

enum { MAX_TEXT = 700, RESERVED = 8 /* steps that only matches and rejections may take */ };

struct step {
	struct explain_step pub;
	char *text;
	char *map, *entry, *file;
};

struct explain {
	struct step step[EXPLAIN_MAX_STEPS];
	size_t n;
};

struct explain *explain_new(void)
{
	return calloc(1, sizeof(struct explain));
}

void explain_clear(struct explain *explain)
{
	for (size_t i = 0; explain && i < explain->n; i++) {
		free(explain->step[i].text);
		free(explain->step[i].map);
		free(explain->step[i].entry);
		free(explain->step[i].file);
	}
	if (explain)
		explain->n = 0;
}

void explain_free(struct explain **explainp)
{
	explain_clear(*explainp);
	free(*explainp);
	*explainp = NULL;
}

/* A copy in which nothing can forge a line. */
static char *clean_copy(const char *text)
{
	/* An octet becomes four at most, so nothing is cut here. */
	char out[4 * MAX_TEXT + 1];
	struct buf b = BUF_OF(out);

	for (; *text; text++) {
		uint8_t c = (uint8_t)*text;

		if (c < 0x20 || c == 0x7f)
			buf_printf(&b, "\\x%02x", c);
		else
			buf_put_char(&b, *text);
	}
	return strdup(out);
}

void explain_add(struct explain *explain, enum explain_kind kind, const char *map,
		 const char *entry, const struct diag_place *place, const char *fmt, ...)
{
	char text[MAX_TEXT];
	struct step *step;
	va_list ap;

	/* Calls are decided without: nothing may be formatted then. */
	if (!explain || explain->n == EXPLAIN_MAX_STEPS)
		return;
	if ((kind == EXPLAIN_NOTE || kind == EXPLAIN_MISS) &&
	    explain->n >= EXPLAIN_MAX_STEPS - RESERVED)
		return;
	step = &explain->step[explain->n];
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	*step = (struct step){ .text = clean_copy(text),
			       .map = strdup(map ? map : ""),
			       .entry = strdup(entry ? entry : "") };
	if (place && place->file)
		step->file = strdup(place->file);
	step->pub.kind = kind;
	if (place)
		/* The file's name may be a configuration's, which a reload frees. */
		step->pub.place = *place;
	step->pub.place.file = step->file;
	step->pub.text = step->text;
	step->pub.map = step->map;
	step->pub.entry = step->entry;
	explain->n++; /* owned from here, also when incomplete */
	if (!step->text || !step->map || !step->entry) {
		free(step->text);
		free(step->map);
		free(step->entry);
		free(step->file);
		explain->n--;
	}
}

bool explain_get(const struct explain *explain, size_t i, struct explain_step *step_out)
{
	if (!explain || i >= explain->n)
		return false;
	*step_out = explain->step[i].pub;
	return true;
}

static void write_step(const struct explain_step *step, struct buf *to)
{
	static const char *const kinds[] = { [EXPLAIN_NOTE] = "",
					     [EXPLAIN_MISS] = "miss: ",
					     [EXPLAIN_MATCH] = "match: ",
					     [EXPLAIN_REJECT] = "rejected: " };

	buf_put_str(to, kinds[step->kind]);
	if (step->map[0])
		buf_printf(to, "map %s", step->map);
	if (step->entry[0])
		buf_printf(to, ", entry %s", step->entry);
	if (step->place.file)
		buf_printf(to, "%s(%s:%u)", step->map[0] ? " " : "", step->place.file,
			   step->place.line);
	buf_printf(to, "%s%s\n", step->map[0] || step->place.file ? ": " : "", step->text);
}

void explain_write(const struct explain *explain, struct buf *to)
{
	struct explain_step step;

	for (size_t i = 0; explain_get(explain, i, &step); i++)
		write_step(&step, to);
}

void explain_print(const struct explain *explain, FILE *to)
{
	struct explain_step step;

	for (size_t i = 0; explain_get(explain, i, &step); i++) {
		char line[4 * MAX_TEXT + 512];
		struct buf b = BUF_OF(line);

		write_step(&step, &b);
		fputs(buf_str(&b), to);
	}
}
