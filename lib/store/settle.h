/* settle: which waiting items the ledger has dealt with. */
#ifndef STORE_SETTLE_H
#define STORE_SETTLE_H

#include "ledger/staged.h"
#include "store/segment.h"
#include "store/state.h"

/* Is the transaction on the ledger?  1, 0, -1. */
int settle_tx(struct db *db, const struct hash *id, struct err *e);

/* Was the staged record authorized, erased, or rejected by its patient? */
int settle_staged(struct db *db, const struct staged *s, struct err *e);

/* Move a file that cannot be read to quarantine/, its name kept. */
int settle_quarantine(struct repo *r, const char *path, struct err *e);

/*
 * The same; to gets the path that it has there.  keep: it also stays where it
 * is, until another file takes its name.
 */
int settle_quarantine_as(char to[FS_NAME_MAX], struct repo *r,
    const char *path, bool keep, struct err *e);

#endif
