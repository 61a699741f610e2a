#include "dbft/round.h"

#include "dbft/mutant.h"

static struct dbft_msg
block_vote(const struct dbft *s, enum dbft_kind kind, uint32_t view,
    const struct hash *block)
{
	struct dbft_msg m;

	memset(&m, 0, sizeof(m));
	m.kind = kind;
	m.height = s->height;
	m.view = view;
	m.block = *block;
	return m;
}

/* Vote; where all are told, `to` are those whom a passive process can. */
static void
cast(struct dbft_turn *t, const struct dbft_msg *m, const struct dbft_cert *c,
    uint64_t to)
{
	struct dbft *s = t->s;

	if (s->c.all_to_all && !s->c.passive) {
		to = inner_others(s);
		s->told[m->kind] = m->view + 1;
		s->resend_ms = t->in->now_ms + s->c.resend_ms;
	}
	inner_vote(t, m, c, to);
}

void
round_work(struct dbft_turn *t, int64_t since)
{
	struct dbft *s = t->s;

	if (since < s->start_ms)
		since = s->start_ms;
	if (since > t->in->now_ms)
		since = t->in->now_ms;
	if (s->view == 0 && (!s->work || since < s->clock_ms))
		s->clock_ms = since;
	s->work = true;
}

/* ---- the votes that make certificates -------------------------------- */

/* Where all count, only those may not know whose commit is missing, and it is
 * enough if the speaker tells them. */
void
round_finalise(struct dbft_turn *t, const struct dbft_cert *c)
{
	struct dbft *s = t->s;
	uint64_t to = inner_others(s);

	if (s->c.all_to_all)
		to = inner_speaks(s, c->view) ? to & ~c->signers : 0;
	s->done = true;
	inner_act(t, DBFT_ACT_FINALISE, to)->cert = *c;
}

void
round_count_commits(struct dbft_turn *t, uint32_t view,
    const struct hash *block)
{
	struct dbft *s = t->s;
	struct dbft_cert c = { s->height, view, *block, 0 };

	if (s->c.all_to_all && s->c.passive)
		return;
	for (unsigned i = 0; i < s->c.n; i++) {
		const struct dbft_msg *m = &s->seen[i][DBFT_COMMIT];

		if (m->kind != DBFT_NONE && hash_eq(&m->block, block) &&
		    (m->view == view || MUTANT(MIXED_VIEWS)))
			c.signers |= inner_bit(i);
	}
	if (!s->done && inner_count(c.signers) >= dbft_quorum(s->c.n))
		round_finalise(t, &c);
}

void
round_certified(struct dbft_turn *t, const struct dbft_cert *c,
    uint64_t reply)
{
	struct dbft *s = t->s;
	const struct dbft_msg *own = &s->seen[s->c.me][DBFT_COMMIT];
	struct dbft_msg m = block_vote(s, DBFT_COMMIT, c->view, &c->block);

	inner_witness_cert(t, DBFT_PREPARE, c);
	if (s->high.signers == 0 || c->view > s->high.view)
		s->high = *c;
	if (inner_may(s, DBFT_COMMIT, c->view)) {
		reply |= inner_bit(dbft_speaker(s->height, c->view, s->c.n));
		cast(t, &m, c, reply);
		inner_enter(t);
		round_count_commits(t, c->view, &c->block);
	} else if (dbft_msg_eq(own, &m))
		inner_repeat(t, DBFT_COMMIT, reply);
	else if (c->view < s->view)
		t->tell |= reply;
}

void
round_commit(struct dbft_turn *t)
{
	const struct dbft_signed *v = &t->in->vote;
	const struct dbft *s = t->s;

	if (inner_witness(t, v->signer, &v->msg) && !s->c.all_to_all)
		round_count_commits(t, v->msg.view, &v->msg.block);
}

void
round_count_prepares(struct dbft_turn *t)
{
	struct dbft *s = t->s;
	const struct dbft_msg *own = inner_own(s, DBFT_PREPARE);
	struct dbft_cert c = { s->height, s->view, own->block,
	    dbft_have(s, DBFT_PREPARE, &own->block) };

	if (inner_count(c.signers) < dbft_quorum(s->c.n) ||
	    !inner_may(s, DBFT_COMMIT, s->view))
		return;
	round_certified(t, &c, 0);
	if (!s->done && !s->c.all_to_all)
		inner_act(t, DBFT_ACT_PREPARED, inner_others(s))->cert = c;
}

