#include "dbft/inner.h"

#include <assert.h>

#include "dbft/mutant.h"

uint64_t
inner_others(const struct dbft *s)
{
	uint64_t all = s->c.n == 64 ? UINT64_MAX : inner_bit(s->c.n) - 1;

	return all & ~inner_bit(s->c.me);
}

bool
inner_speaks(const struct dbft *s, uint32_t view)
{
	return dbft_speaker(s->height, view, s->c.n) == s->c.me;
}

const struct dbft_msg *
inner_own(const struct dbft *s, enum dbft_kind kind)
{
	const struct dbft_msg *m = &s->seen[s->c.me][kind];

	return m->kind != DBFT_NONE && m->view == s->view ? m : NULL;
}

bool
inner_cert_ok(const struct dbft *s, const struct dbft_cert *c)
{
	uint64_t all = inner_others(s) | inner_bit(s->c.me);

	if (c->height != s->height || c->view > DBFT_VIEW_MAX ||
	    c->signers == 0 || (c->signers & ~all) != 0)
		return false;
	return inner_count(c->signers) >= dbft_quorum(s->c.n) ||
	    MUTANT(SMALL_CERT);
}

struct dbft_action *
inner_act(struct dbft_turn *t, enum dbft_act kind, uint64_t to)
{
	struct dbft_action *a;

	assert(t->out->n < DBFT_MAX_ACTIONS);
	a = &t->out->a[t->out->n++];
	memset(a, 0, sizeof(*a));
	a->kind = kind;
	a->to = to & inner_others(t->s);
	a->height = t->s->height;
	return a;
}

bool
inner_may(const struct dbft *s, enum dbft_kind kind, uint32_t view)
{
	return dbft_may_vote(s) && view <= DBFT_VIEW_MAX &&
	    dbft_is_new(s, kind, view);
}

/*
 * Whoever speaks next asks for change-views, perhaps just before the others'
 * time is over, too; so it asks again soon, and then less and less often.
 */
int64_t
inner_pace(const struct dbft *s, int64_t now)
{
	int64_t ms = now - s->left_ms;

	if (s->view == 0 || ms > s->c.resend_ms)
		return s->c.resend_ms;
	return ms > s->c.again_ms ? ms : s->c.again_ms;
}

void
inner_vote(struct dbft_turn *t, const struct dbft_msg *m,
    const struct dbft_cert *c, uint64_t to)
{
	struct dbft *s = t->s;
	struct dbft_action *a;

	assert(inner_may(s, m->kind, m->view));
	assert(m->height == s->height);
	if (m->view > s->view) {
		s->view = m->view;
		s->entered = false;
		s->asked_ms = -1;
		s->left_ms = t->in->now_ms;
		s->resend_ms = t->in->now_ms + inner_pace(s, t->in->now_ms);
	}
	s->seen[s->c.me][m->kind] = *m;
	a = inner_act(t, DBFT_ACT_VOTE, to);
	a->msg = *m;
	if (c != NULL)
		a->cert = *c;
}

void
inner_repeat(struct dbft_turn *t, enum dbft_kind kind, uint64_t to)
{
	to &= inner_others(t->s);
	if (to != 0)
		inner_act(t, DBFT_ACT_REPEAT, to)->msg =
		    t->s->seen[t->s->c.me][kind];
}

void
inner_enter(struct dbft_turn *t)
{
	if (!t->s->entered) {
		t->s->entered = true;
		t->s->clock_ms = t->in->now_ms;
	}
}

/* One pair against each delegate is enough, and keeps the step bounded. */
static void
accuse(struct dbft_turn *t, unsigned signer, const struct dbft_msg *m,
    const struct dbft_msg *other)
{
	struct dbft_action *a;

	if ((t->s->accused & inner_bit(signer)) != 0 ||
	    t->out->n > DBFT_MAX_ACTIONS / 2)
		return;
	t->s->accused |= inner_bit(signer);
	a = inner_act(t, DBFT_ACT_EVIDENCE, 0);
	a->signer = signer;
	a->msg = *m;
	a->other = *other;
}

/*
 * A message with our signature: one of our votes comes back to us, or else
 * our key is in use elsewhere, and then the only safe thing is silence.
 */
static bool
witness_own(struct dbft_turn *t, const struct dbft_msg *m)
{
	struct dbft *s = t->s;
	const struct dbft_msg *own = &s->seen[s->c.me][m->kind];
	static const struct dbft_msg none;

	if (dbft_msg_eq(own, m))
		return true;
	/* Older ones are forgotten: it may well have been ours. */
	if ((own->kind != DBFT_NONE && m->view < own->view) ||
	    !dbft_may_vote(s))
		return false;
	accuse(t, s->c.me, m, &none);
	s->floor = s->height;
	return false;
}

/* A change-view that hides what its signer committed to before. */
static bool
is_lie(const struct dbft_msg *commit, const struct dbft_msg *change)
{
	if (commit->kind == DBFT_NONE || change->kind == DBFT_NONE ||
	    commit->view >= change->view)
		return false;
	if (!change->prepared || change->prepared_view < commit->view)
		return true;
	return change->prepared_view == commit->view &&
	    !hash_eq(&change->block, &commit->block);
}

bool
inner_witness(struct dbft_turn *t, unsigned signer, const struct dbft_msg *m)
{
	struct dbft *s = t->s;
	struct dbft_msg *seen = &s->seen[signer][m->kind];

	if (signer == s->c.me)
		return witness_own(t, m);
	if (seen->kind != DBFT_NONE && m->view < seen->view)
		return false;
	if (seen->kind != DBFT_NONE && m->view == seen->view) {
		if (dbft_msg_eq(seen, m))
			return true;
		accuse(t, signer, m, seen);
		return false;
	}
	*seen = *m;
	if (m->kind == DBFT_CHANGE) {
		s->proven &= ~inner_bit(signer);
		if (!m->prepared || MUTANT(UNPROVEN_CLAIM))
			s->proven |= inner_bit(signer);
	}
	if (m->kind != DBFT_PREPARE && is_lie(&s->seen[signer][DBFT_COMMIT],
	    &s->seen[signer][DBFT_CHANGE]))
		accuse(t, signer, &s->seen[signer][DBFT_COMMIT],
		    &s->seen[signer][DBFT_CHANGE]);
	return true;
}

void
inner_witness_cert(struct dbft_turn *t, enum dbft_kind kind,
    const struct dbft_cert *c)
{
	struct dbft_msg m;

	memset(&m, 0, sizeof(m));
	m.kind = kind;
	m.height = c->height;
	m.view = c->view;
	m.block = c->block;
	for (unsigned i = 0; i < t->s->c.n; i++)
		if ((c->signers & inner_bit(i)) != 0)
			inner_witness(t, i, &m);
}
