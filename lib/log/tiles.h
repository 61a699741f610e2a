/*
 * tiles: the Merkle tree over all transactions on disk, as static files that
 * any web server can publish (c2sp.org/tlog-tiles; ehr-repository(5)).  They
 * follow from the blocks, as the logs do.
 */
#ifndef LOG_TILES_H
#define LOG_TILES_H

#include "log/hourly.h"
#include "log/tree.h"

/*
 * Write the tiles and bundles that are missing: all whole ones, and of those
 * that are not whole the parts that the trees at the ends of hours have.  db
 * is a state up to head.  ERR_BAD: what is there does not fit.
 */
int tiles_roll(struct repo *r, struct db *db, const struct head *head,
    size_t *written, struct err *e);

/*
 * Compare what is there with the blocks up to head; bad is called for each
 * file that is altered, not a tile, or missing: once there are tiles, all must
 * be there which the trees at the ends of the hours that were rolled have.
 */
int tiles_check(struct repo *r, struct db *db, const struct head *head,
    uint64_t *checked, hourly_bad *bad, void *arg, struct err *e);

#endif
