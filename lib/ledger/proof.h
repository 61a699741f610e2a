/*
 * proof: hashes of a Merkle proof with a checkpoint, as two texts have them:
 *
 *	c2sp.org/tlog-proof@v1		old SIZE
 *	index INDEX			BASE64 of a hash
 *	BASE64 of a hash		...
 *	...
 *
 *	<checkpoint>			<checkpoint>
 *
 * on the left what an inclusion is proved by (c2sp.org/tlog-proof), on the
 * right what a cosignature is asked for with (c2sp.org/tlog-witness,
 * add-checkpoint).
 */
#ifndef LEDGER_PROOF_H
#define LEDGER_PROOF_H

#include "crypto/merkle.h"
#include "ledger/checkpoint.h"

#define PROOF_MAX (CHECKPOINT_MAX + 4096)	/* bytes */

enum proof_kind {
	PROOF_INCLUSION,	/* c2sp.org/tlog-proof@v1 */
	PROOF_CONSISTENCY,	/* old SIZE */
	PROOF_PATH		/* index INDEX and hashes, no checkpoint */
};

struct proof {
	uint64_t number;		/* INDEX, or the old SIZE */
	size_t n;
	struct hash path[MERKLE_DEPTH];
	struct span checkpoint;		/* borrows; empty in a PROOF_PATH */
};

void proof_text(struct buf *out, enum proof_kind kind, const struct proof *p);

/* ERR_BAD.  What follows the empty line is not looked at. */
int proof_parse(struct proof *p, enum proof_kind kind, struct span whole,
    struct err *e);

#endif
