#include "net/ask.h"

#include <stdio.h>

#include "base/stamp.h"
#include "base/text.h"
#include "ledger/block.h"
#include "net/sync_part.h"
#include "store/chain.h"

#define ROOTS_MAX (1u << 20)	/* bytes of an answer */

int
ask_connect(struct session **out, const struct repo *r, const struct peer *p,
    struct err *e)
{
	struct hello me = { .has_ledger = true };

	me.ledger = *repo_ledger(r);
	me.skew_ms = r->genesis->settings.skew_ms;
	me.has_skew = true;
	if (session_connect(out, &me, p->name, p->command, e) != 0)
		return -1;
	if (hash_eq(&(*out)->ledger, repo_ledger(r)))
		return 0;
	session_close(*out);
	*out = NULL;
	return err_set(e, ERR_NO, "%s: speaks of another ledger", p->name);
}

/* A request whose answer is a payload. */
static int
ask(struct buf *answer, struct session *s, const char *request,
    struct err *e)
{
	struct buf status = BUF_INIT(PROTO_LINE_MAX);
	int ret = session_ask(s, request, span_of(NULL, 0), &status, answer,
	    e);

	buf_free(&status);
	return ret;
}

int
ask_block(struct buf *packed, struct session *s, uint64_t height,
    struct err *e)
{
	struct buf answer = BUF_INIT(CHAIN_FILE_MAX + 64);
	struct span rest, item;
	char request[64];
	int ret;

	snprintf(request, sizeof(request), "blocks %llu 1",
	    (unsigned long long)height);
	ret = ask(&answer, s, request, e);
	rest = buf_span(&answer);
	if (ret == 0)
		ret = proto_item_next(&rest, &item, CHAIN_FILE_MAX, e);
	if (ret == 1) {
		buf_add(packed, item.p, item.n);
		ret = buf_check(packed, "block", e) == 0 ? 1 : -1;
	}
	buf_free(&answer);
	return ret;
}

int
ask_block_id(struct hash *id, struct session *s, uint64_t height,
    struct err *e)
{
	struct buf answer = BUF_INIT(BLOCK_HEADER_MAX + BLOCK_CERT_MAX + 128);
	struct span rest, item;
	struct block_header h;
	char request[64];
	int ret;

	snprintf(request, sizeof(request), "headers %llu 1",
	    (unsigned long long)height);
	ret = ask(&answer, s, request, e);
	rest = buf_span(&answer);
	if (ret == 0)
		ret = proto_item_next(&rest, &item, BLOCK_HEADER_MAX, e);
	if (ret == 1 && block_header_parse(&h, item, &s->ledger, e) != 0)
		ret = -1;
	if (ret == 1 && h.height != height)
		ret = err_set(e, ERR_BAD, "%s: another header than was asked "
		    "for", s->peer);
	if (ret == 1)
		*id = h.id;
	buf_free(&answer);
	return ret;
}

int
ask_roots(struct session *s, int64_t hour_ms, uint64_t count,
    int (*fn)(void *arg, const struct proto_root *root, struct err *e),
    void *arg, struct err *e)
{
	struct buf answer = BUF_INIT(ROOTS_MAX);
	char hour[STAMP_HOUR_LEN + 1], request[64];
	struct proto_root root;
	struct span one;
	struct text t;
	int ret;

	stamp_hour_format(hour, hour_ms);
	snprintf(request, sizeof(request), "roots %s %llu", hour,
	    (unsigned long long)count);
	ret = ask(&answer, s, request, e);
	text_init(&t, buf_span(&answer), "roots");
	while (ret == 0 && !text_end(&t)) {
		ret = text_line(&t, &one, e);
		if (ret == 0)
			ret = proto_root_parse(&root, one, e);
		if (ret != 0)
			err_wrap(e, "%s", s->peer);
		else
			ret = fn(arg, &root, e);
	}
	buf_free(&answer);
	return ret < 0 ? -1 : 0;
}

int
ask_objects(struct repo *r, struct session *s, const struct ids *l,
    uint64_t largest, struct err *e)
{
	struct sync_result res = { .wanted = 0 };
	struct sync y = { r, s, &res };

	return sync_pull_objects(&y, l, largest, e);
}
