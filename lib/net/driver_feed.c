#include "net/driver.h"

#include "base/clock.h"
#include "net/driver_inner.h"
#include "net/judge.h"
#include "store/chain.h"
#include "store/propose.h"
#include "store/work.h"

/* --- steps ---------------------------------------------------------------- */

/* Give the core the block that it asks for, if there is one to be made. */
static int
candidate(struct driver *d, uint32_t view, struct err *e)
{
	struct dbft_input in = { .kind = DBFT_IN_CANDIDATE, .view = view,
	    .peer = DBFT_NOBODY };
	struct buf content = BUF_INIT(BLOCK_CONTENT_MAX);
	struct block b;
	int ret;

	ret = propose_block(&content, d->repo, d->key.name, clock_now_ms(),
	    NULL, e);
	if (ret == 0)
		ret = block_parse(&b, buf_span(&content), false,
		    repo_ledger(d->repo), e);
	else if (e->kind == ERR_NO)
		ret = 1;
	if (ret == 0)
		ret = keep_body(&d->keep, &b.h.id, buf_span(&content), e);
	if (ret == 0) {
		in.block = b.h.id;
		ret = driver_step(d, &in, e);
	}
	buf_free(&content);
	return ret < 0 ? -1 : 0;
}

/* Of what came with the input, keep the notes that the state now holds. */
static int
keep_given(struct driver *d, struct err *e)
{
	for (size_t i = 0; i < d->ngiven; i++) {
		const struct driver_given *g = &d->given[i];

		if (!dbft_msg_eq(&g->vote.msg, &d->core.seen[g->vote.signer]
		    [g->vote.msg.kind]))
			continue;
		if (driver_keep_heard(d, g, e) != 0)
			return -1;
		keep_vote(&d->keep, g->vote.signer, &g->vote.msg, g->note);
	}
	return 0;
}

int
driver_step(struct driver *d, struct dbft_input *in, struct err *e)
{
	struct dbft_actions out;
	int64_t view;

	if (!d->live || d->me < 0 || d->mute.kind != ERR_NONE)
		return 0;
	in->now_ms = clock_now_ms();
	dbft_step(&d->core, in, &out);
	if (keep_given(d, e) != 0) {
		/* As with an action that fails. */
		d->live = false;
		return -1;
	}
	if (driver_act(d, &out, &view, e) != 0)
		return -1;
	return view < 0 ? 0 : candidate(d, (uint32_t)view, e);
}

int
driver_tick(struct driver *d, struct err *e)
{
	struct dbft_input in = { .kind = DBFT_IN_TICK, .peer = DBFT_NOBODY };

	return driver_step(d, &in, e);
}

int
driver_work(struct driver *d, bool *waits, struct err *e)
{
	struct dbft_input in = { .kind = DBFT_IN_WORK, .peer = DBFT_NOBODY };
	int64_t now = clock_now_ms();
	int got;

	if (waits != NULL)
		*waits = false;
	if (now < driver_earliest(d))
		return 0;
	if ((got = work_waits(&in.since_ms, d->repo, now, e)) <= 0)
		return got;
	if (waits != NULL)
		*waits = true;
	if (in.since_ms < driver_earliest(d))
		in.since_ms = driver_earliest(d);
	return driver_step(d, &in, e);
}

/* --- parts of messages ---------------------------------------------------- */

/* Verify a vote and remember that it was given. */
static int
give_vote(struct driver *d, struct dbft_signed *v, struct span note,
    enum dbft_kind kind, struct err *e)
{
	if (judge_vote(v, note, repo_ledger(d->repo), &d->set, false, e) != 0)
		return -1;
	if (v->msg.kind != kind)
		return err_set(e, ERR_BAD, "consensus: a vote of another kind "
		    "than its message");
	if (d->ngiven < sizeof(d->given) / sizeof(*d->given))
		d->given[d->ngiven++] = (struct driver_given){ *v, note };
	return 0;
}

