/*
 * schedules: orders of messages that have broken other protocols, or would
 * break this one if a rule were missing; for either engine.  Delegates are A B
 * C D = 0 1 2 3; at height 1 they speak in the order B (view 0), A (1), D (2),
 * C (3), B (4).
 */
#include <stdio.h>

#include "t/sim/sim.h"

#define A 0u
#define B 1u
#define C 2u
#define D 3u
#define BIT(x) (UINT64_C(1) << (x))

static void
begin(struct world *w, uint64_t faulty)
{
	world_init(w, 1, 4);
	w->manual = true;
	w->bad = faulty;
	for (unsigned i = 0; i < w->n; i++) {
		struct inst *x = &w->inst[i];

		if ((faulty >> i & 1) != 0) {
			x->role = FAULTY;
			x->up = false;
			continue;
		}
		x->work_ms = local_ms(w, x);
		inst_start(w, x);
	}
}

static void
expect(struct world *w, bool cond, const char *what)
{
	if (!cond)
		fail(w, "it is not so that %s", what);
}

/* The oldest packet of this kind under way from one to the other; PACKETS if
 * there is none. */
static unsigned
oldest(const struct world *w, enum dbft_in kind, unsigned from, unsigned to)
{
	unsigned best = PACKETS;

	for (unsigned i = 0; i < PACKETS; i++) {
		const struct packet *p = &w->packet[i];

		if (w->used[i] && p->kind == P_INPUT && p->in == kind &&
		    p->from == from && p->to == to &&
		    (best == PACKETS || p->seq < w->packet[best].seq))
			best = i;
	}
	return best;
}

static void
deliver(struct world *w, unsigned i)
{
	struct packet p = w->packet[i];

	net_free(w, i);
	trace(w, "%u > %u: %s", p.from, p.to, show_packet(&p));
	inst_deliver(w, &w->inst[p.to], &p);
}

/* Deliver all of this kind that is under way from one to the other. */
static void
pass(struct world *w, enum dbft_in kind, unsigned from, unsigned to)
{
	unsigned i, n = 0;

	while ((i = oldest(w, kind, from, to)) < PACKETS && n++ < 50)
		deliver(w, i);
	expect(w, n > 0, "there is a message to pass");
}

/* One sees the certificate that these prepares make: the speaker shows it, or
 * it hears each. */
static void
certify(struct world *w, unsigned speaker, uint64_t prepares, unsigned to)
{
	if (!w->pbft)
		pass(w, DBFT_IN_PREPARED, speaker, to);
	for (unsigned i = 0; w->pbft && i < w->n; i++)
		if ((prepares >> i & 1) != 0 && i != to && i != speaker)
			pass(w, DBFT_IN_PREPARE, i, to);
}

static void
lose_all(struct world *w)
{
	for (unsigned i = 0; i < PACKETS; i++)
		if (w->used[i])
			net_free(w, i);
}

/* These find that their view has lasted too long. */
static void
expire(struct world *w, uint64_t who)
{
	w->now += 2 * CAP_MS;
	for (unsigned i = 0; i < w->n; i++)
		if ((who >> i & 1) != 0)
			inst_wake(w, &w->inst[i]);
}

/* From now on these hear each other, and only each other; they make the block
 * of `height` within a bounded number of rounds. */
static void
settle(struct world *w, uint64_t who, uint64_t height)
{
	for (unsigned round = 0; round < 12; round++) {
		bool done = true, any = true;

		while (any && w->failure[0] == '\0') {
			any = false;
			for (unsigned i = 0; i < PACKETS; i++) {
				const struct packet *p = &w->packet[i];

				if (!w->used[i])
					continue;
				if ((who >> p->from & who >> p->to & 1) == 0)
					net_free(w, i);
				else
					deliver(w, i);
				any = true;
			}
		}
		for (unsigned i = 0; i < w->n; i++)
			if ((who >> i & 1) != 0)
				done = done && w->inst[i].head >= height;
		if (done)
			return;
		expire(w, who);
	}
	fail(w, "the rest of them halts for ever");
}

/* D, whose key the schedule has, signs and shows something to one. */
static struct dbft_signed
sign(struct world *w, enum dbft_kind kind, uint32_t view,
    const struct hash *block)
{
	struct dbft_signed v;

	memset(&v, 0, sizeof(v));
	v.signer = D;
	v.msg.kind = kind;
	v.msg.height = 1;
	v.msg.view = view;
	if (block != NULL)
		v.msg.block = *block;
	check_signed(w, D, &v.msg);
	return v;
}

static void
show(struct world *w, unsigned to, enum dbft_in kind, struct dbft_signed v)
{
	struct packet p = { .in = kind, .from = D, .to = to, .vote = v };

	trace(w, "D > %u: %s", to, show_packet(&p));
	inst_deliver(w, &w->inst[to], &p);
}

