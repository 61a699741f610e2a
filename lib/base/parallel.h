/* parallel: independent pieces of work on all cores. */
#ifndef BASE_PARALLEL_H
#define BASE_PARALLEL_H

#include <stddef.h>

#define PARALLEL_MAX 16		/* threads, the caller's among them */

/* How many threads parallel_run uses at most: the cores, up to the limit. */
unsigned parallel_width(void);

/*
 * Call fn(arg, worker, i) for each i below n, in no order, from several
 * threads, the caller's among them, and return when all are done.  worker,
 * below parallel_width(), tells which thread: no two calls with the same one
 * run at the same time.  Less than grain calls are not worth a thread.
 */
void parallel_run(size_t n, size_t grain,
    void (*fn)(void *arg, unsigned worker, size_t i), void *arg);

#endif
