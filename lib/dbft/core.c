#include "dbft/core.h"

#include <assert.h>

#include "dbft/mutant.h"

unsigned
dbft_faulty(unsigned n)
{
	return (n - 1) / 3;
}

unsigned
dbft_quorum(unsigned n)
{
	unsigned m = n - dbft_faulty(n);

	return MUTANT(SMALL_QUORUM) && m > 1 ? m - 1 : m;
}

unsigned
dbft_speaker(uint64_t height, uint32_t view, unsigned n)
{
	return (unsigned)((height % n + n - view % n) % n);
}

uint64_t
dbft_floor_after_loss(uint64_t highest)
{
	uint64_t skip = MUTANT(LOW_FLOOR) ? 1 : 2;

	return highest > UINT64_MAX - skip ? UINT64_MAX : highest + skip;
}

void
dbft_init(struct dbft *s, const struct dbft_config *c, uint64_t height,
    uint64_t floor, int64_t start_ms)
{
	assert(c->n >= 1 && c->n <= DBFT_MAX_NODES && c->me < c->n);
	assert(c->timeout_ms > 0 && c->timeout_max_ms >= c->timeout_ms);
	assert(height >= 1 && c->resend_ms > 0 && c->skip_ms >= 0 &&
	    c->late_ms >= 0);
	assert(c->again_ms > 0 && c->again_ms <= c->resend_ms);
	memset(s, 0, sizeof(*s));
	s->c = *c;
	s->height = height;
	s->floor = floor;
	s->entered = true;
	s->start_ms = start_ms;
	s->clock_ms = start_ms;
	s->resend_ms = start_ms;
	s->asked_ms = -1;
}

/* Where a vote stands among the own votes of a height: they only go up. */
static int
place_cmp(uint32_t view, enum dbft_kind kind, const struct dbft_msg *than)
{
	if (view != than->view)
		return view < than->view ? -1 : 1;
	return (kind > than->kind) - (kind < than->kind);
}

/* The last own vote; its kind is NONE when there is none. */
static const struct dbft_msg *
last_vote(const struct dbft *s)
{
	const struct dbft_msg *own = s->seen[s->c.me];
	const struct dbft_msg *last = &own[DBFT_NONE];

	for (int k = DBFT_CHANGE; k <= DBFT_COMMIT; k++)
		if (own[k].kind != DBFT_NONE &&
		    place_cmp(own[k].view, own[k].kind, last) > 0)
			last = &own[k];
	return last;
}

bool
dbft_is_new(const struct dbft *s, enum dbft_kind kind, uint32_t view)
{
	if (MUTANT(OLD_VIEW))
		return s->seen[s->c.me][kind].kind == DBFT_NONE ||
		    view != s->seen[s->c.me][kind].view;
	return view > s->view ||
	    (view == s->view && place_cmp(view, kind, last_vote(s)) > 0);
}

static int
replay_entered(struct dbft *s, const struct dbft_record *r)
{
	if (r->msg.view != s->view)
		return r->msg.view < s->view ? 0 : -1;
	if (!s->entered) {
		s->entered = true;
		s->clock_ms = r->at_ms;
	}
	return 0;
}

/* Is the certificate at hand that this vote was made on? */
static bool
is_founded(const struct dbft *s, const struct dbft_msg *m)
{
	if (m->kind == DBFT_COMMIT)
		return s->high.signers != 0 && s->high.view >= m->view;
	return !m->prepared ||
	    (s->high.signers != 0 && s->high.view >= m->prepared_view);
}

