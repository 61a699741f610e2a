/* heap: how malloc goes about memory that is free again. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

/*
 * Keep it, for a process that lives long: blocks and batches of some MiB come
 * again and again, and each time it would be taken from the system, which
 * clears it, and given back.  The process grows no larger than it was at its
 * largest.  Called before there are threads.
 */
void heap_keep(void);

#endif
