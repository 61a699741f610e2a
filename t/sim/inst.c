/* inst: a node that drives the core the way core.h says. */
#include "t/sim/sim.h"

#include "dbft/mutant.h"

unsigned
inst_index(const struct world *w, const struct inst *x)
{
	return (unsigned)(x - w->inst);
}

/* What its clock shows; never below 0, however it is set. */
int64_t
local_ms(const struct world *w, const struct inst *x)
{
	return EPOCH_MS + w->now + x->skew_ms;
}

struct hash
block_id(unsigned i)
{
	struct hash h;

	memset(&h, 0, sizeof(h));
	h.b[0] = (unsigned char)(i + 1);
	h.b[1] = (unsigned char)((i + 1) >> 8);
	return h;
}

unsigned
block_index(const struct hash *id)
{
	return (unsigned)id->b[0] + ((unsigned)id->b[1] << 8) - 1;
}

unsigned
new_block(struct world *w, uint64_t height, bool valid)
{
	if (w->nblocks == BLOCKS) {
		fail(w, "too many blocks");
		return 0;
	}
	w->block[w->nblocks] = (struct block){ height, valid };
	return w->nblocks++;
}

/* ---- beginning ------------------------------------------------------- */

/* What a process reads from disk before it can step; certificates that are
 * only in memory don't count. */
static void
restore(struct world *w, struct inst *x, struct dbft *s, bool passive)
{
	struct dbft_config c = {
		.n = w->n, .me = x->me, .passive = passive,
		.all_to_all = w->pbft,
		.timeout_ms = BASE_MS, .timeout_max_ms = CAP_MS,
		.resend_ms = w->pbft ? BASE_MS / 4 : BASE_MS,
		.skip_ms = w->skips ? BASE_MS / 4 : 0,
		.late_ms = w->skips ? BASE_MS / 2 : 0,
		.again_ms = w->skips ? BASE_MS / 16 : w->pbft ? BASE_MS / 4 :
		    BASE_MS
	};

	dbft_init(s, &c, x->head + 1, x->floor, x->head_ms);
	dbft_away(s, x->away);
	dbft_missed(s, x->missed);
	for (size_t i = 0; i < x->ncerts; i++)
		if (x->certs[i].disk)
			dbft_replay_cert(s, &x->certs[i].c);
	while (x->first > 0 &&
	    x->journal[x->first - 1].msg.height > x->head)
		x->first--;
	while (x->first < x->records &&
	    x->journal[x->first].msg.height <= x->head)
		x->first++;
	for (size_t i = x->first; i < x->records; i++) {
		const struct dbft_msg *m = &x->journal[i].msg;

		if (dbft_replay(s, &x->journal[i]) != 0)
			fail(w, "instance %u can't replay %s",
			    inst_index(w, x), show_vote(m));
		/* What was journaled may be signed: the same bytes again. */
		if (m->kind != DBFT_NONE)
			check_signed(w, x->me, m);
	}
	for (size_t i = 0; passive && i < x->nheard; i++)
		dbft_replay_vote(s, &x->heard[i]);
}

static bool run(struct world *w, struct inst *x, struct dbft *s,
    struct dbft_input *in, bool passive);

static bool
give_work(struct world *w, struct inst *x, struct dbft *s, bool passive)
{
	struct dbft_input in = { 0 };

	if (x->work_ms < 0)
		return true;
	in.kind = DBFT_IN_WORK;
	in.peer = DBFT_NOBODY;
	in.since_ms = x->work_ms;
	return run(w, x, s, &in, passive);
}

/* What passive processes were given, the active one takes as its own. */
static void
hear(struct world *w, struct inst *x)
{
	while (x->nread < x->nheard && x->up && !MUTANT(DEAF)) {
		struct dbft_input in = { .peer = DBFT_NOBODY };

		in.vote = x->heard[x->nread++];
		in.kind = in.vote.msg.kind == DBFT_PREPARE ?
		    DBFT_IN_PREPARE : DBFT_IN_COMMIT;
		if (!run(w, x, &x->s, &in, false))
			return;
	}
}

