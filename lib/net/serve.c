#include "net/serve.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "net/serve_conn.h"
#include "store/lookup.h"
#include "store/watch.h"

/* What a caller must be to ask for something. */
static const enum proto_access needs[PROTO_VERBS] = {
	[PROTO_ADDR] = PROTO_CHAIN,
	[PROTO_BLOCKS] = PROTO_CHAIN,
	[PROTO_BYE] = PROTO_CHAIN,
	[PROTO_CONSENSUS] = PROTO_NODE,
	[PROTO_COSIGN] = PROTO_NODE,
	[PROTO_DELEGATES] = PROTO_CHAIN,
	[PROTO_GENESIS] = PROTO_CHAIN,
	[PROTO_GET_PENDING] = PROTO_READER,
	[PROTO_GET_STAGED] = PROTO_READER,
	[PROTO_HEAD] = PROTO_CHAIN,
	[PROTO_HEADERS] = PROTO_CHAIN,
	[PROTO_KEEPALIVE] = PROTO_CHAIN,
	[PROTO_OBJECTS] = PROTO_PUBLIC,
	[PROTO_PENDING] = PROTO_READER,
	[PROTO_PUT_BLOCK] = PROTO_NODE,
	[PROTO_PUT_OBJECTS] = PROTO_NODE,
	[PROTO_PUT_PENDING] = PROTO_NODE,
	[PROTO_PUT_STAGED] = PROTO_NODE,
	[PROTO_REST] = PROTO_PUBLIC,
	[PROTO_ROOTS] = PROTO_CHAIN,
	[PROTO_SECRET] = PROTO_READER,
	[PROTO_STAGED] = PROTO_READER,
	[PROTO_WANTED] = PROTO_READER
};

static void
tell(struct serve_conn *c, struct span request, struct span answer)
{
	char line[512];

	if (c->o->tell == NULL)
		return;
	snprintf(line, sizeof(line), "%s: %.*s: %.*s", c->from[0] == '\0' ?
	    "(anonymous)" : c->from, SPAN_FMT(request), SPAN_FMT(answer));
	c->o->tell(c->o->arg, line);
}

/* Tell the caller why not.  Returns -1 when even that fails. */
static int
refuse(struct serve_conn *c, struct span request, const struct err *why,
    struct err *e)
{
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	int ret;

	proto_refusal(&line, why);
	tell(c, request, buf_span(&line));
	ret = pkt_line(&c->pkt, e, "%.*s", SPAN_FMT(buf_span(&line)));
	if (ret == 0)
		ret = pkt_flush(&c->pkt, e);
	buf_free(&line);
	return ret;
}

/* The same, and that is the end: *e stays what it was. */
static int
refuse_all(struct serve_conn *c, const char *request, struct err *e)
{
	struct err ignored;

	/* The last word may come after the end. */
	c->pkt.end_ms = 0;
	refuse(c, span_str(request), e, &ignored);
	return -1;
}

/* --- greeting ------------------------------------------------------------- */

/* The caller's version line; node (NAME_MAX_LEN + 1 bytes) is its claim. */
static int
read_version(struct serve_conn *c, struct proto_version *v, char *node,
    struct err *e)
{
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	int ret;

	ret = pkt_wait(&c->pkt, c->o->timeout_ms, e);
	if (ret == 0)
		ret = err_set(e, ERR_NO, "nobody spoke; here answers ehr-serve,"
		    " and ehr-sync is what asks");
	else if (ret == 1)
		ret = pkt_read_line(&c->pkt, &line, e);
	if (ret == 0)
		ret = proto_version_parse(v, buf_span(&line), e);
	if (ret == 0)
		ret = pkt_read_flush(&c->pkt, e);
	if (ret == 0)
		ret = hello_agree(&c->me, v, clock_now_ms(), e);
	if (ret == 0)
		snprintf(node, NAME_MAX_LEN + 1, "%.*s", SPAN_FMT(v->node));
	buf_free(&line);
	return ret;
}

/* The caller's proof, which may be empty. */
static int
read_verack(struct serve_conn *c, struct buf *note, struct err *e)
{
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	int ret = pkt_read_line(&c->pkt, &line, e);

	if (ret == 0 && span_starts(buf_span(&line), "no "))
		ret = err_set(e, ERR_NO, "the caller says: %.*s",
		    (int)line.len - 3, (const char *)line.p + 3);
	else if (ret == 0 && !span_is(buf_span(&line), "verack"))
		ret = err_set(e, ERR_BAD, "not the protocol: a verack was "
		    "expected");
	if (ret == 0)
		ret = pkt_read_all(&c->pkt, note, e);
	buf_free(&line);
	return ret;
}

