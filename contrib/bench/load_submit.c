#define _DEFAULT_SOURCE	/* usleep */
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "load.h"
#include "store/pool.h"

#define BATCH_MAX 500		/* transactions in one commit */
#define NAP_US 1000		/* between looks for what is due, */
#define NAP_FULL_US 10000	/* and for room, which comes with a block */

static struct submitter {
	struct load *l;
	unsigned node;
	pthread_t thread;
} submitter[LOAD_NODES_MAX];

/* Those before *end are due; how many of them are for this node? */
static size_t
due(const struct submitter *s, size_t next, size_t mine)
{
	const struct load *l = s->l;
	double now = clock_s();
	size_t n = 0, waits = mine - l->final / l->n;

	for (size_t i = next; i < l->ntx && n < BATCH_MAX; i += l->n) {
		if (l->rate > 0 ? l->began + (double)i / l->rate > now :
		    waits + n >= l->backlog)
			break;
		n++;
	}
	/* Not one by one, when all that is taken is given. */
	return l->rate > 0 || n >= BATCH_MAX || n >= l->backlog / 4 ||
	    next + n * l->n >= l->ntx ? n : 0;
}

/* Verify those of a commit, as a node does it: before the pool is locked. */
static struct early *
verify(const struct load *l, struct repo *r, size_t next, size_t n)
{
	struct early *early;
	struct tx tx;
	struct err e;

	if (early_open(&early, r, &e) != 0)
		load_die("submit", &e);
	for (size_t i = next; i < next + n * l->n; i += l->n) {
		if (tx_parse(&tx, l->tx[i].note, repo_ledger(r), &e) != 0 ||
		    early_add(early, &tx, &e) != 0)
			load_die("submit", &e);
		tx_free(&tx);
	}
	if (early_verify(early, &e) != 0)
		load_die("submit", &e);
	return early;
}

/* As a peer's would be: verified, then durable. */
static void
put(struct submitter *s, struct repo *r, size_t next, size_t n)
{
	struct load *l = s->l;
	struct early *early = verify(l, r, next, n);
	struct pool *p;
	struct err e;
	double now;

	if (pool_open_add(&p, r, clock_now_ms(), &e) != 0)
		load_die("pool", &e);
	pool_early(p, early);
	for (size_t i = next; i < next + n * l->n; i += l->n)
		if (pool_add(p, l->tx[i].note, false, NULL, NULL, &e) != 0)
			load_die("submit", &e);
	if (pool_commit(p, &e) != 0)
		load_die("pool", &e);
	early_free(early);
	now = clock_s();
	for (size_t i = next; i < next + n * l->n; i += l->n)
		l->tx[i].acked = now;
}

static void *
run(void *arg)
{
	struct submitter *s = arg;
	struct load *l = s->l;
	size_t next = s->node, mine = 0, n;
	struct repo *r;
	struct err e;

	if (repo_open(&r, l->node[s->node].dir, &e) != 0)
		load_die(l->node[s->node].dir, &e);
	while (next < l->ntx && !l->stop) {
		n = due(s, next, mine);
		if (n == 0) {
			usleep(l->rate > 0 ? NAP_US : NAP_FULL_US);
			continue;
		}
		put(s, r, next, n);
		next += n * l->n;
		mine += n;
	}
	repo_close(r);
	return NULL;
}

void
load_submit_start(struct load *l)
{
	l->began = clock_s();
	for (unsigned i = 0; i < l->n; i++) {
		submitter[i].l = l;
		submitter[i].node = i;
		if (pthread_create(&submitter[i].thread, NULL, run,
		    &submitter[i]) != 0)
			load_die("a thread", NULL);
	}
}

void
load_submit_end(struct load *l)
{
	l->stop = true;
	for (unsigned i = 0; i < l->n; i++)
		pthread_join(submitter[i].thread, NULL);
}
