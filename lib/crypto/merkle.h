/*
 * merkle: the Merkle tree of RFC 6962 section 2.1 / RFC 9162.
 *
 *	leaf hash = SHA-256(0x00 || data)
 *	node hash = SHA-256(0x01 || left || right)
 *	empty     = SHA-256()
 */
#ifndef CRYPTO_MERKLE_H
#define CRYPTO_MERKLE_H

#include "crypto/hash.h"

#define MERKLE_DEPTH 64		/* an uint64_t of leaves at most */

void merkle_leaf(struct hash *out, const void *data, size_t n);
void merkle_node(struct hash *out, const struct hash *left,
    const struct hash *right);

/*
 * The frontier: the roots of the full subtrees, largest first, of which a
 * tree of size leaves consists.  Appending is O(1) amortised, memory is fixed.
 */
struct merkle {
	uint64_t size;
	unsigned n;			/* how many peaks: popcount(size) */
	struct hash peak[MERKLE_DEPTH];
};

void merkle_init(struct merkle *m);
void merkle_add(struct merkle *m, const struct hash *leaf_hash);
void merkle_root(struct hash *out, const struct merkle *m);

/* Root of n transaction ids, each a leaf's 32 bytes of data. */
void merkle_root_of(struct hash *out, const struct hash *ids, size_t n);

/*
 * Proofs (RFC 9162 sections 2.1.3 and 2.1.4).  A maker asks node for the
 * hashes of whole subtrees: that of leaves index * 2^level and the 2^level - 1
 * after it, all of which are in the tree; of some O(log(size)^2) at most.  It
 * writes at most MERKLE_DEPTH hashes to path, *n of them, and returns 0, or -1
 * as soon as node does.  A check returns whether the proof is exactly right.
 */
typedef int merkle_node_fn(void *arg, unsigned level, uint64_t index,
    struct hash *out, struct err *e);
int merkle_inclusion(struct hash path[MERKLE_DEPTH], size_t *n,
    uint64_t index, uint64_t size, merkle_node_fn *node, void *arg,
    struct err *e);
bool merkle_inclusion_ok(const struct hash *root, uint64_t size,
    uint64_t index, const struct hash *leaf_hash, const struct hash *path,
    size_t n);
int merkle_consistency(struct hash path[MERKLE_DEPTH], size_t *n,
    uint64_t size1, uint64_t size2, merkle_node_fn *node, void *arg,
    struct err *e);
bool merkle_consistency_ok(const struct hash *root1, uint64_t size1,
    const struct hash *root2, uint64_t size2, const struct hash *path,
    size_t n);

/* The root of the first size leaves, of nodes as above. */
int merkle_root_at(struct hash *out, uint64_t size, merkle_node_fn *node,
    void *arg, struct err *e);

#endif
