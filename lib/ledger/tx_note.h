/* tx_note: transactions as signed notes: reading and writing them. */
#ifndef LEDGER_TX_NOTE_H
#define LEDGER_TX_NOTE_H

#include "ledger/tx.h"

/*
 * Read one transaction of this ledger; tx borrows from whole and must be
 * given to tx_free when this returned 0.  Nothing is verified.  ERR_BAD.
 */
int tx_parse(struct tx *tx, struct span whole, const struct hash *ledger,
    struct err *e);

/*
 * Append the text of a transaction, to be signed by its author: from kind,
 * time_ms, author and the members of the kind.  Readers must be sorted.
 */
void tx_text(struct buf *out, const struct tx *tx, const struct hash *ledger);

#endif