/* Check a block and keep it.  Only a failure of ours is an error. */
static int
give_block(struct driver *d, struct span content, bool judge_time,
    struct err *e)
{
	int64_t now = judge_time ? clock_now_ms() : INT64_MAX;
	struct block b;

	if (block_parse(&b, content, false, repo_ledger(d->repo), e) != 0)
		return 0;
	if (b.h.height != driver_height(d) ||
	    keep_has_body(&d->keep, &b.h.id))
		return 0;
	if (chain_check(d->repo, content, now, e) != 0) {
		if (e->kind == ERR_SYS || e->kind == ERR_AGAIN)
			return -1;
		driver_say(d, "refused: %s", e->msg);
		return 0;
	}
	return keep_body(&d->keep, &b.h.id, content, e);
}

/* Remember a certificate that the core may use: its block is here. */
static bool
give_cert(struct driver *d, const struct dbft_cert *c, struct span note)
{
	if (!keep_has_body(&d->keep, &c->block))
		return false;
	keep_votes(&d->keep, c, DBFT_PREPARE, note, &d->set);
	return keep_cert(&d->keep, c, note) != NULL;
}

/* --- messages ------------------------------------------------------------- */

/* Could this proposal get a vote?  Then it is worth checking its block. */
static bool
is_due(const struct driver *d, const struct dbft_signed *v)
{
	return v->signer == dbft_speaker(v->msg.height, v->msg.view,
	    (unsigned)d->set.n) &&
	    dbft_is_new(&d->core, DBFT_PREPARE, v->msg.view);
}

static int
take_proposal(struct driver *d, const struct wire_msg *m, unsigned peer,
    struct err *e)
{
	struct dbft_input in = { .kind = DBFT_IN_PROPOSAL, .peer = peer };
	struct dbft_signed change[DBFT_MAX_NODES];
	struct span cert = wire_find(m, WIRE_CERTIFICATE);

	for (size_t i = 0; i < m->n; i++) {
		struct dbft_signed *v = i == 0 ? &in.vote :
		    &change[in.nchanges];

		if (m->part[i].kind != WIRE_NOTE)
			continue;
		if (in.nchanges == DBFT_MAX_NODES)
			return err_set(e, ERR_BAD, "consensus: too many "
			    "change-views");
		if (give_vote(d, v, m->part[i].data, i == 0 ? DBFT_PREPARE :
		    DBFT_CHANGE, e) != 0)
			return -1;
		in.nchanges += i > 0;
	}
	if (m->part[0].kind != WIRE_NOTE)
		return err_set(e, ERR_BAD, "consensus: malformed proposal");
	if (cert.n > 0 && judge_cert(&in.cert, DBFT_PREPARE, cert,
	    repo_ledger(d->repo), &d->set, false, e) != 0)
		return -1;
	if (is_due(d, &in.vote) && give_block(d, wire_find(m, WIRE_BLOCK),
	    cert.n == 0 || !hash_eq(&in.cert.block, &in.vote.msg.block),
	    e) != 0)
		return -1;
	if (cert.n > 0)
		give_cert(d, &in.cert, cert);
	in.valid = keep_has_body(&d->keep, &in.vote.msg.block);
	in.changes = change;
	return driver_step(d, &in, e);
}

static int
take_vote(struct driver *d, const struct wire_msg *m, unsigned peer,
    struct err *e)
{
	struct dbft_input in = { .peer = peer };
	enum dbft_kind kind = m->kind == WIRE_PREPARE ? DBFT_PREPARE :
	    DBFT_COMMIT;

	in.kind = m->kind == WIRE_PREPARE ? DBFT_IN_PREPARE : DBFT_IN_COMMIT;
	if (give_vote(d, &in.vote, wire_find(m, WIRE_NOTE), kind, e) != 0)
		return -1;
	return driver_step(d, &in, e);
}

static int
take_prepared(struct driver *d, const struct wire_msg *m, unsigned peer,
    struct err *e)
{
	struct dbft_input in = { .kind = DBFT_IN_PREPARED, .peer = peer };
	struct span note = wire_find(m, WIRE_CERTIFICATE);

