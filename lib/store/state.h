/*
 * state: what follows from the blocks, in state.db (ehr-state(5)).  Written
 * only by state_genesis and state_apply, both inside the caller's database
 * transaction.
 */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include "ledger/block.h"
#include "ledger/certificate.h"
#include "ledger/tx_note.h"
#include "ledger/view.h"
#include "store/db.h"
#include "store/state_memo.h"

/* The last block that the state contains; height 0 is the genesis. */
struct head {
	uint64_t height;
	struct hash id;
	int64_t time_ms;
	struct merkle tree;	/* over all transactions so far */
};

/* 1 found, 0 the state is empty (not even the genesis), -1 error. */
int state_head(struct head *h, struct db *db, struct err *e);
int state_set_head(struct db *db, const struct head *h, struct err *e);

/* Is the state, if not empty, that of this ledger?  1, 0, -1. */
int state_is_of(struct db *db, const struct hash *ledger, struct err *e);
int state_set_ledger(struct db *db, const struct hash *ledger,
    struct err *e);

/* Fill an empty state from the genesis. */
int state_genesis(struct db *db, const struct genesis *g, struct err *e);

/*
 * Apply a transaction that the rules accept, as number seq (from 0) of all,
 * in the block of that height.
 */
int state_apply(struct db *db, const struct tx *tx, uint64_t height,
    uint64_t seq, struct err *e);

/* Remember a block. */
int state_add_block(struct db *db, const struct block_header *h,
    struct err *e);

/* The delegates that vote at a height up to head + 1.  ERR_NO: none known. */
int state_delegates(struct delegates *set, struct db *db, uint64_t height,
    struct err *e);

/*
 * The set that follows from nodes and votes as they are now: the first seats
 * nodes by votes, then by name.
 */
int state_elect(struct delegates *set, struct db *db, uint32_t seats,
    struct err *e);

/* Remember set as the one that votes from height since on, if it is another
 * than the one before. */
int state_set_delegates(struct db *db, const struct delegates *set,
    uint64_t since, struct err *e);

/*
 * The rules' view of the state.  verify is rules_verify_now; the caller may
 * set another (and its arg through state_view_arg).
 */
struct state_view {
	struct rules_view v;	/* v.arg points to this struct */
	struct db *db;
	struct state_memo *memo;	/* the caller's, or NULL */
	int (*verify)(void *arg, const struct note *n, struct span name,
	    const struct sign_pub *pub, struct err *e);
	void *verify_arg;
};
void state_view_init(struct state_view *v, struct repo *r, struct db *db);

/*
 * A verify for signatures that were verified when they came, with the key of
 * that time; its arg is the db.  It trusts those of whom never had another key,
 * and verifies the others again.  So that it may, what comes is verified only
 * with keys on the ledger, not with those that wait (state_rekey_waits) and
 * in the end may not come.
 */
int state_verify_came(void *db, const struct note *n, struct span name,
    const struct sign_pub *pub, struct err *e);

/* Do new keys of that user or node wait for a block?  1, 0, -1. */
int state_rekey_waits(struct db *db, struct span name, struct err *e);

/* In the column tx.height: it waits (pool.h). */
#define STATE_WAITING INT32_MAX

#endif