void
round_prepare(struct dbft_turn *t)
{
	struct dbft *s = t->s;
	const struct dbft_signed *v = &t->in->vote;
	const struct dbft_msg *own = inner_own(s, DBFT_PREPARE);

	if (!inner_witness(t, v->signer, &v->msg))
		return;
	if (v->msg.view < s->view)
		t->tell |= inner_bit(t->in->peer);
	if (s->c.passive || s->c.all_to_all || v->signer == s->c.me ||
	    !inner_speaks(s, s->view) || own == NULL ||
	    !dbft_msg_eq(own, &v->msg))
		return;
	if (inner_own(s, DBFT_COMMIT) == NULL)
		round_count_prepares(t);
	else if (s->high.view == s->view &&
	    (dbft_have(s, DBFT_COMMIT, &own->block) &
	    inner_bit(v->signer)) == 0)
		/* It comes after the others; show it what they made. */
		inner_act(t, DBFT_ACT_PREPARED,
		    inner_bit(v->signer))->cert = s->high;
}

/* ---- a proposal arrives ---------------------------------------------- */

/*
 * The change-views that came with it: M delegates have moved to this view,
 * and the highest certificate that one of them holds is for this block.
 */
static bool
proof_ok(const struct dbft *s, const struct dbft_input *in)
{
	const struct dbft_msg *best = NULL, *p = &in->vote.msg;
	uint64_t from = 0;
	unsigned count = 0;

	if (in->nchanges > DBFT_MAX_NODES)
		return false;
	for (size_t i = 0; i < in->nchanges; i++) {
		const struct dbft_msg *m = &in->changes[i].msg;

		if (in->changes[i].signer >= s->c.n ||
		    m->kind != DBFT_CHANGE || m->height != s->height ||
		    (m->view != p->view && !MUTANT(OTHER_VIEW)) ||
		    (m->prepared && m->prepared_view >= m->view))
			return false;
		from |= inner_bit(in->changes[i].signer);
		count++;
		if (m->prepared &&
		    (best == NULL || m->prepared_view >= best->prepared_view))
			best = m;
	}
	if (!MUTANT(FEW_CHANGES))
		count = inner_count(from);
	if (count < dbft_quorum(s->c.n))
		return false;
	if (best == NULL || MUTANT(ANY_PROPOSAL) || MUTANT(NO_REPROPOSAL))
		return true;
	if (!hash_eq(&best->block, &p->block))
		return false;
	return MUTANT(UNPROVEN_CLAIM) || (inner_cert_ok(s, &in->cert) &&
	    in->cert.view == best->prepared_view &&
	    hash_eq(&in->cert.block, &best->block));
}

/* Vote for the proposal, or repeat what we said. */
static void
answer_proposal(struct dbft_turn *t)
{
	struct dbft *s = t->s;
	const struct dbft_signed *v = &t->in->vote;
	uint64_t reply = inner_bit(t->in->peer) | inner_bit(v->signer);

	if (inner_may(s, DBFT_PREPARE, v->msg.view)) {
		if (!s->work)
			round_work(t, t->in->now_ms);
		cast(t, &v->msg, NULL, reply);
		inner_enter(t);
	} else if (dbft_msg_eq(&s->seen[s->c.me][DBFT_PREPARE], &v->msg))
		inner_repeat(t, DBFT_PREPARE, reply);
}

void
round_proposal(struct dbft_turn *t)
{
	struct dbft *s = t->s;
	const struct dbft_input *in = t->in;
	const struct dbft_msg *p = &in->vote.msg;

	if (in->vote.signer == s->c.me ||
	    in->vote.signer != dbft_speaker(s->height, p->view, s->c.n))
		return;
	if (p->view < s->view)
		t->tell |= inner_bit(in->peer);
	if (!inner_witness(t, in->vote.signer, p) || !in->valid)
		return;
	if (p->view > 0) {
		if (!proof_ok(s, in))
			return;
		for (size_t i = 0; i < in->nchanges; i++)
			inner_witness(t, in->changes[i].signer,
			    &in->changes[i].msg);
		if (inner_cert_ok(s, &in->cert) && in->cert.view < p->view &&
		    hash_eq(&in->cert.block, &p->block)) {
			inner_witness_cert(t, DBFT_PREPARE, &in->cert);
			if (s->high.signers == 0 ||
			    in->cert.view > s->high.view)
				s->high = in->cert;
		}
	}
	answer_proposal(t);
}

