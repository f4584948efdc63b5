/* nearest.h - the nearest misses among many patterns, for explanations; of use to maps/
 * only.
 */
#ifndef MAPS_NEAREST_H
#define MAPS_NEAREST_H

#include "maps/pattern.h"

enum { NEAREST_KEPT = 4, NEAREST_LOOKED_AT = 4096 };

struct nearest {
	struct {
		size_t number, score;
	} miss[NEAREST_KEPT]; /* the nearest first; of equals the earlier */
	size_t n;
};

/* Counts pattern number, which does not match, in.  Numbers come rising. */
void nearest_look(struct nearest *nearest, size_t number, const struct pattern *pattern,
		  const struct subject *subject);

#endif
