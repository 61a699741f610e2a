#define _GNU_SOURCE	/* pthread_timedjoin_np */
#include "base/thread.h"

#include <signal.h>
#include <time.h>

#include "base/clock.h"

int
thread_start(pthread_t *t, void *(*fn)(void *arg), void *arg)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(t, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

bool
thread_join(pthread_t t, int64_t until_mono_ms)
{
	int64_t wait = until_mono_ms - clock_mono_ms();
	struct timespec at;

	clock_gettime(CLOCK_REALTIME, &at);
	if (wait > 0) {
		at.tv_sec += wait / 1000;
		at.tv_nsec += wait % 1000 * 1000000;
		at.tv_sec += at.tv_nsec / 1000000000;
		at.tv_nsec %= 1000000000;
	}
	return pthread_timedjoin_np(t, NULL, &at) == 0;
}
