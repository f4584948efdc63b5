/* nearest.c - the few patterns of which most was found before they failed. */
#include "maps/nearest.h"

#include "base/buf.h"

/* A short list kept in order; entries that fail later come first. */
void nearest_look(struct nearest *nearest, size_t number, const struct pattern *pattern,
		  const struct subject *subject)
{
	char text[PATTERN_MAX_TEXT];
	struct buf unused = BUF_OF(text);
	size_t score = pattern_explain_miss(pattern, subject, &unused), i = nearest->n;

	/* Behind those of the same score: of equals the earlier one stays in front. */
	while (i > 0 && nearest->miss[i - 1].score < score)
		i--;
	if (i == NEAREST_KEPT)
		return;
	if (nearest->n < NEAREST_KEPT)
		nearest->n++;
	for (size_t k = nearest->n - 1; k > i; k--)
		nearest->miss[k] = nearest->miss[k - 1];
	nearest->miss[i].number = number;
	nearest->miss[i].score = score;
}