/* Is the caller the node that it says to be? */
static int
identify(struct serve_conn *c, const char *claim, struct span note,
    struct err *e)
{
	const char *public = config_get(&c->repo->config, "serve.public");
	int got = 0;

	if (claim[0] != '\0' && note.n > 0)
		got = hello_proves(c->repo, note, HELLO_CALLER, claim,
		    c->me.node, c->me.nonce, e);
	if (got < 0)
		return -1;
	if (got == 1) {
		memcpy(c->from, claim, sizeof(c->from));
		c->access = c->o->read_only ? PROTO_READER : PROTO_NODE;
	} else
		c->access = public != NULL && strcmp(public, "true") == 0 ?
		    PROTO_PUBLIC : PROTO_CHAIN;
	return 0;
}

static int
greet(struct serve_conn *c, struct err *e)
{
	struct buf note = BUF_INIT(PROTO_HELLO_MAX);
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	char claim[NAME_MAX_LEN + 1];
	struct proto_version v;
	int ret = -1;

	if (read_version(c, &v, claim, e) != 0) {
		refuse_all(c, "version", e);
		goto end;
	}
	hello_version(&line, &c->me, clock_now_ms());
	if (pkt_line(&c->pkt, e, "%.*s", SPAN_FMT(buf_span(&line))) != 0 ||
	    pkt_flush(&c->pkt, e) != 0)
		goto end;
	if (read_verack(c, &note, e) != 0 ||
	    identify(c, claim, buf_span(&note), e) != 0) {
		refuse_all(c, "verack", e);
		goto end;
	}
	buf_reset(&note);
	if (c->me.key != NULL && hello_sign(&note, &c->me, HELLO_CALLED,
	    &c->me.ledger, c->from, v.nonce, e) != 0)
		goto end;
	buf_reset(&line);
	buf_addf(&line, "ok %s", proto_access_name(c->access));
	tell(c, span_str("verack"), buf_span(&line));
	if (pkt_line(&c->pkt, e, "%.*s", SPAN_FMT(buf_span(&line))) == 0 &&
	    pkt_write(&c->pkt, buf_span(&note), e) == 0 &&
	    pkt_flush(&c->pkt, e) == 0)
		ret = 0;
	if (ret == 0 && c->access == PROTO_NODE && c->o->consensus != NULL)
		watch_ring(c->repo);
end:
	buf_free(&note);
	buf_free(&line);
	return ret;
}

/* --- requests ------------------------------------------------------------- */

/* Read what belongs to a request that we will not answer. */
static int
drain(struct serve_conn *c, size_t max, struct err *e)
{
	struct buf packet = BUF_INIT(PKT_DATA_MAX);
	size_t n = 0;
	int got;

	while ((got = pkt_read(&c->pkt, &packet, e)) == 1)
		if ((n += packet.len) > max) {
			got = err_set(e, ERR_BAD, "too long a payload");
			break;
		}
	buf_free(&packet);
	return got;
}

/* May the caller ask for this?  A node may have been removed by now. */
static int
check_access(struct serve_conn *c, enum proto_verb verb, struct err *e)
{
	struct lookup_node n;
	struct db *db;
	int got;

	if (needs[verb] <= PROTO_PUBLIC && c->access >= needs[verb])
		return 0;
	if (c->access < PROTO_READER)
		return err_set(e, ERR_NO, "\"%s\" is only for nodes of this "
		    "ledger, and you have not shown to be one",
		    proto_verb_name(verb));
	if (c->access < needs[verb])
		return err_set(e, ERR_NO, "\"%s\": this is a read-only copy",
		    proto_verb_name(verb));
	if (db_of(&db, c->repo, e) != 0 ||
	    (got = lookup_node(&n, db, span_str(c->from), e)) < 0)
		return -1;
	return got == 1 && n.active ? 0 : err_set(e, ERR_NO, "%s is no node "
	    "of this ledger any more", c->from);
}

static int
send_answer(struct serve_conn *c, struct span request, struct span status,
    struct span answer, struct err *e)
{
	tell(c, request, status);
	if (pkt_line(&c->pkt, e, "%.*s", SPAN_FMT(status)) != 0 ||
	    pkt_write(&c->pkt, answer, e) != 0)
		return -1;
	return pkt_flush(&c->pkt, e);
}

int
serve_sent(struct serve_conn *c, struct err *e)
{
	if (pkt_check_end(&c->pkt, e) != 0)
		return -1;
	if (c->o->bytes == 0 || c->pkt.bytes_out < c->o->bytes)
		return 0;
	return err_set(e, ERR_AGAIN, "over %llu bytes were sent on one "
	    "connection: call again", (unsigned long long)c->o->bytes);
}

