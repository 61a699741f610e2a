#define _GNU_SOURCE
#include <stdlib.h>

#include "store/object.h"
#include "store/object_index.h"
#include "store/object_put.h"

struct object_batch {
	struct repo *r;
	struct segment_writer *seg;	/* NULL up to the second object */
	struct buf first;		/* the bytes of the first object */
	struct object_item *item;
	size_t n, cap;
};

int
object_batch_open(struct object_batch **out, struct repo *r, struct err *e)
{
	struct object_batch *b;

	/* One look for new segments, not one for each object. */
	if (object_reindex(r, e) != 0)
		return -1;
	if ((b = calloc(1, sizeof(*b))) == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	b->r = r;
	buf_init(&b->first, OBJECT_SMALL_MAX);
	*out = b;
	return 0;
}

/* The second object makes a segment of the batch. */
static int
start_segment(struct object_batch *b, struct err *e)
{
	if (segment_open(&b->seg, b->r->dirfd, OBJECT_SEG_DIR,
	    OBJECT_SEG_KIND, e) != 0)
		return -1;
	if (segment_add_hashed(b->seg, buf_span(&b->first), &b->item[0].id,
	    &b->item[0].at, e) != 0)
		return -1;
	buf_free(&b->first);
	return 0;
}

static int
more_items(struct object_batch *b, struct err *e)
{
	size_t cap = b->cap == 0 ? 64 : b->cap * 2;
	struct object_item *item;

	if (b->n < b->cap)
		return 0;
	item = reallocarray(b->item, cap, sizeof(*item));
	if (item == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	b->item = item;
	b->cap = cap;
	return 0;
}

int
object_batch_add(struct object_batch *b, struct span data, struct hash *id,
    struct err *e)
{
	struct object_item *item;
	struct hash h;
	int got;

	if (data.n > OBJECT_SMALL_MAX)
		return err_set(e, ERR_BAD, "an object of %zu bytes is too "
		    "large for a batch", data.n);
	hash_bytes(&h, data.p, data.n);
	if (id != NULL)
		*id = h;
	if ((got = object_is_stored(b->r, &h, data, e)) != 0)
		return got < 0 ? -1 : 0;
	if (more_items(b, e) != 0)
		return -1;
	item = &b->item[b->n];
	*item = (struct object_item){ h, 0, data.n };
	if (b->n == 0) {
		buf_add(&b->first, data.p, data.n);
		if (buf_check(&b->first, "object", e) != 0)
			return -1;
	} else if ((b->seg == NULL && start_segment(b, e) != 0) ||
	    segment_add_hashed(b->seg, data, &h, &item->at, e) != 0)
		return -1;
	b->n++;
	return 0;
}

static int
by_id(const void *a, const void *b)
{
	const struct object_item *x = a, *y = b;

	return memcmp(x->id.b, y->id.b, HASH_LEN);
}

static int
commit_segment(struct object_batch *b, struct err *e)
{
	char name[SEGMENT_NAME_LEN];
	struct err other;
	int r = segment_commit(b->seg, name, e);

	b->seg = NULL;
	if (r != 0)
		return -1;
	/*
	 * The objects are safe now.  Should the table not take them, they are
	 * found all the same: the segment is not in it, so it will be read.
	 * In the order of the table's key, it takes them faster.
	 */
	qsort(b->item, b->n, sizeof(*b->item), by_id);
	object_index_add(b->r, name, b->item, b->n, &other);
	return 0;
}

int
object_batch_commit(struct object_batch *b, struct err *e)
{
	int r = 0;

	if (b->seg != NULL)
		r = commit_segment(b, e);
	else if (b->n == 1)
		r = object_put_hashed(b->r, &b->item[0].id,
		    buf_span(&b->first), e);
	object_batch_abort(b);
	return r;
}

void
object_batch_abort(struct object_batch *b)
{
	if (b == NULL)
		return;
	segment_abort(b->seg);
	buf_free(&b->first);
	free(b->item);
	free(b);
}
