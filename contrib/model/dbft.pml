/*
 * dbft: the voting rules of lib/dbft as a model for spin(1).
 *
 * One height, n = 4 delegates, f = 1, M = 3, two blocks, VIEWS views.  Three
 * delegates are honest; the fourth signs anything, and speaks in every view.
 * contrib/model/run checks it, and that it fails when a rule is taken away.
 *
 * Checked, in every state:
 *
 *   agreement	no two certificates of commits are for different blocks;
 *   one vote	an honest delegate signs one thing for a view and kind.
 *
 * WHAT IS LEFT OUT, AND WHY IT MAY BE
 *
 * Each simplification lets more happen than the code does, never less: what
 * holds here holds there.
 *
 *   Messages	What was ever signed stays in a pool, and anybody may act on
 *		any part of it at any time or never.  That is every order,
 *		delay, loss and repetition; and PBFT, where all count.
 *   The fourth	Its signature is on everything.  So a certificate exists as
 *		soon as M - 1 honest ones have voted.
 *   Speakers	A speaker is a delegate who prepares first (propose, in
 *		round.c) what all others check (proof_ok).  An honest one
 *		proposes one block for which the proof exists; here every
 *		block for which it exists is proposed, to whom it pleases.
 *   Time	Whoever likes to leaves its view at any time for any higher
 *		one.  That covers time-outs (change_timeout), joining f + 1
 *		others (join) and coming along with a vote (inner_vote).
 *   Crashes	Only what the journal holds is remembered: own votes and the
 *		certificates that they refer to (dbft_replay,
 *		dbft_replay_cert).  Of other certificates one may know, or not
 *		(or no longer).  So a crash at any point changes nothing here,
 *		and the core's `high` and `view` are not in the state.
 *   The end	Nobody stops when the block is final (round_finalise).
 *
 * Honest delegates have no names of their own here, so that they are sorted
 * after each step: states that differ in the order only are one.
 *
 * RULES THAT CAN BE TAKEN AWAY
 *
 * One at a time, by -D.  In brackets the same bug in lib/dbft/mutant.h.
 *
 *   MIXED	commits of several views count together (MIXED_VIEWS); this
 *		needs four views to do harm
 *   QUORUM2	two are a quorum (SMALL_QUORUM)
 *   SMALL_CERT	prepare certificates are not counted (SMALL_CERT)
 *   NO_REPROPOSE	delegates do not check what is proposed (ANY_PROPOSAL)
 *   UNPROVEN	a change-view needs no certificate (UNPROVEN_CLAIM)
 *   NO_CLAIM	a change-view hides the certificate (NO_CLAIM)
 *   FEW_CHANGES	two change-views are enough (FEW_CHANGES)
 *   OTHER_VIEW	change-views to an older view are let pass (OTHER_VIEW)
 *   OLD_VIEW	votes for a view that has been left (OLD_VIEW)
 *   FORGETFUL	a restart does not read the journal (FORGETFUL)
 *
 * ALTERNATE makes the fourth delegate offer X in even views and Y in odd ones,
 * nothing else: without equivocation, four views are few enough to search.
 *
 * And to show that something can happen at all:
 *
 *   NEVER_LATE	claims that no block becomes final in the last view;
 *   NEVER_TURN	claims that none does for which the view before had voted
 *		otherwise.
 */

#ifndef VIEWS
#define VIEWS 3				/* 2 to 4 */
#endif

#define X 0
#define Y 1

/* ---- the state: all that honest delegates have signed ------------------ */

/*
 * The journal of each honest delegate, and at the same time the messages that
 * there are.  Seven bits per view, in the order in which votes are allowed:
 *
 *   CHANGE	3 bits: 0, or NOTHING if the change-view to this view claims no
 *		certificate, or CLAIM(pv, b) for that of block b in view pv;
 *   PREPARE	2 bits: 0, or BLOCK(b);
 *   COMMIT	2 bits: 0, or BLOCK(b).
 */
int votes[3];

#define CHANGE 0
#define PREPARE 3
#define COMMIT 5
#define PLACE(kind, v) (7 * (v) + (kind))
#define SIGNED(i, kind, v) \
	(votes[i] >> PLACE(kind, v) & ((kind) == CHANGE -> 7 : 3))

#define BLOCK(b) ((b) + 1)
#define NOTHING 1
#define CLAIM(pv, b) (2 + 2 * (pv) + (b))
#define LEVEL(claim) ((claim) / 2)	/* 0 for NOTHING, else pv + 1 */

/* ---- certificates ------------------------------------------------------ */

/* dbft_quorum: M, and so M - 1 honest ones of three. */
#define HAS(i, kind, v, b) (SIGNED(i, kind, v) == BLOCK(b))
#define COUNT(has, kind, v, b) \
	(has(0, kind, v, b) + has(1, kind, v, b) + has(2, kind, v, b))
