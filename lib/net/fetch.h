/*
 * fetch: brings a ledger directory's chain up to what its peers have, from all
 * of them at once (plan.h); and greets them, without waiting for one after
 * another.
 */
#ifndef NET_FETCH_H
#define NET_FETCH_H

#include "net/known.h"
#include "net/peers.h"

struct fetch_options {
	bool chain;		/* also fetch headers and blocks */
	struct known *learn;	/* ask for other peers; what is told is added
				 * here, and they take part; or NULL */
	const struct identity *key;	/* the node's, if it is at hand */
	struct sync_result *res;	/* what was moved; watch is called */
	/* Called for each peer, at least once, when its blocks are all here or
	 * it was left: there is nothing more to come from it.  May be NULL. */
	void (*done)(void *arg, const struct peer *p);
	/* Called once, if at all: nothing is to come now but from peers that
	 * have been silent for a while (plan.h: stall_ms), and others are done.
	 * Those that are idle may be used until it returns; who is to be
	 * left has an e then.  -1: it is our own failure, and ends it.  May be
	 * NULL. */
	int (*meanwhile)(void *arg, struct err *e);
	void *arg;
	int stop;		/* descriptor; readable: end early, with
				 * ERR_AGAIN.  0: none */
};

/*
 * Open a session to each of the peers that has none, and fetch.  A peer that
 * does not answer, refuses, is slow or wrong is left: its e says why, and
 * others are asked.  What came is durable, and its blocks are counted in the
 * peer's res, too.  Whose session can be used then is idle.
 *
 * 0: each peer that is left has no more blocks than we now have, or its e says
 * why.  -1: ERR_SYS; ERR_AGAIN the directory is locked; ERR_BAD a block that a
 * quorum certified is against the rules, ERR_NO it is from the future.
 */
int fetch_run(struct peers *p, struct repo *r, const struct fetch_options *o,
    struct err *e);

#endif
