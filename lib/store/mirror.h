/*
 * mirror: does state.db say what the blocks say?  It is held against a state
 * that was just made from them (db_scratch), table by table.
 */
#ifndef STORE_MIRROR_H
#define STORE_MIRROR_H

#include "store/state.h"

/*
 * Does db, whose head is that of made, hold the same, in its indexes, too?  1;
 * 0, and *table is the first that differs; -1.  What is only known here
 * (segments, what waits) is not looked at; of the tables want and dismissed,
 * from which rows go when they are done, none may have more than made has.
 */
int mirror_same(struct db *db, struct db *made, const char **table,
    struct err *e);

#endif
