/*
 * pool_index: which transactions wait and where in the segments of pending/,
 * in the tables "pending" and "pending_file" of state.db (ehr-state(5)).  Like
 * all of state.db they are derived: from the segments, and made again when
 * they are gone.  Programs use pool.h.
 *
 * Most transactions that wait are about one record each, and none of them
 * matters to those about another.  The few others (users, roles, nodes) may
 * matter to all: they are marked as system.
 */
#ifndef STORE_POOL_INDEX_H
#define STORE_POOL_INDEX_H

#include "store/db.h"
#include "store/pool_reader.h"

/*
 * Bring the tables up to the segments on disk and the state's head: segments
 * that are new are read (a damaged one goes to quarantine), rows of those that
 * are gone and of transactions that are on the ledger go.  Not inside a
 * database transaction.  Cheap when nothing has changed.
 */
int pool_index_refresh(struct repo *r, struct err *e);

/*
 * Add the transactions of a segment that was just written; of each row, file
 * and segment are not looked at.  Inside the caller's database transaction.
 */
int pool_index_add(struct db *db, const char *segment,
    const struct pool_row *row, size_t n, struct err *e);

/* What a row says of a transaction. */
void pool_index_describe(struct pool_row *row, const struct tx *tx);

/*
 * The next rows after *after (NULL: from the start), oldest first: at most
 * max; *n of them.  system: only those that are; record, if not NULL: only
 * those that name it.
 */
int pool_index_page(struct pool_row *out, size_t max, size_t *n,
    struct db *db, const struct pool_row *after, bool system,
    const struct hash *record, struct err *e);

/* Does it wait?  1 and *row, 0, -1. */
int pool_index_find(struct pool_row *row, struct db *db,
    const struct hash *id, struct err *e);

/* How many rows there are; and are there any with POOL_DOUBT?  1, 0, -1. */
int pool_index_count(size_t *n, struct db *db, struct err *e);
int pool_index_doubts(struct db *db, struct err *e);

/* Write down what the rules said, and what was seen of the objects. */
int pool_index_judge(struct repo *r, const struct pool_row *row, size_t n,
    struct err *e);

/* Remove the segments of which nothing waits any more. */
int pool_index_tidy(struct repo *r, struct err *e);

#endif
