/* pool_walk: going through what waits; for pool.c and pool_add.c. */
#ifndef STORE_POOL_WALK_H
#define STORE_POOL_WALK_H

#include "store/pool_index.h"

#define POOL_PAGE 256		/* rows that are looked at together */

struct pool_walk {
	struct repo *repo;
	struct db *db;
	bool system;			/* of these only */
	const struct hash *record;	/* or of those that name it */
	int (*fn)(void *arg, const struct pool_row *row, struct span note,
	    struct err *e);
	void *arg;
	/* private */
	struct pool_reader reader;
	struct buf note;
	char damaged[SEGMENT_NAME_LEN];	/* a segment that was moved away */
};

/*
 * Call fn with each row, oldest first, and the bytes of its transaction, until
 * it returns other than 0: that; those that are on the ledger, or applied to
 * the state, are left out.  A damaged segment is moved to quarantine and
 * passed over.
 */
int pool_walk(struct pool_walk *w, struct err *e);

/* The same for these rows. */
int pool_walk_rows(struct pool_walk *w, const struct pool_row *row, size_t n,
    struct err *e);

/* The bytes of one row, appended to out: 1, 0 it waits no more, -1. */
int pool_walk_one(struct buf *out, struct pool_walk *w,
    const struct pool_row *row, struct err *e);

#endif
