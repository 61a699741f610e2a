/* The part of fetch that applies blocks, in order. */
#include "net/fetch_part.h"

#include "base/clock.h"
#include "store/accept.h"

#define TOGETHER 512		/* blocks that are applied at once, at most */
#define TOGETHER_BYTES (24u << 20)	/* of theirs */
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
	while (n < TOGETHER && *bytes < TOGETHER_BYTES &&
	    is_here(f, f->plan.applied + n + 1))
		*bytes += fetch_block(f, f->plan.applied + ++n)->text.len;
	return n;
}

bool
fetch_ripe(struct fetch *f, int64_t now_ms, int64_t *wait_ms)
{
	size_t bytes, n = ready(f, &bytes);

	*wait_ms = -1;
	if (n == 0) {
		f->held_ms = 0;
		return false;
	}
	if (f->held_ms == 0)
		f->held_ms = now_ms;
	*wait_ms = f->held_ms + PATIENCE_MS - now_ms;
	return *wait_ms <= 0 || n == TOGETHER || bytes >= TOGETHER_BYTES ||
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
	struct sync_result *res = f->o->res;

	for (size_t i = 0; i < n; i++) {
		struct fetch_block *b = fetch_block(f, f->plan.applied + i + 1);

		f->peers->v[b->peer].res.pulled.blocks++;
		fetch_block_free(f, b);
	}
	plan_applied(&f->plan, f->plan.applied + n);
	res->pulled.blocks += n;
	res->doing = "blocks";
	res->done = f->plan.applied - f->spine.base;
	res->total = f->plan.spine - f->spine.base;
	if (res->watch != NULL)
		res->watch(res->arg, res);
}

int
fetch_apply(struct fetch *f, struct err *e)
{
	struct chain_block all[TOGETHER];
	int64_t start = clock_mono_ms();
	size_t bytes, n = ready(f, &bytes), done;
	int ret;

	for (size_t i = 0; i < n; i++) {
		struct fetch_block *b = fetch_block(f, f->plan.applied + i + 1);

		all[i] = (struct chain_block){ .text = buf_span(&b->text),
		    .packed = buf_span(&b->packed),
		    .certified = b->certified };
	}
	ret = accept_blocks(f->repo, all, n, clock_now_ms(), &done, e);
	count(f, done);
	if (ret != 0)
		ret = refused(f, e);
	f->held_ms = 0;
	f->plan.tight = f->held > FETCH_HELD_MAX;
	plan_skip(&f->plan, clock_mono_ms() - start);
	return ret;
}