int
serve_objects(struct serve_conn *c, size_t n, struct err *e)
{
	c->objects += n;
	if (c->o->objects == 0 || c->objects <= c->o->objects)
		return 0;
	return err_set(e, ERR_AGAIN, "over %llu objects on one connection: "
	    "call again", (unsigned long long)c->o->objects);
}

/* A request that may be asked. */
static int
answer_request(struct serve_conn *c, const struct proto_request *rq,
    struct span line, struct err *e)
{
	struct buf body = BUF_INIT(PROTO_BODY_MAX);
	struct buf answer = BUF_INIT(PROTO_BODY_MAX + PROTO_ANSWER_SOFT);
	struct buf status = BUF_INIT(PROTO_LINE_MAX);
	struct err why;
	int got = 0;

	body.max = proto_verb_body(rq->verb);
	if (rq->verb != PROTO_PUT_OBJECTS &&
	    pkt_read_all(&c->pkt, &body, e) != 0) {
		refuse_all(c, proto_verb_name(rq->verb), e);
		got = -1;
		goto end;
	}
	buf_adds(&status, "ok");
	if (rq->verb == PROTO_BYE)
		c->end = true;
	else if (needs[rq->verb] == PROTO_NODE)
		got = serve_put(c, rq, line, buf_span(&body), &status,
		    &answer, &why);
	else
		got = serve_get(c, rq, buf_span(&body), &status, &answer,
		    &why);
	if (got < 0 && c->end) {
		*e = why;
		refuse_all(c, proto_verb_name(rq->verb), e);
	} else if (got < 0)
		got = refuse(c, line, &why, e);
	else if (got == 0)
		got = send_answer(c, line, buf_span(&status),
		    buf_span(&answer), e);
	else {
		tell(c, line, buf_span(&status));
		got = 0;
	}
end:
	/* A secret may have been in it. */
	buf_wipe(&answer);
	buf_free(&body);
	buf_free(&status);
	return got;
}

/* One request: 0 go on, -1 it is over. */
static int
handle(struct serve_conn *c, struct buf *line, struct err *e)
{
	struct proto_request rq;
	struct err why;

	if (pkt_read_line(&c->pkt, line, e) != 0 || serve_sent(c, e) != 0)
		return refuse_all(c, "request", e);
	if (proto_request_parse(&rq, buf_span(line), &why) != 0) {
		*e = why;
		if (why.kind != ERR_NO)
			return refuse_all(c, "request", e);
		/* One of a later version: the payload is passed over. */
		if (drain(c, PROTO_BODY_MAX, e) != 0)
			return refuse_all(c, "request", e);
		return refuse(c, buf_span(line), &why, e);
	}
	if (check_access(c, rq.verb, &why) != 0) {
		if (rq.verb == PROTO_PUT_OBJECTS) {
			*e = why;
			return refuse_all(c, proto_verb_name(rq.verb), e);
		}
		if (drain(c, proto_verb_body(rq.verb), e) != 0)
			return refuse_all(c, proto_verb_name(rq.verb), e);
		return refuse(c, buf_span(line), &why, e);
	}
	return answer_request(c, &rq, buf_span(line), e);
}

static int
serve(struct serve_conn *c, struct err *e)
{
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	int got = 0;

	if (greet(c, e) != 0)
		return -1;
	while (!c->end && (got = pkt_wait(&c->pkt, c->o->idle_ms, e)) > 0)
		if (handle(c, &line, e) != 0) {
			buf_free(&line);
			return -1;
		}
	buf_free(&line);
	/* Who asks next finds the reason. */
	return got < 0 ? refuse_all(c, "wait", e) : 0;
}

/* The node's key; without it we can serve, and not show who we are. */
static const struct identity *
load_key(struct serve_conn *c, struct identity *key)
{
	struct err e;

	if (repo_node_name(c->repo) == NULL)
		return NULL;
	if (repo_node_key(c->repo, key, &e) == 0)
		return key;
	tell(c, span_str("node.key"), span_str(e.msg));
	return NULL;
}

int
serve_run(struct repo *r, const struct serve_options *o, struct err *e)
{
	struct identity key = { .sign = NULL };
	struct serve_conn c;
	int ret;

	memset(&c, 0, sizeof(c));
	c.repo = r;
	c.o = o;
	pkt_init(&c.pkt, o->in, o->out, o->timeout_ms);
	c.pkt.limit_in = o->bytes;
	c.pkt.end_ms = o->life_ms == 0 ? 0 : clock_mono_ms() + o->life_ms;
	ret = hello_of(&c.me, r, load_key(&c, &key), e);
	if (ret == 0)
		ret = serve(&c, e);
	pkt_free(&c.pkt);
	ids_free(&c.asked);
	ids_free(&c.list);
	identity_wipe(&key);
	return ret;
}