/* ---- we are the speaker ---------------------------------------------- */

uint64_t
round_proof(const struct dbft *s, const struct dbft_msg **best)
{
	uint64_t mask = 0;

	*best = NULL;
	for (unsigned i = 0; i < s->c.n; i++) {
		const struct dbft_msg *m = &s->seen[i][DBFT_CHANGE];

		if (m->kind == DBFT_NONE || m->view != s->view ||
		    (s->proven & inner_bit(i)) == 0)
			continue;
		mask |= inner_bit(i);
		if (m->prepared && (*best == NULL ||
		    m->prepared_view > (*best)->prepared_view))
			*best = m;
	}
	if (MUTANT(NO_REPROPOSAL))
		*best = NULL;
	return inner_count(mask) >= dbft_quorum(s->c.n) ? mask : 0;
}

/* Send the proposal of our prepare in the present view to `to`.  False if
 * the change-views at hand do not prove it. */
static bool
send_proposal(struct dbft_turn *t, uint64_t to)
{
	struct dbft *s = t->s;
	const struct dbft_msg *own = inner_own(s, DBFT_PREPARE), *best = NULL;
	struct dbft_action *a;
	uint64_t proof = 0;

	if (s->view > 0) {
		proof = round_proof(s, &best);
		/* After a restart they may be others than at first. */
		if (proof == 0 ||
		    (best != NULL && !hash_eq(&best->block, &own->block)))
			return false;
	}
	if (to == 0)
		return true;
	a = inner_act(t, DBFT_ACT_PROPOSE, to);
	a->msg = *own;
	a->changes = proof;
	if (best != NULL) {
		a->cert.height = s->height;
		a->cert.view = best->prepared_view;
		a->cert.block = best->block;
	}
	return true;
}

static void
propose(struct dbft_turn *t, const struct hash *block)
{
	struct dbft *s = t->s;
	struct dbft_msg m = block_vote(s, DBFT_PREPARE, s->view, block);

	inner_vote(t, &m, NULL, 0);
	s->resend_ms = t->in->now_ms + s->c.resend_ms;
	send_proposal(t, inner_others(s));
	round_count_prepares(t);
}

/* Might we propose now, if we had a block? */
static bool
may_speak(const struct dbft *s)
{
	return !s->c.passive && inner_speaks(s, s->view) && s->entered &&
	    inner_may(s, DBFT_PREPARE, s->view) && (s->view > 0 || s->work);
}

void
round_speak(struct dbft_turn *t)
{
	struct dbft *s = t->s;
	const struct dbft_msg *best = NULL;
	struct dbft_action *a;

	if (!may_speak(s) || (s->view > 0 && round_proof(s, &best) == 0))
		return;
	if (best != NULL) {
		propose(t, &best->block);
		return;
	}
	if (s->asked_ms >= 0 &&
	    t->in->now_ms - s->asked_ms < s->c.resend_ms)
		return;
	s->asked_ms = t->in->now_ms;
	a = inner_act(t, DBFT_ACT_CANDIDATE, 0);
	a->view = s->view;
}

void
round_candidate(struct dbft_turn *t)
{
	struct dbft *s = t->s;
	const struct dbft_msg *best = NULL;

	if (t->in->view != s->view || !may_speak(s) ||
	    (s->view > 0 && (round_proof(s, &best) == 0 || best != NULL)))
		return;
	propose(t, &t->in->block);
}

bool
round_remind(struct dbft_turn *t)
{
	struct dbft *s = t->s;
	const struct dbft_msg *own = inner_own(s, DBFT_PREPARE);
	uint64_t lack;

	if (!inner_speaks(s, s->view) || own == NULL)
		return false;
	lack = inner_others(s) & ~dbft_have(s, DBFT_COMMIT, &own->block);
	if (inner_own(s, DBFT_COMMIT) != NULL && s->high.view == s->view) {
		uint64_t shown = lack & (s->high.signers |
		    dbft_have(s, DBFT_PREPARE, &own->block));

		if (shown != 0)
			inner_act(t, DBFT_ACT_PREPARED, shown)->cert = s->high;
		lack &= ~shown;
	}
	lack &= ~dbft_have(s, DBFT_PREPARE, &own->block);
	return send_proposal(t, lack);
}