	if (judge_cert(&in.cert, DBFT_PREPARE, note, repo_ledger(d->repo),
	    &d->set, false, e) != 0)
		return -1;
	in.valid = give_cert(d, &in.cert, note);
	return driver_step(d, &in, e);
}

/* Certificates that verify; others are as if they had not come. */
static void
collect_proofs(struct driver *d, const struct wire_msg *m)
{
	struct err ignored;

	for (size_t i = 0; i < m->n; i++) {
		struct driver_proof *p = &d->proof[d->nproofs];

		if (d->nproofs == sizeof(d->proof) / sizeof(*d->proof))
			break;
		p->note = m->part[i].data;
		if (m->part[i].kind == WIRE_CERTIFICATE &&
		    judge_cert(&p->c, DBFT_PREPARE, p->note,
		    repo_ledger(d->repo), &d->set, false, &ignored) == 0)
			d->nproofs++;
	}
}

/* Blocks for which there is a certificate; nobody judges their time. */
static int
collect_blocks(struct driver *d, const struct wire_msg *m, struct err *e)
{
	for (size_t i = 0; i < m->n; i++) {
		bool wanted = false;
		struct block b;

		if (m->part[i].kind != WIRE_BLOCK || block_parse(&b,
		    m->part[i].data, false, repo_ledger(d->repo), e) != 0)
			continue;
		for (size_t k = 0; k < d->nproofs; k++)
			wanted |= hash_eq(&d->proof[k].c.block, &b.h.id);
		if (wanted && give_block(d, m->part[i].data, false, e) != 0)
			return -1;
	}
	return 0;
}

static int
step_change(struct driver *d, struct span note, unsigned peer, struct err *e)
{
	struct dbft_input in = { .kind = DBFT_IN_CHANGE, .peer = peer };
	const struct dbft_msg *m = &in.vote.msg;

	if (give_vote(d, &in.vote, note, DBFT_CHANGE, e) != 0)
		return -1;
	for (size_t i = 0; i < d->nproofs && m->prepared; i++)
		if (d->proof[i].c.view == m->prepared_view &&
		    hash_eq(&d->proof[i].c.block, &m->block)) {
			in.cert = d->proof[i].c;
			in.valid = give_cert(d, &in.cert, d->proof[i].note);
		}
	return driver_step(d, &in, e);
}

/* Others' change-views come first, then that of the sender. */
static int
take_changes(struct driver *d, const struct wire_msg *m, unsigned peer,
    struct err *e)
{
	if (m->part[0].kind != WIRE_NOTE)
		return err_set(e, ERR_BAD, "consensus: malformed change-view");
	collect_proofs(d, m);
	if (collect_blocks(d, m, e) != 0)
		return -1;
	for (size_t i = 1; i < m->n; i++)
		if (m->part[i].kind == WIRE_NOTE &&
		    step_change(d, m->part[i].data, DBFT_NOBODY, e) != 0)
			return -1;
	return step_change(d, m->part[0].data, peer, e);
}

int
driver_message(struct driver *d, const struct wire_msg *m, unsigned peer,
    struct err *e)
{
	uint64_t height;

	if (judge_height(&height, m->part[0].data, repo_ledger(d->repo),
	    e) != 0)
		return -1;
	if (!d->live || d->me < 0 || d->mute.kind != ERR_NONE ||
	    height != driver_height(d))
		return 0;
	d->ngiven = d->nproofs = 0;
	switch (m->kind) {
	case WIRE_PROPOSAL:
		return take_proposal(d, m, peer, e);
	case WIRE_PREPARE:
	case WIRE_COMMIT:
		return take_vote(d, m, peer, e);
	case WIRE_PREPARED:
		return take_prepared(d, m, peer, e);
	case WIRE_CHANGE:
		/* In view 0 the clock runs only while something waits. */
		if (driver_work(d, NULL, e) != 0)
			return -1;
		return take_changes(d, m, peer, e);
	case WIRE_FINAL:
	case WIRE_KINDS:
		break;
	}
	return err_set(e, ERR_BAD, "consensus: a message out of place");
}
