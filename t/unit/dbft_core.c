#include "dbft/core.h"

#include "t/unit/check.h"

#define BIT(i) (UINT64_C(1) << (i))

static struct dbft s;
static struct dbft_actions out;
static int64_t now;

static struct hash
block(unsigned char i)
{
	struct hash h;

	memset(h.b, i, sizeof(h.b));
	return h;
}

/* Delegate me of n begins height 5, whose first speaker is 5 mod n. */
static void
begin(unsigned n, unsigned me, bool passive)
{
	struct dbft_config c = {
		.n = n, .me = me, .passive = passive, .timeout_ms = 1000,
		.timeout_max_ms = 6000, .resend_ms = 100, .skip_ms = 50,
		.late_ms = 200, .again_ms = 20
	};

	now = 10000;
	dbft_init(&s, &c, 5, 0, now);
}

static void
step(struct dbft_input in)
{
	in.now_ms = now;
	dbft_step(&s, &in, &out);
}

static void
bare(enum dbft_in kind)
{
	step((struct dbft_input){ .kind = kind, .peer = DBFT_NOBODY,
	    .since_ms = now });
}

static struct dbft_signed
vote(unsigned signer, enum dbft_kind kind, uint32_t view, unsigned char b)
{
	struct dbft_signed v = { signer, { kind, 5, view, false, 0,
	    block(b) } };

	return v;
}

static struct dbft_signed
change(unsigned signer, uint32_t view)
{
	return vote(signer, DBFT_CHANGE, view, 0);
}

static void
message(enum dbft_in kind, struct dbft_signed v, unsigned peer)
{
	step((struct dbft_input){ .kind = kind, .peer = peer, .vote = v,
	    .valid = true });
}

static void
certificate(enum dbft_in kind, uint32_t view, unsigned char b,
    uint64_t signers, unsigned peer)
{
	step((struct dbft_input){ .kind = kind, .peer = peer, .valid = true,
	    .cert = { 5, view, block(b), signers } });
}

/* Action i is of this kind and for these. */
static bool
acts(size_t i, enum dbft_act kind, uint64_t to)
{
	return i < out.n && out.a[i].kind == kind && out.a[i].to == to;
}

static bool
votes(size_t i, enum dbft_kind kind, uint32_t view, uint64_t to)
{
	return acts(i, DBFT_ACT_VOTE, to) && out.a[i].msg.kind == kind &&
	    out.a[i].msg.height == 5 && out.a[i].msg.view == view;
}

static void
numbers(void)
{
	static const unsigned f[] = { 0, 0, 0, 1, 1, 1, 2, 2, 2, 3 };

	for (unsigned n = 1; n <= 10; n++) {
		CHECK(dbft_faulty(n) == f[n - 1]);
		CHECK(dbft_quorum(n) == n - f[n - 1]);
	}
	CHECK(dbft_quorum(64) == 43);
	CHECK(dbft_speaker(5, 0, 4) == 1);
	CHECK(dbft_speaker(5, 1, 4) == 0);
	CHECK(dbft_speaker(5, 2, 4) == 3);
	CHECK(dbft_speaker(0, 1, 4) == 3);
	CHECK(dbft_speaker(3, 999999, 7) == (3 + 7 * 142857 - 999999) % 7);
	CHECK(dbft_floor_after_loss(7) == 9);
	CHECK(dbft_floor_after_loss(UINT64_MAX) == UINT64_MAX);
}