/* Begin a height with the active process; also after a restart. */
void
inst_start(struct world *w, struct inst *x)
{
	struct dbft_input in = { .kind = DBFT_IN_TICK, .peer = DBFT_NOBODY };

	restore(w, x, &x->s, false);
	x->read = x->records;
	x->nread = 0;
	x->wake_ms = DBFT_NEVER;
	if (x->work_ms >= 0 ? give_work(w, x, &x->s, false) :
	    run(w, x, &x->s, &in, false))
		hear(w, x);
}

/* The active process takes the lock: what have others done meanwhile? */
static void
refresh(struct world *w, struct inst *x)
{
	if (x->s.height != x->head + 1 || x->s.done) {
		inst_start(w, x);
		return;
	}
	for (size_t i = 0; i < x->ncerts; i++)
		if (x->certs[i].disk)
			dbft_replay_cert(&x->s, &x->certs[i].c);
	for (; x->read < x->records; x->read++)
		if (dbft_replay(&x->s, &x->journal[x->read]) != 0)
			fail(w, "instance %u can't follow its journal",
			    inst_index(w, x));
}

/* ---- stepping -------------------------------------------------------- */

static void
wake_later(struct world *w, struct inst *x, int64_t at)
{
	if (at == x->wake_ms)
		return;
	x->wake_ms = at;
	if (at != DBFT_NEVER && !w->manual)
		event_add(w, at - x->skew_ms - EPOCH_MS, E_WAKE,
		    inst_index(w, x));
}

/* Keep a vote for the other processes of the node, and wake the active one. */
static void
keep_heard(struct world *w, struct inst *x, const struct dbft *s,
    const struct dbft_input *in)
{
	const struct dbft_signed *v = &in->vote;
	int64_t at = local_ms(w, x) + 1 + (int64_t)rnd(w, 5);

	if ((in->kind != DBFT_IN_PROPOSAL && in->kind != DBFT_IN_PREPARE &&
	    in->kind != DBFT_IN_COMMIT) || v->signer == x->me ||
	    v->msg.height != x->head + 1 || x->nheard == HEARD ||
	    !dbft_msg_eq(&s->seen[v->signer][v->msg.kind], &v->msg))
		return;
	for (size_t i = 0; i < x->nheard; i++)
		if (x->heard[i].signer == v->signer &&
		    dbft_msg_eq(&x->heard[i].msg, &v->msg))
			return;
	x->heard[x->nheard++] = *v;
	if (at < x->wake_ms)
		wake_later(w, x, at);
}

/* One step and what it asks for.  False: the state is of no use any more. */
static bool
run(struct world *w, struct inst *x, struct dbft *s, struct dbft_input *in,
    bool passive)
{
	struct dbft_input next = { .kind = DBFT_IN_CANDIDATE };
	struct dbft_actions out;
	bool wanted = false;

	in->now_ms = local_ms(w, x);
	dbft_step(s, in, &out);
	if (w->pbft && passive)
		keep_heard(w, x, s, in);
	if (!act_all(w, x, s, &out, in->peer, passive)) {
		if (x->up && !passive)
			inst_start(w, x);
		return false;
	}
	if (!passive) {
		x->read = x->records;
		wake_later(w, x, out.wake_ms);
	}
	for (size_t i = 0; i < out.n; i++)
		if (out.a[i].kind == DBFT_ACT_CANDIDATE) {
			wanted = true;
			next.view = out.a[i].view;
		}
	if (wanted && x->work_ms >= 0 && w->failure[0] == '\0') {
		next.block = block_id(new_block(w, s->height, true));
		add_body(x->body, &next.block);
		next.peer = DBFT_NOBODY;
		return run(w, x, s, &next, false);
	}
	if (s->done && !passive)
		inst_start(w, x);
	return !s->done;
}

/* ---- messages -------------------------------------------------------- */

/* Are these the signatures that they say they are? */
static bool
verify(const struct world *w, const struct packet *p)
{
	bool has_vote = p->in != DBFT_IN_PREPARED && p->in != DBFT_IN_FINAL;

	if (has_vote && !is_signed(w, p->vote.signer, &p->vote.msg))
		return false;
	if (p->cert.signers != 0 && !cert_is_true(w, &p->cert,
	    p->in == DBFT_IN_FINAL ? DBFT_COMMIT : DBFT_PREPARE))
		return false;
	for (size_t i = 0; i < p->n; i++)
		if (!is_signed(w, p->along[i].signer, &p->along[i].msg) ||
		    (p->along_cert[i].signers != 0 &&
		    !cert_is_true(w, &p->along_cert[i], DBFT_PREPARE)))
			return false;
	return true;
}

