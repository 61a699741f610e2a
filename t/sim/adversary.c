/*
 * adversary: it has the keys of the faulty delegates, has read every vote as
 * soon as it was signed, and puts whatever it can make of them before anyone.
 * What it cannot do is sign for the honest.
 */
#include "t/sim/sim.h"

/* A delegate whose key it has; N_MAX if there is none. */
static unsigned
some_bad(struct world *w)
{
	unsigned start = (unsigned)rnd(w, w->ninst);

	for (unsigned i = 0; i < w->ninst; i++) {
		struct inst *x = &w->inst[(start + i) % w->ninst];

		if (x->role == FAULTY)
			return x->me;
	}
	return N_MAX;
}

static bool
has_key(const struct world *w, unsigned who)
{
	for (unsigned i = 0; i < w->ninst; i++)
		if (w->inst[i].me == who && w->inst[i].role == FAULTY)
			return true;
	return false;
}

/* The height that matters to somebody. */
static uint64_t
some_height(struct world *w)
{
	return w->inst[rnd(w, w->ninst)].head + 1;
}

/* Some vote of this height and kind (NONE: any), from the recent ones. */
static const struct dbft_msg *
some_vote(struct world *w, uint64_t height, enum dbft_kind kind,
    unsigned *signer)
{
	for (unsigned tries = 0; tries < 12 && w->nvotes > 0; tries++) {
		size_t back = rnd(w, w->nvotes < 60 ? w->nvotes : 60);
		const struct signed_vote *v =
		    &w->vote[w->nvotes - 1 - back];

		if (v->msg.height == height &&
		    (kind == DBFT_NONE || v->msg.kind == kind)) {
			*signer = v->signer;
			return &v->msg;
		}
	}
	return NULL;
}

/* Collect what was signed, add the faulty, and see whether it suffices. */
static bool
make_cert(struct world *w, struct dbft_cert *c, enum dbft_kind kind,
    uint64_t height, uint32_t view, const struct hash *block)
{
	struct dbft_msg m;
	unsigned have = 0;

	memset(&m, 0, sizeof(m));
	m.kind = kind;
	m.height = height;
	m.view = view;
	m.block = *block;
	*c = (struct dbft_cert){ height, view, *block, 0 };
	for (unsigned i = 0; i < w->n; i++)
		if (has_key(w, i) || is_signed(w, i, &m)) {
			c->signers |= UINT64_C(1) << i;
			have++;
		}
	if (have < w->quorum && !chance(w, 1, 20))
		return false;
	for (unsigned i = 0; i < w->n; i++)
		if ((c->signers >> i & 1) != 0)
			check_signed(w, i, &m);
	return c->signers != 0;
}

/* To one honest delegate, or to all of them. */
static void
push(struct world *w, struct packet *p, unsigned to)
{
	unsigned liar = some_bad(w);

	p->from = liar == N_MAX ? (unsigned)rnd(w, w->n) : liar;
	p->kind = chance(w, 1, 2) ? P_PUSH : P_INPUT;
	for (unsigned i = 0; i < w->n; i++)
		if (to == i || to == N_MAX)
			net_send(w, p, INST_MAX, i);
}

static unsigned
somebody(struct world *w)
{
	return chance(w, 1, 4) ? N_MAX : (unsigned)rnd(w, w->n);
}

static void
claim(struct world *w, const struct dbft_msg *m, struct dbft_cert *c)
{
	memset(c, 0, sizeof(*c));
	if (m->prepared && !make_cert(w, c, DBFT_PREPARE, m->height,
	    m->prepared_view, &m->block))
		memset(c, 0, sizeof(*c));
}

static void
push_vote(struct world *w, unsigned signer, const struct dbft_msg *m,
    unsigned to)
{
	struct packet p = { 0 };

	p.vote = (struct dbft_signed){ signer, *m };
	p.in = m->kind == DBFT_COMMIT ? DBFT_IN_COMMIT :
	    m->kind == DBFT_PREPARE ? DBFT_IN_PREPARE : DBFT_IN_CHANGE;
	if (m->kind == DBFT_CHANGE)
		claim(w, m, &p.cert);
	push(w, &p, to);
}

/* ---- what it does ---------------------------------------------------- */

static void
relay(struct world *w)
{
	unsigned signer = 0;
	const struct dbft_msg *m = some_vote(w, some_height(w), DBFT_NONE,
	    &signer);

	if (m != NULL)
		push_vote(w, signer, m, somebody(w));
}

