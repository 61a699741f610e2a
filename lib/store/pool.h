/*
 * pool: pending/, the verified transactions that wait for a block.
 *
 * What a pool_commit acknowledged is durable: one segment, one fsync, however
 * many transactions.  They are checked against the state as it will be once
 * those that wait already are on the ledger.
 */
#ifndef STORE_POOL_H
#define STORE_POOL_H

#include "ledger/tx_note.h"
#include "store/early.h"
#include "store/pool_index.h"

struct pool;

/*
 * Begin to add: takes the writer's lock and looks at what waits.  The state
 * is locked until pool_commit or pool_abort.
 */
int pool_open(struct pool **out, struct repo *r, int64_t now_ms,
    struct err *e);

/*
 * The same for one who only adds: of what waits, only that is looked at which
 * may matter to what is added, so that the time does not grow with the pool.
 * pool_db shows no more.  The notes that are added are borrowed until
 * pool_commit or pool_abort.
 */
int pool_open_add(struct pool **out, struct repo *r, int64_t now_ms,
    struct err *e);

/* Signatures that were verified before it was opened; x stays until
 * pool_commit or pool_abort. */
void pool_early(struct pool *p, const struct early *x);

/*
 * Check one transaction (its signature too, unless ours is set: we just made
 * it, with the author's key on the ledger) and add it.  ERR_NO or ERR_BAD:
 * refused; the others are unaffected.  One that waits already is not added
 * again and is no error; *fresh, if not NULL, tells.  The objects that it names
 * are here, or come before pool_commit.
 */
int pool_add(struct pool *p, struct span note, bool ours, struct hash *id,
    bool *fresh, struct err *e);

/* The state as it will be, for look-ups between adds. */
struct db *pool_db(struct pool *p);
struct repo *pool_repo(struct pool *p);

/* Make the added ones durable.  Frees p in either outcome. */
int pool_commit(struct pool *p, struct err *e);
void pool_abort(struct pool *p);	/* NULL does nothing */

/*
 * Call fn with the bytes of each waiting transaction, oldest first, those
 * that are on the ledger already left out.  fn returns 0 to go on, 1 to stop,
 * -1 with *e set.  A damaged segment is moved to quarantine and passed over.
 */
typedef int pool_fn(void *arg, const struct hash *id, struct span note,
    struct err *e);
int pool_each(struct repo *r, pool_fn *fn, void *arg, struct err *e);

/* The same for those of these n ids that wait. */
int pool_each_of(struct repo *r, const struct hash *id, size_t n,
    pool_fn *fn, void *arg, struct err *e);

/* How many wait. */
int pool_count(struct repo *r, size_t *n, struct err *e);

/* Does it wait?  1, 0, -1. */
int pool_has(struct repo *r, const struct hash *id, struct err *e);

/*
 * Call fn with the row of each that waits and that the rules accept on the
 * state as it will be, oldest first.  What was accepted once is asked about
 * again only after a block that may have changed that.
 *
 * from, unless NULL, is zero at first; each call goes on after the last one
 * that the call before has seen.  One that the rules accept only later is not
 * given then.
 */
struct pool_mark {
	int64_t file;
	uint64_t at;
};
typedef int pool_row_fn(void *arg, const struct pool_row *row,
    struct err *e);
int pool_standing(struct repo *r, int64_t now_ms, struct pool_mark *from,
    pool_row_fn *fn, void *arg, struct err *e);

/*
 * The transaction id among those that wait, appended to out; ERR_NO.
 */
int pool_find(struct buf *out, struct repo *r, const struct hash *id,
    struct err *e);

#endif