/* Speaker 1 of four. */
static void
speaker(void)
{
	begin(4, 1, false);
	bare(DBFT_IN_WORK);
	CHECK(out.n == 1 && acts(0, DBFT_ACT_CANDIDATE, 0));
	step((struct dbft_input){ .kind = DBFT_IN_CANDIDATE, .view = 0,
	    .block = block(9), .peer = DBFT_NOBODY });
	CHECK(out.n == 2 && votes(0, DBFT_PREPARE, 0, 0));
	CHECK(acts(1, DBFT_ACT_PROPOSE, 0xd) && out.a[1].cert.height == 0);
	CHECK(out.wake_ms == now + 100);
	message(DBFT_IN_PREPARE, vote(0, DBFT_PREPARE, 0, 9), DBFT_NOBODY);
	CHECK(out.n == 0);
	message(DBFT_IN_PREPARE, vote(2, DBFT_PREPARE, 0, 8), DBFT_NOBODY);
	message(DBFT_IN_PREPARE, vote(0, DBFT_PREPARE, 0, 9), DBFT_NOBODY);
	CHECK(out.n == 0);
	message(DBFT_IN_PREPARE, vote(3, DBFT_PREPARE, 0, 9), DBFT_NOBODY);
	CHECK(out.n == 2 && votes(0, DBFT_COMMIT, 0, 0));
	CHECK(out.a[0].cert.signers == 0xb);
	CHECK(acts(1, DBFT_ACT_PREPARED, 0xd));
	message(DBFT_IN_COMMIT, vote(0, DBFT_COMMIT, 0, 9), DBFT_NOBODY);
	message(DBFT_IN_COMMIT, vote(2, DBFT_COMMIT, 1, 9), DBFT_NOBODY);
	CHECK(out.n == 0);
	message(DBFT_IN_COMMIT, vote(3, DBFT_COMMIT, 0, 9), DBFT_NOBODY);
	CHECK(out.n == 1 && acts(0, DBFT_ACT_FINALISE, 0xd));
	CHECK(out.a[0].cert.signers == 0xb && out.a[0].cert.view == 0);
	CHECK(out.wake_ms == DBFT_NEVER);
}

/* Delegate 2 of four, in a process that answers. */
static void
delegate(void)
{
	begin(4, 2, true);
	message(DBFT_IN_PROPOSAL, vote(0, DBFT_PREPARE, 0, 9), 0);
	CHECK(out.n == 0);
	message(DBFT_IN_PROPOSAL, vote(1, DBFT_PREPARE, 0, 9), 1);
	CHECK(out.n == 1 && votes(0, DBFT_PREPARE, 0, BIT(1)));
	message(DBFT_IN_PROPOSAL, vote(1, DBFT_PREPARE, 0, 9), 1);
	CHECK(out.n == 1 && acts(0, DBFT_ACT_REPEAT, BIT(1)));
	message(DBFT_IN_PROPOSAL, vote(1, DBFT_PREPARE, 0, 8), 1);
	CHECK(out.n == 1 && acts(0, DBFT_ACT_EVIDENCE, 0));
	CHECK(out.a[0].signer == 1);
	certificate(DBFT_IN_PREPARED, 0, 9, 0x3, 1);
	CHECK(out.n == 0);
	certificate(DBFT_IN_PREPARED, 0, 9, 0x17, 1);
	CHECK(out.n == 0);
	certificate(DBFT_IN_PREPARED, 0, 9, 0x7, 1);
	CHECK(out.n == 1 && votes(0, DBFT_COMMIT, 0, BIT(1)));
	CHECK(out.wake_ms == DBFT_NEVER);
	certificate(DBFT_IN_FINAL, 0, 9, 0x5, 1);
	CHECK(out.n == 0);
	certificate(DBFT_IN_FINAL, 3, 9, 0x7, 1);
	CHECK(out.n == 1 && acts(0, DBFT_ACT_FINALISE, 0xb));
	message(DBFT_IN_CHANGE, change(0, 1), 0);
	CHECK(out.n == 1 && acts(0, DBFT_ACT_BLOCK, BIT(0)));
}

/* A change-view that claims a certificate, and the one that it claims. */
static void
change_with(unsigned signer, uint32_t view, uint32_t of, unsigned char b,
    uint64_t signers)
{
	struct dbft_input in = { .kind = DBFT_IN_CHANGE, .peer = DBFT_NOBODY,
	    .valid = true };

	in.vote = vote(signer, DBFT_CHANGE, view, b);
	in.vote.msg.prepared = true;
	in.vote.msg.prepared_view = of;
	in.cert = (struct dbft_cert){ 5, of, block(b), signers };
	step(in);
}

