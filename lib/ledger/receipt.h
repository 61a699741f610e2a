/*
 * receipt: the proof that a transaction is on a ledger, for a machine that
 * has no ledger (ehr-receipt(5)).
 *
 *	ehr.v1 receipt LEDGER
 *	genesis LENGTH			the genesis
 *	header LENGTH			of the block after which the delegates
 *	certificate LENGTH		  are others, its certificate,
 *	delegates LENGTH		  and the new set; for each change
 *	header LENGTH			of a block that has the transaction,
 *	certificate LENGTH		  or is later, and its certificate
 *	transaction LENGTH
 *	proof LENGTH			or path LENGTH: where in the tree of
 *					that block it is (proof.h)
 */
#ifndef LEDGER_RECEIPT_H
#define LEDGER_RECEIPT_H

#include "ledger/policy.h"
#include "ledger/proof.h"
#include "ledger/tx_note.h"

#define RECEIPT_MAX (64u << 20)		/* bytes */

/* A block's header with what makes it final. */
struct receipt_block {
	struct span header, certificate;
};

/* The parts; borrows from the input. */
struct receipt {
	struct hash ledger;
	struct span genesis;
	struct span changes;		/* framed; receipt_next_change */
	struct receipt_block block;
	struct span tx;
	bool has_checkpoint;		/* proof, or path */
	struct span proof;
};

/* Take a receipt apart; what the parts say is not looked at.  ERR_BAD. */
int receipt_parse(struct receipt *r, struct span whole, struct err *e);

/* The next change of delegates, off the front of *rest: 1, 0 none, -1. */
int receipt_next_change(struct receipt_block *b, struct span *delegates,
    struct span *rest);

/* Append a receipt; and a change to be put into its changes. */
void receipt_text(struct buf *out, const struct receipt *r);
void receipt_add_change(struct buf *out, const struct receipt_block *b,
    struct span delegates);

/* What was proved.  Large; release what it owns with receipt_facts_free. */
struct receipt_facts {
	struct genesis genesis;
	struct delegates set;		/* of the block's height */
	size_t changes;			/* of the delegates before */
	struct block_header block;
	uint64_t signers;		/* of its certificate: bits of set */
	struct tx tx;
	uint64_t index;			/* of the transaction, from 0 */
	bool has_checkpoint;
	struct checkpoint checkpoint;
	uint64_t time_s[NOTE_SIGS_MAX];	/* of its lines; 0: the ledger's */
	int signer[NOTE_SIGS_MAX];	/* in set; -1: a key of the policy */
};

/*
 * Verify every byte, from the genesis in the receipt on; so that it counts for
 * as much as that genesis does, whose id is f->genesis.id.  Lines of the
 * checkpoint must verify by keys of the delegates or, when policy is not NULL,
 * of it.  ERR_NO, ERR_BAD.  f need not be initialised.
 */
int receipt_verify(struct receipt_facts *f, const struct receipt *r,
    const struct policy *policy, struct err *e);
void receipt_facts_free(struct receipt_facts *f);

/* The delegates of block 1: the first nodes of the genesis. */
void receipt_first_delegates(struct delegates *set, const struct genesis *g);

/* Which delegate of the set has made line i?  Its index with *time_s, or -1. */
int receipt_line_of(const struct checkpoint *c, size_t i,
    const struct hash *ledger, const struct delegates *set, uint64_t *time_s);

#endif