int
dbft_replay(struct dbft *s, const struct dbft_record *r)
{
	const struct dbft_msg *m = &r->msg;

	if (m->height < s->height || MUTANT(FORGETFUL))
		return 0;
	if (m->height > s->height) {
		if (s->floor < m->height - 1)
			s->floor = m->height - 1;
		return 0;
	}
	if (m->kind == DBFT_NONE)
		return replay_entered(s, r);
	if (dbft_msg_eq(m, last_vote(s)))
		return 0;
	if (!dbft_is_new(s, m->kind, m->view) || !is_founded(s, m))
		return -1;
	s->seen[s->c.me][m->kind] = *m;
	if (m->kind == DBFT_CHANGE) {
		s->proven |= UINT64_C(1) << s->c.me;
		s->entered = false;
	} else if (!s->entered || m->view > s->view || !s->work) {
		/* Who votes in a view was in it, and knew of work. */
		s->entered = true;
		s->clock_ms = r->at_ms;
	}
	s->view = m->view;
	s->work = true;
	return 0;
}

void
dbft_replay_cert(struct dbft *s, const struct dbft_cert *c)
{
	if (c->height != s->height || MUTANT(FORGETFUL))
		return;
	if (s->high.signers == 0 || c->view > s->high.view)
		s->high = *c;
}

void
dbft_replay_vote(struct dbft *s, const struct dbft_signed *v)
{
	const struct dbft_msg *m = &v->msg;
	struct dbft_msg *seen;

	if (m->height != s->height || m->view > DBFT_VIEW_MAX ||
	    v->signer >= s->c.n || v->signer == s->c.me ||
	    (m->kind != DBFT_PREPARE && m->kind != DBFT_COMMIT))
		return;
	seen = &s->seen[v->signer][m->kind];
	if (seen->kind == DBFT_NONE || m->view > seen->view)
		*seen = *m;
}

void
dbft_away(struct dbft *s, uint64_t mask)
{
	s->away = mask;
}

void
dbft_missed(struct dbft *s, uint64_t mask)
{
	s->missed = mask;
}

bool
dbft_may_vote(const struct dbft *s)
{
	return !s->done && s->height > s->floor;
}

/*
 * Is the speaker of view thought to be away, so that it gets little time, ms?
 * Once all have had their turn, this may have been an error; and so it was if
 * we have voted for what it proposed.  0: it is not.
 */
static int64_t
short_time(const struct dbft *s, uint32_t view)
{
	const struct dbft_msg *own = &s->seen[s->c.me][DBFT_PREPARE];
	unsigned speaker = dbft_speaker(s->height, view, s->c.n);

	if (view >= s->c.n || (own->kind != DBFT_NONE && own->view == view))
		return 0;
	if (s->c.skip_ms > 0 && (s->away >> speaker & 1) != 0)
		return s->c.skip_ms;
	return (s->missed >> speaker & 1) != 0 ? s->c.late_ms : 0;
}

/* How long the present view may last, ms. */
static int64_t
timeout_of(const struct dbft *s)
{
	int64_t t = s->c.timeout_ms, less = short_time(s, s->view);

	if (less > 0)
		return less < t ? less : t;
	for (uint32_t v = 0; v < s->view; v++) {
		if (MUTANT(FLAT_TIMEOUT) || short_time(s, v) > 0)
			continue;
		if (t > s->c.timeout_max_ms / 2)
			return s->c.timeout_max_ms;
		t *= 2;
	}
	return t;
}

int64_t
dbft_deadline(const struct dbft *s)
{
	int64_t t = timeout_of(s);

	if (!dbft_may_vote(s) || !s->entered || (s->view == 0 && !s->work) ||
	    s->view == DBFT_VIEW_MAX)
		return DBFT_NEVER;
	return s->clock_ms > DBFT_NEVER - t ? DBFT_NEVER : s->clock_ms + t;
}

uint64_t
dbft_have(const struct dbft *s, enum dbft_kind kind, const struct hash *block)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < s->c.n; i++) {
		const struct dbft_msg *m = &s->seen[i][kind];

		if (m->kind == DBFT_NONE)
			continue;
		if (kind == DBFT_CHANGE ? m->view >= s->view :
		    m->view == s->view && (hash_eq(&m->block, block) ||
		    MUTANT(MIXED_BLOCKS)))
			mask |= UINT64_C(1) << i;
	}
	return mask;
}
