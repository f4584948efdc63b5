#include "tests/unit.h"

#include "tests/keys/vectors.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/file.h"

enum { MAX_VECTORS = 256, MAX_FILE = 1 << 20 };

struct vectors {
	char *text;
	uint8_t *octets; /* decoded values, one behind the other */
	size_t used;
	size_t n;
	struct {
		struct slice name, value;
	} line[MAX_VECTORS];
};

static struct slice decode(struct vectors *v, struct slice hex)
{
	struct slice s = { v->octets + v->used, 0 };

	assert_int_equal(hex_decode(hex, v->octets + v->used, MAX_FILE - v->used, &s.n), 0);
	v->used += s.n;
	return s;
}

static void read_line(struct vectors *v, const char *line, size_t n)
{
	const char *eq = memchr(line, '=', n);

	if (n == 0 || line[0] == '#')
		return;
	assert_non_null(eq);
	assert_true(v->n < MAX_VECTORS);
	v->line[v->n].name = slice_of(line, (size_t)(eq - line) - 1);
	v->line[v->n].value = decode(v, slice_of(eq + 2, n - (size_t)(eq - line) - 2));
	v->n++;
}

struct vectors *vectors_open(const char *name)
{
	struct vectors *v = calloc(1, sizeof(*v));
	const char *top = getenv("top_srcdir");
	char path[512];
	uint8_t *text;
	size_t len;

	assert_non_null(v);
	snprintf(path, sizeof(path), "%s/tests/keys/vectors/%s", top ? top : ".", name);
	assert_int_equal(file_read(path, MAX_FILE, &text, &len), 0);
	v->text = (char *)text;
	v->octets = malloc(MAX_FILE);
	assert_non_null(v->octets);
	for (char *p = v->text; *p; p += strcspn(p, "\n") + 1)
		read_line(v, p, strcspn(p, "\n"));
	return v;
}

void vectors_close(struct vectors **vectorsp)
{
	free((*vectorsp)->text);
	free((*vectorsp)->octets);
	free(*vectorsp);
	*vectorsp = NULL;
}

static const struct slice *find(struct vectors *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (slice_eq_str(v->line[i].name, name))
			return &v->line[i].value;
	return NULL;
}

struct slice vector(struct vectors *v, const char *name)
{
	const struct slice *value = find(v, name);

	assert_non_null(value);
	return *value;
}

bool vector_has(struct vectors *v, const char *name)
{
	return find(v, name) != NULL;
}
