/*
 * tile: where a Merkle tree lies on disk (c2sp.org/tlog-tiles).
 *
 * A tile of level L and index N holds up to 256 hashes: number i is the root
 * of the whole subtree of 256^L leaves from (256 N + i) 256^L on.  A tile of
 * fewer is partial.  A bundle, of the same numbers as a tile of level 0, holds
 * the leaves' data.
 */
#ifndef CRYPTO_TILE_H
#define CRYPTO_TILE_H

#include "crypto/merkle.h"

#define TILE_WIDTH 256			/* hashes of a whole tile */
#define TILE_LEVELS 8			/* of a tree of up to 2^64 leaves */
#define TILE_ENTRIES (-1)		/* as a level: a bundle */
#define TILE_PATH_LEN 64

struct tile {
	int level;			/* 0 to TILE_LEVELS - 1; TILE_ENTRIES */
	uint64_t index;
	unsigned width;			/* 1 to TILE_WIDTH */
};

/* "tile/L/x001/x234/067", of a partial one ".p/W" after it. */
void tile_path(char out[TILE_PATH_LEN], const struct tile *t);

/* The tile of that path: 0, or -1 when no tile has it. */
int tile_parse(struct tile *t, const char *path);

/* How many hashes of that level a tree of size leaves has. */
uint64_t tile_hashes(uint64_t size, int level);

/* The root of the subtree over n hashes, side by side; n is a power of 2. */
void tile_root(struct hash *out, const struct hash *h, unsigned n);

#endif