/* Speaker 0 of view 1 gathers change-views, and takes the certified block. */
static void
view_change(void)
{
	begin(4, 0, false);
	bare(DBFT_IN_WORK);
	CHECK(out.n == 0 && dbft_deadline(&s) == now + 1000);
	now += 999;
	bare(DBFT_IN_TICK);
	CHECK(out.n == 0);
	now++;
	bare(DBFT_IN_TICK);
	CHECK(out.n == 1 && votes(0, DBFT_CHANGE, 1, 0xe));
	CHECK(!out.a[0].msg.prepared && !s.entered);
	CHECK(dbft_deadline(&s) == DBFT_NEVER);
	message(DBFT_IN_CHANGE, change(3, 1), 3);
	CHECK(out.n == 1 && acts(0, DBFT_ACT_REPEAT, BIT(3)));
	/* Without its certificate, the claim counts for the clock only. */
	change_with(2, 1, 0, 9, 0x3);
	CHECK(out.n == 2 && acts(0, DBFT_ACT_ENTERED, 0));
	CHECK(acts(1, DBFT_ACT_REPEAT, 0xe) && out.a[1].changes == 0xc);
	CHECK(dbft_deadline(&s) == now + 2000);
	change_with(2, 1, 0, 9, 0xe);
	CHECK(out.n == 2 && votes(0, DBFT_PREPARE, 1, 0));
	CHECK(acts(1, DBFT_ACT_PROPOSE, 0xe) && out.a[1].changes == 0xd);
	CHECK(out.a[1].cert.height == 5 && out.a[1].cert.view == 0);
	CHECK(hash_eq(&out.a[1].msg.block, &out.a[1].cert.block));
	now += 2000;
	bare(DBFT_IN_TICK);
	CHECK(votes(0, DBFT_CHANGE, 2, 0xe) && out.a[0].msg.prepared);
	CHECK(out.a[0].cert.signers == 0xe);
	/* What it has left gets no vote. */
	certificate(DBFT_IN_PREPARED, 1, 9, 0x7, 1);
	CHECK(out.n == 1 && acts(0, DBFT_ACT_REPEAT, BIT(1)));
	CHECK(out.a[0].msg.kind == DBFT_CHANGE);
}

/* What proves a proposal in view 1 to delegate 2. */
static void
proposal_in_view_1(void)
{
	struct dbft_signed c[4] = { change(0, 1), change(1, 1), change(3, 1) };
	struct dbft_input in = { .kind = DBFT_IN_PROPOSAL, .peer = 0,
	    .valid = true, .vote = vote(0, DBFT_PREPARE, 1, 9),
	    .changes = c, .nchanges = 3 };

	begin(4, 2, true);
	in.nchanges = 2;
	step(in);
	CHECK(out.n == 0);
	in.nchanges = 3;
	c[2] = change(1, 1);
	step(in);
	CHECK(out.n == 0);
	c[2] = change(3, 2);
	step(in);
	CHECK(out.n == 0);
	c[2] = change(3, 1);
	c[2].msg.prepared = true;
	c[2].msg.block = block(9);
	step(in);
	CHECK(out.n == 0);
	in.cert = (struct dbft_cert){ 5, 0, block(9), 0xb };
	c[2].msg.block = block(8);
	step(in);
	CHECK(out.n == 0);
	c[2].msg.block = block(9);
	in.valid = false;
	step(in);
	CHECK(out.n == 0);
	in.valid = true;
	step(in);
	CHECK(out.n == 1 && votes(0, DBFT_PREPARE, 1, BIT(0)));
	CHECK(s.high.view == 0 && s.high.signers == 0xb);
	/* A certificate with a vote of ours that is not in our journal. */
	begin(4, 2, true);
	in.cert.signers = 0x7;
	step(in);
	CHECK(out.n == 1 && acts(0, DBFT_ACT_EVIDENCE, 0) &&
	    out.a[0].signer == 2 && !dbft_may_vote(&s));
}

static void
join(void)
{
	begin(7, 0, true);
	message(DBFT_IN_CHANGE, change(1, 4), DBFT_NOBODY);
	message(DBFT_IN_CHANGE, change(2, 9), DBFT_NOBODY);
	CHECK(out.n == 0);
	message(DBFT_IN_CHANGE, change(3, 3), 3);
	CHECK(out.n == 1 && votes(0, DBFT_CHANGE, 3, 0x7e));
	message(DBFT_IN_CHANGE, change(4, 2), 4);
	CHECK(out.n == 1 && acts(0, DBFT_ACT_REPEAT, BIT(4)));
	message(DBFT_IN_CHANGE, change(4, 5), DBFT_NOBODY);
	CHECK(votes(0, DBFT_CHANGE, 4, 0x7e));
}

