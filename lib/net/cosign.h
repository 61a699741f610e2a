/*
 * cosign: nodes cosign each other's checkpoints (ehr-checkpoint(5); the rules
 * are those of c2sp.org/tlog-witness, and the request is "cosign" of
 * ehr-protocol(5)).
 */
#ifndef NET_COSIGN_H
#define NET_COSIGN_H

#include "ledger/proof.h"
#include "net/session.h"
#include "store/signer.h"

/*
 * Answer a request of the node from, which has shown to be that; key is ours,
 * or NULL.  status starts as "ok".  ERR_NO: refused; ERR_AGAIN: not yet.
 */
int cosign_answer(struct repo *r, const struct identity *key,
    const char *from, struct span body, struct buf *status,
    struct buf *answer, struct err *e);

/* What is to be cosigned, and how to prove what it is consistent with. */
struct cosign_wish {
	struct span checkpoint;		/* a note with our own signature */
	uint64_t size;			/* of its tree */
	uint64_t old;			/* what the peer has last cosigned, as
					 * far as we know, and the checkpoint */
	struct span seen;		/* which shows it; or empty */
	merkle_node_fn *node;		/* hashes of the tree */
	void *arg;
};

/*
 * Ask a peer, which has shown to be a node: its cosignature's line is appended
 * to line and verifies.  1; 0: it has cosigned a larger tree by now; -1.
 */
int cosign_ask(struct buf *line, struct session *s,
    const struct cosign_wish *w, struct err *e);

/*
 * Begin a new record of what this node has signed (signer.h) at the head, when
 * enough of the other nodes have the same blocks.  ERR_AGAIN: too few answer,
 * or they have more; ERR_NO: they have others.
 */
int cosign_renew(struct repo *r, struct err *e);

#endif
