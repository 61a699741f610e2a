/*
 * follow: connections to peers that are kept, so that what arrives here goes
 * to all of them at once (ehr-sync(1)).
 *
 * First the chain comes from all of them at once (fetch.h), and other peers are
 * learned of.  Each has a thread of its own, with its own struct repo and
 * session, which begins as soon as its blocks are here or it was left: one that
 * is slow, silent or away delays nobody.  It exchanges everything when it has
 * connected and now and then; when something has arrived here, it gives what
 * the peer does not have; when nothing is to be said for long, it asks whether
 * the peer is still there.
 */
#ifndef NET_FOLLOW_H
#define NET_FOLLOW_H

#include "net/peers.h"

struct follow;

struct follow_options {
	/*
	 * A peer is away or refuses something, for that reason; or (e NULL) it
	 * is there again.  Called by any thread, by one at a time.
	 */
	void (*tell)(void *arg, const char *peer, const struct err *e);
	void *arg;
	bool learn;		/* ask the peers for others, and follow these */
};

/* Begin; the peers are f's then, and p is empty. */
int follow_open(struct follow **out, struct repo *r, struct peers *p,
    const struct follow_options *o, struct err *e);

/*
 * Until follow_stop is called, or for net.forgive seconds, or one is forgiven
 * that was bad at the beginning: then it is time to look whom else there is,
 * and to begin again.  ERR_SYS: also what a thread
 * met, for after that nothing may be written any more.
 */
int follow_run(struct follow *f, struct err *e);

/* For signal handlers. */
void follow_stop(struct follow *f);

/*
 * End the connections, for which up to wait_ms are waited, and release f.
 * False: a thread still hangs on a peer that is silent, and the process has to
 * end with it.
 */
bool follow_close(struct follow *f, int wait_ms);

#endif
