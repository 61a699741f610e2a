/*
 * object_index: which segment holds an object: the tables "segment" and
 * "segment_object" of state.db.  Only for object*.c.
 */
#ifndef STORE_OBJECT_INDEX_H
#define STORE_OBJECT_INDEX_H

#include "crypto/hash.h"
#include "store/repo.h"
#include "store/segment.h"

#define OBJECT_SEG_DIR "objects/seg"
#define OBJECT_SEG_KIND SEGMENT_ERASABLE

/* Where in which segment. */
struct object_row {
	char segment[SEGMENT_NAME_LEN];
	uint64_t at, size;
};

struct object_item {
	struct hash id;
	uint64_t at, size;
};

/* Add the n items of a new segment, in one transaction. */
int object_index_add(struct repo *r, const char *segment,
    const struct object_item *item, size_t n, struct err *e);

/*
 * Add the segments on disk that are not in the table; *added says whether
 * there was one.  Of a damaged segment, the items before the damage are added.
 * Costs one stat when the folder is as it was the last time.
 */
int object_index_refresh(struct repo *r, bool *added, struct err *e);

/*
 * The next place of an object: 1 there is one, 0 no more, -1 error.  *row is
 * all zero at first.  There may be several: two processes that store the same
 * object at the same time do not see each other.
 */
int object_index_next(struct object_row *row, struct repo *r,
    const struct hash *id, struct err *e);

/*
 * The next ids above *after (from the start when it is NULL), in order: at
 * most max; *n of them.
 */
int object_index_ids(struct hash *out, size_t max, size_t *n, struct repo *r,
    const struct hash *after, struct err *e);

#endif
