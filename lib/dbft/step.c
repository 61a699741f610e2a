#include "dbft/all.h"
#include "dbft/change.h"
#include "dbft/core.h"
#include "dbft/round.h"

/* Does the input come from others, and so speak of a height? */
static bool
is_message(const struct dbft_input *in, uint64_t *height)
{
	switch (in->kind) {
	case DBFT_IN_PROPOSAL:
	case DBFT_IN_PREPARE:
	case DBFT_IN_COMMIT:
	case DBFT_IN_CHANGE:
		*height = in->vote.msg.height;
		return true;
	case DBFT_IN_PREPARED:
	case DBFT_IN_FINAL:
		*height = in->cert.height;
		return true;
	default:
		return false;
	}
}

/* Is the vote of a delegate, and of the kind that the input says? */
static bool
well_formed(const struct dbft *s, const struct dbft_input *in)
{
	static const enum dbft_kind want[] = {
		[DBFT_IN_PROPOSAL] = DBFT_PREPARE,
		[DBFT_IN_PREPARE] = DBFT_PREPARE,
		[DBFT_IN_COMMIT] = DBFT_COMMIT,
		[DBFT_IN_CHANGE] = DBFT_CHANGE,
		[DBFT_IN_FINAL] = DBFT_NONE
	};

	if (want[in->kind] == DBFT_NONE)
		return true;
	return in->vote.signer < s->c.n && in->vote.msg.view <= DBFT_VIEW_MAX &&
	    in->vote.msg.kind == want[in->kind];
}

/* Deal with what is not about the height that we decide. */
static bool
is_beside(struct dbft_turn *t)
{
	const struct dbft_input *in = t->in;
	const struct dbft *s = t->s;
	unsigned who = in->peer;
	uint64_t h;

	if (!is_message(in, &h))
		return s->done;
	if (h == s->height && !s->done)
		return false;
	if (who == DBFT_NOBODY && in->kind != DBFT_IN_PREPARED &&
	    in->kind != DBFT_IN_FINAL)
		who = in->vote.signer;
	if (who >= s->c.n || who == s->c.me || h == 0)
		return true;
	if (h > s->height)
		inner_act(t, DBFT_ACT_CATCH_UP, inner_bit(who))->height = h;
	else if (in->kind != DBFT_IN_FINAL)
		inner_act(t, DBFT_ACT_BLOCK, inner_bit(who))->height = h;
	return true;
}

/* A clock that was set back must not make us wait for what it was. */
static void
mend_times(struct dbft *s, int64_t now)
{
	if (s->clock_ms > now)
		s->clock_ms = now;
	if (s->asked_ms > now)
		s->asked_ms = now;
	if (s->left_ms > now)
		s->left_ms = now;
	if (s->resend_ms - s->c.resend_ms > now)
		s->resend_ms = now + s->c.resend_ms;
}

/*
 * A certificate can be on disk without the vote that it was stored for, when
 * the process ended between the two.  M delegates were in its view: so are we.
 */
static void
follow_cert(struct dbft *s, int64_t now)
{
	if (s->high.signers == 0 || s->high.view <= s->view)
		return;
	s->view = s->high.view;
	s->entered = true;
	s->clock_ms = now;
	s->asked_ms = -1;
}

static void
tick(struct dbft_turn *t)
{
	struct dbft *s = t->s;
	bool said;

	if (s->c.passive)
		return;
	change_timeout(t);
	change_enter(t);
	if (!dbft_may_vote(s) || t->in->now_ms < s->resend_ms)
		return;
	s->resend_ms = t->in->now_ms + inner_pace(s, t->in->now_ms);
	said = all_remind(t);
	said = round_remind(t) || said;
	if (!said)
		change_remind(t);
}

static void
dispatch(struct dbft_turn *t)
{
	switch (t->in->kind) {
	case DBFT_IN_TICK:
		tick(t);
		break;
	case DBFT_IN_WORK:
		round_work(t, t->in->since_ms);
		break;
	case DBFT_IN_CANDIDATE:
		round_candidate(t);
		break;
	case DBFT_IN_PROPOSAL:
		round_proposal(t);
		break;
	case DBFT_IN_PREPARE:
		all_asked(t);
		round_prepare(t);
		break;
	case DBFT_IN_PREPARED:
		if (t->in->valid && inner_cert_ok(t->s, &t->in->cert))
			round_certified(t, &t->in->cert,
			    inner_bit(t->in->peer));
		break;
	case DBFT_IN_COMMIT:
		all_asked(t);
		round_commit(t);
		break;
	case DBFT_IN_CHANGE:
		change_arrived(t);
		break;
	case DBFT_IN_FINAL:
		if (inner_cert_ok(t->s, &t->in->cert))
			round_finalise(t, &t->in->cert);
		break;
	}
}

/* When must the driver come back, if nothing arrives? */
static int64_t
wake_at(const struct dbft *s, int64_t now)
{
	int64_t at = dbft_deadline(s);

	if (s->c.passive || !dbft_may_vote(s))
		return DBFT_NEVER;
	if (s->view > 0 || s->work)
		at = s->resend_ms < at ? s->resend_ms : at;
	return at > now ? at : now + 1;
}

void
dbft_step(struct dbft *s, const struct dbft_input *in,
    struct dbft_actions *out)
{
	struct dbft_turn t = { s, in, out, 0 };

	out->n = 0;
	mend_times(s, in->now_ms);
	follow_cert(s, in->now_ms);
	if (well_formed(s, in) && !is_beside(&t)) {
		all_spread(&t);
		dispatch(&t);
		all_count(&t);
		if (!s->done)
			round_speak(&t);
		if (!s->done)
			change_tell(&t);
	}
	out->wake_ms = wake_at(s, in->now_ms);
}
