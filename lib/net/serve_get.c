/* The requests that change nothing. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "crypto/age.h"
#include "net/known_file.h"
#include "net/parcel.h"
#include "net/serve_conn.h"
#include "net/waiting.h"
#include "store/chain.h"
#include "store/lookup.h"

static int
get_head(struct serve_conn *c, struct buf *status, struct err *e)
{
	struct head h;

	if (chain_head(&h, c->repo, e) != 0)
		return -1;
	buf_addc(status, ' ');
	proto_head_format(status, h.height, &h.id);
	return 0;
}

/* A block's header and certificate as two items; id becomes the block's. */
static int
add_header(struct buf *answer, struct repo *r, uint64_t height,
    struct hash *id, struct err *e)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);
	struct block b;
	int ret = chain_read(&text, r, height, e);

	if (ret == 0)
		ret = block_parse(&b, buf_span(&text), true, repo_ledger(r),
		    e);
	if (ret == 0) {
		proto_item_add(answer, b.header);
		proto_item_add(answer, b.certificate);
		*id = b.h.id;
	}
	buf_free(&text);
	return ret;
}

static int
add_block(struct buf *answer, struct repo *r, uint64_t height, struct err *e)
{
	struct buf packed = BUF_INIT(CHAIN_FILE_MAX);
	int ret = chain_read_packed(&packed, r, height, e);

	if (ret == 0)
		proto_item_add(answer, buf_span(&packed));
	buf_free(&packed);
	return ret;
}

static int
get_range(struct serve_conn *c, const struct proto_request *rq,
    struct buf *answer, struct err *e)
{
	struct hash id;
	struct head h;

	if (chain_head(&h, c->repo, e) != 0)
		return -1;
	for (uint64_t i = 0; i < rq->count && rq->from + i <= h.height &&
	    answer->len < PROTO_ANSWER_SOFT; i++) {
		int ret = rq->verb == PROTO_HEADERS ?
		    add_header(answer, c->repo, rq->from + i, &id, e) :
		    add_block(answer, c->repo, rq->from + i, e);

		if (ret != 0)
			return -1;
		if (rq->has_stop && hash_eq(&id, &rq->stop))
			break;
	}
	return buf_check(answer, "answer", e);
}

static int
get_delegates(struct serve_conn *c, const struct proto_request *rq,
    struct buf *answer, struct err *e)
{
	struct delegates set;
	struct head h;
	struct db *db;

	if (chain_head(&h, c->repo, e) != 0 || db_of(&db, c->repo, e) != 0)
		return -1;
	if (rq->from > h.height + 1)
		return err_set(e, ERR_NO, "who votes at height %llu is not "
		    "known here yet", (unsigned long long)rq->from);
	if (state_delegates(&set, db, rq->from, e) != 0)
		return -1;
	delegates_text(answer, &set);
	return buf_check(answer, "answer", e);
}

