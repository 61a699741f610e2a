/* prove: receipts (ehr-receipt(5)) made from a ledger directory. */
#ifndef LOG_PROVE_H
#define LOG_PROVE_H

#include "ledger/receipt.h"
#include "log/checkpoints.h"

struct prover;

/* What makes many; all is borrowed.  Nothing is written. */
int prove_open(struct prover **out, struct repo *r, struct db *db,
    const struct head *head, struct err *e);
void prove_close(struct prover *p);	/* NULL does nothing */

/*
 * Append the receipt of a transaction in a block, or of that with which a
 * record was authorized (or rejected).  It has the oldest checkpoint that
 * enough delegates have cosigned, else that with most; if its hour is not over,
 * none, and the block that it is in.  *tx is the transaction.  ERR_NO: there
 * is no such; ERR_AGAIN: it waits for a block.
 */
int prove_id(struct buf *out, struct hash *tx, struct prover *p,
    const struct hash *id, struct err *e);

#endif
