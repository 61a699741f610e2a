/* The part of fetch that applies blocks, in order. */
#define _GNU_SOURCE	/* pipe2 */
#include "net/fetch_part.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/accept.h"

#define TOGETHER_BYTES (24u << 20)	/* of blocks that are applied at once */
#define ENOUGH 128		/* blocks: do not wait for more */
#define WORTH_A_THREAD 32	/* blocks: fewer cost less without */
#define PATIENCE_MS 250		/* for more of them to come */

struct fetch_block *
fetch_block(struct fetch *f, uint64_t height)
{
	return &f->block[height % PLAN_WINDOW];
}

void
fetch_block_free(struct fetch *f, struct fetch_block *b)
{
	f->held -= b->text.cap + b->packed.cap;
	buf_free(&b->text);
	buf_free(&b->packed);
}

static bool
is_here(const struct fetch *f, uint64_t height)
{
	return height <= f->plan.spine && height <= f->plan.applied +
	    PLAN_WINDOW && f->plan.slot[height % PLAN_WINDOW].state ==
	    PLAN_HERE;
}

/* How many follow each other, up to what is applied at once. */
static size_t
ready(struct fetch *f, size_t *bytes)
{
	size_t n = 0;

	*bytes = 0;
	while (n < FETCH_TOGETHER && *bytes < TOGETHER_BYTES &&
	    is_here(f, f->plan.applied + n + 1))
		*bytes += fetch_block(f, f->plan.applied + ++n)->text.len;
	return n;
}

bool
fetch_ripe(struct fetch *f, int64_t now_ms, int64_t *wait_ms)
{
	size_t bytes, n;

	*wait_ms = -1;
	if (f->work.busy)
		return false;
	n = ready(f, &bytes);
	if (n == 0) {
		f->held_ms = 0;
		return false;
	}
	if (f->held_ms == 0)
		f->held_ms = now_ms;
	*wait_ms = f->held_ms + PATIENCE_MS - now_ms;
	return *wait_ms <= 0 || n >= ENOUGH || bytes >= TOGETHER_BYTES ||
	    f->plan.tight || (f->plan.applied + n == f->plan.spine &&
	    plan_claim(&f->plan) <= f->plan.spine);
}

/*
 * The block, certified by its header, was refused with *e.  1: because of what
 * a peer put into it; 0: it is the quorum's; -1.
 */
static int
is_forged(struct fetch *f, const struct fetch_block *c, struct err *e)
{
	struct delegates set;
	struct err why;
	uint64_t signers;
	struct block b;
	struct head h;
	struct db *db;

	if (db_of(&db, f->repo, &why) != 0 ||
	    chain_head(&h, f->repo, &why) != 0 ||
	    state_delegates(&set, db, h.height + 1, &why) != 0) {
		*e = why;
		return -1;
	}
	return block_parse(&b, buf_span(&c->text), true,
	    repo_ledger(f->repo), &why) != 0 ||
	    block_check_root(&b, &h.tree, &why) != 0 ||
	    certificate_check(b.certificate, &b.h, &set,
	    repo_ledger(f->repo), &signers, &why) != 0;
}

/* The block after those that were applied was refused. */
static int
refused(struct fetch *f, struct err *e)
{
	uint64_t height = f->plan.applied + 1;
	unsigned peer = fetch_block(f, height)->peer;
	int forged;

	if (e->kind == ERR_SYS || e->kind == ERR_AGAIN)
		return -1;
	if ((forged = is_forged(f, fetch_block(f, height), e)) < 0)
		return -1;
	if (forged == 0)
		return err_wrap(e, "a quorum has certified what is refused "
		    "here");
	e->kind = ERR_BAD;
	fetch_leave(f, peer, e);
	for (uint64_t h = height; h <= f->plan.applied + PLAN_WINDOW; h++)
		if (is_here(f, h) && fetch_block(f, h)->peer == peer)
			fetch_block_free(f, fetch_block(f, h));
	plan_drop(&f->plan, peer, f->plan.applied);
	return 0;
}

static void
count(struct fetch *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct fetch_block *b = fetch_block(f, f->plan.applied + i + 1);

		f->peers->v[b->peer].res.pulled.blocks++;
		fetch_block_free(f, b);
	}
	plan_applied(&f->plan, f->plan.applied + n);
	f->o->res->pulled.blocks += n;
	fetch_moved(f, PLAN_BLOCK);
}

/* --- work ----------------------------------------------------------------- */

static void
work(struct fetch_work *w)
{
	w->ret = accept_blocks(w->repo, w->block, w->n, clock_now_ms(),
	    &w->done, &w->e);
}

static void *
work_and_ring(void *arg)
{
	struct fetch_work *w = arg;

	work(w);
	while (write(w->bell[1], "", 1) < 0 && errno == EINTR)
		;
	return NULL;
}

/* What a thread needs. */
static int
prepare(struct fetch_work *w, const char *path)
{
	struct err ignored;
	struct db *db;

	if (w->own != NULL)
		return 0;
	if (pipe2(w->bell, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	if (repo_open(&w->own, path, &ignored) == 0 &&
	    db_of(&db, w->own, &ignored) == 0 && db_bulk(db, &ignored) == 0)
		return 0;
	repo_close(w->own);
	w->own = NULL;
	close(w->bell[0]);
	close(w->bell[1]);
	return -1;
}

/* A thread, with a repo of its own: 0 it has begun, -1 there is none. */
static int
begin(struct fetch *f)
{
	struct fetch_work *w = &f->work;
	struct err ignored;
	struct db *db;

	if (prepare(w, f->repo->path) != 0)
		return -1;
	w->repo = w->own;
	w->busy = thread_start(&w->thread, work_and_ring, w) == 0;
	if (!w->busy)
		return -1;
	/* What it wrote the last time; the next one tries again. */
	if (db_of(&db, f->repo, &ignored) == 0)
		db_checkpoint(db, &ignored);
	return 0;
}

static int
finish(struct fetch *f, struct err *e)
{
	struct fetch_work *w = &f->work;

	count(f, w->done);
	f->held_ms = 0;
	if (w->ret != 0)
		*e = w->e;
	if (w->ret != 0 && refused(f, e) != 0)
		return -1;
	f->plan.tight = f->held > FETCH_HELD_MAX;
	return 0;
}

int
fetch_apply(struct fetch *f, struct err *e)
{
	struct fetch_work *w = &f->work;
	int64_t start = clock_mono_ms();
	size_t bytes;
	int ret;

	w->n = ready(f, &bytes);
	for (size_t i = 0; i < w->n; i++) {
		struct fetch_block *b = fetch_block(f, f->plan.applied + i + 1);

		w->block[i] = (struct chain_block){ .text = buf_span(&b->text),
		    .packed = buf_span(&b->packed),
		    .certified = b->certified };
	}
	if (w->n >= WORTH_A_THREAD && begin(f) == 0)
		return 0;
	w->repo = f->repo;
	work(w);
	ret = finish(f, e);
	plan_skip(&f->plan, clock_mono_ms() - start);
	return ret;
}

int
fetch_applied(struct fetch *f, struct err *e)
{
	char byte;

	if (read(f->work.bell[0], &byte, 1) != 1)
		return 0;
	pthread_join(f->work.thread, NULL);
	f->work.busy = false;
	return finish(f, e);
}

void
fetch_apply_end(struct fetch *f)
{
	struct fetch_work *w = &f->work;

	if (w->busy)
		pthread_join(w->thread, NULL);
	w->busy = false;
	if (w->own == NULL)
		return;
	repo_close(w->own);
	close(w->bell[0]);
	close(w->bell[1]);
}
