/* The part of fetch that reads answers. */
#include "net/fetch_part.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/gz.h"
#include "store/lookup.h"

#define ANSWER_MAX (PROTO_ANSWER_SOFT + CHAIN_FILE_MAX + 64)

size_t
fetch_most(const struct plan_ask *a)
{
	switch (a->kind) {
	case PLAN_ADDR:
		return KNOWN_TEXT_MAX;
	case PLAN_DELEGATES:
		return DELEGATES_TEXT_MAX;
	case PLAN_HEADER:
	case PLAN_BLOCK:
		return ANSWER_MAX;
	}
	return 0;
}

/* --- other peers ---------------------------------------------------------- */

/* Is it a node of the ledger, as far as that can be known by now? */
static bool
may_be_node(struct fetch *f, const char *name)
{
	struct lookup_node n;
	struct db *db;
	struct err e;

	if (plan_claim(&f->plan) > f->plan.applied)
		return true;
	return db_of(&db, f->repo, &e) == 0 &&
	    lookup_node(&n, db, span_str(name), &e) == 1 && n.active;
}

/* One that we were told of: talk with it, too. */
static void
learn(struct fetch *f, const struct known_peer *told)
{
	const char *us = repo_node_name(f->repo);
	struct known *k = f->o->learn;
	struct span name = span_str(told->name);
	struct known_peer *p;
	struct err e;
	int i;

	if ((us != NULL && span_is(name, us)) ||
	    peers_find(f->peers, name) != NULL || !may_be_node(f, told->name))
		return;
	p = known_find(k, name);
	if ((p != NULL && (p->address[0] != '\0' ||
	    p->bad_ms > clock_now_ms())) || (p = known_add(k, name)) == NULL)
		return;
	memcpy(p->address, told->address, sizeof(p->address));
	if (f->peers->n >= PLAN_PEERS ||
	    peers_add_address(f->peers, f->repo, p, &e) != 0 ||
	    peers_find(f->peers, name) == NULL)
		return;
	if ((i = plan_add(&f->plan, clock_mono_ms())) >= 0)
		fetch_begin(f, (unsigned)i);
}

