#define _GNU_SOURCE	/* reallocarray */
#include "store/early.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/parallel.h"
#include "store/verify_job.h"

#define WORTH_A_THREAD 16	/* signatures */
#define WAIT_MS 10000		/* for another one to end */

struct signature {
	struct verify_job *job;
	bool good;
};

struct early {
	int lock;
	struct state_view view;
	struct signature *sig;
	size_t n, cap;
	size_t *slot;		/* hash table of these: number + 1 */
	size_t slots;		/* a power of two */
	struct hash seed;	/* nobody else knows who meets whom in it */
	struct checker *checker[PARALLEL_MAX];	/* of each worker */
};

int
early_wait(const struct repo *r)
{
	struct err ignored;

	return fs_lock(r->dirfd, "verify.lock", WAIT_MS, &ignored);
}

int
early_open(struct early **out, struct repo *r, struct err *e)
{
	struct early *x = calloc(1, sizeof(*x));
	struct db *db;

	if (x == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	if (db_of(&db, r, e) != 0) {
		free(x);
		return -1;
	}
	hash_random(&x->seed, sizeof(x->seed));
	x->lock = early_wait(r);
	state_view_init(&x->view, r, db);
	x->view.memo = state_memo_open();
	*out = x;
	return 0;
}

void
early_free(struct early *x)
{
	if (x == NULL)
		return;
	if (x->lock >= 0)
		close(x->lock);
	for (size_t i = 0; i < x->n; i++)
		free(x->sig[i].job);
	for (unsigned i = 0; i < PARALLEL_MAX; i++)
		checker_free(x->checker[i]);
	state_memo_free(x->view.memo);
	free(x->sig);
	free(x->slot);
	free(x);
}

static int
grow(struct early *x, struct err *e)
{
	size_t cap = x->cap == 0 ? 64 : 2 * x->cap;
	struct signature *sig = reallocarray(x->sig, cap, sizeof(*sig));

	if (sig == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	x->sig = sig;
	x->cap = cap;
	return 0;
}

static int
add_note(struct early *x, const struct note *n, struct span name,
    struct err *e)
{
	struct verify_job *job;
	struct sign_pub pub;
	int got = x->view.v.key(x->view.v.arg, name, &pub, e);

	if (got == 1)
		got = verify_job_of(&job, n, name, &pub, e);
	if (got != 1)
		return got;
	if (x->n == x->cap && grow(x, e) != 0) {
		free(job);
		return -1;
	}
	x->sig[x->n++] = (struct signature){ job, false };
	return 0;
}

int
early_add(struct early *x, const struct tx *tx, struct err *e)
{
	if (add_note(x, &tx->note, tx->author, e) != 0)
		return -1;
	return tx->kind != TX_AUTHORIZE ? 0 :
	    add_note(x, &tx->staged.note, tx->staged.author, e);
}

static void
verify_one(void *arg, unsigned worker, size_t i)
{
	struct early *x = arg;

	if (x->checker[worker] == NULL)
		x->checker[worker] = checker_open();
	x->sig[i].good = verify_job_run(x->sig[i].job, x->checker[worker]);
}

/* The signature in the table that is this one, or the free place for it. */
static size_t *
place(const struct early *x, const struct verify_job *job)
{
	size_t at = (size_t)verify_job_key(job, &x->seed) & (x->slots - 1);

	while (x->slot[at] != 0 &&
	    !verify_job_eq(x->sig[x->slot[at] - 1].job, job))
		at = (at + 1) & (x->slots - 1);
	return &x->slot[at];
}

int
early_verify(struct early *x, struct err *e)
{
	size_t slots = 64;

	while (slots < 2 * x->n)
		slots *= 2;
	if ((x->slot = calloc(slots, sizeof(*x->slot))) == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	x->slots = slots;
	parallel_run(x->n, WORTH_A_THREAD, verify_one, x);
	for (size_t i = 0; i < x->n; i++)
		*place(x, x->sig[i].job) = i + 1;
	return 0;
}

int
early_said(const struct early *x, const struct note *n, struct span name,
    const struct sign_pub *pub)
{
	struct verify_job *job;
	struct err ignored;
	size_t at;

	if (x->slots == 0 || verify_job_of(&job, n, name, pub, &ignored) != 1)
		return -1;
	at = *place(x, job);
	free(job);
	return at == 0 ? -1 : x->sig[at - 1].good;
}
