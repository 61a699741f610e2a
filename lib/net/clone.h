/* clone: a new ledger directory from a peer. */
#ifndef NET_CLONE_H
#define NET_CLONE_H

#include "net/exchange.h"

struct clone {
	const char *command;		/* of the peer, for sh -c; or NULL */
	const char *dir;		/* to be made, or without a .ehr */
	const struct hash *ledger;	/* which it must be, or NULL */
	struct span key_file;		/* becomes node.key; empty: no node */
	const struct identity *key;	/* what is in it, opened; or NULL */
};

/* May it be made?  ERR_NO: there is a DIR/.ehr, or the key is not a node's;
 * ERR_USAGE: a path that is too long. */
int clone_check(const struct clone *c, struct err *e);

/* Make DIR/.ehr, which is late if the ledger has blocks (repo_create). */
int clone_create(const struct clone *c, const char *dir, struct span genesis,
    bool late, struct err *e);

/*
 * Ask the peer for its genesis, make DIR/.ehr of it, with the peer in the
 * config, learn of other peers, and pull everything from all of them.  *id is
 * the ledger's.  When this fails before DIR/.ehr is there, nothing is left;
 * after that *made is set, and syncing goes on where it ended.  The peers,
 * with what became of each, are p's, which the caller frees in any case; of x,
 * what is called is used.
 * Errors as sync_with's; ERR_NO also when there is a DIR/.ehr already.  One of
 * several peers that fails is no error, when others have what it has.
 */
int clone_run(const struct clone *c, struct exchange *x, struct peers *p,
    struct hash *id, bool *made, struct err *e);

#endif
