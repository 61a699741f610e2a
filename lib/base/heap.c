#include "base/heap.h"

#include <limits.h>
#include <malloc.h>

#define MAPPED_MIN (32 << 20)	/* bytes: glibc takes no larger number */

void
heap_keep(void)
{
#ifdef M_MMAP_THRESHOLD
	mallopt(M_MMAP_THRESHOLD, MAPPED_MIN);
	mallopt(M_TRIM_THRESHOLD, INT_MAX);
#endif
}
