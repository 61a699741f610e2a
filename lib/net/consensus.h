/*
 * consensus: the delegate's side of the consensus, which ehr-serve runs for
 * each request that arrives; the speaker's is round.h.
 */
#ifndef NET_CONSENSUS_H
#define NET_CONSENSUS_H

#include "base/buf.h"
#include "store/repo.h"

/*
 * A request came from node `from`, which proved its name: line is "consensus"
 * (without newline), payload the messages (wire.h).  Takes the consensus lock,
 * verifies, steps, persists, and appends the whole answer: to status its line
 * without newline, "ok HEIGHT" (of our last final block), to answer its
 * payload, messages or nothing.  -1: the request is refused, with the reason
 * in *e; the connection may go on.
 */
int consensus_answer(struct repo *r, struct span from, struct span line,
    struct span payload, struct buf *status, struct buf *answer,
    struct err *e);

#endif