/* A body comes with whatever names a block, but for bare votes and prepare
 * certificates; it is kept if it is a block for our next height. */
static void
take_body(const struct world *w, struct inst *x, const struct hash *block)
{
	unsigned i = block_index(block);

	if (i < w->nblocks && w->block[i].valid &&
	    w->block[i].height == x->head + 1)
		add_body(x->body, block);
}

/* The driver keeps the note of a certificate once the core could use it. */
static void
take_cert(const struct world *w, struct inst *x, const struct dbft_cert *c)
{
	unsigned have = 0;

	for (unsigned i = 0; i < w->n; i++)
		have += (unsigned)(c->signers >> i & 1);
	if (c->signers != 0 && have >= dbft_quorum(w->n) &&
	    has_body(x->body, &c->block))
		learn_cert(x, c);
}

static bool
input_change(struct world *w, struct inst *x, struct dbft *s,
    const struct dbft_signed *v, const struct dbft_cert *c, unsigned peer,
    bool passive)
{
	struct dbft_input in = { .kind = DBFT_IN_CHANGE };

	if (c->signers != 0)
		take_body(w, x, &c->block);
	take_cert(w, x, c);
	in.vote = *v;
	in.cert = *c;
	in.peer = peer;
	in.valid = c->signers != 0 && has_body(x->body, &c->block);
	return run(w, x, s, &in, passive);
}

static bool
input_other(struct world *w, struct inst *x, struct dbft *s,
    const struct packet *p, unsigned peer, bool passive)
{
	struct dbft_input in = { .kind = p->in };

	if (p->in == DBFT_IN_PROPOSAL)
		take_body(w, x, &p->vote.msg.block);
	if (p->in != DBFT_IN_FINAL)
		take_cert(w, x, &p->cert);
	in.vote = p->vote;
	in.cert = p->cert;
	in.peer = peer;
	in.valid = has_body(x->body, p->in == DBFT_IN_PREPARED ?
	    &p->cert.block : &p->vote.msg.block);
	in.changes = p->along;
	in.nchanges = p->n;
	return run(w, x, s, &in, passive);
}

static void
feed(struct world *w, struct inst *x, struct dbft *s,
    const struct packet *p, bool passive)
{
	unsigned peer = p->answer || p->kind == P_PUSH ? DBFT_NOBODY : p->from;

	if (p->in != DBFT_IN_CHANGE) {
		input_other(w, x, s, p, peer, passive);
		return;
	}
	for (size_t i = 0; i < p->n; i++)
		if (!input_change(w, x, s, &p->along[i], &p->along_cert[i],
		    DBFT_NOBODY, passive))
			return;
	input_change(w, x, s, &p->vote, &p->cert, peer, passive);
}

/* A process for one request: all that it knows is on disk. */
static void
serve(struct world *w, struct inst *x, const struct packet *p)
{
	static struct dbft s;
	uint64_t before[BLOCKS / 64];
	uint64_t head = x->head;
	size_t keep = 0;

	memcpy(before, x->body, sizeof(before));
	restore(w, x, &s, true);
	if (give_work(w, x, &s, true))
		feed(w, x, &s, p, true);
	if (x->head != head)
		return;
	for (size_t i = 0; i < BLOCKS / 64; i++)
		x->body[i] = before[i] | x->body_disk[i];
	for (size_t i = 0; i < x->ncerts; i++)
		if (x->certs[i].disk || has_body(before, &x->certs[i].c.block))
			x->certs[keep++] = x->certs[i];
	x->ncerts = keep;
}

static void
answer_fetch(struct world *w, struct inst *x, const struct packet *p)
{
	struct packet q = { .in = DBFT_IN_FINAL, .from = x->me,
	    .answer = !p->answer };

	for (uint64_t h = p->height; h <= x->head && h < p->height + 8; h++) {
		q.cert = x->chain[h];
		net_send(w, &q, inst_index(w, x), p->from);
	}
}

