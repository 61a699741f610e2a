/*
 * driver: what stands between the pure core of the consensus (dbft/core.h
 * says what a driver does) and the disk.  Both sides use it: the speaker
 * (round.h) keeps one, a delegate (consensus.h) makes one for each request.
 *
 * What is to be sent gathers in the driver, as posts; whoever owns it sends
 * them once the lock is released.
 */
#ifndef NET_DRIVER_H
#define NET_DRIVER_H

#include "crypto/identity.h"
#include "net/keep.h"
#include "net/wire.h"
#include "store/heard.h"
#include "store/state.h"
#include "store/votes.h"

#define DRIVER_POSTS 64
#define DRIVER_SAID_MAX 16384	/* bytes */

/* A message (wire.h) for each delegate in `to`. */
struct driver_post {
	uint64_t to;		/* mask */
	uint64_t height;	/* of which it speaks */
	enum wire_kind kind;
	struct buf bytes;
};

/* A vote that came with the message that is being dealt with. */
struct driver_given {
	struct dbft_signed vote;
	struct span note;
};

/* A prepare certificate that came with it, verified. */
struct driver_proof {
	struct dbft_cert c;
	struct span note;
};

/* Read it, write it only through what follows. */
struct driver {
	struct repo *repo;
	struct db *db;
	struct votes *votes;
	struct heard *heard;	/* PBFT: else NULL */
	struct identity key;
	bool passive;

	bool live;		/* what follows is of the present height */
	struct head head;	/* the last final block */
	struct delegates set;	/* who decides on the next one */
	int me;			/* our index, or -1: no delegate */
	bool unheard;		/* PBFT: the core knows nothing of heard yet */
	bool late;		/* the journal is new, the node is not */
	struct err mute;	/* why we do not vote; kind NONE: we do */
	struct dbft core;	/* if me >= 0 */
	struct hash last;	/* the journal's last line, when core read it */
	int64_t wake_ms;	/* when the core wants a tick */
	uint64_t away;		/* mask: who does not answer */
	uint64_t missed;	/* who missed the last turn to speak, turns.h */
	uint64_t made;		/* height of the last block that this driver
				 * made final, 0: none */
	struct hash made_id;
	struct keep keep;

	struct driver_given given[DBFT_MAX_NODES + 1];
	struct driver_proof proof[DBFT_MAX_NODES + 1];
	size_t ngiven, nproofs;

	struct driver_post post[DRIVER_POSTS];
	size_t nposts;
	struct buf said;	/* lines for the operator */
};

/*
 * Open, with the node's key.  A passive driver answers, and starts nothing by
 * itself.  ERR_NO: this copy is no node.
 */
int driver_open(struct driver **out, struct repo *r, bool passive,
    struct err *e);
void driver_close(struct driver *d);	/* NULL does nothing */

/*
 * Take the consensus lock, and be up to date with what other processes of
 * this node have done.  ERR_AGAIN: the lock stays taken for wait_ms; ERR_BAD:
 * the journal is damaged or gone, and the message says how to go on.
 */
int driver_lock(struct driver *d, int wait_ms, struct err *e);
void driver_unlock(struct driver *d);

/*
 * With the lock held; each may leave posts and lines behind.  Malformed or
 * refused messages (ERR_BAD, ERR_NO) have no effect.  Any other error: what
 * was not done is not sent, and the driver begins anew with its next lock.
 */

/* Time has passed. */
int driver_tick(struct driver *d, struct err *e);

/*
 * PBFT, not passive: take in what ehr-serve was given meanwhile.  Does nothing
 * otherwise.
 */
int driver_hear(struct driver *d, struct err *e);

/* Look whether something waits for a block; *waits (may be NULL) tells. */
int driver_work(struct driver *d, bool *waits, struct err *e);

/*
 * A message came, other than WIRE_FINAL (see final.h).  It counts if it is of
 * the height that is being decided.  peer is who waits for an answer, or
 * DBFT_NOBODY.
 */
int driver_message(struct driver *d, const struct wire_msg *m, unsigned peer,
    struct err *e);

/* Who does not answer at present (mask). */
void driver_away(struct driver *d, uint64_t mask);

/* The height that is being decided. */
static inline uint64_t
driver_height(const struct driver *d)
{
	return d->head.height + 1;
}

/* Before that, no block is made (ms). */
static inline int64_t
driver_earliest(const struct driver *d)
{
	return d->head.time_ms + d->repo->genesis->settings.interval_ms;
}

/* Can this node vote now?  If not, d->mute says why, or me is -1. */
bool driver_may_vote(const struct driver *d);

/* Forget posts and lines: they have been sent and shown. */
void driver_sent(struct driver *d);

#endif
