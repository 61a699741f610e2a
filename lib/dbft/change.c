#include "dbft/change.h"

#include <assert.h>

#include "dbft/mutant.h"
#include "dbft/round.h"

/* Leave for view, and say what we hold. */
static void
sign_change(struct dbft_turn *t, uint32_t view)
{
	struct dbft *s = t->s;
	struct dbft_msg m;

	memset(&m, 0, sizeof(m));
	m.kind = DBFT_CHANGE;
	m.height = s->height;
	m.view = view;
	if (s->high.signers != 0 && !MUTANT(NO_CLAIM)) {
		assert(s->high.view < view);
		m.prepared = true;
		m.prepared_view = s->high.view;
		m.block = s->high.block;
	}
	inner_vote(t, &m, m.prepared ? &s->high : NULL, inner_others(s));
	s->proven |= inner_bit(s->c.me);
}

/*
 * f + 1 others have left our view, so an honest one has: join the smallest
 * view among those f + 1, which is the (f + 1)th highest of all.
 */
static void
join(struct dbft_turn *t)
{
	struct dbft *s = t->s;
	unsigned want = dbft_faulty(s->c.n) + 1;
	uint32_t target = 0;

	if (MUTANT(NO_JUMP))
		return;
	for (unsigned i = 0; i < s->c.n; i++) {
		const struct dbft_msg *mine = &s->seen[i][DBFT_CHANGE];
		unsigned above = 0;

		if (i == s->c.me || mine->kind == DBFT_NONE)
			continue;
		for (unsigned j = 0; j < s->c.n; j++)
			above += j != s->c.me &&
			    s->seen[j][DBFT_CHANGE].kind != DBFT_NONE &&
			    s->seen[j][DBFT_CHANGE].view >= mine->view;
		if (above >= want && mine->view > target)
			target = mine->view;
	}
	if (target > s->view && inner_may(s, DBFT_CHANGE, target))
		sign_change(t, target);
}

void
change_enter(struct dbft_turn *t)
{
	struct dbft *s = t->s;

	if (s->entered || !dbft_may_vote(s) ||
	    inner_count(dbft_have(s, DBFT_CHANGE, NULL)) <
	    dbft_quorum(s->c.n))
		return;
	inner_enter(t);
	inner_act(t, DBFT_ACT_ENTERED, 0)->view = s->view;
	/* Others may lack what we have; a passive one can't ask for it. */
	if (!s->c.passive)
		t->tell = inner_others(s);
}

void
change_timeout(struct dbft_turn *t)
{
	struct dbft *s = t->s;

	if (dbft_deadline(s) > t->in->now_ms)
		return;
	if (MUTANT(COMMIT_LOCK) &&
	    s->seen[s->c.me][DBFT_COMMIT].kind != DBFT_NONE)
		return;
	if (inner_may(s, DBFT_CHANGE, s->view + 1))
		sign_change(t, s->view + 1);
}

void
change_arrived(struct dbft_turn *t)
{
	struct dbft *s = t->s;
	const struct dbft_input *in = t->in;
	const struct dbft_msg *m = &in->vote.msg, *own;
	bool holds;

	if (m->prepared && m->prepared_view >= m->view)
		return;
	holds = m->prepared && in->valid && inner_cert_ok(s, &in->cert) &&
	    in->cert.view == m->prepared_view &&
	    hash_eq(&in->cert.block, &m->block);
	if (inner_witness(t, in->vote.signer, m) && holds)
		s->proven |= inner_bit(in->vote.signer);
	if (holds)
		round_certified(t, &in->cert, 0);
	join(t);
	change_enter(t);
	/*
	 * We leave a view when somebody else wants to, too: a proposal that
	 * comes late is better than none.
	 */
	if (m->view > s->view)
		change_timeout(t);
	change_enter(t);
	own = &s->seen[s->c.me][DBFT_CHANGE];
	if (own->kind != DBFT_NONE && own->view >= m->view)
		t->tell |= inner_bit(in->peer);
}

bool
change_remind(struct dbft_turn *t)
{
	struct dbft *s = t->s;
	const struct dbft_msg *own = s->seen[s->c.me];

	if (own[DBFT_CHANGE].kind == DBFT_NONE ||
	    own[DBFT_CHANGE].view != s->view ||
	    (own[DBFT_PREPARE].kind != DBFT_NONE &&
	    own[DBFT_PREPARE].view == s->view && !inner_speaks(s, s->view)) ||
	    (own[DBFT_COMMIT].kind != DBFT_NONE &&
	    own[DBFT_COMMIT].view == s->view))
		return false;
	t->tell = inner_others(s);
	return true;
}

void
change_tell(struct dbft_turn *t)
{
	struct dbft *s = t->s;
	const struct dbft_msg *own = &s->seen[s->c.me][DBFT_CHANGE];
	struct dbft_action *last = NULL;
	uint64_t along = 0;

	if (own->kind == DBFT_NONE)
		return;
	/* Who shows the last view to have been entered, and this one. */
	for (unsigned i = 0; i < s->c.n; i++)
		if (i != s->c.me && s->seen[i][DBFT_CHANGE].kind != DBFT_NONE &&
		    s->seen[i][DBFT_CHANGE].view + 1 >= own->view)
			along |= inner_bit(i);
	for (size_t i = 0; i < t->out->n; i++)
		if (t->out->a[i].kind == DBFT_ACT_VOTE &&
		    t->out->a[i].msg.kind == DBFT_CHANGE)
			last = &t->out->a[i];
	if (last == NULL && (t->tell & inner_others(s)) != 0) {
		inner_repeat(t, DBFT_CHANGE, t->tell);
		last = &t->out->a[t->out->n - 1];
	}
	if (last != NULL)
		last->changes = along;
}