static int
take_addresses(struct fetch *f, struct span lines, struct err *e)
{
	struct known *told = malloc(sizeof(*told));
	int ret;

	if (told == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	ret = known_parse_answer(told, lines, e);
	for (size_t i = 0; ret == 0 && i < told->n; i++)
		learn(f, &told->p[i]);
	free(told);
	return ret;
}

/* --- headers -------------------------------------------------------------- */

void
fetch_compare(struct fetch *f)
{
	for (unsigned i = 0; i < f->plan.npeers; i++) {
		struct session *s = f->peers->v[i].s;
		const struct spine_link *l;
		struct err e;

		if (f->plan.peer[i].state != PLAN_READY || f->compared[i] ||
		    (l = spine_at(&f->spine, s->height)) == NULL)
			continue;
		f->compared[i] = true;
		if (hash_eq(&l->id, &s->head))
			continue;
		err_set(&e, ERR_BAD, "its block %llu is another one than "
		    "the certified one: the ledger has forked, or this peer "
		    "is wrong", (unsigned long long)s->height);
		fetch_leave(f, i, &e);
	}
}

static int
take_headers(struct fetch *f, const struct plan_ask *a, struct span items,
    struct err *e)
{
	uint64_t before = f->spine.height;
	int ret = spine_add(&f->spine, a->from, items, a->count, e);

	plan_spine(&f->plan, f->spine.height, spine_lacks(&f->spine),
	    clock_mono_ms());
	if (f->spine.height > before)
		fetch_moved(f, PLAN_HEADER);
	return ret;
}

static int
take_delegates(struct fetch *f, const struct plan_ask *a, struct span text,
    struct err *e)
{
	if (a->from != f->spine.height + 1 || !spine_lacks(&f->spine))
		return 0;
	if (spine_delegates(&f->spine, text, e) != 0)
		return -1;
	plan_spine(&f->plan, f->spine.height, false, clock_mono_ms());
	return 0;
}

/* --- blocks --------------------------------------------------------------- */

/* Is it the block that the header of that height is of? */
static int
check_block(struct fetch *f, struct fetch_block *c, uint64_t height,
    struct err *e)
{
	const struct spine_link *l = spine_at(&f->spine, height);
	struct hash certificate;
	struct block b;

	if (block_parse(&b, buf_span(&c->text), true, repo_ledger(f->repo),
	    e) != 0)
		return -1;
	if (b.h.height != height)
		return err_set(e, ERR_BAD, "block %llu came for block %llu",
		    (unsigned long long)b.h.height,
		    (unsigned long long)height);
	if (l == NULL || !hash_eq(&l->id, &b.h.id))
		return err_set(e, ERR_BAD, "its block %llu is another one "
		    "than the certified one", (unsigned long long)height);
	hash_bytes(&certificate, b.certificate.p, b.certificate.n);
	c->certified = hash_eq(&certificate, &l->certificate);
	return 0;
}

static int
take_block(struct fetch *f, unsigned peer, uint64_t height,
    struct span packed, struct err *e)
{
	struct fetch_block c = { .peer = peer };
	int ret;

	/* It may be here from another peer by now. */
	if (height <= f->plan.applied ||
	    f->plan.slot[height % PLAN_WINDOW].state == PLAN_HERE)
		return 0;
	buf_init(&c.text, CHAIN_FILE_MAX);
	buf_init(&c.packed, CHAIN_FILE_MAX);
	buf_add(&c.packed, packed.p, packed.n);
	ret = buf_check(&c.packed, "block", e);
	if (ret == 0)
		ret = gz_unpack(&c.text, packed, "block", e);
	if (ret == 0)
		ret = check_block(f, &c, height, e);
	f->held += c.text.cap + c.packed.cap;
	if (ret == 0 && plan_block(&f->plan, peer, height))
		*fetch_block(f, height) = c;
	else
		fetch_block_free(f, &c);
	return ret;
}

static int
take_blocks(struct fetch *f, unsigned peer, const struct plan_ask *a,
    struct span items, struct err *e)
{
	struct span item;
	int got;

	for (uint32_t i = 0; (got = proto_item_next(&items, &item,
	    CHAIN_FILE_MAX, e)) == 1; i++) {
		if (i == a->count)
			return err_set(e, ERR_BAD, "more blocks than were "
			    "asked for");
		if (take_block(f, peer, a->from + i, item, e) != 0)
			return -1;
	}
	f->plan.tight = f->held > FETCH_HELD_MAX;
	return got;
}

/* -------------------------------------------------------------------------- */

int
fetch_take(struct fetch *f, unsigned i, struct err *e)
{
	struct session *s = f->peers->v[i].s;
	struct span body = buf_span(&s->in.body), rest;
	struct plan_ask a = *plan_oldest(&f->plan, i);
	const char *why;
	int ret = 0;

	if (session_answer(s, buf_span(&s->in.line), &rest, e) != 0)
		return -1;
	if (a.kind == PLAN_HEADER)
		ret = take_headers(f, &a, body, e);
	else if (a.kind == PLAN_DELEGATES)
		ret = take_delegates(f, &a, body, e);
	else if (a.kind == PLAN_BLOCK)
		ret = take_blocks(f, i, &a, body, e);
	else
		ret = take_addresses(f, body, e);
	if (ret != 0)
		return err_wrap(e, "%s", s->peer);
	why = plan_answered(&f->plan, i, body.n >= PROTO_ANSWER_SOFT,
	    clock_mono_ms());
	if (why != NULL)
		fetch_leave_why(f, i, why);
	if (a.kind == PLAN_HEADER)
		fetch_compare(f);
	return 0;
}