static void
replay(void)
{
	struct dbft_record r[4] = {
		{ vote(2, DBFT_PREPARE, 0, 9).msg, 10100 },
		{ vote(2, DBFT_COMMIT, 0, 9).msg, 10200 },
		{ change(2, 1).msg, 11100 },
		{ { .kind = DBFT_NONE, .height = 5, .view = 1 }, 11200 }
	};
	struct dbft_cert c = { 5, 0, block(9), 0xb };

	r[2].msg.prepared = true;
	r[2].msg.block = block(9);
	begin(4, 2, true);
	dbft_replay_cert(&s, &c);
	for (int i = 0; i < 4; i++)
		CHECK(dbft_replay(&s, &r[i]) == 0);
	CHECK(s.view == 1 && s.entered && dbft_deadline(&s) == 13200);
	CHECK(dbft_replay(&s, &r[2]) == 0);
	CHECK(dbft_replay(&s, &r[0]) == -1);
	now = 12000;
	message(DBFT_IN_CHANGE, change(1, 2), 1);
	CHECK(out.n == 0);
	now = 13200;
	message(DBFT_IN_CHANGE, change(1, 2), 1);
	CHECK(out.n == 1 && votes(0, DBFT_CHANGE, 2, 0xb));
	CHECK(out.a[0].msg.prepared && out.a[0].cert.signers == 0xb);
	/* A certificate whose vote did not reach the disk. */
	begin(4, 2, false);
	c.view = 2;
	dbft_replay_cert(&s, &c);
	bare(DBFT_IN_WORK);
	CHECK(s.view == 2 && dbft_deadline(&s) == now + 4000);
	now += 4000;
	bare(DBFT_IN_TICK);
	CHECK(votes(0, DBFT_CHANGE, 3, 0xb));
	CHECK(out.a[0].msg.prepared_view == 2);
	/* A commit without the certificate that it was made on. */
	begin(4, 2, true);
	CHECK(dbft_replay(&s, &r[0]) == 0);
	CHECK(dbft_replay(&s, &r[1]) == -1);
	CHECK(dbft_replay(&s, &r[2]) == -1);
	/* A journal ahead of the blocks: silence until they are back. */
	begin(4, 2, true);
	r[0].msg.height = 8;
	CHECK(dbft_replay(&s, &r[0]) == 0);
	CHECK(s.floor == 7 && !dbft_may_vote(&s));
	message(DBFT_IN_PROPOSAL, vote(1, DBFT_PREPARE, 0, 9), 1);
	CHECK(out.n == 0);
	certificate(DBFT_IN_FINAL, 0, 9, 0xb, 1);
	CHECK(acts(0, DBFT_ACT_FINALISE, 0xb));
}

static void
own_key_elsewhere(void)
{
	begin(4, 2, true);
	message(DBFT_IN_PROPOSAL, vote(1, DBFT_PREPARE, 0, 9), 1);
	message(DBFT_IN_PREPARE, vote(2, DBFT_PREPARE, 0, 9), 1);
	CHECK(out.n == 0 && dbft_may_vote(&s));
	message(DBFT_IN_CHANGE, change(2, 1), 1);
	CHECK(out.n == 1 && acts(0, DBFT_ACT_EVIDENCE, 0));
	CHECK(out.a[0].signer == 2 && out.a[0].other.kind == DBFT_NONE);
	CHECK(!dbft_may_vote(&s));
}

static void
time_outs(void)
{
	struct dbft_record r = { change(2, 1).msg, 10000 };

	begin(4, 2, true);
	CHECK(dbft_deadline(&s) == DBFT_NEVER);
	bare(DBFT_IN_WORK);
	CHECK(dbft_deadline(&s) == 11000);
	dbft_away(&s, BIT(1));
	CHECK(dbft_deadline(&s) == 10050);
	/* It was not: we have voted for its block. */
	s.seen[2][DBFT_PREPARE] = vote(2, DBFT_PREPARE, 0, 9).msg;
	CHECK(dbft_deadline(&s) == 11000);
	s.seen[2][DBFT_PREPARE].kind = DBFT_NONE;
	/* Who answers, but missed its turn, has more time. */
	dbft_missed(&s, BIT(1));
	CHECK(dbft_deadline(&s) == 10050);
	dbft_away(&s, 0);
	CHECK(dbft_deadline(&s) == 10200);
	dbft_missed(&s, ~BIT(1));
	CHECK(dbft_deadline(&s) == 11000);
	dbft_missed(&s, 0);
	s.entered = true;
	for (uint32_t v = 1; v < 5; v++) {
		s.view = v;
		CHECK(dbft_deadline(&s) == 10000 + (v < 3 ? 1000 << v : 6000));
	}
	s.view = DBFT_VIEW_MAX;
	CHECK(dbft_deadline(&s) == DBFT_NEVER);
	/* A clock that was set back costs one time-out. */
	begin(4, 2, true);
	r.at_ms = 99000;
	CHECK(dbft_replay(&s, &r) == 0);
	s.entered = true;
	bare(DBFT_IN_TICK);
	CHECK(dbft_deadline(&s) == now + 2000);
}

