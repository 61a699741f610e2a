/* act: the driver's half of DBFT_ACT_*, with the places where it may die. */
#include "t/sim/sim.h"

#include "dbft/mutant.h"

bool
has_body(const uint64_t *set, const struct hash *block)
{
	unsigned i = block_index(block);

	return i < BLOCKS && (set[i / 64] >> i % 64 & 1) != 0;
}

void
add_body(uint64_t *set, const struct hash *block)
{
	unsigned i = block_index(block);

	if (i < BLOCKS)
		set[i / 64] |= UINT64_C(1) << i % 64;
}

const struct dbft_cert *
known_cert(const struct inst *x, uint32_t view, const struct hash *block)
{
	for (size_t i = 0; i < x->ncerts; i++)
		if (x->certs[i].c.view == view &&
		    hash_eq(&x->certs[i].c.block, block))
			return &x->certs[i].c;
	return NULL;
}

void
learn_cert(struct inst *x, const struct dbft_cert *c)
{
	if (c->height == x->head + 1 && x->ncerts < CERTS &&
	    known_cert(x, c->view, &c->block) == NULL)
		x->certs[x->ncerts++] = (struct proof){ *c, false };
}

/* What a vote refers to goes to disk before it. */
static void
store(struct world *w, struct inst *x, uint32_t view,
    const struct hash *block)
{
	for (size_t i = 0; i < x->ncerts; i++)
		if (x->certs[i].c.view == view &&
		    hash_eq(&x->certs[i].c.block, block)) {
			x->certs[i].disk = true;
			add_body(x->body_disk, block);
			return;
		}
	fail(w, "instance %u votes on a certificate for block %u, view %u, "
	    "that it does not have", inst_index(w, x), block_index(block),
	    view);
}

static void
append(struct world *w, struct inst *x, const struct dbft_msg *m)
{
	struct dbft_record r = { *m, local_ms(w, x) };

	if (x->records == JOURNAL) {
		fail(w, "the journal of instance %u is full",
		    inst_index(w, x));
		return;
	}
	check_record(w, x, &r);
	x->journal[x->records++] = r;
}

/* May the process end here? */
static bool
dies(struct world *w, struct inst *x)
{
	if (!chance(w, w->crash, 1000))
		return false;
	inst_crash(w, x);
	return true;
}

static bool
write_vote(struct world *w, struct inst *x, const struct dbft_action *a)
{
	const struct dbft_msg *m = &a->msg;

	if (chance(w, w->diskfull, 1000)) {
		trace(w, "%u: disk full", inst_index(w, x));
		return false;
	}
	if (m->kind == DBFT_PREPARE)
		add_body(x->body_disk, &m->block);
	else if (m->kind == DBFT_COMMIT)
		store(w, x, m->view, &m->block);
	else if (m->prepared)
		store(w, x, m->prepared_view, &m->block);
	append(w, x, m);
	if (dies(w, x))
		return false;
	x->synced = x->records;
	return true;
}

/* One copy to each receiver; a passive process reaches only its peer. */
static void
send_all(struct world *w, struct inst *x, struct packet *p, uint64_t to,
    unsigned peer, bool passive)
{
	p->from = x->me;
	for (unsigned i = 0; i < w->n; i++) {
		if ((to >> i & 1) == 0 || (passive && i != peer))
			continue;
		p->answer = i == peer;
		net_send(w, p, inst_index(w, x), i);
	}
}

/* The change-views of `mask` that the state holds, as they came. */
static void
take_along(struct packet *p, const struct inst *x, const struct dbft *s,
    uint64_t mask)
{
	for (unsigned i = 0; i < s->c.n; i++) {
		const struct dbft_cert *c = NULL;
		const struct dbft_msg *m = &s->seen[i][DBFT_CHANGE];

		if ((mask >> i & 1) == 0)
			continue;
		if (m->prepared)
			c = known_cert(x, m->prepared_view, &m->block);
		p->along[p->n] = (struct dbft_signed){ i, *m };
		memset(&p->along_cert[p->n], 0, sizeof(p->along_cert[0]));
		if (c != NULL)
			p->along_cert[p->n] = *c;
		p->n++;
	}
}

static void
send_vote(struct world *w, struct inst *x, const struct dbft *s,
    const struct dbft_action *a, unsigned peer, bool passive)
{
	struct packet p = { 0 };
	const struct dbft_cert *c;

	check_signed(w, x->me, &a->msg);
	p.in = a->msg.kind == DBFT_PREPARE ? DBFT_IN_PREPARE :
	    a->msg.kind == DBFT_COMMIT ? DBFT_IN_COMMIT : DBFT_IN_CHANGE;
	p.vote = (struct dbft_signed){ x->me, a->msg };
	if (a->msg.kind == DBFT_CHANGE) {
		take_along(&p, x, s, a->changes);
		c = known_cert(x, a->msg.prepared_view, &a->msg.block);
		if (a->msg.prepared && c == NULL)
			fail(w, "instance %u has lost the certificate of %s",
			    inst_index(w, x), show_vote(&a->msg));
		else if (a->msg.prepared)
			p.cert = *c;
	}
	send_all(w, x, &p, a->to, peer, passive);
}

