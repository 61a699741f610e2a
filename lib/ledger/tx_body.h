/* tx_body: the lines of each kind of transaction; only for tx_note.c. */
#ifndef LEDGER_TX_BODY_H
#define LEDGER_TX_BODY_H

#include "ledger/tx.h"

/* Read or append the lines after "author", as tx->kind has them. */
int tx_body_read(struct tx *tx, struct text *t, struct err *e);
void tx_body_add(struct buf *out, const struct tx *tx);

#endif
