/*
 * check: what was promised, looked at after every event.
 *
 *   no honest delegate signs two things for one height, view and kind;
 *   what an honest delegate writes into its journal only goes up;
 *   whatever two delegates call final at one height is one block;
 *   no two blocks of a height could get a certificate, even if nobody has
 *     put the signatures together yet;
 *   what is final is valid, and was signed by those who are said to have;
 *   nobody honest is accused.
 */
#include <stdarg.h>
#include <stdio.h>

#include "t/sim/sim.h"

void
fail(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (w->failure[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(w->failure, sizeof(w->failure), fmt, ap);
	va_end(ap);
}

/* The place of a vote; with its content, or only who, when and which kind. */
static uint64_t
place_of(unsigned signer, const struct dbft_msg *m, bool content)
{
	uint64_t h = signer * 4 + m->kind;

	h = (h << 32 ^ m->height << 20 ^ m->view) * 0x9e3779b97f4a7c15;
	if (content)
		h = (h ^ (uint64_t)block_index(&m->block) << 24 ^
		    (uint64_t)m->prepared << 20 ^ m->prepared_view) *
		    0xbf58476d1ce4e5b9;
	return h ^ h >> 29;
}

/* The table's entry for this vote: where it is, or where it would go. */
static uint32_t *
find(const struct world *w, unsigned signer, const struct dbft_msg *m,
    bool content)
{
	const uint32_t *table = content ? w->table : w->slot;
	uint64_t i = place_of(signer, m, content);

	for (;; i++) {
		const uint32_t *t = &table[i % (VOTES * 4)];
		const struct signed_vote *v;

		if (*t == 0)
			return (uint32_t *)(uintptr_t)t;
		v = &w->vote[*t - 1];
		if (v->signer == signer && (content ?
		    dbft_msg_eq(&v->msg, m) : v->msg.kind == m->kind &&
		    v->msg.height == m->height && v->msg.view == m->view))
			return (uint32_t *)(uintptr_t)t;
	}
}

bool
is_signed(const struct world *w, unsigned signer, const struct dbft_msg *m)
{
	return *find(w, signer, m, true) != 0;
}

/* Could the votes that exist make block final in this view?  The faulty sign
 * whatever is asked of them. */
static bool
could_be_final(const struct world *w, const struct dbft_msg *commit)
{
	unsigned have = 0;

	for (unsigned i = 0; i < w->n; i++)
		have += (w->bad >> i & 1) != 0 || is_signed(w, i, commit);
	return have >= w->n - w->f;
}

static void
check_block(struct world *w, uint64_t height, const struct hash *block)
{
	if (height >= HEIGHTS)
		return;
	if (w->is_final[height] && !hash_eq(&w->final[height], block))
		fail(w, "blocks %u and %u are both certified at height %llu",
		    block_index(&w->final[height]), block_index(block),
		    (unsigned long long)height);
	w->is_final[height] = true;
	w->final[height] = *block;
	if (height > w->top)
		w->top = height;
	if (block_index(block) >= w->nblocks ||
	    !w->block[block_index(block)].valid ||
	    w->block[block_index(block)].height != height)
		fail(w, "block %u is certified and not valid",
		    block_index(block));
}

void
check_signed(struct world *w, unsigned signer, const struct dbft_msg *m)
{
	uint32_t *t = find(w, signer, m, true), *s;

	if (*t != 0)
		return;
	if (w->nvotes == VOTES) {
		fail(w, "too many votes");
		return;
	}
	w->vote[w->nvotes++] = (struct signed_vote){ signer, *m };
	*t = (uint32_t)w->nvotes;
	s = find(w, signer, m, false);
	if (*s != 0 && (w->bad >> signer & 1) == 0)
		fail(w, "delegate %u has signed %s and %s", signer,
		    show_vote(&w->vote[*s - 1].msg), show_vote(m));
	*s = (uint32_t)w->nvotes;
	if (m->kind == DBFT_COMMIT && could_be_final(w, m) &&
	    (w->bad >> signer & 1) == 0)
		check_block(w, m->height, &m->block);
}

bool
cert_is_true(const struct world *w, const struct dbft_cert *c,
    enum dbft_kind kind)
{
	struct dbft_msg m;

	memset(&m, 0, sizeof(m));
	m.kind = kind;
	m.height = c->height;
	m.view = c->view;
	m.block = c->block;
	for (unsigned i = 0; i < w->n; i++)
		if ((c->signers >> i & 1) != 0 && !is_signed(w, i, &m))
			return false;
	return c->signers != 0 && c->signers >> w->n == 0;
}

void
check_record(struct world *w, const struct inst *x,
    const struct dbft_record *r)
{
	const struct dbft_msg *m = &r->msg, *last;

	if (m->height != x->head + 1)
		fail(w, "instance %u journals a vote of another height",
		    inst_index(w, x));
	for (size_t i = x->records; i-- > 0;) {
		last = &x->journal[i].msg;
		if (last->kind == DBFT_NONE)
			continue;
		if (m->height < last->height || (m->height == last->height &&
		    (m->view < last->view || (m->view == last->view &&
		    m->kind != DBFT_NONE && m->kind <= last->kind))))
			fail(w, "the journal of instance %u goes back: "
			    "%s after %s", inst_index(w, x), show_vote(m),
			    show_vote(last));
		return;
	}
}

void
check_final(struct world *w, const struct inst *x,
    const struct dbft_cert *c)
{
	unsigned have = 0;

	for (unsigned i = 0; i < w->n; i++)
		have += (unsigned)(c->signers >> i & 1);
	if (have < w->n - w->f)
		fail(w, "instance %u calls block %u final with %u commits",
		    inst_index(w, x), block_index(&c->block), have);
	if (!cert_is_true(w, c, DBFT_COMMIT))
		fail(w, "the certificate of block %u at instance %u holds "
		    "commits that are not of its view",
		    block_index(&c->block), inst_index(w, x));
	check_block(w, c->height, &c->block);
}

void
check_evidence(struct world *w, const struct inst *x,
    const struct dbft_action *a)
{
	if ((w->bad >> a->signer & 1) == 0)
		fail(w, "instance %u accuses honest delegate %u: %s, %s",
		    inst_index(w, x), a->signer, show_vote(&a->msg),
		    show_vote(&a->other));
	if (!is_signed(w, a->signer, &a->msg) || (a->signer != x->me &&
	    !is_signed(w, a->signer, &a->other)))
		fail(w, "evidence at instance %u that nobody signed",
		    inst_index(w, x));
}
