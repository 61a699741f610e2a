/* propose: a candidate block from the transactions that wait. */
#ifndef STORE_PROPOSE_H
#define STORE_PROPOSE_H

#include "store/pool.h"

/*
 * Append the content of a fresh candidate from pending transactions, proposed
 * by that node.  Those that the rules refuse now are passed over; *skipped
 * (may be NULL) is how many.  ERR_NO: there is nothing to propose.
 */
int propose_block(struct buf *content, struct repo *r, const char *proposer,
    int64_t now_ms, size_t *skipped, struct err *e);

#endif
