/*
 * exchange: brings a ledger directory and its peers to the same state: the
 * chain from all of them at once, then what waits with each in turn.
 */
#ifndef NET_EXCHANGE_H
#define NET_EXCHANGE_H

#include "net/peers.h"
#include "net/sync.h"

struct exchange {
	int flags;			/* sync.h */
	bool learn;			/* ask them for other peers, too */
	const struct identity *key;	/* our node's, if it is at hand */
	struct sync_result chain;	/* of the chain; its watch may be set */
	/* A peer's part begins: set its res.watch, if that is wanted. */
	void (*begin)(void *arg, struct peer *p);
	/* fetch.h; with the same arg. */
	void (*done)(void *arg, const struct peer *p);
	int stop;
	void *arg;
};

/*
 * Open a session to each that has none and exchange what flags say: pull from
 * all, then push to all, so that what one has reaches the others at once.
 * While some are silent the others get their turn, and what those had that
 * spoke later after that.
 * What goes wrong with one is in its e; that it was wrong or slow is kept in
 * the directory (known.h), as is what was learned.  New peers are added to p.
 * -1: ours, as fetch_run; what is left did not get its turn.
 */
int exchange_run(struct exchange *x, struct peers *p, struct repo *r,
    struct err *e);

/*
 * Keep in the directory what became of one peer, as exchange_run does: why it
 * was left (ERR_BAD: for forgive_ms; slow: for a part of that), or ERR_NONE,
 * that all is well.  Not while exchange_run runs.  -1: ours.
 */
int exchange_judge(struct repo *r, const char *name, const struct err *why,
    bool slow, int64_t forgive_ms, struct err *e);

/* Only open a session to each that has none; what goes wrong is in its e.  -1:
 * ours. */
int exchange_greet(struct peers *p, struct repo *r, struct err *e);

#endif
