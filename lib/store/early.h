/*
 * early: the signatures of transactions that come, verified on all cores before
 * the pool is opened.  Whoever has the pool open keeps others from the state,
 * and verifying takes much longer than all else that is done with it.
 */
#ifndef STORE_EARLY_H
#define STORE_EARLY_H

#include "store/state.h"

struct early;

/*
 * Of what two bring at the same time, or is proposed meanwhile, each would be
 * verified twice: so one at a time looks what is new, verifies and adds.  From
 * early_open to early_free, or of what this returns to its close(2); -1: the
 * others take too long, and it is done beside them.
 */
int early_wait(const struct repo *r);

int early_open(struct early **out, struct repo *r, struct err *e);
void early_free(struct early *x);	/* NULL does nothing */

/*
 * Remember the signatures of a transaction, and of the staged record in it, of
 * authors who are known to the ledger.  Copies what it needs.  The state should
 * be the same for all of them (db_snapshot): a key is looked for once.
 */
int early_add(struct early *x, const struct tx *tx, struct err *e);

/* Verify all; to be called once, when all were added. */
int early_verify(struct early *x, struct err *e);

/*
 * Does the note's signature verify as name's with that key?  1, 0; -1: it was
 * not among them, and nobody has looked.
 */
int early_said(const struct early *x, const struct note *n, struct span name,
    const struct sign_pub *pub);

#endif
