/* thread: threads beside one that waits for signals. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Start one that takes no signal.  0 or an errno. */
int thread_start(pthread_t *t, void *(*fn)(void *arg), void *arg);

/* Join it, waiting until that time (clock_mono_ms) at most; false: it still
 * runs, and may be joined later. */
bool thread_join(pthread_t t, int64_t until_mono_ms);

#endif
