/* sample.h - a letter and keys of the right form for tests of letters, updates
 * and stores; they are no keys of anybody.
 */
#ifndef TESTS_KEYS_SAMPLE_H
#define TESTS_KEYS_SAMPLE_H

#include <stdio.h>

#include "keys/letter.h"
#include "keys/update.h"

enum { SAMPLE_MONTH = (2026 - 1970) * 12 + 10, SAMPLE_TIME = 1795260000 }; /* in 2026-11 */

/* Sets an array of characters. */
#define SET_TEXT(array, text) snprintf((array), sizeof(array), "%s", (text))

/* Octets that count up from seed, with the points' first octets where packed keys
 * have them. */
void sample_fill(void *p, size_t n, uint8_t seed);
void sample_keys(uint8_t packed[ISSUED_PACKED], uint8_t seed);

struct letter sample_letter(void);

/* An entry without channels, with keys of SAMPLE_MONTH. */
struct update_entry sample_entry(uint8_t seed);

#endif
