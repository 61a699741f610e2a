/* turns: who did not speak when it was its turn, as the blocks show. */
#ifndef NET_TURNS_H
#define NET_TURNS_H

#include "ledger/certificate.h"
#include "store/db.h"

/*
 * Which delegates (a mask of indices in set, which decides on that height) let
 * pass the last turn that they had: the block of that height was proposed in a
 * later view than theirs.  What the last n blocks show is the same at all
 * nodes, and outlives a restart.
 */
int turns_missed(uint64_t *mask, struct db *db, const struct delegates *set,
    uint64_t height, struct err *e);

#endif
