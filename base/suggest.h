/* suggest.h - "did you mean ...?": the known word nearest to a mistyped one. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include <stddef.h>

/* The one of n known words that is fewest edits (insert, delete, change, swap of
 * neighbours; the same letters in another order count as one and a half) away from word,
 * or NULL when none is near (more than a third of its length, at least 2; 1 for a word of two or
 * three letters).  NULLs in known are skipped. */
const char *suggest_near(const char *word, const char *const *known, size_t n);

/* The edits between two words; words over 64 octets count as far (SIZE_MAX). */
size_t suggest_distance(const char *a, const char *b);

#endif