#ifdef QUORUM2
#define NEEDED 1
#else
#define NEEDED 2
#endif

/* inner_cert_ok: M prepares of one view for one block. */
#ifdef SMALL_CERT
#define CERTIFIED(v, b) (COUNT(HAS, PREPARE, v, b) >= 1)
#else
#define CERTIFIED(v, b) (COUNT(HAS, PREPARE, v, b) >= NEEDED)
#endif

/* round_count_commits: M commits of one view for one block. */
#define FINAL_IN(v, b) (COUNT(HAS, COMMIT, v, b) >= NEEDED)
#if VIEWS == 2
#define IN_ANY(i, kind, v, b) (HAS(i, kind, 0, b) || HAS(i, kind, 1, b))
#define FINAL_ONCE(b) (FINAL_IN(0, b) || FINAL_IN(1, b))
#elif VIEWS == 3
#define IN_ANY(i, kind, v, b) \
	(HAS(i, kind, 0, b) || HAS(i, kind, 1, b) || HAS(i, kind, 2, b))
#define FINAL_ONCE(b) (FINAL_IN(0, b) || FINAL_IN(1, b) || FINAL_IN(2, b))
#else
#define IN_ANY(i, kind, v, b) (HAS(i, kind, 0, b) || \
	HAS(i, kind, 1, b) || HAS(i, kind, 2, b) || HAS(i, kind, 3, b))
#define FINAL_ONCE(b) (FINAL_IN(0, b) || FINAL_IN(1, b) || \
	FINAL_IN(2, b) || FINAL_IN(3, b))
#endif
#ifdef MIXED
#define FINAL(b) (COUNT(IN_ANY, COMMIT, 0, b) >= NEEDED)
#else
#define FINAL(b) FINAL_ONCE(b)
#endif

/* ---- what a delegate may sign ------------------------------------------ */

/* dbft_is_new: votes only rise, so nothing is at this place or above. */
#if defined(FORGETFUL)
#define NEW(i, kind, v, what) (SIGNED(i, kind, v) != (what))
#elif defined(OLD_VIEW)
#define NEW(i, kind, v, what) (SIGNED(i, kind, v) == 0)
#else
#define NEW(i, kind, v, what) (votes[i] >> PLACE(kind, v) == 0)
#endif

/*
 * The claim that delegate i must not fall below: the certificate that its
 * last commit or change-view refers to.
 */
#define REFERS(i, v, before) (SIGNED(i, COMMIT, v) != 0 -> \
	CLAIM(v, SIGNED(i, COMMIT, v) - 1) : \
	(SIGNED(i, CHANGE, v) != 0 -> SIGNED(i, CHANGE, v) : before))
#if VIEWS == 2
#define HIGH(i) REFERS(i, 0, NOTHING)
#elif VIEWS == 3
#define HIGH(i) REFERS(i, 1, REFERS(i, 0, NOTHING))
#else
#define HIGH(i) REFERS(i, 2, REFERS(i, 1, REFERS(i, 0, NOTHING)))
#endif

/* sign_change: a change-view carries the highest certificate that one has. */
#ifdef NO_CLAIM
#define CLAIMS(i, claim) ((claim) == NOTHING)
#else
#define CLAIMS(i, claim) \
	((claim) == HIGH(i) || LEVEL(claim) > LEVEL(HIGH(i)))
#endif

/*
 * proof_ok: a proposal of b for view v > 0.  It shows change-views of M
 * delegates: of honest ones i and j, say, who claim p and q, and a third.
 * Either nobody claims anything, or a highest claim is for b, and there is
 * that certificate.  A highest claim of i or j the fourth can claim as well,
 * so that it is enough to look at what it can say.
 */
#define TOPS(pv, p, q) ((pv) + 1 >= LEVEL(p) && (pv) + 1 >= LEVEL(q))
#ifdef UNPROVEN
#define BEST(pv, p, q, b) TOPS(pv, p, q)
#else
#define BEST(pv, p, q, b) (TOPS(pv, p, q) && CERTIFIED(pv, b))
#endif
#define HIGHEST(v, p, q, b) (BEST(0, p, q, b) || \
	((v) > 1 && BEST(1, p, q, b)) || ((v) > 2 && BEST(2, p, q, b)))

#ifdef NO_REPROPOSE
#define FOLLOWS(v, p, q, b) true
#else
#define FOLLOWS(v, p, q, b) \
	(((p) == NOTHING && (q) == NOTHING) || HIGHEST(v, p, q, b))
#endif
#define PROOF(v, p, q, b) ((p) != 0 && (q) != 0 && FOLLOWS(v, p, q, b))
#define PAIR(i, j, to, v, b) \
	PROOF(v, SIGNED(i, CHANGE, to), SIGNED(j, CHANGE, to), b)

/* `to` is the view that the change-views are for. */
#if defined(FEW_CHANGES) || defined(QUORUM2)
#define PROOF_TO(to, v, b) (PAIR(0, 0, to, v, b) || \
	PAIR(1, 1, to, v, b) || PAIR(2, 2, to, v, b))