/* Show the certificate that this vote is part of, if there can be one. */
static void
certify(struct world *w, const struct dbft_msg *m)
{
	struct packet p = { 0 };

	if (m == NULL || !make_cert(w, &p.cert, m->kind, m->height, m->view,
	    &m->block))
		return;
	p.in = m->kind == DBFT_COMMIT ? DBFT_IN_FINAL : DBFT_IN_PREPARED;
	push(w, &p, somebody(w));
}

static void
certify_some(struct world *w, enum dbft_kind kind)
{
	unsigned signer;

	certify(w, some_vote(w, some_height(w), kind, &signer));
}

/* A faulty delegate votes for what somebody else voted for, or against. */
static void
side_with(struct world *w)
{
	unsigned signer, liar = some_bad(w);
	const struct dbft_msg *v = some_vote(w, some_height(w),
	    DBFT_PREPARE, &signer);
	struct dbft_msg m;

	if (v == NULL || liar == N_MAX)
		return;
	m = *v;
	m.kind = chance(w, 1, 2) ? DBFT_PREPARE : DBFT_COMMIT;
	if (chance(w, 1, 4))
		m.view += (uint32_t)rnd(w, 3);
	check_signed(w, liar, &m);
	push_vote(w, liar, &m, somebody(w));
}

/* What a faulty delegate says it holds when it moves to view. */
static struct dbft_msg
make_change(struct world *w, unsigned liar, uint64_t height, uint32_t view,
    bool honestly)
{
	struct dbft_msg m;
	const struct dbft_msg *v = NULL;
	struct dbft_cert c;
	unsigned signer;

	memset(&m, 0, sizeof(m));
	m.kind = DBFT_CHANGE;
	m.height = height;
	m.view = view;
	if (chance(w, 2, 3))
		v = some_vote(w, height, DBFT_PREPARE, &signer);
	if (v != NULL && v->view < view && (!honestly ||
	    make_cert(w, &c, DBFT_PREPARE, height, v->view, &v->block))) {
		m.prepared = true;
		m.prepared_view = v->view;
		m.block = v->block;
		if (!honestly && chance(w, 1, 2))
			m.prepared_view = view - 1;
	}
	check_signed(w, liar, &m);
	return m;
}

static uint32_t
top_view(const struct world *w, uint64_t height)
{
	uint32_t v = 0;
	size_t from = w->nvotes > 60 ? w->nvotes - 60 : 0;

	for (size_t i = from; i < w->nvotes; i++)
		if (w->vote[i].msg.height == height &&
		    (w->bad >> w->vote[i].signer & 1) == 0 &&
		    w->vote[i].msg.view > v)
			v = w->vote[i].msg.view;
	return v;
}

static void
leave(struct world *w)
{
	unsigned liar = some_bad(w);
	uint64_t h = some_height(w);
	struct dbft_msg m;

	if (liar == N_MAX)
		return;
	m = make_change(w, liar, h, 1 + (uint32_t)rnd(w, top_view(w, h) + 2),
	    chance(w, 1, 2));
	push_vote(w, liar, &m, somebody(w));
}

static bool
is_there(const struct packet *p, unsigned signer)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->along[i].signer == signer)
			return true;
	return false;
}

/* Honest change-views to this view; those that claim nothing first if that
 * suits; now and then those to older views, which prove nothing. */
static void
gather(struct world *w, struct packet *p, uint64_t height, uint32_t view)
{
	bool hide = chance(w, 1, 2), stale = chance(w, 1, 4);
	size_t from = w->nvotes > 400 ? w->nvotes - 400 : 0;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = from; i < w->nvotes && p->n < N_MAX; i++) {
			const struct signed_vote *v = &w->vote[i];

			if (v->msg.kind != DBFT_CHANGE ||
			    v->msg.height != height ||
			    (v->msg.view != view &&
			    !(stale && v->msg.view < view)) ||
			    (w->bad >> v->signer & 1) != 0 ||
			    (hide && v->msg.prepared) != (pass == 1) ||
			    is_there(p, v->signer))
				continue;
			if (p->n + 1 < w->quorum || chance(w, 1, 2))
				p->along[p->n++] = (struct dbft_signed){
				    v->signer, v->msg };
		}
}

/* Now and then, the change-views of other views, or one of them twice. */
static void
cheat(struct world *w, struct packet *p, uint64_t height)
{
	unsigned signer;
	const struct dbft_msg *m;

	while (p->n > 0 && p->n < w->quorum) {
		m = chance(w, 1, 2) ? NULL :
		    some_vote(w, height, DBFT_CHANGE, &signer);
		if (m == NULL)
			p->along[p->n] = p->along[0];
		else
			p->along[p->n] = (struct dbft_signed){ signer, *m };
		p->n++;
	}
}

