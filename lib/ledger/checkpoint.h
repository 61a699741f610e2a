/*
 * checkpoint: the signed head of the Merkle tree over all transactions
 * (ehr-checkpoint(5), c2sp.org/tlog-checkpoint).  Its text is
 *
 *	LEDGER				the origin: the ledger's id
 *	SIZE
 *	BASE64 of the root
 *
 * so that nodes with the same chain have the same text, and their signatures
 * can stand below one another: those of the ledger as a log, under the name
 * LEDGER, and cosignatures of nodes, under theirs.
 */
#ifndef LEDGER_CHECKPOINT_H
#define LEDGER_CHECKPOINT_H

#include "crypto/merkle.h"
#include "crypto/note.h"

#define CHECKPOINT_MAX 65536		/* bytes of a note */

struct checkpoint {
	struct note note;		/* borrows from the input */
	uint64_t size;
	struct hash root;
};

/* Append the text. */
void checkpoint_text(struct buf *out, const struct hash *ledger,
    uint64_t size, const struct hash *root);

/*
 * Read a text; and a note, of which nothing is verified.  ERR_BAD: it is no
 * checkpoint of this ledger.
 */
int checkpoint_parse_text(uint64_t *size, struct hash *root, struct span text,
    const struct hash *ledger, struct err *e);
int checkpoint_parse(struct checkpoint *c, struct span whole,
    const struct hash *ledger, struct err *e);

/* Append the signature line of the ledger by a node's key. */
int checkpoint_sign_line(struct buf *out, struct span text,
    const struct hash *ledger, const struct sign_key *k, struct err *e);

/* Is line i one of the ledger, as a log?  Else it is a cosignature. */
bool checkpoint_is_log(const struct checkpoint *c, size_t i,
    const struct hash *ledger);

/*
 * Verify line i with this key of the node of that name; *time_s is when it
 * was made, 0 of a log's.  ERR_NO, ERR_BAD.
 */
int checkpoint_verify(const struct checkpoint *c, size_t i,
    const struct hash *ledger, struct span name, const struct sign_pub *pub,
    uint64_t *time_s, struct err *e);

#endif