#else
#define PROOF_TO(to, v, b) (PAIR(0, 1, to, v, b) || \
	PAIR(0, 2, to, v, b) || PAIR(1, 2, to, v, b))
#endif
#ifdef OTHER_VIEW
#define PROPOSED(v, b) (PROOF_TO(v, v, b) || ((v) > 1 && PROOF_TO(1, v, b)))
#else
#define PROPOSED(v, b) PROOF_TO(v, v, b)
#endif

#ifdef ALTERNATE
#define OFFERED(v, b) ((v) % 2 == (b))
#else
#define OFFERED(v, b) true
#endif

/* ---- the votes --------------------------------------------------------- */

/* Agreement, and the claims that must turn out wrong. */
inline check()
{
	assert(!(FINAL(X) && FINAL(Y)));
#ifdef NEVER_LATE
	assert(!FINAL_IN(VIEWS - 1, X));
#endif
#ifdef NEVER_TURN
	assert(!(FINAL_IN(VIEWS - 1, Y) && CERTIFIED(VIEWS - 2, X)));
#endif
}

hidden int spare;

inline in_order(i, j)
{
	if
	:: votes[i] > votes[j] ->
		spare = votes[i];
		votes[i] = votes[j];
		votes[j] = spare
	:: else
	fi
}

/* inner_vote: delegate i signs. */
inline sign(i, kind, v, what)
{
	assert(SIGNED(i, kind, v) == 0);
	votes[i] = votes[i] | what << PLACE(kind, v);
	if
	:: kind == COMMIT -> check()
	:: else
	fi;
	in_order(0, 1);
	in_order(1, 2);
	in_order(0, 1)
}

/* round_proposal, answer_proposal; round_candidate, propose: in view 0 any
 * block will do. */
inline prepare_first(i, b)
{
	d_step {
		NEW(i, PREPARE, 0, BLOCK(b)) && OFFERED(0, b) ->
		sign(i, PREPARE, 0, BLOCK(b))
	}
}

/* The same in a later view, with proof (round_proof, proof_ok). */
inline prepare(i, v, b)
{
	d_step {
		NEW(i, PREPARE, v, BLOCK(b)) && OFFERED(v, b) &&
		    PROPOSED(v, b) ->
		sign(i, PREPARE, v, BLOCK(b))
	}
}

/* round_certified: commit on any prepare certificate, however it came, also
 * without a prepare of one's own. */
inline commit(i, v, b)
{
	d_step {
		NEW(i, COMMIT, v, BLOCK(b)) && CERTIFIED(v, b) ->
		sign(i, COMMIT, v, BLOCK(b))
	}
}

/* sign_change (change_timeout, join): leave for view v with no claim. */
inline change(i, v)
{
	d_step {
		NEW(i, CHANGE, v, NOTHING) && CLAIMS(i, NOTHING) ->
		sign(i, CHANGE, v, NOTHING)
	}
}

/* The same with the certificate of block b in view pv. */
inline change_with(i, v, pv, b)
{
	d_step {
		NEW(i, CHANGE, v, CLAIM(pv, b)) && CERTIFIED(pv, b) &&
		    CLAIMS(i, CLAIM(pv, b)) ->
		sign(i, CHANGE, v, CLAIM(pv, b))
	}
}

/* Any one of the votes that delegate i may give. */
inline step(i)
{
	if
	:: prepare_first(i, X)
	:: prepare_first(i, Y)
	:: commit(i, 0, X)
	:: commit(i, 0, Y)
	:: change(i, 1)
	:: change_with(i, 1, 0, X)
	:: change_with(i, 1, 0, Y)
	:: prepare(i, 1, X)
	:: prepare(i, 1, Y)
	:: commit(i, 1, X)
	:: commit(i, 1, Y)
#if VIEWS > 2
	:: change(i, 2)
	:: change_with(i, 2, 0, X)
	:: change_with(i, 2, 0, Y)
	:: change_with(i, 2, 1, X)
	:: change_with(i, 2, 1, Y)
	:: prepare(i, 2, X)
	:: prepare(i, 2, Y)
	:: commit(i, 2, X)
	:: commit(i, 2, Y)
#endif
#if VIEWS > 3
	:: change(i, 3)
	:: change_with(i, 3, 0, X)
	:: change_with(i, 3, 0, Y)
	:: change_with(i, 3, 1, X)
	:: change_with(i, 3, 1, Y)
	:: change_with(i, 3, 2, X)
	:: change_with(i, 3, 2, Y)
	:: prepare(i, 3, X)
	:: prepare(i, 3, Y)
	:: commit(i, 3, X)
	:: commit(i, 3, Y)
#endif
	fi
}

active proctype delegates()
{
end:
	do
	:: step(0)
	:: step(1)
	:: step(2)
	od
}