static void
show_change(struct world *w, unsigned to, uint32_t view)
{
	show(w, to, DBFT_IN_CHANGE, sign(w, DBFT_CHANGE, view, NULL));
}

/* View 0 up to the certificate, which B, the speaker, keeps to itself. */
static void
b_commits_alone(struct world *w)
{
	pass(w, DBFT_IN_PROPOSAL, B, A);
	pass(w, DBFT_IN_PROPOSAL, B, C);
	pass(w, DBFT_IN_PREPARE, A, B);
	pass(w, DBFT_IN_PREPARE, C, B);
	expect(w, w->inst[B].s.seen[B][DBFT_COMMIT].kind == DBFT_COMMIT,
	    "B has committed");
}

/* dBFT 2.0: A and B have committed and are locked, C has left, D is dead. */
static void
lock_of_commits(struct world *w)
{
	begin(w, 0);
	b_commits_alone(w);
	certify(w, B, BIT(A) | BIT(C), A);
	lose_all(w);
	expire(w, BIT(C));
	settle(w, BIT(A) | BIT(B) | BIT(C), 1);
	expect(w, block_index(&w->final[1]) == 0, "the block is the first");
}

/* dBFT 2.0: B is locked on X in view 0, A and C on Y in view 1, D is dead. */
static void
lock_of_two_views(struct world *w)
{
	begin(w, 0);
	b_commits_alone(w);
	lose_all(w);
	expire(w, BIT(A) | BIT(C) | BIT(D));
	pass(w, DBFT_IN_CHANGE, C, A);
	pass(w, DBFT_IN_CHANGE, D, A);
	pass(w, DBFT_IN_PROPOSAL, A, C);
	pass(w, DBFT_IN_PROPOSAL, A, D);
	pass(w, DBFT_IN_PREPARE, C, A);
	pass(w, DBFT_IN_PREPARE, D, A);
	certify(w, A, BIT(C) | BIT(D), C);
	lose_all(w);
	settle(w, BIT(A) | BIT(B) | BIT(C), 1);
	expect(w, block_index(&w->final[1]) == 1, "the block is the second");
}

/*
 * Three stages, of which the view change knows nothing of the third: B alone
 * sees the block become final, and the others go on to the next view.
 */
static void
fork_after_commit(struct world *w)
{
	begin(w, 0);
	b_commits_alone(w);
	certify(w, B, BIT(A) | BIT(C), A);
	certify(w, B, BIT(A) | BIT(C), C);
	pass(w, DBFT_IN_PROPOSAL, B, D);
	pass(w, DBFT_IN_COMMIT, A, B);
	pass(w, DBFT_IN_COMMIT, C, B);
	expect(w, w->inst[B].head == 1, "the block is final for B");
	lose_all(w);
	settle(w, BIT(A) | BIT(C) | BIT(D), 1);
	expect(w, block_index(&w->final[1]) == 0, "all have B's block");
}

/* The same, and the certificate overtakes the change-views: C and D have said
 * that they hold nothing, so they must not commit in view 0 any more. */
static void
fork_of_late_commits(struct world *w)
{
	begin(w, 0);
	b_commits_alone(w);
	pass(w, DBFT_IN_PROPOSAL, B, D);
	expire(w, BIT(C) | BIT(D));
	certify(w, B, BIT(A) | BIT(C), C);
	certify(w, B, BIT(A) | BIT(C), D);
	expect(w, w->inst[C].s.seen[C][DBFT_COMMIT].kind == DBFT_NONE &&
	    w->inst[D].s.seen[D][DBFT_COMMIT].kind == DBFT_NONE,
	    "C and D vote for nothing in the view they have left");
	lose_all(w);
	settle(w, BIT(A) | BIT(C) | BIT(D), 1);
	settle(w, BIT(A) | BIT(B) | BIT(C) | BIT(D), 1);
}

/* D proposes block again in view 2, with the change-views of B, C and D. */
static void
d_proposes(struct world *w, const struct hash *block)
{
	struct packet p = { .in = DBFT_IN_PROPOSAL, .from = D };
	const struct dbft *s = &w->inst[B].s;

	p.vote = sign(w, DBFT_PREPARE, 2, block);
	p.cert = s->high;
	p.n = 3;
	p.along[0] = (struct dbft_signed){ B, s->seen[B][DBFT_CHANGE] };
	p.along[1] = (struct dbft_signed){ C,
	    w->inst[C].s.seen[C][DBFT_CHANGE] };
	p.along[2] = sign(w, DBFT_CHANGE, 2, NULL);
	for (p.to = B; p.to <= C; p.to++) {
		trace(w, "D > %u: %s", p.to, show_packet(&p));
		inst_deliver(w, &w->inst[p.to], &p);
	}
}

