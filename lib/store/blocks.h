/* blocks: which blocks there are, as the state lists them. */
#ifndef STORE_BLOCKS_H
#define STORE_BLOCKS_H

#include "store/state.h"

struct blocks_item {
	uint64_t height, txs, size;	/* size: transactions since genesis */
	int64_t time_ms;
	struct hash id;
	char proposer[NAME_MAX_LEN + 1];
};

/*
 * Call fn for the blocks from that height on, oldest first.  fn returns 0 to
 * go on, 1 to stop, -1 with *e set.
 */
int blocks_each(struct db *db, uint64_t from, int (*fn)(void *arg,
    const struct blocks_item *b, struct err *e), void *arg, struct err *e);

/* The block of that height: 1, 0 there is none, -1. */
int blocks_get(struct blocks_item *b, struct db *db, uint64_t height,
    struct err *e);

/*
 * The first block at or after a time, and the first with which the ledger has
 * so many transactions or more; or head + 1.  Both grow with the heights.
 */
int blocks_at_time(uint64_t *height, struct db *db, uint64_t head,
    int64_t time_ms, struct err *e);
int blocks_at_size(uint64_t *height, struct db *db, uint64_t head,
    uint64_t size, struct err *e);

/* How many transactions the blocks before a time have. */
int blocks_size_before(uint64_t *size, struct db *db, uint64_t head,
    int64_t time_ms, struct err *e);

/* The height of the block with that id: 1, 0 there is none, -1. */
int blocks_find(uint64_t *height, struct db *db, const struct hash *id,
    struct err *e);

/* Since which height are the delegates of that height the same? */
int blocks_set_since(uint64_t *since, struct db *db, uint64_t height,
    struct err *e);

/* Was the node of that name a delegate of any block up to that height?  1, 0
 * or -1. */
int blocks_had_delegate(struct db *db, const char *name, uint64_t height,
    struct err *e);

#endif
