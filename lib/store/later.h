/*
 * later: a block's transactions on a state that will be rolled back.  Nobody
 * but the block's own later transactions can see what they change, and few of
 * these look: so it is written to the state when one comes that may.
 *
 * Most transactions are about one record each.  The rules ask about that record
 * and whether the objects that are named are new; so only those about the same
 * record, or with an object that was named, see what such a one has changed.
 * The others (users, roles, nodes) see all, and are seen by all.
 */
#ifndef STORE_LATER_H
#define STORE_LATER_H

#include "store/state.h"

struct later;

/* For the block of that height, whose first transaction is number seq. */
int later_open(struct later **out, struct db *db, const struct hash *ledger,
    uint64_t height, uint64_t seq, struct err *e);
void later_free(struct later *l);	/* NULL does nothing */

/*
 * Before the rules are asked about tx: the state shows what they may want to
 * see.  body is that of the block (block.h) up to tx, which is not in it yet.
 */
int later_ask(struct later *l, const struct tx *tx, struct span body,
    struct err *e);

/* The rules accept tx; body now ends with it. */
int later_take(struct later *l, const struct tx *tx, struct span body,
    struct err *e);

#endif