/* B@0 and C@2 commit to X, A@1 to Y, with D's help. */
static void
spread_commits(struct world *w, struct hash *x, struct hash *y)
{
	struct packet p = { .in = DBFT_IN_PREPARED, .from = D, .to = C };

	b_commits_alone(w);
	*x = w->inst[B].s.high.block;
	lose_all(w);
	expire(w, BIT(A) | BIT(C));
	pass(w, DBFT_IN_CHANGE, C, A);
	pass(w, DBFT_IN_CHANGE, C, B);
	show_change(w, A, 1);
	show_change(w, B, 1);
	pass(w, DBFT_IN_PROPOSAL, A, C);
	pass(w, DBFT_IN_PREPARE, C, A);
	*y = w->inst[A].s.seen[A][DBFT_PREPARE].block;
	show(w, A, DBFT_IN_PREPARE, sign(w, DBFT_PREPARE, 1, y));
	expect(w, w->inst[A].s.high.view == 1, "A has committed to Y");
	lose_all(w);
	expire(w, BIT(B) | BIT(C));
	d_proposes(w, x);
	p.cert = (struct dbft_cert){ 1, 2, *x, BIT(B) | BIT(C) | BIT(D) };
	inst_deliver(w, &w->inst[C], &p);
	expect(w, w->inst[C].s.high.view == 2, "C has committed to X");
	lose_all(w);
}

/*
 * B commits to X in view 0, A to Y in view 1, C to X in view 2; then A, B and
 * D can certify Y in view 4.  X must not become final from B@0, C@2 and D.
 */
static void
mixed_views(struct world *w)
{
	struct hash x, y;

	begin(w, BIT(D));
	spread_commits(w, &x, &y);
	for (uint32_t v = 2; v <= 4; v++) {
		expire(w, BIT(A) | BIT(B));
		pass(w, DBFT_IN_CHANGE, A, B);
		pass(w, DBFT_IN_CHANGE, B, A);
		show_change(w, A, v);
		show_change(w, B, v);
		if (w->inst[A].s.view == 3 && w->inst[B].s.view == 3)
			lose_all(w);
	}
	while (w->inst[B].s.view < 4 && w->failure[0] == '\0') {
		expire(w, BIT(A) | BIT(B));
		pass(w, DBFT_IN_CHANGE, A, B);
		show_change(w, B, 4);
	}
	show(w, C, DBFT_IN_COMMIT, (struct dbft_signed){ B,
	    { DBFT_COMMIT, 1, 0, false, 0, x } });
	show(w, C, DBFT_IN_COMMIT, sign(w, DBFT_COMMIT, 2, &x));
	expect(w, w->inst[C].head == 0, "X is not final");
	pass(w, DBFT_IN_PROPOSAL, B, A);
	pass(w, DBFT_IN_PREPARE, A, B);
	show(w, B, DBFT_IN_PREPARE, sign(w, DBFT_PREPARE, 4, &y));
	if (w->pbft)
		show(w, A, DBFT_IN_PREPARE, sign(w, DBFT_PREPARE, 4, &y));
	else
		pass(w, DBFT_IN_PREPARED, B, A);
	pass(w, DBFT_IN_COMMIT, A, B);
	show(w, B, DBFT_IN_COMMIT, sign(w, DBFT_COMMIT, 4, &y));
	expect(w, w->inst[B].head == 1 && hash_eq(&w->final[1], &y),
	    "Y is final");
	settle(w, BIT(A) | BIT(B) | BIT(C), 1);
}

/*
 * B alone sees height 1 become final, signs at height 2, and loses its disk.
 * The others are still at height 1, so what B has signed is two above them.
 */
static void
lost_disk(struct world *w)
{
	begin(w, 0);
	b_commits_alone(w);
	certify(w, B, BIT(A) | BIT(C), A);
	certify(w, B, BIT(A) | BIT(C), C);
	pass(w, DBFT_IN_COMMIT, A, B);
	pass(w, DBFT_IN_COMMIT, C, B);
	inst_work(w, &w->inst[B]);
	expire(w, BIT(B));
	expect(w, w->inst[B].s.height == 2 && w->inst[B].s.view == 1,
	    "B has signed at height 2");
	lose_all(w);
	inst_crash(w, &w->inst[B]);
	w->inst[B].head = 0;
	inst_amnesia(w, &w->inst[B], false);
	w->inst[B].up = true;
	w->inst[B].work_ms = -1;
	inst_start(w, &w->inst[B]);
	settle(w, BIT(A) | BIT(C) | BIT(D), 1);
	inst_sync(w, &w->inst[B]);
	settle(w, BIT(A) | BIT(B) | BIT(C) | BIT(D), 1);
	for (unsigned i = 0; i < w->n; i++)
		inst_work(w, &w->inst[i]);
	pass(w, DBFT_IN_PROPOSAL, C, B);
	pass(w, DBFT_IN_PROPOSAL, C, A);
	pass(w, DBFT_IN_PROPOSAL, C, D);
	pass(w, DBFT_IN_PREPARE, A, C);
	pass(w, DBFT_IN_PREPARE, D, C);
	certify(w, C, BIT(A) | BIT(D), B);
	expire(w, BIT(B));
	expect(w, w->inst[B].records == 0, "B is silent at height 2");
	settle(w, BIT(A) | BIT(B) | BIT(C) | BIT(D), 2);
	for (unsigned i = 0; i < w->n; i++)
		inst_work(w, &w->inst[i]);
	settle(w, BIT(A) | BIT(B) | BIT(C), 3);
	expect(w, w->inst[B].records > 0, "B votes again at height 3");
}

