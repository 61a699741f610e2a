#include "net/sync.h"

#include <stdio.h>

#include "base/text.h"
#include "net/sync_part.h"
#include "net/waiting.h"

const struct sync_kind sync_staged = {
	"staged", PROTO_GET_STAGED, PROTO_PUT_STAGED, true,
	waiting_staged_items, intake_staged
};

const struct sync_kind sync_pending = {
	"pending", PROTO_GET_PENDING, PROTO_PUT_PENDING, false,
	waiting_pending_items, intake_pending
};

static void
bytes_moved(void *arg, size_t n)
{
	tally_bytes(arg, n);
}

void
sync_count_bytes(struct sync *y)
{
	y->s->pkt.moved = bytes_moved;
	y->s->pkt.moved_arg = y->res;
}

int
sync_blame(struct sync *y, struct err *e)
{
	return err_wrap(e, "%s", y->s->peer);
}

int
sync_ask_head(struct sync *y, struct err *e)
{
	struct buf status = BUF_INIT(PROTO_LINE_MAX);
	struct span rest;
	int ret = session_ask(y->s, "head", span_of(NULL, 0), &status, NULL,
	    e);

	rest = buf_span(&status);
	text_word(&rest);
	if (ret == 0 && proto_head_parse(&y->s->height, &y->s->head, rest,
	    e) != 0)
		ret = sync_blame(y, e);
	buf_free(&status);
	return ret;
}

int
sync_list(struct ids *out, struct sync *y, const char *name, struct err *e)
{
	struct buf status = BUF_INIT(PROTO_LINE_MAX);
	struct buf page = BUF_INIT(PROTO_IDS_MAX * HASH_LEN);
	size_t from = out->n;
	char request[64];
	int ret;

	do {
		snprintf(request, sizeof(request), "%s %zu", name,
		    out->n - from);
		buf_reset(&page);
		ret = session_ask(y->s, request, span_of(NULL, 0), &status,
		    &page, e);
		if (ret == 0 && ids_add_payload(out, buf_span(&page),
		    PROTO_IDS_MAX, e) != 0)
			ret = sync_blame(y, e);
		/* What a longer list has comes the next time. */
	} while (ret == 0 && page.len == PROTO_IDS_MAX * HASH_LEN &&
	    out->n - from < SYNC_LIST_MAX);
	buf_free(&status);
	buf_free(&page);
	return ret;
}

int
sync_strike(struct ids *l, const struct sync_kind *k, struct span items,
    uint64_t *count, struct err *e)
{
	struct ids there = IDS_INIT;
	struct span item;
	struct hash id;
	size_t n = 0;
	int ret;

	while ((ret = proto_item_next(&items, &item, PROTO_BODY_MAX, e)) == 1) {
		hash_bytes(&id, item.p, item.n);
		if (ids_add(&there, &id, e) != 0 || (k->pair &&
		    proto_item_next(&items, &item, PROTO_BODY_MAX, e) < 0)) {
			ret = -1;
			break;
		}
	}
	ids_sort(&there);
	for (size_t i = 0; i < l->n; i++)
		if (!ids_has(&there, &l->id[i]))
			l->id[n++] = l->id[i];
	*count = l->n - n;
	l->n = n;
	ids_free(&there);
	return ret;
}

int
sync_with(struct repo *r, struct session *s, int flags,
    struct sync_result *res, struct err *e)
{
	struct sync y = { r, s, res };
	int ret = 0;

	res->access = s->access;
	if (flags & SYNC_PULL)
		ret = sync_pull(&y, flags, e);
	if (ret == 0 && (flags & SYNC_PUSH))
		ret = sync_push(&y, flags, e);
	s->pkt.moved = NULL;
	return ret;
}
