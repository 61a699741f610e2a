/* The half of sync that gives. */
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "net/parcel.h"
#include "net/sync_part.h"
#include "net/waiting.h"
#include "store/chain.h"

static int
push_block(struct sync *y, uint64_t height, struct err *e)
{
	struct buf status = BUF_INIT(PROTO_LINE_MAX);
	struct buf packed = BUF_INIT(CHAIN_FILE_MAX);
	int ret = chain_read_packed(&packed, y->repo, height, e);

	if (ret == 0)
		ret = session_ask(y->s, "put-block", buf_span(&packed),
		    &status, NULL, e);
	buf_free(&status);
	buf_free(&packed);
	return ret;
}

static int
push_blocks(struct sync *y, int flags, struct err *e)
{
	struct head h;

	if (chain_head(&h, y->repo, e) != 0)
		return -1;
	/* It may have them from others by now. */
	if ((flags & SYNC_LATER) && y->s->height < h.height &&
	    sync_ask_head(y, e) != 0)
		return -1;
	while (y->s->height < h.height) {
		if (push_block(y, y->s->height + 1, e) != 0)
			return -1;
		y->s->height++;
		y->res->pushed.blocks++;
		tally_moved(y->res, "blocks", y->s->height, h.height);
	}
	if (y->s->height == h.height)
		y->s->head = h.id;
	return 0;
}

/* --- objects -------------------------------------------------------------- */

/* One stream of those that are here. */
static int
push_object_group(struct sync *y, const struct ids *l, size_t from,
    struct err *e)
{
	struct buf status = BUF_INIT(PROTO_LINE_MAX);
	struct sync_count *n = &y->res->pushed;
	size_t end = l->n - from < SYNC_GROUP ? l->n : from + SYNC_GROUP;
	uint64_t size;
	int ret = session_start(y->s, "put-objects", e);

	tally_moved(y->res, "objects", from, l->n);
	for (size_t i = from; i < end && ret == 0; i++) {
		if (parcel_send(&y->s->pkt, y->repo, &l->id[i], &size,
		    e) == 0) {
			n->objects++;
			n->bytes += size;
			tally_moved(y->res, "objects", i + 1, l->n);
		} else if (e->kind != ERR_NO)
			ret = session_failed(y->s, e);
	}
	if (ret == 0)
		ret = session_status(y->s, &status, e);
	if (ret == 0 && pkt_read_flush(&y->s->pkt, e) != 0)
		ret = session_failed(y->s, e);
	buf_free(&status);
	return ret;
}

static int
push_objects(struct sync *y, const struct ids *l, struct err *e)
{
	for (size_t i = 0; i < l->n; i += SYNC_GROUP)
		if (push_object_group(y, l, i, e) != 0)
			return -1;
	return 0;
}

/* What the peer misses and we have. */
static int
push_wanted(struct sync *y, struct err *e)
{
	struct ids wanted = IDS_INIT;
	size_t n = 0;
	int got = 0, ret = sync_list(&wanted, y, "wanted", e);

	for (size_t i = 0; i < wanted.n && ret == 0; i++) {
		got = object_has(y->repo, &wanted.id[i], e);
		if (got == 1)
			wanted.id[n++] = wanted.id[i];
		ret = got < 0 ? -1 : 0;
	}
	wanted.n = n;
	if (ret == 0)
		ret = push_objects(y, &wanted, e);
	ids_free(&wanted);
	return ret;
}

/* --- staged records, pending transactions --------------------------------- */

static void
note_refused(struct sync *y, uint64_t n, struct span reasons)
{
	const unsigned char *nl = reasons.n == 0 ? NULL :
	    memchr(reasons.p, '\n', reasons.n);

	if (y->res->refused == 0 && nl != NULL)
		snprintf(y->res->reason, sizeof(y->res->reason), "%.*s",
		    (int)(nl - reasons.p), (const char *)reasons.p);
	y->res->refused += n;
}

/* One put; *need gets the objects that the peer wants to have first. */
static int
put_items(struct sync *y, const struct sync_kind *k, struct span items,
    struct ids *need, struct err *e)
{
	struct buf status = BUF_INIT(PROTO_LINE_MAX);
	struct buf answer = BUF_INIT(PROTO_IDS_MAX * HASH_LEN);
	enum proto_put put;
	uint64_t n;
	int ret = session_ask(y->s, proto_verb_name(k->put), items, &status,
	    &answer, e);

	if (ret == 0) {
		struct span rest = buf_span(&status);

		text_word(&rest);
		ret = proto_put_parse(&put, &n, rest, e);
		if (ret == 0 && put == PROTO_NEED)
			ret = ids_add_payload(need, buf_span(&answer),
			    PROTO_IDS_MAX, e);
		else if (ret == 0 && put == PROTO_REFUSED)
			note_refused(y, n, buf_span(&answer));
		if (ret != 0)
			sync_blame(y, e);
	}
	buf_free(&status);
	buf_free(&answer);
	return ret;
}