static int
get_addresses(struct serve_conn *c, struct buf *answer, struct err *e)
{
	struct known *k = malloc(sizeof(*k));

	if (k == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	known_told(k, c->repo);
	known_format_answer(answer, k);
	free(k);
	return buf_check(answer, "answer", e);
}

static int
get_roots(struct serve_conn *c, const struct proto_request *rq,
    struct buf *answer, struct err *e)
{
	if (c->o->roots == NULL)
		return err_set(e, ERR_NO, "no roots over this connection");
	if (c->o->roots(c->repo, rq->hour_ms, rq->count, answer, e) != 0)
		return -1;
	return buf_check(answer, "answer", e);
}

/*
 * A list may be longer than an answer: it is made when it is asked for from
 * its start, and the rest of it is what it was then.
 */
static int
get_list(struct serve_conn *c, const struct proto_request *rq,
    struct buf *answer, struct err *e)
{
	struct span part;
	int ret = 0;

	if (rq->from == 0 || c->listed != rq->verb) {
		c->list.n = 0;
		c->listed = rq->verb;
		if (rq->verb == PROTO_PENDING)
			ret = waiting_pending(&c->list, c->repo,
			    clock_now_ms(), NULL, e);
		else if (rq->verb == PROTO_STAGED)
			ret = waiting_staged(&c->list, c->repo,
			    clock_now_ms(), e);
		else
			ret = waiting_wanted(&c->list, c->repo, SIZE_MAX, e);
	}
	if (ret != 0)
		return -1;
	part = ids_payload(&c->list, (size_t)rq->from, PROTO_IDS_MAX);
	buf_add(answer, part.p, part.n);
	return buf_check(answer, "answer", e);
}

static int
get_items(struct serve_conn *c, const struct proto_request *rq,
    struct span body, struct buf *status, struct buf *answer, struct err *e)
{
	struct ids asked = IDS_INIT;
	bool more = false;
	int ret = ids_add_payload(&asked, body, PROTO_IDS_MAX, e);

	ids_sort(&asked);
	if (ret == 0 && rq->verb == PROTO_GET_PENDING)
		ret = waiting_pending_items(answer, c->repo, &asked,
		    PROTO_ANSWER_SOFT, &more, e);
	else if (ret == 0)
		ret = waiting_staged_items(answer, c->repo, &asked,
		    PROTO_ANSWER_SOFT, &more, e);
	ids_free(&asked);
	if (more)
		buf_adds(status, " more");
	return ret;
}

/* Streamed: the answer is not gathered.  Of each, without the first skip
 * bytes. */
static int
get_objects(struct serve_conn *c, struct span body, uint64_t skip,
    struct err *e)
{
	struct ids asked = IDS_INIT;
	int ret = ids_add_payload(&asked, body, PROTO_IDS_MAX, e);

	if (ret == 0 && (ret = serve_objects(c, asked.n, e)) != 0)
		ids_free(&asked);
	if (ret != 0)
		return -1;
	ret = pkt_line(&c->pkt, e, "ok");
	for (size_t i = 0; ret == 0 && i < asked.n; i++)
		if ((ret = serve_sent(c, e)) == 0)
			ret = parcel_send_rest(&c->pkt, c->repo,
			    &asked.id[i], skip, e);
	if (ret == 0)
		ret = pkt_flush(&c->pkt, e);
	ids_free(&asked);
	if (ret == 0)
		return 1;
	/* In the middle of a stream there is no way to say why. */
	c->end = true;
	return -1;
}

static int
get_genesis(struct serve_conn *c, struct buf *answer, struct err *e)
{
	buf_add(answer, c->repo->genesis_file.p, c->repo->genesis_file.len);
	return buf_check(answer, "genesis", e);
}

/* The ledger secret as its file's text, sealed to the node that calls. */
static int
get_secret(struct serve_conn *c, struct buf *answer, struct err *e)
{
	char text[HASH_HEX];
	struct lookup_node n;
	struct hash secret;
	struct db *db;
	int ret;

	if (db_of(&db, c->repo, e) != 0 ||
	    (ret = lookup_node(&n, db, span_str(c->from), e)) < 0)
		return -1;
	if (ret == 0 || !n.active)
		return err_set(e, ERR_NO, "%s is no node of this ledger",
		    c->from);
	if (repo_secret(c->repo, &secret, e) != 0)
		return err_set(e, ERR_NO, "this copy has no ledger secret");
	hash_format(text, &secret);
	text[HASH_HEX - 1] = '\n';
	ret = age_seal(answer, span_of(text, sizeof(text)), &n.seal, 1, e);
	hash_wipe(&secret, sizeof(secret));
	hash_wipe(text, sizeof(text));
	return ret;
}

int
serve_get(struct serve_conn *c, const struct proto_request *rq,
    struct span body, struct buf *status, struct buf *answer, struct err *e)
{
	switch (rq->verb) {
	case PROTO_KEEPALIVE:
		return 0;
	case PROTO_ADDR:
		return get_addresses(c, answer, e);
	case PROTO_DELEGATES:
		return get_delegates(c, rq, answer, e);
	case PROTO_ROOTS:
		return get_roots(c, rq, answer, e);
	case PROTO_HEAD:
		return get_head(c, status, e);
	case PROTO_GENESIS:
		return get_genesis(c, answer, e);
	case PROTO_HEADERS:
	case PROTO_BLOCKS:
		return get_range(c, rq, answer, e);
	case PROTO_PENDING:
	case PROTO_STAGED:
	case PROTO_WANTED:
		return get_list(c, rq, answer, e);
	case PROTO_GET_PENDING:
	case PROTO_GET_STAGED:
		return get_items(c, rq, body, status, answer, e);
	case PROTO_OBJECTS:
		return get_objects(c, body, 0, e);
	case PROTO_REST:
		if (body.n != HASH_LEN)
			return err_set(e, ERR_BAD, "not the protocol: the id "
			    "of one object was expected");
		return get_objects(c, body, rq->from, e);
	case PROTO_SECRET:
		return get_secret(c, answer, e);
	default:
		return err_set(e, ERR_NO, "not a request for something");
	}
}
