/* peers: who there is to talk with: the peers of a ledger directory's config,
 * and those that others told us of. */
#ifndef NET_PEERS_H
#define NET_PEERS_H

#include "net/known.h"
#include "net/session.h"
#include "net/tally.h"

struct peer {
	char name[NAME_MAX_LEN + 1];
	char *command;			/* owned */
	struct session *s;		/* NULL when it did not answer */
	struct sync_result res;
	struct err e;			/* kind ERR_NONE: all went well */
	bool slow;			/* it was left because of that */
	bool idle;		/* nothing is to come from s (fetch.h) */
	bool had_turn;			/* of an exchange */
};

struct peers {
	struct peer *v;			/* owned */
	size_t n;
};

/* How an address is called, unless net.reach says otherwise; %s is it. */
#define PEERS_REACH "ssh -o BatchMode=yes -- %s ehr-serve"

/*
 * The peers with these names (NULL-terminated), or all when there is none: but
 * then not those that are bad at now_ms (known.h), unless all of them are.
 * ERR_NO: there is no such peer, or none at all.
 */
int peers_of(struct peers *out, struct repo *r, char *const *names,
    int64_t now_ms, struct err *e);
void peers_free(struct peers *p);

/* The peer of that name, or NULL. */
struct peer *peers_find(struct peers *p, struct span name);

/* Add one more, by the command that reaches it or by an address (known.h); the
 * other peers may move in memory. */
int peers_add(struct peers *p, const char *name, const char *command,
    struct err *e);
int peers_add_address(struct peers *p, const struct repo *r,
    const struct known_peer *k, struct err *e);

#endif
