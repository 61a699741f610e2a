/*
 * waiting: what waits here, staged records and pending transactions, as lists
 * and items for a peer; and which objects the ledger names that are not here.
 */
#ifndef NET_WAITING_H
#define NET_WAITING_H

#include "net/ids.h"
#include "net/proto.h"
#include "store/pool.h"
#include "store/staging.h"

/* Append the objects that a transaction names, which it must not be without. */
int waiting_names(struct ids *out, const struct tx *tx, struct err *e);

/* Are all of these objects here?  1, 0, -1.  missing (may be NULL) gets those
 * that are not. */
int waiting_here(struct repo *r, const struct ids *objects,
    struct ids *missing, struct err *e);

/*
 * Append the ids of what waits, oldest first, in the order in which a peer
 * should take it.  Left out is what the rules refuse by now and what lacks an
 * object here: no peer could take it.  from is as in pool_standing.
 */
int waiting_pending(struct ids *out, struct repo *r, int64_t now_ms,
    struct pool_mark *from, struct err *e);
int waiting_staged(struct ids *out, struct repo *r, int64_t now_ms,
    struct err *e);

/*
 * Append items for those that are in the sorted list and wait here, oldest
 * first: a transaction each; a manifest and then its header each.  Stops
 * after the one that brings out to soft bytes: then *more is set.
 */
int waiting_pending_items(struct buf *out, struct repo *r,
    const struct ids *sorted, size_t soft, bool *more, struct err *e);
int waiting_staged_items(struct buf *out, struct repo *r,
    const struct ids *sorted, size_t soft, bool *more, struct err *e);

/*
 * Append the objects that the ledger names and that are not here, at most
 * max.  What has come is struck off the list.
 */
int waiting_wanted(struct ids *out, struct repo *r, size_t max,
    struct err *e);

/* Is the object on that list?  1, 0, -1. */
int waiting_is_wanted(struct repo *r, const struct hash *id, struct err *e);

/*
 * Did the ledger name the object once and dismiss it since: is it of a record
 * that was erased, or a header or role key with a successor?  1, 0, -1.
 */
int waiting_is_dismissed(struct repo *r, const struct hash *id,
    struct err *e);

/* The most bytes that an object can have which the ledger names. */
int waiting_largest(uint64_t *bytes, struct repo *r, struct err *e);

#endif
