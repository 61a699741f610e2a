#include "net/exchange.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/fetch.h"
#include "net/known_file.h"
#include "store/lookup.h"

#define FORGIVE_S 3600		/* that a bad peer is left, unless configured */
#define FORGIVE_SLOW 10		/* a slow one the tenth part of it */

/* --- what is kept of peers ------------------------------------------------ */

/* What became of it this time. */
static void
judge(struct known *k, const char *name, const struct err *why, bool slow,
    int64_t forgive_ms)
{
	struct known_peer *q = known_find(k, span_str(name));
	int64_t for_ms = why->kind == ERR_BAD ? forgive_ms :
	    slow ? forgive_ms / FORGIVE_SLOW : 0;

	if (why->kind == ERR_NONE && q != NULL)
		q->bad_ms = 0;
	/* Where an address leads to somebody else, another may be right. */
	if (why->kind == ERR_NO && q != NULL)
		q->address[0] = '\0';
	if (for_ms == 0)
		return;
	q = known_add(k, span_str(name));
	if (q == NULL)
		return;
	q->bad_ms = clock_now_ms() + for_ms;
	snprintf(q->why, sizeof(q->why), "%.*s", KNOWN_WHY_MAX, why->msg);
}

/* Nobody but nodes of the ledger is kept that we were only told of. */
static int
prune(struct known *k, struct repo *r, struct err *e)
{
	int64_t now_ms = clock_now_ms();
	struct lookup_node n;
	struct db *db;

	if (db_of(&db, r, e) != 0)
		return -1;
	for (size_t i = k->n; i-- > 0;) {
		struct known_peer *q = &k->p[i];
		int got = lookup_node(&n, db, span_str(q->name), e);

		if (got < 0)
			return -1;
		if (got == 0 || !n.active)
			q->address[0] = '\0';
		if (q->bad_ms <= now_ms)
			q->bad_ms = 0;
		if (q->address[0] == '\0' && q->bad_ms == 0)
			known_remove(k, q);
	}
	return 0;
}

static int
remember(struct known *k, const struct peers *p, struct repo *r,
    struct err *e)
{
	uint64_t seconds;

	if (config_number(&r->config, "net.forgive", FORGIVE_S, 31536000,
	    &seconds, e) != 0)
		return -1;
	for (size_t i = 0; i < p->n; i++)
		judge(k, p->v[i].name, &p->v[i].e, p->v[i].slow,
		    (int64_t)seconds * 1000);
	if (prune(k, r, e) != 0)
		return -1;
	return known_store(k, r, e);
}

/* -------------------------------------------------------------------------- */

/* -1 only when it is our own failure. */
static int
sync_one(struct exchange *x, struct peer *p, struct repo *r, int flags,
    struct err *e)
{
	struct err own = { .kind = ERR_NONE };

	if (!p->idle || p->e.kind != ERR_NONE)
		return 0;
	if (x->begin != NULL)
		x->begin(x->arg, p);
	if (sync_with(r, p->s, flags, &p->res, &own) == 0)
		return 0;
	if (own.kind == ERR_SYS) {
		*e = own;
		return -1;
	}
	p->e = own;
	return 0;
}

struct exchanging {
	struct exchange *x;
	struct peers *p;
	struct repo *r;
};

/*
 * Pull from those whose chain is here and that had no turn yet, then push to
 * them; and, as they may have brought something, to those who had one.
 */
static int
sync_all(struct exchanging *g, struct err *e)
{
	int pull = g->x->flags & ~(SYNC_PUSH | SYNC_BLOCKS);
	int push = g->x->flags & ~SYNC_PULL;
	struct peers *p = g->p;
	bool news = false;

	if (pull == SYNC_PULL)
		pull = 0;	/* there was only the chain to be taken */
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i].had_turn)
			continue;
		news = news || p->v[i].idle;
		if ((pull & SYNC_PULL) &&
		    sync_one(g->x, &p->v[i], g->r, pull, e) != 0)
			return -1;
	}
	for (size_t i = 0; i < p->n; i++) {
		if ((push & SYNC_PUSH) && (news || !p->v[i].had_turn) &&
		    sync_one(g->x, &p->v[i], g->r, push, e) != 0)
			return -1;
		p->v[i].had_turn = p->v[i].idle;
	}
	return 0;
}

static void
tell_done(void *arg, const struct peer *p)
{
	struct exchanging *g = arg;

	g->x->done(g->x->arg, p);
}

/* Some are silent: the others need not wait for them. */
static int
meanwhile(void *arg, struct err *e)
{
	return sync_all(arg, e);
}

int
exchange_run(struct exchange *x, struct peers *p, struct repo *r,
    struct err *e)
{
	struct exchanging g = { x, p, r };
	struct known *k = malloc(sizeof(*k));
	struct fetch_options o = {
		.chain = (x->flags & SYNC_PULL) && (x->flags & SYNC_BLOCKS),
		.learn = x->learn ? k : NULL,
		.key = x->key,
		.res = &x->chain,
		.done = x->done == NULL ? NULL : tell_done,
		.meanwhile = meanwhile,
		.stop = x->stop,
		.arg = &g
	};
	struct err later;
	int ret;

	if (k == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	for (size_t i = 0; i < p->n; i++)
		p->v[i].had_turn = false;
	known_load(k, r);
	ret = fetch_run(p, r, &o, e);
	if (ret == 0)
		ret = sync_all(&g, e);
	/* Of what is kept nothing important is lost. */
	if (remember(k, p, r, ret == 0 ? e : &later) != 0)
		ret = -1;
	free(k);
	return ret;
}

int
exchange_greet(struct peers *p, struct repo *r, struct err *e)
{
	struct sync_result res = { .wanted = 0 };
	struct fetch_options o = { .res = &res };

	return fetch_run(p, r, &o, e);
}

int
exchange_judge(struct repo *r, const char *name, const struct err *why,
    bool slow, int64_t forgive_ms, struct err *e)
{
	struct known *k = malloc(sizeof(*k));
	int ret;

	if (k == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	known_load(k, r);
	judge(k, name, why, slow, forgive_ms);
	ret = prune(k, r, e) == 0 ? known_store(k, r, e) : -1;
	free(k);
	return ret;
}
