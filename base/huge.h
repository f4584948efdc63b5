/* huge.h - memory for large tables that are read at random.
 *
 * A table of many megabytes in pages of 4 KiB costs a walk through the page tables at
 * nearly each access; pages of 2 MiB do not.  Linux gives them to who asks
 * (transparent huge pages, "madvise" or "always"); else nothing is lost.
 */
#ifndef BASE_HUGE_H
#define BASE_HUGE_H

#include <stddef.h>

/* n zeroed octets, aligned to at least 64; in huge pages from 4 MiB on, where the
 * system has them.  Returns NULL when memory is out.  The caller frees it by free(). */
void *huge_alloc(size_t n);

#endif
