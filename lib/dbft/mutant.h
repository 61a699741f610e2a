/*
 * mutant: deliberate bugs, to test the tests.
 *
 * t/sim/mutants builds the core once with each (-DDBFT_MUTANT=K) and demands
 * that the simulator notices.  In every other build DBFT_MUTANT is 0, and
 * MUTANT() is a constant that leaves no code behind.
 */
#ifndef DBFT_MUTANT_H
#define DBFT_MUTANT_H

#ifndef DBFT_MUTANT
#define DBFT_MUTANT 0
#endif

enum {
	MIXED_VIEWS = 1,	/* commits of several views count together */
	SEND_FIRST = 2,		/* a vote is sent, then written (the driver) */
	SMALL_QUORUM = 3,	/* M - 1 are a quorum */
	UNPROVEN_CLAIM = 4,	/* a change-view needs no certificate */
	OLD_VIEW = 5,		/* votes for a view that has been left */
	NO_JUMP = 6,		/* f + 1 change-views make nobody join */
	NO_REPROPOSAL = 7,	/* a certified block is not proposed again */
	FLAT_TIMEOUT = 8,	/* the time-out does not grow */
	NO_CLAIM = 9,		/* a change-view hides the certificate */
	ANY_PROPOSAL = 10,	/* delegates do not check what is proposed */
	FEW_CHANGES = 11,	/* one change-view twice counts as two */
	FORGETFUL = 12,		/* a restart does not read the journal */
	COMMIT_LOCK = 13,	/* who has committed stays in its view */
	LOW_FLOOR = 14,		/* a lost journal: only one height is skipped */
	OTHER_VIEW = 15,	/* change-views to an older view are let pass */
	SMALL_CERT = 16,	/* certificates that arrive are not counted */
	UNTOLD = 17,		/* PBFT: what a passive process votes stays */
	NO_REPEAT = 18,		/* PBFT: a vote that is lost is lost */
	DEAF = 19,		/* PBFT: what a passive process hears stays */
	MIXED_BLOCKS = 20,	/* votes count whatever they are for */
	MUTANTS_END
};

#define MUTANT(k) (DBFT_MUTANT == (k))

#endif
