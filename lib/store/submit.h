/* submit: signing transactions and adding them to those that wait. */
#ifndef STORE_SUBMIT_H
#define STORE_SUBMIT_H

#include "store/pool.h"

/*
 * Sign tx, of which kind and the members of the kind are set, as id, and add
 * it.  author and time are set here.  *txid may be NULL.  Errors as
 * pool_add's.
 */
int submit_tx(struct pool *p, const struct identity *id, struct tx *tx,
    int64_t now_ms, struct hash *txid, struct err *e);

#endif
