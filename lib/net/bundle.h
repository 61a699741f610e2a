/*
 * bundle: what peers exchange over a pipe, in a file (ehr-bundle(5)).
 */
#ifndef NET_BUNDLE_H
#define NET_BUNDLE_H

#include "ledger/bundle.h"
#include "net/clone.h"
#include "net/tally.h"
#include "store/repo.h"

/*
 * Write a bundle to fd: all of the ledger as it lies, good or not, when since
 * is 0; else what came after the block of that height.  *h is what it says of
 * itself.  ERR_NO: there is no such block; ERR_BAD: the last block is damaged,
 * or a file has a name that none in a ledger has; ERR_AGAIN: the logs are
 * being written.
 */
int bundle_make(struct bundle_head *h, struct repo *r, int fd,
    uint64_t since, struct sync_result *res, struct err *e);

/*
 * Read a bundle from fd to its end, and then take what is new in it, as from a
 * peer: each item is verified, and durable when this returns.  The caller holds
 * sync.lock.  res as sync_with's.  ERR_NO: it is another ledger's, or begins
 * after our last block, and nothing was taken; or its chain is another one.
 * ERR_BAD: it is damaged, and nothing was taken; or a block is.
 */
int bundle_apply(struct repo *r, int fd, struct sync_result *res,
    struct err *e);

/* The same from a bundle that was unpacked as the ledger directory dir, and
 * says so of itself. */
int bundle_take(struct repo *r, const char *dir, const struct bundle_head *h,
    struct sync_result *res, struct err *e);

/*
 * Read a whole bundle from fd to its end, and make c->dir/.ehr of it, which
 * appears at once, when all of it was verified and is durable, or not at all.
 * *id is the ledger's.  What a process left there that was killed is removed.
 * ERR_NO: there is a c->dir/.ehr, it is another ledger than c says, or the
 * bundle is not whole; ERR_BAD as bundle_apply's; ERR_AGAIN: another process is
 * at it.
 */
int bundle_clone(const struct clone *c, int fd, struct hash *id,
    struct sync_result *res, struct err *e);

#endif