/* For so long these hear each other, and make a block in this view. */
static void
finish(struct world *w, uint64_t who, uint32_t view, int64_t ms)
{
	for (int64_t end = w->now + ms; w->now < end; w->now += 10)
		for (unsigned i = 0; i < PACKETS; i++) {
			const struct packet *p = &w->packet[i];

			if (i < w->ninst && (who >> i & 1) != 0)
				inst_wake(w, &w->inst[i]);
			if (w->used[i] && (who >> p->from & 1) != 0 &&
			    (who >> p->to & 1) != 0)
				deliver(w, i);
		}
	for (unsigned i = 0; i < w->n; i++)
		if ((who >> i & 1) != 0)
			expect(w, w->inst[i].head == 1 &&
			    w->inst[i].chain[1].view == view,
			    "all have the block in time");
}

/* All are well: no timer is needed for a block. */
static void
without_waiting(struct world *w)
{
	for (int pipes = 0; pipes < 2 && w->failure[0] == '\0'; pipes++) {
		begin(w, 0);
		w->pipes = pipes == 1;
		finish(w, BIT(A) | BIT(B) | BIT(C) | BIT(D), 0, BASE_MS / 5);
	}
}

/* The speaker of view 0 is dead: nor in view 1. */
static void
without_speaker(struct world *w)
{
	for (int pipes = 0; pipes < 2 && w->failure[0] == '\0'; pipes++) {
		begin(w, BIT(B));
		w->pipes = pipes == 1;
		expire(w, BIT(A) | BIT(C) | BIT(D));
		finish(w, BIT(A) | BIT(C) | BIT(D), 1, BASE_MS / 5);
	}
}

/* PBFT: B proposes and dies, and all prepares are lost; the others need no
 * other view. */
static void
lost_prepares(struct world *w)
{
	for (int pipes = 0; pipes < 2 && w->failure[0] == '\0'; pipes++) {
		if (!w->pbft)
			return;
		begin(w, 0);
		w->pipes = pipes == 1;
		pass(w, DBFT_IN_PROPOSAL, B, A);
		pass(w, DBFT_IN_PROPOSAL, B, C);
		pass(w, DBFT_IN_PROPOSAL, B, D);
		lose_all(w);
		finish(w, BIT(A) | BIT(C) | BIT(D), 0, BASE_MS / 2);
	}
}

static bool
run_all(struct world *w)
{
	static const struct {
		void (*run)(struct world *);
		const char *name;
	} all[] = {
		{ lock_of_commits, "commits that lock" },
		{ lock_of_two_views, "commits that lock in two views" },
		{ fork_after_commit, "final for one delegate" },
		{ fork_of_late_commits, "a late certificate" },
		{ mixed_views, "commits of several views" },
		{ lost_disk, "a lost disk" },
		{ without_waiting, "all is well" },
		{ without_speaker, "a dead speaker" },
		{ lost_prepares, "lost prepares" }
	};
	const char *engine = w->pbft ? "PBFT" : "dBFT";
	char why[256];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		w->now = 0;
		trace(w, "SCHEDULE: %s, %s", all[i].name, engine);
		all[i].run(w);
		if (w->failure[0] == '\0')
			continue;
		snprintf(why, sizeof(why), "%s", w->failure);
		snprintf(w->failure, sizeof(w->failure), "schedule \"%s\", "
		    "%s: %.180s", all[i].name, engine, why);
		return false;
	}
	return true;
}

bool
schedules_run(struct world *w)
{
	for (int pbft = 0; pbft < 2; pbft++) {
		if (w->only_engine != NULL &&
		    (w->only_engine[0] == 'p') != (pbft == 1))
			continue;
		w->pbft = pbft == 1;
		if (!run_all(w))
			return false;
	}
	return true;
}
