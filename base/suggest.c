/* suggest.c - the nearest known word, by the Damerau-Levenshtein distance in its simple form. */
#include "base/suggest.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { MAX_WORD = 64 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: three rows of the usual table. */
size_t suggest_distance(const char *a, const char *b)
{
	size_t rows[3][MAX_WORD + 1], na = strlen(a), nb = strlen(b);

	if (na > MAX_WORD || nb > MAX_WORD)
		return SIZE_MAX;
	for (size_t j = 0; j <= nb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *now = rows[i % 3], *above = rows[(i + 2) % 3], *higher = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			now[j] = least(above[j] + 1, now[j - 1] + 1);
			now[j] = least(now[j], above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], higher[j - 2] + 1);
		}
	}
	return rows[na % 3][nb];
}

/* "srcsip2tel" for "srctel2sip": the parts of a name in another order. */
static bool same_letters(const char *a, const char *b)
{
	int count[256] = { 0 };

	for (; *a && *b; a++, b++) {
		count[(uint8_t)*a]++;
		count[(uint8_t)*b]--;
	}
	if (*a || *b)
		return false;
	for (size_t i = 0; i < 256; i++)
		if (count[i] != 0)
			return false;
	return true;
}

/* In half edits: the same letters in another order are farther than one edit and
 * nearer than two. */
static size_t difference(const char *word, const char *known)
{
	size_t d = suggest_distance(word, known);

	if (d == SIZE_MAX)
		return d;
	return d > 1 && same_letters(word, known) ? 3 : 2 * d;
}

const char *suggest_near(const char *word, const char *const *known, size_t n)
{
	size_t n_word = strlen(word), limit = 2 * (n_word / 3), best = SIZE_MAX;
	const char *near = NULL;

	/* Two edits for words of up to eight letters, but less than half of a short one: "log" is
	 * not what "foo" was meant to be. */
	if (limit < 4)
		limit = n_word < 4 ? n_word : 4;
	for (size_t i = 0; i < n; i++) {
		size_t d = known[i] ? difference(word, known[i]) : SIZE_MAX;

		if (d < best && d <= limit && d < 2 * strlen(known[i])) {
			best = d;
			near = known[i];
		}
	}
	return near;
}
