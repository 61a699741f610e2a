/* The requests that bring something: checked, then durable, then "ok". */
#include "base/clock.h"
#include "base/gz.h"
#include "net/cosign.h"
#include "net/intake.h"
#include "net/parcel.h"
#include "net/serve_conn.h"
#include "net/waiting.h"
#include "store/accept.h"

static int
put_block(struct serve_conn *c, struct span body, struct err *e)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);
	int ret = gz_unpack(&text, body, "block", e);

	if (ret == 0)
		ret = accept_block(c->repo, buf_span(&text), false,
		    clock_now_ms(), e);
	buf_free(&text);
	return ret;
}

/* From now on these objects are welcome. */
static int
ask_for(struct serve_conn *c, const struct intake *in, struct err *e)
{
	for (size_t i = 0; i < in->missing.n; i++)
		if (ids_add(&c->asked, &in->missing.id[i], e) != 0)
			return -1;
	ids_sort(&c->asked);
	if (in->largest > c->largest)
		c->largest = in->largest;
	if (c->asked.n > PROTO_IDS_MAX)
		return err_set(e, ERR_NO, "over %d objects are still to come",
		    PROTO_IDS_MAX);
	return 0;
}

static int
put_items(struct serve_conn *c, const struct proto_request *rq,
    struct span body, struct buf *status, struct buf *answer, struct err *e)
{
	struct intake in;
	int ret;

	intake_init(&in);
	if (rq->verb == PROTO_PUT_PENDING)
		ret = intake_pending(&in, c->repo, body, 0, clock_now_ms(), e);
	else
		ret = intake_staged(&in, c->repo, body, 0, clock_now_ms(), e);
	buf_reset(status);
	if (ret == 0 && in.missing.n > 0) {
		ids_sort(&in.missing);
		proto_put_format(status, PROTO_NEED, 0);
		buf_add(answer, in.missing.id, in.missing.n * HASH_LEN);
		ret = ask_for(c, &in, e);
	} else if (ret == 0 && in.refused > 0) {
		proto_put_format(status, PROTO_REFUSED, in.refused);
		buf_add(answer, in.reasons.p, in.reasons.len);
	} else if (ret == 0)
		proto_put_format(status, PROTO_TAKEN, 0);
	intake_free(&in);
	return ret == 0 ? buf_check(answer, "answer", e) : -1;
}

/* May this object come?  One that is here is read and dropped. */
static int
check_wanted(struct serve_conn *c, const struct hash *id, uint64_t size,
    struct err *e)
{
	uint64_t largest = c->largest;
	char hex[HASH_HEX];
	int got = ids_has(&c->asked, id);

	if (got == 0)
		got = waiting_is_wanted(c->repo, id, e);
	if (got == 0)
		got = object_has(c->repo, id, e);
	if (got < 0)
		return -1;
	hash_format(hex, id);
	if (got == 0)
		return err_set(e, ERR_NO, "object %s: nothing here asks for "
		    "it", hex);
	if (size <= OBJECT_SMALL_MAX || size <= largest)
		return 0;
	if (waiting_largest(&largest, c->repo, e) != 0)
		return -1;
	return size <= largest ? 0 : err_set(e, ERR_NO, "object %s: larger "
	    "than any that is known here", hex);
}

static int
put_object(struct serve_conn *c, struct parcel_sink *sink, struct span line,
    struct err *e)
{
	struct proto_object o;
	struct hash id;
	int got;

	if (line.n == 0 || line.p[line.n - 1] != '\n')
		return err_set(e, ERR_BAD, "not the protocol: an object was "
		    "expected");
	line.n--;
	if (serve_objects(c, 1, e) != 0 ||
	    proto_object_parse(&o, &id, line, e) != 0 ||
	    check_wanted(c, &id, o.size, e) != 0)
		return -1;
	got = parcel_take(sink, &c->pkt, &id, o.size, e);
	return got == 0 ? err_set(e, ERR_NO, "an object has other bytes than "
	    "its id says") : got < 0 ? -1 : 0;
}

/* Streamed: the caller's packets are read here, up to the flush. */
static int
put_objects(struct serve_conn *c, struct err *e)
{
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	struct parcel_sink sink;
	int got;

	parcel_start(&sink, c->repo);
	while ((got = pkt_read(&c->pkt, &line, e)) == 1)
		if (put_object(c, &sink, buf_span(&line), e) != 0) {
			got = -1;
			break;
		}
	if (got == 0)
		got = parcel_commit(&sink, e);
	else
		c->end = true;	/* the rest of the stream is not read */
	parcel_abort(&sink);
	buf_free(&line);
	return got;
}

static int
consensus(struct serve_conn *c, struct span line, struct span body,
    struct buf *status, struct buf *answer, struct err *e)
{
	if (c->o->consensus == NULL)
		return err_set(e, ERR_NO, "no consensus over this connection");
	buf_reset(status);
	if (c->o->consensus(c->repo, span_str(c->from), line, body, status,
	    answer, e) != 0)
		return -1;
	if (status->len == 0)
		buf_adds(status, "ok");
	return buf_check(answer, "answer", e);
}

int
serve_put(struct serve_conn *c, const struct proto_request *rq,
    struct span line, struct span body, struct buf *status,
    struct buf *answer, struct err *e)
{
	switch (rq->verb) {
	case PROTO_PUT_BLOCK:
		return put_block(c, body, e);
	case PROTO_PUT_PENDING:
	case PROTO_PUT_STAGED:
		return put_items(c, rq, body, status, answer, e);
	case PROTO_PUT_OBJECTS:
		return put_objects(c, e);
	case PROTO_COSIGN:
		return cosign_answer(c->repo, c->me.key, c->from, body, status,
		    answer, e);
	case PROTO_CONSENSUS:
		return consensus(c, line, body, status, answer, e);
	default:
		return err_set(e, ERR_NO, "not a request that brings "
		    "something");
	}
}
