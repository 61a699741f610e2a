/* serve_conn: one connection as serve.c and its requests see it; private. */
#ifndef NET_SERVE_CONN_H
#define NET_SERVE_CONN_H

#include "net/ids.h"
#include "net/pkt.h"
#include "net/serve.h"

struct serve_conn {
	struct repo *repo;
	const struct serve_options *o;
	struct pkt pkt;
	struct hello me;
	char from[NAME_MAX_LEN + 1];	/* the node that called, or "" */
	enum proto_access access;
	struct ids asked;		/* sorted: objects that we asked for */
	uint64_t largest;		/* bytes that one of them may have */
	uint64_t objects;		/* brought and fetched so far */
	struct ids list;		/* of pending or staged, being read */
	enum proto_verb listed;
	bool end;			/* nothing more after this answer */
};

/*
 * Answer one request: status starts as "ok", answer is the payload.  0; 1 when
 * it has been sent already; -1: refused, with the reason (and c->end when the
 * connection cannot go on).
 */
int serve_get(struct serve_conn *c, const struct proto_request *rq,
    struct span body, struct buf *status, struct buf *answer, struct err *e);
int serve_put(struct serve_conn *c, const struct proto_request *rq,
    struct span line, struct span body, struct buf *status,
    struct buf *answer, struct err *e);

/* Is it too late, or was so much sent, that the caller should call again? */
int serve_sent(struct serve_conn *c, struct err *e);

/* n objects more are brought or fetched: is it too many? */
int serve_objects(struct serve_conn *c, size_t n, struct err *e);

#endif
