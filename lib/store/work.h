/* work: does something wait for a block, and since when? */
#ifndef STORE_WORK_H
#define STORE_WORK_H

#include "store/state.h"

/*
 * 1: at now_ms a block could be made on top of the state, from what waits in
 * pending/ or because an hour has ended since the last one; *since_ms is when
 * the oldest of this came here, or the hour began.  0: none; -1: error.  What
 * the rules refuse does not count, however long it waits.
 */
int work_waits(int64_t *since_ms, struct repo *r, int64_t now_ms,
    struct err *e);

#endif