static void
prove(struct world *w, struct packet *p, unsigned liar, uint64_t height,
    uint32_t view)
{
	struct dbft_msg m = make_change(w, liar, height, view,
	    !chance(w, 1, 8));

	gather(w, p, height, view);
	if (p->n == N_MAX)
		p->n--;
	p->along[p->n++] = (struct dbft_signed){ liar, m };
	for (unsigned i = 0; i < w->n && p->n < w->quorum; i++)
		if (i != liar && has_key(w, i)) {
			m = make_change(w, i, height, view, true);
			p->along[p->n++] = (struct dbft_signed){ i, m };
		}
	if (chance(w, 1, 4))
		cheat(w, p, height);
}

/* The block of the highest claim that comes along; or whatever it likes. */
static void
choose_block(struct world *w, struct packet *p, uint64_t height)
{
	const struct dbft_msg *best = NULL, *v;
	unsigned signer;

	for (size_t i = 0; i < p->n; i++) {
		const struct dbft_msg *m = &p->along[i].msg;

		if (m->prepared && (best == NULL ||
		    m->prepared_view > best->prepared_view))
			best = m;
	}
	if (best != NULL)
		claim(w, best, &p->cert);
	v = chance(w, 1, 2) ? NULL :
	    some_vote(w, height, DBFT_PREPARE, &signer);
	if (best != NULL && !chance(w, 1, 3))
		p->vote.msg.block = best->block;
	else if (v != NULL)
		p->vote.msg.block = v->block;
	else
		p->vote.msg.block = block_id(new_block(w, height,
		    !chance(w, 1, 8)));
}

/* A faulty speaker's proposals: perhaps one to these, another to those. */
static void
propose(struct world *w, unsigned liar, uint64_t height, uint32_t view)
{
	for (unsigned i = 0; i < 1 + rnd(w, 3) && w->nblocks < 600; i++) {
		struct packet p = { .in = DBFT_IN_PROPOSAL };

		p.vote.signer = liar;
		p.vote.msg.kind = DBFT_PREPARE;
		p.vote.msg.height = height;
		p.vote.msg.view = view;
		if (view > 0)
			prove(w, &p, liar, height, view);
		choose_block(w, &p, height);
		check_signed(w, liar, &p.vote.msg);
		for (unsigned k = 0; k < w->n; k++)
			if (chance(w, 2, 3))
				push(w, &p, k);
	}
}

static void
speak(struct world *w)
{
	uint64_t h = some_height(w);
	uint32_t view = (uint32_t)rnd(w, top_view(w, h) + 2);

	for (unsigned i = 0; i < w->n; i++, view++) {
		unsigned who = dbft_speaker(h, view, w->n);

		if (has_key(w, who)) {
			propose(w, who, h, view);
			return;
		}
	}
}

void
adversary_acts(struct world *w)
{
	switch (rnd(w, 8)) {
	case 0:
	case 1:
		relay(w);
		break;
	case 2:
		certify_some(w, DBFT_PREPARE);
		break;
	case 3:
		certify_some(w, DBFT_COMMIT);
		break;
	case 4:
		side_with(w);
		break;
	case 5:
		leave(w);
		break;
	default:
		speak(w);
		break;
	}
}

/* It plays along often enough to get somewhere. */
void
adversary_hears(struct world *w, unsigned who, const struct packet *p)
{
	struct dbft_msg m = p->vote.msg;
	unsigned to = w->pbft ? N_MAX : p->from;

	/* What all get, all would answer again, for ever. */
	if (w->pbft && p->answer)
		return;
	if (p->kind != P_INPUT || w->manual || !has_key(w, who) ||
	    (w->calm && !w->adversary_stays) || !chance(w, 2, 3))
		return;
	switch (p->in) {
	case DBFT_IN_PROPOSAL:
		break;
	case DBFT_IN_PREPARED:
		memset(&m, 0, sizeof(m));
		m.kind = DBFT_COMMIT;
		m.height = p->cert.height;
		m.view = p->cert.view;
		m.block = p->cert.block;
		break;
	case DBFT_IN_CHANGE:
		if (dbft_speaker(m.height, m.view, w->n) == who &&
		    chance(w, 1, 2)) {
			propose(w, who, m.height, m.view);
			return;
		}
		m = make_change(w, who, m.height, m.view, !chance(w, 1, 4));
		break;
	case DBFT_IN_PREPARE:
	case DBFT_IN_COMMIT:
		if (w->pbft && chance(w, 1, 2))
			break;
		certify(w, &m);
		return;
	default:
		return;
	}
	check_signed(w, who, &m);
	push_vote(w, who, &m, to);
}