/* Who leaves a view asks for the others' change-views again soon, and then
 * less and less often. */
static void
again(void)
{
	static const int64_t wait[] = { 20, 20, 40, 80, 100, 100 };

	begin(4, 0, false);
	bare(DBFT_IN_WORK);
	now += 1000;
	bare(DBFT_IN_TICK);
	CHECK(votes(0, DBFT_CHANGE, 1, 0xe));
	for (size_t i = 0; i < sizeof(wait) / sizeof(*wait); i++) {
		CHECK(out.wake_ms == now + wait[i]);
		now += wait[i] - 1;
		bare(DBFT_IN_TICK);
		CHECK(out.n == 0);
		now++;
		bare(DBFT_IN_TICK);
		CHECK(out.n == 1 && acts(0, DBFT_ACT_REPEAT, 0xe));
	}
	/* Also when the clock was set back. */
	now -= 500;
	bare(DBFT_IN_TICK);
	CHECK(out.n == 0 && out.wake_ms == now + 100);
	now += 100;
	bare(DBFT_IN_TICK);
	CHECK(out.n == 1 && out.wake_ms == now + 100);
}

/* What is not for us changes nothing, not even when to wake. */
static void
beside(void)
{
	struct dbft_signed v = vote(1, DBFT_PREPARE, 0, 9);

	begin(4, 2, false);
	bare(DBFT_IN_WORK);
	CHECK(out.wake_ms == now + 1);
	bare(DBFT_IN_TICK);
	CHECK(out.n == 0 && out.wake_ms == now + 100);
	v.signer = 4;
	message(DBFT_IN_PROPOSAL, v, 1);
	CHECK(out.n == 0 && out.wake_ms == now + 100);
	v.signer = 1;
	v.msg.height = 0;
	message(DBFT_IN_PROPOSAL, v, 1);
	CHECK(out.n == 0 && s.seen[1][DBFT_PREPARE].kind == DBFT_NONE);
	v.msg.height = 4;
	message(DBFT_IN_PROPOSAL, v, 1);
	CHECK(out.n == 1 && acts(0, DBFT_ACT_BLOCK, BIT(1)));
	v.msg.height = 6;
	message(DBFT_IN_PROPOSAL, v, DBFT_NOBODY);
	CHECK(out.n == 1 && acts(0, DBFT_ACT_CATCH_UP, BIT(1)));
	CHECK(out.a[0].height == 6);
	certificate(DBFT_IN_FINAL, 0, 9, 0x7 | BIT(4), 1);
	CHECK(out.n == 0 && !s.done);
}

static void
alone(void)
{
	begin(1, 0, false);
	bare(DBFT_IN_WORK);
	step((struct dbft_input){ .kind = DBFT_IN_CANDIDATE, .view = 0,
	    .block = block(9), .peer = DBFT_NOBODY });
	CHECK(out.n == 3 && votes(0, DBFT_PREPARE, 0, 0));
	CHECK(votes(1, DBFT_COMMIT, 0, 0) && acts(2, DBFT_ACT_FINALISE, 0));
}

/* The greatest set: every mask and every action has room. */
static void
sixty_four(void)
{
	begin(64, 5, false);
	bare(DBFT_IN_WORK);
	step((struct dbft_input){ .kind = DBFT_IN_CANDIDATE, .view = 0,
	    .block = block(9), .peer = DBFT_NOBODY });
	CHECK(acts(1, DBFT_ACT_PROPOSE, ~BIT(5)));
	for (unsigned i = 6; i < 47; i++)
		message(DBFT_IN_PREPARE, vote(i, DBFT_PREPARE, 0, 9), 64);
	CHECK(out.n == 0);
	message(DBFT_IN_PREPARE, vote(63, DBFT_PREPARE, 0, 9), 64);
	CHECK(out.n == 2 && acts(1, DBFT_ACT_PREPARED, ~BIT(5)));
	/* Everybody has signed something else, too. */
	certificate(DBFT_IN_PREPARED, 0, 8, UINT64_MAX & ~BIT(5), 64);
	CHECK(out.n > 8 && out.n <= DBFT_MAX_ACTIONS);
	CHECK(acts(0, DBFT_ACT_EVIDENCE, 0));
}

int
main(void)
{
	numbers();
	speaker();
	delegate();
	view_change();
	proposal_in_view_1();
	join();
	replay();
	own_key_elsewhere();
	time_outs();
	again();
	beside();
	alone();
	sixty_four();
	return check_done("dbft_core");
}
