/* clone: a new ledger directory from a peer. */
#ifndef NET_CLONE_H
#define NET_CLONE_H

#include "net/sync.h"

struct clone {
	const char *command;		/* of the peer, for sh -c */
	const char *dir;		/* to be made, or without a .ehr */
	const struct hash *ledger;	/* which it must be, or NULL */
	struct span key_file;		/* becomes node.key; empty: no node */
	const struct identity *key;	/* what is in it, opened; or NULL */
};

/*
 * Ask the peer for its genesis, make DIR/.ehr of it, with the peer in the
 * config, and pull everything.  *id is the ledger's.  When this fails before
 * DIR/.ehr is there, nothing is left; after that *made is set, and syncing
 * with the peer goes on where it ended.  Errors as sync_with's; ERR_NO also
 * when there is a DIR/.ehr already.
 */
int clone_run(const struct clone *c, struct hash *id, bool *made,
    struct sync_result *res, struct err *e);

#endif
