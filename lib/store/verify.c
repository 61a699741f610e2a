#define _GNU_SOURCE	/* reallocarray */
#include "store/verify.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/parallel.h"
#include "store/verify_job.h"

#define WORTH_A_THREAD 16	/* signatures: below, starting one costs more */
#define PORTION 16		/* signatures that a thread takes at once */
#define WAITING_MAX 4096	/* of them: more would only cost memory */

struct verify_batch {
	struct verify_job **job;	/* NULL: good, and forgotten */
	size_t n, cap;
	atomic_size_t bad;	/* least index of a bad one, or SIZE_MAX */
	uint64_t height, bad_height;
	struct checker *checker[PARALLEL_MAX + 1];	/* of each worker */

	/* Of threads that have begun; job, n and these are under the lock. */
	pthread_t thread[PARALLEL_MAX];
	unsigned nthreads, nrunning;
	pthread_mutex_t lock;
	pthread_cond_t more, done;
	size_t taken, finished;
	bool end;
};

/* -------------------------------------------------------------------------- */

int
verify_open(struct verify_batch **out, struct err *e)
{
	struct verify_batch *b = calloc(1, sizeof(*b));

	*out = b;
	if (b == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	atomic_store(&b->bad, SIZE_MAX);
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->more, NULL);
	pthread_cond_init(&b->done, NULL);
	return 0;
}

/* Is it good?  One that is known to come after a bad one need not be
 * verified. */
static bool
verify_job(struct verify_batch *b, unsigned worker, const struct verify_job *j,
    size_t i)
{
	size_t bad = atomic_load(&b->bad);

	if (b->checker[worker] == NULL)
		b->checker[worker] = checker_open();
	if (bad < i || verify_job_run(j, b->checker[worker]))
		return true;
	while (i < bad && !atomic_compare_exchange_weak(&b->bad, &bad, i))
		;
	return false;
}

static void
verify_one(void *arg, unsigned worker, size_t i)
{
	struct verify_batch *b = arg;

	verify_job(b, worker, b->job[i], i);
}

/* --- threads that have begun ---------------------------------------------- */

/* With the lock, which is let go meanwhile: a portion of what waits. */
static void
take_portion(struct verify_batch *b, unsigned worker)
{
	struct verify_job *mine[PORTION];
	size_t at = b->taken, n = b->n - at;

	if (n > PORTION)
		n = PORTION;
	memcpy(mine, b->job + at, n * sizeof(mine[0]));
	b->taken += n;
	pthread_mutex_unlock(&b->lock);
	for (size_t i = 0; i < n; i++)
		if (verify_job(b, worker, mine[i], at + i)) {
			free(mine[i]);
			mine[i] = NULL;
		}
	pthread_mutex_lock(&b->lock);
	memcpy(b->job + at, mine, n * sizeof(mine[0]));
	b->finished += n;
	if (b->finished == b->n)
		pthread_cond_signal(&b->done);
}

static void *
run(void *batch)
{
	struct verify_batch *b = batch;
	unsigned worker;

	pthread_mutex_lock(&b->lock);
	worker = b->nrunning++;
	while (!b->end) {
		if (b->taken < b->n)
			take_portion(b, worker);
		else
			pthread_cond_wait(&b->more, &b->lock);
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

void
verify_begin(struct verify_batch *b)
{
	unsigned width = parallel_width();
	sigset_t all, old;

	/* Signals are for the threads that wait for them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (width > 1 && b->nthreads < width && pthread_create(
	    &b->thread[b->nthreads], NULL, run, b) == 0)
		b->nthreads++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* Help, and wait for the last. */
static void
finish(struct verify_batch *b)
{
	pthread_mutex_lock(&b->lock);
	while (b->finished < b->n) {
		if (b->taken < b->n)
			take_portion(b, PARALLEL_MAX);
		else
			pthread_cond_wait(&b->done, &b->lock);
	}
	pthread_mutex_unlock(&b->lock);
}

static void
join(struct verify_batch *b)
{
	pthread_mutex_lock(&b->lock);
	b->end = true;
	pthread_cond_broadcast(&b->more);
	pthread_mutex_unlock(&b->lock);
	while (b->nthreads > 0)
		pthread_join(b->thread[--b->nthreads], NULL);
}

/* --- adding --------------------------------------------------------------- */

static int
grow(struct verify_batch *b, struct err *e)
{
	size_t cap = b->cap == 0 ? 256 : b->cap * 2;
	struct verify_job **more = reallocarray(b->job, cap, sizeof(*more));

	if (more == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	b->job = more;
	b->cap = cap;
	return 0;
}

static int
append(struct verify_batch *b, struct verify_job *j, struct err *e)
{
	int ret;

	pthread_mutex_lock(&b->lock);
	while (b->nthreads > 0 && b->n - b->taken >= WAITING_MAX)
		take_portion(b, PARALLEL_MAX);
	ret = b->n < b->cap ? 0 : grow(b, e);
	if (ret == 0) {
		b->job[b->n++] = j;
		if (b->nthreads > 0 && b->n - b->taken >= PORTION)
			pthread_cond_signal(&b->more);
	}
	pthread_mutex_unlock(&b->lock);
	return ret;
}

int
verify_later(void *batch, const struct note *n, struct span name,
    const struct sign_pub *pub, struct err *e)
{
	struct verify_batch *b = batch;
	struct verify_job *j;
	int got = verify_job_of(&j, n, name, pub, e);

	if (got != 1)
		return got;
	j->height = b->height;
	if (append(b, j, e) == 0)
		return 1;
	free(j);
	return -1;
}

int
verify_never(void *unused, const struct note *n, struct span name,
    const struct sign_pub *pub, struct err *e)
{
	(void)unused, (void)n, (void)name, (void)pub, (void)e;
	return 1;
}

/* -------------------------------------------------------------------------- */

/* Under the lock: a thread may just be waking up. */
static void
forget(struct verify_batch *b)
{
	pthread_mutex_lock(&b->lock);
	for (size_t i = 0; i < b->n; i++)
		free(b->job[i]);
	b->n = b->taken = b->finished = 0;
	atomic_store(&b->bad, SIZE_MAX);
	pthread_mutex_unlock(&b->lock);
}

void
verify_height(struct verify_batch *b, uint64_t height)
{
	b->height = height;
}

size_t
verify_count(const struct verify_batch *b)
{
	return b->n;
}

int
verify_all(struct verify_batch *b, struct err *e)
{
	size_t bad;

	if (b->nthreads > 0)
		finish(b);
	else
		parallel_run(b->n, WORTH_A_THREAD, verify_one, b);
	bad = atomic_load(&b->bad);
	if (bad != SIZE_MAX) {
		b->bad_height = b->job[bad]->height;
		err_set(e, ERR_NO, "block %llu: signature of %s: does not "
		    "verify", (unsigned long long)b->bad_height,
		    verify_job_name(b->job[bad]));
	}
	forget(b);
	return bad == SIZE_MAX ? 0 : -1;
}

uint64_t
verify_bad_height(const struct verify_batch *b)
{
	return b->bad_height;
}

void
verify_free(struct verify_batch *b)
{
	if (b == NULL)
		return;
	join(b);
	forget(b);
	for (unsigned i = 0; i <= PARALLEL_MAX; i++)
		checker_free(b->checker[i]);
	free(b->job);
	pthread_mutex_destroy(&b->lock);
	pthread_cond_destroy(&b->more);
	pthread_cond_destroy(&b->done);
	free(b);
}
