#include "dbft/all.h"

#include "dbft/mutant.h"
#include "dbft/round.h"

/* Does this process send and count for itself? */
static bool
is_active(const struct dbft *s)
{
	return s->c.all_to_all && !s->c.passive && !s->done;
}

/*
 * The speaker's prepare is its proposal.  Who votes for it has answered it, so
 * that it need not hear that again.
 */
static uint64_t
audience(const struct dbft *s, enum dbft_kind kind)
{
	uint64_t to = inner_others(s);

	if (kind == DBFT_PREPARE && inner_speaks(s, s->view))
		return 0;
	if (kind == DBFT_PREPARE)
		to &= ~inner_bit(dbft_speaker(s->height, s->view, s->c.n));
	return to;
}

void
all_spread(struct dbft_turn *t)
{
	struct dbft *s = t->s;

	if (!is_active(s) || MUTANT(UNTOLD))
		return;
	for (int k = DBFT_PREPARE; k <= DBFT_COMMIT; k++) {
		enum dbft_kind kind = (enum dbft_kind)k;
		const struct dbft_msg *own = inner_own(s, kind);
		uint64_t to = audience(s, kind);

		if (own == NULL || s->told[kind] == own->view + 1)
			continue;
		s->told[kind] = own->view + 1;
		/* A proposal from before a restart is for the next tick. */
		if (to == 0)
			continue;
		s->resend_ms = t->in->now_ms + s->c.resend_ms;
		inner_repeat(t, kind, to);
	}
}

void
all_asked(struct dbft_turn *t)
{
	struct dbft *s = t->s;
	const struct dbft_signed *v = &t->in->vote;
	uint64_t peer = inner_bit(t->in->peer);

	if (!s->c.all_to_all || MUTANT(NO_REPEAT) ||
	    !dbft_msg_eq(&s->seen[v->signer][v->msg.kind], &v->msg))
		return;
	if (v->msg.view < s->view)
		t->tell |= peer;
	if (v->msg.view != s->view)
		return;
	if (inner_own(s, DBFT_COMMIT) == NULL) {
		if (inner_own(s, DBFT_PREPARE) != NULL)
			inner_repeat(t, DBFT_PREPARE, peer);
		return;
	}
	if (v->msg.kind == DBFT_PREPARE && s->high.view == s->view)
		inner_act(t, DBFT_ACT_PREPARED, peer)->cert = s->high;
	inner_repeat(t, DBFT_COMMIT, peer);
}

/* Is the body of this block here? */
static bool
has_body(const struct dbft *s, const struct hash *block)
{
	const struct dbft_msg *own = &s->seen[s->c.me][DBFT_PREPARE];

	return (own->kind != DBFT_NONE && hash_eq(&own->block, block)) ||
	    (s->high.signers != 0 && hash_eq(&s->high.block, block));
}

void
all_count(struct dbft_turn *t)
{
	struct dbft *s = t->s;

	if (!is_active(s))
		return;
	if (inner_own(s, DBFT_PREPARE) != NULL &&
	    inner_own(s, DBFT_COMMIT) == NULL)
		round_count_prepares(t);
	for (unsigned i = 0; i < s->c.n && !s->done; i++) {
		const struct dbft_msg *m = &s->seen[i][DBFT_COMMIT];

		if (m->kind != DBFT_NONE && has_body(s, &m->block))
			round_count_commits(t, m->view, &m->block);
	}
}

bool
all_remind(struct dbft_turn *t)
{
	struct dbft *s = t->s;
	const struct dbft_msg *prepare = inner_own(s, DBFT_PREPARE);
	const struct dbft_msg *commit = inner_own(s, DBFT_COMMIT);
	uint64_t lack = inner_others(s);

	if (!is_active(s) || MUTANT(NO_REPEAT))
		return false;
	if (commit != NULL) {
		inner_repeat(t, DBFT_COMMIT, lack);
		lack &= ~dbft_have(s, DBFT_COMMIT, &commit->block);
	}
	if (prepare != NULL && !inner_speaks(s, s->view))
		inner_repeat(t, DBFT_PREPARE, lack);
	return prepare != NULL || commit != NULL;
}
