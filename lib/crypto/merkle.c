#include "crypto/merkle.h"

#include <assert.h>

void
merkle_leaf(struct hash *out, const void *data, size_t n)
{
	struct span in[2] = { span_of("\0", 1), span_of(data, n) };

	hash_spans(out, in, 2);
}

void
merkle_node(struct hash *out, const struct hash *left,
    const struct hash *right)
{
	unsigned char in[1 + 2 * HASH_LEN];

	in[0] = 1;
	memcpy(in + 1, left->b, HASH_LEN);
	memcpy(in + 1 + HASH_LEN, right->b, HASH_LEN);
	hash_bytes(out, in, sizeof(in));
}

void
merkle_init(struct merkle *m)
{
	m->size = 0;
	m->n = 0;
}

void
merkle_add(struct merkle *m, const struct hash *leaf_hash)
{
	assert(m->size < UINT64_MAX);
	m->peak[m->n] = *leaf_hash;
	/* Each low one bit of the size is a peak that ours completes. */
	for (uint64_t s = m->size; (s & 1) != 0; s >>= 1) {
		struct hash left = m->peak[m->n - 1];

		merkle_node(&m->peak[m->n - 1], &left, &m->peak[m->n]);
		m->n--;
	}
	m->n++;
	m->size++;
}

void
merkle_root(struct hash *out, const struct merkle *m)
{
	if (m->n == 0) {
		hash_spans(out, NULL, 0);
		return;
	}
	*out = m->peak[m->n - 1];
	for (unsigned i = m->n - 1; i-- > 0;) {
		struct hash right = *out;

		merkle_node(out, &m->peak[i], &right);
	}
}

void
merkle_root_of(struct hash *out, const struct hash *ids, size_t n)
{
	struct merkle m;
	struct hash leaf;

	merkle_init(&m);
	for (size_t i = 0; i < n; i++) {
		merkle_leaf(&leaf, ids[i].b, HASH_LEN);
		merkle_add(&m, &leaf);
	}
	merkle_root(out, &m);
}

/* The largest power of two below n, where a tree of n > 1 leaves divides. */
static uint64_t
split(uint64_t n)
{
	uint64_t k = 1;

	while (k < n - k)
		k *= 2;
	return k;
}

/* The highest whole subtree that begins at from and ends at to or before. */
static unsigned
highest(uint64_t from, uint64_t to)
{
	unsigned level = 0;

	while (level < MERKLE_DEPTH - 1 && (from >> level & 1) == 0 &&
	    (to - from) >> (level + 1) != 0)
		level++;
	return level;
}

/*
 * The root of leaves from, up to but not including to: a part that the tree's
 * shape has, so that its subtrees get smaller from left to right.
 */
static int
range_root(struct hash *out, uint64_t from, uint64_t to, merkle_node_fn *node,
    void *arg, struct err *e)
{
	struct hash peak[MERKLE_DEPTH], right;
	unsigned n = 0;

	while (from < to) {
		unsigned level = highest(from, to);

		assert(n < MERKLE_DEPTH);
		if (node(arg, level, from >> level, &peak[n++], e) != 0)
			return -1;
		from += (uint64_t)1 << level;
	}
	assert(n > 0);
	*out = peak[--n];
	while (n-- > 0) {
		right = *out;
		merkle_node(out, &peak[n], &right);
	}
	return 0;
}

int
merkle_root_at(struct hash *out, uint64_t size, merkle_node_fn *node,
    void *arg, struct err *e)
{
	if (size > 0)
		return range_root(out, 0, size, node, arg, e);
	hash_spans(out, NULL, 0);
	return 0;
}

/* The definitions work from the root down, a path is written upwards. */
static void
reverse(struct hash *path, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct hash h = path[i];

		path[i] = path[n - 1 - i];
		path[n - 1 - i] = h;
	}
}

int
merkle_inclusion(struct hash path[MERKLE_DEPTH], size_t *n, uint64_t index,
    uint64_t size, merkle_node_fn *node, void *arg, struct err *e)
{
	uint64_t from = 0, to = size;

	assert(index < size);
	*n = 0;
	while (to - from > 1) {
		uint64_t mid = from + split(to - from);
		bool left = index < mid;

		assert(*n < MERKLE_DEPTH);
		if (range_root(&path[(*n)++], left ? mid : from,
		    left ? to : mid, node, arg, e) != 0)
			return -1;
		*(left ? &to : &from) = mid;
	}
	reverse(path, *n);
	return 0;
}

int
merkle_consistency(struct hash path[MERKLE_DEPTH], size_t *n, uint64_t size1,
    uint64_t size2, merkle_node_fn *node, void *arg, struct err *e)
{
	uint64_t from = 0, to = size2;

	assert(size1 <= size2);
	*n = 0;
	if (size1 == 0)
		return 0;
	while (to > size1) {
		uint64_t mid = from + split(to - from);
		bool left = size1 <= mid;

		assert(*n < MERKLE_DEPTH - 1);
		if (range_root(&path[(*n)++], left ? mid : from,
		    left ? to : mid, node, arg, e) != 0)
			return -1;
		*(left ? &to : &from) = mid;
	}
	/* The whole old tree needs no hash: its root is what is compared. */
	if (from > 0 && range_root(&path[(*n)++], from, to, node, arg, e) != 0)
		return -1;
	reverse(path, *n);
	return 0;
}

/*
 * One level up from leaf or node fn of a level whose last one is sn.  When fn
 * is a last, lonely left child, also past the levels at which it stays alone.
 */
static void
ascend(uint64_t *fn, uint64_t *sn)
{
	while ((*fn & 1) == 0 && *fn != 0) {
		*fn >>= 1;
		*sn >>= 1;
	}
	*fn >>= 1;
	*sn >>= 1;
}

bool
merkle_inclusion_ok(const struct hash *root, uint64_t size, uint64_t index,
    const struct hash *leaf_hash, const struct hash *path, size_t n)
{
	struct hash r = *leaf_hash, was;
	uint64_t fn = index, sn = size - 1;

	if (index >= size)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (sn == 0)
			return false;
		was = r;
		if ((fn & 1) != 0 || fn == sn) {
			merkle_node(&r, &path[i], &was);
			ascend(&fn, &sn);
		} else {
			merkle_node(&r, &was, &path[i]);
			fn >>= 1;
			sn >>= 1;
		}
	}
	return sn == 0 && hash_eq(&r, root);
}

bool
merkle_consistency_ok(const struct hash *root1, uint64_t size1,
    const struct hash *root2, uint64_t size2, const struct hash *path,
    size_t n)
{
	struct hash r1, r2, was;
	uint64_t fn = size1 - 1, sn = size2 - 1;
	size_t i = 0;

	if (size1 == 0 || size1 > size2)
		return false;
	if (size1 == size2)
		return n == 0 && hash_eq(root1, root2);
	for (; (fn & 1) != 0; fn >>= 1)
		sn >>= 1;
	/* A full old tree is a node of the new one: the path leaves it out. */
	if (fn != 0) {
		if (n == 0)
			return false;
		r1 = path[i++];
	} else
		r1 = *root1;
	r2 = r1;
	for (; i < n; i++) {
		if (sn == 0)
			return false;
		was = r2;
		if ((fn & 1) != 0 || fn == sn) {
			merkle_node(&r2, &path[i], &was);
			was = r1;
			merkle_node(&r1, &path[i], &was);
			ascend(&fn, &sn);
		} else {
			merkle_node(&r2, &was, &path[i]);
			fn >>= 1;
			sn >>= 1;
		}
	}
	return sn == 0 && hash_eq(&r1, root1) && hash_eq(&r2, root2);
}
