#define _GNU_SOURCE
#include "base/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

struct job {
	size_t n;
	void (*fn)(void *arg, unsigned worker, size_t i);
	void *arg;
	atomic_size_t next;
	atomic_uint worker;
};

unsigned
parallel_width(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (cores < 1)
		return 1;
	return cores > PARALLEL_MAX ? PARALLEL_MAX : (unsigned)cores;
}

static void *
work(void *arg)
{
	struct job *j = arg;
	unsigned worker = atomic_fetch_add(&j->worker, 1);
	size_t i;

	while ((i = atomic_fetch_add(&j->next, 1)) < j->n)
		j->fn(j->arg, worker, i);
	return NULL;
}

void
parallel_run(size_t n, size_t grain,
    void (*fn)(void *arg, unsigned worker, size_t i), void *arg)
{
	struct job j = { n, fn, arg, 0, 0 };
	pthread_t thread[PARALLEL_MAX];
	unsigned want = parallel_width() - 1, started = 0;

	if (grain > 0 && n / grain < want)
		want = (unsigned)(n / grain);
	while (started < want &&
	    pthread_create(&thread[started], NULL, work, &j) == 0)
		started++;
	work(&j);
	while (started > 0)
		pthread_join(thread[--started], NULL);
}