void
inst_deliver(struct world *w, struct inst *x, const struct packet *p)
{
	if (!x->up || x->role == FAULTY)
		return;
	if (p->kind == P_FETCH) {
		answer_fetch(w, x, p);
		return;
	}
	if (!verify(w, p))
		return;
	/* Blocks below the next height are known, above it they must wait. */
	if (p->in == DBFT_IN_FINAL && p->cert.height <= x->head)
		return;
	if (w->pipes && !p->answer && p->kind != P_PUSH) {
		serve(w, x, p);
		return;
	}
	if (x->alone)
		return;
	refresh(w, x);
	if (x->up)
		feed(w, x, &x->s, p, false);
}

void
inst_wake(struct world *w, struct inst *x)
{
	struct dbft_input in = { .kind = DBFT_IN_TICK, .peer = DBFT_NOBODY };

	if (!x->up || x->alone || x->wake_ms > local_ms(w, x))
		return;
	x->wake_ms = DBFT_NEVER;
	refresh(w, x);
	if (x->up && run(w, x, &x->s, &in, false))
		hear(w, x);
}

void
inst_work(struct world *w, struct inst *x)
{
	if (x->work_ms >= 0)
		return;
	x->work_ms = local_ms(w, x);
	if (!x->up || x->alone)
		return;
	refresh(w, x);
	if (x->up)
		give_work(w, x, &x->s, false);
}

void
inst_active(struct world *w, struct inst *x, bool active)
{
	x->alone = !active;
	x->s.height = 0;
	x->wake_ms = DBFT_NEVER;
	if (active && x->up)
		inst_start(w, x);
}

void
inst_sync(struct world *w, struct inst *x)
{
	struct packet p = { .kind = P_FETCH, .from = x->me,
	    .height = x->head + 1 };

	if (x->up)
		for (unsigned i = 0; i < w->n; i++)
			if (i != x->me)
				net_send(w, &p, inst_index(w, x), i);
}

/* ---- ends ------------------------------------------------------------ */

void
inst_crash(struct world *w, struct inst *x)
{
	size_t keep = 0;

	trace(w, "%u: CRASH", inst_index(w, x));
	x->up = false;
	x->s.height = 0;
	x->wake_ms = DBFT_NEVER;
	/* Of what was not synced, some may be there, or torn, and dropped. */
	if (x->records > x->synced)
		x->records = x->synced +
		    rnd(w, x->records - x->synced + 1);
	x->synced = x->records;
	for (size_t i = 0; i < x->ncerts; i++)
		if (x->certs[i].disk)
			x->certs[keep++] = x->certs[i];
	x->ncerts = keep;
	memcpy(x->body, x->body_disk, sizeof(x->body));
	/* Nobody waits for what was heard to be on disk. */
	if (x->nheard > 0)
		x->nheard = rnd(w, x->nheard + 1);
	event_add(w, w->now + 1 + (int64_t)rnd(w, 8 * BASE_MS), E_RESTART,
	    inst_index(w, x));
}

/* What is safe to assume after asking 2f + 1 others how far they are. */
static uint64_t
floor_by_asking(struct world *w, const struct inst *x)
{
	uint64_t best = x->head;
	unsigned start = (unsigned)rnd(w, w->n), asked = 0;

	for (unsigned i = 0; i < w->n && asked < 2 * w->f + 1; i++) {
		unsigned who = (start + i) % w->n;

		if (who == x->me)
			continue;
		asked++;
		for (unsigned k = 0; k < w->ninst; k++)
			if (w->inst[k].me == who &&
			    w->inst[k].role == HONEST &&
			    w->inst[k].head > best)
				best = w->inst[k].head;
	}
	return dbft_floor_after_loss(best);
}

/* The journal is gone, perhaps with everything; x is down. */
void
inst_amnesia(struct world *w, struct inst *x, bool blocks_too)
{
	trace(w, "%u: AMNESIA%s", inst_index(w, x),
	    blocks_too ? ", blocks too" : "");
	x->records = x->synced = x->first = x->nheard = 0;
	x->ncerts = 0;
	memset(x->body, 0, sizeof(x->body));
	memset(x->body_disk, 0, sizeof(x->body_disk));
	if (blocks_too && w->n > 1)
		x->head = rnd(w, x->head + 1);
	x->floor = floor_by_asking(w, x);
}
