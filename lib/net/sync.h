/*
 * sync: brings a ledger directory and a peer to the same state: blocks, the
 * objects that they name, staged records and pending transactions.
 */
#ifndef NET_SYNC_H
#define NET_SYNC_H

#include "net/session.h"
#include "net/tally.h"

enum {
	SYNC_BLOCKS = 1 << 0,
	SYNC_OBJECTS = 1 << 1,		/* that the ledger names */
	SYNC_STAGED = 1 << 2,		/* with the bodies that they name */
	SYNC_PENDING = 1 << 3,		/* with the objects that they name */
	SYNC_SECRET = 1 << 4,		/* the ledger secret, if we lack it */
	SYNC_ALL = (1 << 5) - 1,
	SYNC_PULL = 1 << 5,		/* take from the peer; first */
	SYNC_PUSH = 1 << 6,		/* give to the peer; then */
	SYNC_LATER = 1 << 7		/* the greeting was a while ago: the
					 * peer may have more blocks by now */
};

/*
 * Exchange what flags say with a peer: first pull, then push.  Everything
 * that comes is verified and durable, whenever this ends.  Blocks come in
 * order; a peer that has another block at some height than we is ERR_BAD.
 * What the peer's rules do not accept is counted in res; errors are ERR_AGAIN
 * (the peer is gone or busy), ERR_NO and ERR_BAD (it refuses, or gave us
 * something wrong: the message names it), ERR_SYS (ours).
 */
int sync_with(struct repo *r, struct session *s, int flags,
    struct sync_result *res, struct err *e);

#endif
