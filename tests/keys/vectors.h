/* vectors.h - reads the published test vectors below tests/keys/vectors. */
#ifndef TESTS_KEYS_VECTORS_H
#define TESTS_KEYS_VECTORS_H

#include "base/slice.h"

struct vectors;

/* Reads vectors/NAME below this folder of $top_srcdir; fails the test if it cannot. */
struct vectors *vectors_open(const char *name);
void vectors_close(struct vectors **vectorsp);

/* The octets of the line "name = hex"; fails the test if there is none. */
struct slice vector(struct vectors *vectors, const char *name);

/* Is there such a line? */
bool vector_has(struct vectors *vectors, const char *name);

#endif
