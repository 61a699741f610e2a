/* final: a block with its certificate, on the way into the ledger. */
#ifndef NET_FINAL_H
#define NET_FINAL_H

#include "net/wire.h"
#include "store/repo.h"

/*
 * Accept a block's content with its certificate of commits.  known: its rules
 * have been checked.  Needs no consensus lock: whoever votes at that height
 * meanwhile finds it final afterwards.  Errors as accept_block's.
 */
int final_accept(struct repo *r, struct span content, struct span cert,
    bool known, struct err *e);

/*
 * The same for a message WIRE_FINAL, whose block may be among those that we
 * have voted for.  One that we have on the ledger is no error.  ERR_AGAIN: it
 * is not the next one, or its block is not here.
 */
int final_take(struct repo *r, const struct wire_msg *m, struct err *e);

/*
 * Append a message with our final block of that height, the whole of it.
 */
int final_add(struct buf *out, struct repo *r, uint64_t height,
    struct err *e);

#endif
