#include "tests/tools/played_figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/control.h"

enum { NAMES_MAX = 256, NAME_MAX_SIZE = 128 };

/* figures_port_new() has no argument of the test's. */
static struct played_figures the_port;

/* ---- the port --------------------------------------------------------------------- */

int figures_port_new(struct event_base *base, const char *address, uint16_t port,
		     figures_ask_fn *ask, void *arg, struct figures_port **port_out,
		     struct diag *diag)
{
	(void)base;
	(void)diag;
	if (the_port.open_err)
		return the_port.open_err;
	snprintf(the_port.address, sizeof(the_port.address), "%s", address);
	the_port.number = port;
	the_port.ask = ask;
	the_port.arg = arg;
	the_port.open = true;
	*port_out = (struct figures_port *)&the_port;
	return 0;
}

void figures_port_free(struct figures_port **portp)
{
	if (*portp)
		the_port.open = false;
	*portp = NULL;
}

void figures_answer(struct control_request *request, figures_write_fn *write, void *arg)
{
	size_t n;
	FILE *to;

	(void)request;
	free(the_port.text);
	to = open_memstream(&the_port.text, &n);
	assert_non_null(to);
	write(to, arg);
	fclose(to);
}

void control_answer_error(struct control_request *request, unsigned status, const char *fmt, ...)
{
	(void)request;
	(void)fmt;
	the_port.refused = status;
}

struct played_figures *played_figures(void)
{
	return &the_port;
}

void played_figures_reset(void)
{
	free(the_port.text);
	memset(&the_port, 0, sizeof(the_port));
}

void played_figures_ask(void)
{
	assert_true(the_port.open);
	the_port.ask(NULL, the_port.arg);
}

/* ---- the text --------------------------------------------------------------------- */

struct reading {
	char name[NAME_MAX_SIZE]; /* of the head that holds now */
	bool typed, counter;
	char heads[NAMES_MAX][NAME_MAX_SIZE];
	size_t n_heads;
	char samples[4 * NAMES_MAX][NAME_MAX_SIZE];
	size_t n_samples;
};

static void read_head(struct reading *r, const char *line)
{
	char type[16];

	if (sscanf(line, "# HELP %127s", r->name) == 1) {
		for (size_t i = 0; i < r->n_heads; i++)
			assert_string_not_equal(r->heads[i], r->name);
		assert_true(r->n_heads < NAMES_MAX);
		memcpy(r->heads[r->n_heads++], r->name, sizeof(r->name));
		r->typed = false;
		return;
	}
	assert_int_equal(sscanf(line, "# TYPE %*s %15s", type), 1);
	assert_memory_equal(line + strlen("# TYPE "), r->name, strlen(r->name));
	r->typed = true;
	r->counter = strcmp(type, "counter") == 0;
	if (!r->counter)
		assert_string_equal(type, "gauge");
	assert_int_equal(r->counter, strlen(r->name) > 6 &&
					     strcmp(r->name + strlen(r->name) - 6, "_total") == 0);
}

static void read_sample(struct reading *r, const char *line)
{
	size_t name = strcspn(line, "{ "), sample = (size_t)(strrchr(line, ' ') - line);
	char *end;

	if (!r->typed || name != strlen(r->name) || strncmp(line, r->name, name) != 0)
		fail_msg("%s stands under %s", line, r->name);
	strtod(line + sample + 1, &end);
	assert_true(end > line + sample + 1 && !*end);
	assert_true(sample < NAME_MAX_SIZE && r->n_samples < COUNT(r->samples));
	for (size_t i = 0; i < r->n_samples; i++)
		if (strlen(r->samples[i]) == sample && strncmp(r->samples[i], line, sample) == 0)
			fail_msg("%s stands there twice", r->samples[i]);
	snprintf(r->samples[r->n_samples++], NAME_MAX_SIZE, "%.*s", (int)sample, line);
}

void assert_figures(const char *text)
{
	struct reading *r = calloc(1, sizeof(*r));
	char *copy = strdup(text), *rest = copy, *line;

	assert_true(r && copy);
	assert_int_equal(text[strlen(text) - 1], '\n');
	while ((line = strsep(&rest, "\n")) && *line) {
		if (*line == '#')
			read_head(r, line);
		else
			read_sample(r, line);
	}
	assert_null(rest); /* an empty line is the end */
	free(copy);
	free(r);
}

const char *figure_in(const char *text, const char *sample)
{
	static char value[64];
	size_t n = strlen(sample);

	for (const char *at = text; at && *at; at = strchr(at, '\n'), at += at != NULL) {
		if (strncmp(at, sample, n) != 0 || at[n] != ' ')
			continue;
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(at + n + 1, "\n"), at + n + 1);
		return value;
	}
	return NULL;
}
