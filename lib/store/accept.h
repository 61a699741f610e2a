/* accept: adding a certified block, and what follows from it. */
#ifndef STORE_ACCEPT_H
#define STORE_ACCEPT_H

#include "store/chain.h"

/*
 * Take the writer's lock and chain_apply() the block; then remove what it
 * settled: pending transactions and staged records whose segments hold nothing
 * else, and objects that it dismissed.  Interrupted or failed, the next call
 * goes on with that.
 * Errors as chain_apply's; ERR_AGAIN also when the lock stays taken.
 */
int accept_block(struct repo *r, struct span text, bool known,
    int64_t now_ms, struct err *e);

/* The same for several that follow each other, as chain_apply_all. */
int accept_blocks(struct repo *r, const struct chain_block *all, size_t n,
    int64_t now_ms, size_t *done, struct err *e);

/* Only the second part; for after a rebuild of the state. */
int accept_tidy(struct repo *r, struct err *e);

#endif
