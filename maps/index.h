/* index.h - finds the patterns that may match an address, by their literal beginnings
 * and ends; of use to maps/ only.
 *
 * Patterns are numbered from 0 in file order.  Those that share beginning and end are
 * a group; groups are found by hash, tried by length.  What a lookup yields still has
 * to be matched: a hash may lie, never hide.
 */
#ifndef MAPS_INDEX_H
#define MAPS_INDEX_H

#include "base/slice.h"

struct index;

/* For at most so many patterns.  Returns NULL when memory is out. */
struct index *index_new(size_t patterns);
/* Frees *indexp and sets it to NULL; *indexp may be NULL.  The patterns are the caller's. */
void index_free(struct index **indexp);

/* Adds a pattern by its beginning and end, of at most URI_MAX octets each. */
void index_add(struct index *index, uint32_t number, struct slice beginning, struct slice end);

/* Sorts and hashes what was added.  Returns 0 or -ENOMEM. */
int index_finish(struct index *index);

#define INDEX_NONE UINT32_MAX

/* Does pattern number match the address? */
typedef bool (*index_match_fn)(const void *arg, uint32_t number);

/* The lowest number below limit of which match says yes, or INDEX_NONE.  address is
 * compared with beginnings and ends; at most URI_MAX octets. */
uint32_t index_find(const struct index *index, struct slice address, uint32_t limit,
		    index_match_fn match, const void *arg);

/* The size of the largest group, and the first number in it. */
size_t index_largest_group(const struct index *index, uint32_t *first_out);

#endif
