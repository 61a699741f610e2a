/*
 * tree: hashes of the Merkle tree over all transactions, from the tiles where
 * they are there, else from the state.  What comes from tiles is not to be
 * believed until the root fits.
 */
#ifndef LOG_TREE_H
#define LOG_TREE_H

#include "crypto/tile.h"
#include "store/state.h"

#define TREE_DIR "tiles"		/* what may be published */

struct tree;

/* Both are borrowed. */
int tree_open(struct tree **out, struct repo *r, struct db *db,
    struct err *e);
void tree_close(struct tree *t);	/* NULL does nothing */

/* A whole subtree's root: a merkle_node_fn, whose arg is the tree. */
int tree_node(void *arg, unsigned level, uint64_t index, struct hash *out,
    struct err *e);

/*
 * Call fn with the ids of transactions number from, up to but not including
 * to, in order; it asks nothing of a tree.  ERR_BAD: one is not there.
 */
int tree_each_id(struct db *db, uint64_t from, uint64_t to,
    int (*fn)(void *arg, const struct hash *id, struct err *e), void *arg,
    struct err *e);

/* Read a tile's file: 1; 0: it is not there, or not as long as it must be. */
int tree_read_tile(struct hash h[TILE_WIDTH], struct repo *r,
    const struct tile *t, struct err *e);

#endif
