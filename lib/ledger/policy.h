/*
 * policy: whose signatures a checkpoint must have to be believed
 * (c2sp.org/tlog-policy).
 *
 *	log VKEY [URL]
 *	witness NAME VKEY [URL]
 *	group NAME all|any|K NAME...
 *	quorum NAME|none
 */
#ifndef LEDGER_POLICY_H
#define LEDGER_POLICY_H

#include "crypto/vkey.h"
#include "ledger/certificate.h"
#include "ledger/checkpoint.h"

#define POLICY_MAX (256u << 10)		/* bytes */
#define POLICY_LOGS_MAX 64
#define POLICY_NAMES_MAX 192		/* witnesses and groups together */

/* A witness, or a group of those before it. */
struct policy_item {
	struct span name;
	bool group;
	struct vkey key;		/* of a witness */
	unsigned need;			/* of a group's members */
	unsigned n;
	unsigned char member[POLICY_NAMES_MAX];
};

/* Large; borrows from the text. */
struct policy {
	size_t nlogs, nitems;
	struct vkey log[POLICY_LOGS_MAX];
	struct policy_item item[POLICY_NAMES_MAX];
	int quorum;			/* an item; -1: none is asked for */
};

/* ERR_BAD names the line. */
int policy_parse(struct policy *p, struct span text, struct err *e);

/*
 * Does the checkpoint have what the policy asks for: a signature of one of
 * its logs, and cosignatures that are a quorum?  A line of a key that the
 * policy has must verify, others are passed over.  ERR_NO, ERR_BAD.
 */
int policy_accepts(const struct policy *p, const struct checkpoint *c,
    struct err *e);

/* Does the policy have the key of line i, and does it verify?  1, 0: it has
 * not, -1. */
int policy_knows(const struct policy *p, const struct checkpoint *c, size_t i,
    struct err *e);

/*
 * Append a policy that trusts these nodes of a ledger: each may sign as the
 * log, and a quorum of them (delegates_quorum) must cosign.
 */
void policy_text(struct buf *out, const struct hash *ledger,
    const struct delegates *nodes);

#endif