/* Put items; when the peer needs objects for them, these first.  *lacks is
 * whether it needs them still: then nothing was taken. */
static int
push_once(struct sync *y, const struct sync_kind *k, struct span items,
    bool *lacks, struct err *e)
{
	struct ids need = IDS_INIT;
	int ret = put_items(y, k, items, &need, e);

	if (ret == 0 && need.n > 0) {
		ret = push_objects(y, &need, e);
		need.n = 0;
		if (ret == 0)
			ret = put_items(y, k, items, &need, e);
	}
	*lacks = need.n > 0;
	ids_free(&need);
	return ret;
}

/* The same; one that cannot be completed must not keep the others back. */
static int
push_items(struct sync *y, const struct sync_kind *k, struct span items,
    struct err *e)
{
	struct span rest = items, at, item;
	bool lacks;
	int ret = push_once(y, k, items, &lacks, e);

	while (ret == 0 && lacks && rest.n > 0) {
		bool alone;

		at = rest;
		if (proto_item_next(&rest, &item, SIZE_MAX, e) < 0 ||
		    (k->pair && proto_item_next(&rest, &item, SIZE_MAX,
		    e) < 0))
			return -1;
		ret = push_once(y, k, span_of(at.p, at.n - rest.n), &alone,
		    e);
		if (ret == 0 && alone)
			note_refused(y, 1, span_str("an object that it names "
			    "is damaged here, or deleted there\n"));
	}
	return ret;
}

/* All of the sorted list, in as many puts as it takes. */
static int
push_all(struct sync *y, const struct sync_kind *k, struct ids *sorted,
    struct err *e)
{
	struct buf items = BUF_INIT(PROTO_PUT_MAX);
	size_t total = sorted->n;
	uint64_t n, refused;
	bool more = true;
	int ret = 0;

	while (ret == 0 && more && sorted->n > 0) {
		buf_reset(&items);
		refused = y->res->refused;
		ret = k->items(&items, y->repo, sorted, SYNC_PUT_SOFT, &more,
		    e);
		/* A block may have settled them by now. */
		if (ret != 0 || items.len == 0)
			break;
		ret = push_items(y, k, buf_span(&items), e);
		if (ret != 0)
			break;
		ret = sync_strike(sorted, k, buf_span(&items), &n, e);
		refused = y->res->refused - refused;
		n -= refused < n ? refused : n;
		if (k->pair)
			y->res->pushed.staged += n;
		else
			y->res->pushed.pending += n;
		tally_moved(y->res, k->name, total - sorted->n, total);
	}
	buf_free(&items);
	return ret;
}

/*
 * Give what waits and is not there.  Of transactions, what was given on this
 * connection is not looked at again, and the peer not asked what it has: it
 * passes over what it knows.
 */
static int
push_waiting(struct sync *y, const struct sync_kind *k, struct err *e)
{
	struct ids ours = IDS_INIT, theirs = IDS_INIT;
	struct pool_mark before = y->s->given;
	int64_t now = clock_now_ms();
	size_t n = 0;
	int ret;

	ret = k->pair ? waiting_staged(&ours, y->repo, now, e) :
	    waiting_pending(&ours, y->repo, now, &y->s->given, e);
	if (ret == 0 && ours.n > 0 && (k->pair || before.file == 0))
		ret = sync_list(&theirs, y, k->name, e);
	ids_sort(&theirs);
	for (size_t i = 0; i < ours.n; i++)
		if (!ids_has(&theirs, &ours.id[i]))
			ours.id[n++] = ours.id[i];
	ours.n = n;
	ids_sort(&ours);
	if (ret == 0)
		ret = push_all(y, k, &ours, e);
	if (ret != 0 && !k->pair)
		y->s->given = before;
	ids_free(&ours);
	ids_free(&theirs);
	return ret;
}

/* -------------------------------------------------------------------------- */

int
sync_push(struct sync *y, int flags, struct err *e)
{
	const char *us = repo_node_name(y->repo);

	if (y->s->access == PROTO_READER) {
		y->res->read_only = true;
		return 0;
	}
	if (y->s->access < PROTO_READER)
		return us == NULL ? 0 : err_set(e, ERR_NO, "%s: it does not "
		    "know %s as a node of the ledger", y->s->peer, us);
	sync_count_bytes(y);
	if ((flags & SYNC_BLOCKS) && push_blocks(y, flags, e) != 0)
		return -1;
	/* What is private goes only to who has shown to be a node. */
	if (y->s->node[0] == '\0')
		return err_set(e, ERR_NO, "%s: it has not shown to be a node "
		    "of the ledger", y->s->peer);
	if ((flags & SYNC_OBJECTS) && push_wanted(y, e) != 0)
		return -1;
	if ((flags & SYNC_STAGED) && push_waiting(y, &sync_staged, e) != 0)
		return -1;
	if ((flags & SYNC_PENDING) && push_waiting(y, &sync_pending, e) != 0)
		return -1;
	return 0;
}
