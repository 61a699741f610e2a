/*
 * heard: consensus/heard, the votes that this node's ehr-serve were given for
 * the height that is being decided, where its ehr-dbft finds them.  Only with
 * an engine in which all send to all (ehr-consensus(7) has every byte).
 *
 *	ehr.v1 heard LEDGER
 *	height HEIGHT
 *	nonce 32 hex digits
 *	NOTE HASH
 *	...
 *
 * NOTE is a verified vote, its newlines as tabs; HASH is over it.  Nothing of
 * this is synced, since nobody relies on it: who sent a vote that is lost sends
 * it again.  What is not as described, and all after it, is as if it were not
 * there.  A file that has become too long, or is of another height, is begun
 * anew.
 *
 * Whoever reads or writes holds consensus/lock.
 */
#ifndef STORE_HEARD_H
#define STORE_HEARD_H

#include "store/votes.h"

#define HEARD_PATH VOTES_DIR "/heard"
#define HEARD_MAX (256u << 10)		/* bytes of the file */
#define HEARD_NOTE_MAX 4096		/* bytes of a vote */

struct heard;

/* A handle; r is borrowed.  NULL: out of memory. */
struct heard *heard_open(const struct repo *r);
void heard_close(struct heard *h);	/* NULL does nothing */

/*
 * Look at the file again: heard_next goes on after what it has given, or from
 * the beginning if the height is another one, or the file is.  anew: from the
 * beginning in any case.
 */
int heard_look(struct heard *h, uint64_t height, bool anew, struct err *e);

/* The next vote, in place of what note holds: 1, 0 when there is no more, or
 * ERR_SYS. */
int heard_next(struct heard *h, struct buf *note, struct err *e);

/* After the last one: add a vote, at most HEARD_NOTE_MAX bytes. */
int heard_add(struct heard *h, struct span note, struct err *e);

/* The lock has been released: let those who watch the file know. */
void heard_ring(struct heard *h);

#endif
