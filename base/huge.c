/* huge.c - zeroed memory, in pages of 2 MiB where it is much. */
#include "base/huge.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>

enum { LINE = 64, PAGE = 2 * 1024 * 1024 };

void *huge_alloc(size_t n)
{
	/* Below two pages, rounding up to whole ones would waste up to half. */
	size_t align = n < 2 * PAGE ? LINE : PAGE;
	/* aligned_alloc() wants a multiple of the alignment; an n that wraps here ends below
	 * itself. */
	size_t size = (n + align - 1) / align * align;
	void *p = size >= n && size > 0 ? aligned_alloc(align, size) : NULL;

	if (!p)
		return NULL;
	if (align == PAGE)
		(void)madvise(p, size, MADV_HUGEPAGE); /* before the first access; a wish only */
	/* Touched here, so the pages are made now and not at a look-up. */
	memset(p, 0, size);
	return p;
}
