/*
 * consensus: the drivers of lib/dbft: the delegate's side, which ehr-serve
 * runs for each message that arrives, and the speaker's, which ehr-dbft runs.
 */
#ifndef NET_CONSENSUS_H
#define NET_CONSENSUS_H

#include "net/session.h"

/*
 * The delegate's side: a message (a request line of ehr-protocol(5) that
 * begins with "consensus", without newline, and its payload) came from node
 * `from`, which proved its name.  Takes the consensus lock, verifies, steps,
 * persists, and appends the answer's status line and payload, both possibly
 * empty.  -1: the message is refused, with the reason in *e; the connection
 * may go on.
 */
int consensus_answer(struct repo *r, struct span from, struct span line,
    struct span payload, struct buf *status, struct buf *answer,
    struct err *e);

#endif