static void
send_proposal(struct world *w, struct inst *x, const struct dbft *s,
    const struct dbft_action *a, unsigned peer, bool passive)
{
	struct packet p = { 0 };
	const struct dbft_cert *c;

	if (!has_body(x->body, &a->msg.block))
		fail(w, "instance %u proposes a block without its body",
		    inst_index(w, x));
	p.in = DBFT_IN_PROPOSAL;
	p.vote = (struct dbft_signed){ x->me, a->msg };
	take_along(&p, x, s, a->changes);
	if (a->cert.height != 0) {
		c = known_cert(x, a->cert.view, &a->cert.block);
		if (c != NULL)
			p.cert = *c;
		else
			fail(w, "instance %u proposes on a certificate that "
			    "it does not have", inst_index(w, x));
	}
	send_all(w, x, &p, a->to, peer, passive);
}

static void
send_cert(struct world *w, struct inst *x, enum dbft_in in,
    const struct dbft_cert *c, uint64_t to, unsigned peer, bool passive)
{
	struct packet p = { 0 };

	p.in = in;
	p.cert = *c;
	if (in == DBFT_IN_PREPARED && !cert_is_true(w, c, DBFT_PREPARE))
		fail(w, "instance %u makes a certificate of prepares that "
		    "nobody signed", inst_index(w, x));
	if (in == DBFT_IN_PREPARED)
		learn_cert(x, c);
	send_all(w, x, &p, to, peer, passive);
}

static void
finalise(struct world *w, struct inst *x, const struct dbft_action *a,
    unsigned peer, bool passive)
{
	if (a->cert.height != x->head + 1 || a->cert.height >= HEIGHTS) {
		fail(w, "instance %u makes height %llu final after %llu",
		    inst_index(w, x), (unsigned long long)a->cert.height,
		    (unsigned long long)x->head);
		return;
	}
	trace(w, "%u: FINAL height %llu block %u, view %u",
	    inst_index(w, x), (unsigned long long)a->cert.height,
	    block_index(&a->cert.block), a->cert.view);
	if (x->role == HONEST)
		check_final(w, x, &a->cert);
	x->chain[++x->head] = a->cert;
	x->head_ms = local_ms(w, x);
	x->ncerts = x->nheard = x->nread = 0;
	memset(x->body, 0, sizeof(x->body));
	memset(x->body_disk, 0, sizeof(x->body_disk));
	x->work_ms = -1;
	event_add(w, w->now + (int64_t)rnd(w, w->calm ? 50 : 2 * BASE_MS),
	    E_WORK, inst_index(w, x));
	if (!passive)
		send_cert(w, x, DBFT_IN_FINAL, &a->cert, a->to, peer, false);
}

static void
catch_up(struct world *w, struct inst *x, uint64_t to, unsigned peer,
    bool passive)
{
	struct packet p = { 0 };

	p.kind = P_FETCH;
	p.height = x->head + 1;
	send_all(w, x, &p, to, peer, passive);
}

/* A vote: journal, then signature, then out with it. */
static bool
vote(struct world *w, struct inst *x, const struct dbft *s,
    const struct dbft_action *a, unsigned peer, bool passive)
{
	trace(w, "%u: %s", inst_index(w, x), show_vote(&a->msg));
	if (a->cert.signers != 0)
		learn_cert(x, &a->cert);
	if (MUTANT(SEND_FIRST)) {
		send_vote(w, x, s, a, peer, passive);
		return !dies(w, x) && write_vote(w, x, a);
	}
	if (!write_vote(w, x, a) || dies(w, x))
		return false;
	send_vote(w, x, s, a, peer, passive);
	return true;
}

static bool
act(struct world *w, struct inst *x, const struct dbft *s,
    const struct dbft_action *a, unsigned peer, bool passive)
{
	struct dbft_msg entered = { .height = a->height, .view = a->view };

	switch (a->kind) {
	case DBFT_ACT_VOTE:
		return vote(w, x, s, a, peer, passive);
	case DBFT_ACT_REPEAT:
		send_vote(w, x, s, a, peer, passive);
		break;
	case DBFT_ACT_ENTERED:
		append(w, x, &entered);
		break;
	case DBFT_ACT_PROPOSE:
		send_proposal(w, x, s, a, peer, passive);
		break;
	case DBFT_ACT_PREPARED:
		send_cert(w, x, DBFT_IN_PREPARED, &a->cert, a->to, peer,
		    passive);
		break;
	case DBFT_ACT_FINALISE:
		finalise(w, x, a, peer, passive);
		break;
	case DBFT_ACT_BLOCK:
		if (a->height <= x->head)
			send_cert(w, x, DBFT_IN_FINAL, &x->chain[a->height],
			    a->to, peer, passive);
		break;
	case DBFT_ACT_CATCH_UP:
		catch_up(w, x, a->to, peer, passive);
		break;
	case DBFT_ACT_EVIDENCE:
		trace(w, "%u: EVIDENCE against %u: %s, %s", inst_index(w, x),
		    a->signer, show_vote(&a->msg), show_vote(&a->other));
		check_evidence(w, x, a);
		if (a->signer == x->me && x->floor < a->height)
			x->floor = a->height;
		break;
	case DBFT_ACT_CANDIDATE:
		break;
	}
	return !dies(w, x);
}

bool
act_all(struct world *w, struct inst *x, struct dbft *s,
    const struct dbft_actions *out, unsigned peer, bool passive)
{
	for (size_t i = 0; i < out->n; i++)
		if (!act(w, x, s, &out->a[i], peer, passive))
			return false;
	return true;
}
