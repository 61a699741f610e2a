/*
 * signer: may this node sign that head of the tree?  It never signs two that
 * contradict each other: each must be that of a block that is final here, and
 * so must the largest that it has signed, which is written down (signed.h).
 * When that is lost, or older than what this node has signed, it signs nothing.
 */
#ifndef STORE_SIGNER_H
#define STORE_SIGNER_H

#include "ledger/checkpoint.h"
#include "store/chain.h"
#include "store/signed.h"

#define CHECKPOINT_DIR "checkpoints"

struct signer {
	struct repo *repo;
	struct db *db;
	struct head head;
	int lock;
	struct signed_head last;	/* the largest that was signed */
};

/*
 * Take the lock and see what was signed.  ERR_NO: it is not known, or other
 * than the blocks say (*lost: there is no record at all); ERR_BAD: the record
 * is damaged; ERR_AGAIN: the blocks here are behind it, or the lock is taken.
 * pub is this node's key.
 */
int signer_open(struct signer *s, struct repo *r, const struct sign_pub *pub,
    bool *lost, struct err *e);
void signer_close(struct signer *s);

/*
 * May this head be signed, after which no smaller one is signed as the latest?
 * ERR_AGAIN: there are not so many blocks here; ERR_NO: no block has that
 * tree.  What is larger than s->last is written down, durably, before this
 * returns 0.
 */
int signer_advance(struct signer *s, uint64_t size, const struct hash *root,
    int64_t now_ms, struct err *e);

/*
 * Has this key signed no more than last says?  The newest checkpoint here would
 * tell: ERR_NO, an older consensus/ was put in the place of what was there.
 */
int signer_knows(struct repo *r, const struct signed_head *last,
    const struct sign_pub *pub, struct err *e);

/* Is what was signed a start of the tree of the blocks up to head, of which db
 * is?  ERR_AGAIN: these are fewer; ERR_NO: it is another tree. */
int signer_fits(struct repo *r, struct db *db, const struct head *head,
    uint64_t size, const struct hash *root, struct err *e);

/* The tree with so many transactions, if a block ends there: 1, 0, -1. */
int signer_root(struct hash *root, struct repo *r, struct db *db,
    const struct head *head, uint64_t size, struct err *e);

/* Forget the record, which is known to be old: now it is lost. */
int signer_drop(struct signer *s, struct err *e);

/*
 * Begin again at the head, after others have confirmed that it is right; or
 * when there are none.  What can still be read of the record, and the newest
 * checkpoint here, must be of the same chain: ERR_NO, ERR_AGAIN.  The caller
 * holds no signer.
 */
int signer_renew(struct repo *r, const struct head *head, int64_t now_ms,
    struct err *e);

#endif
