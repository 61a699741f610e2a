/* caller: a test's caller of ehr-serve, which speaks raw packets. */
#ifndef UNIT_CALLER_H
#define UNIT_CALLER_H

#include "post.h"

#include "crypto/age.h"
#include "net/ids.h"
#include "net/pkt.h"

static struct err e;
static struct post p;

struct caller {
	struct post_server v;
	struct pkt pkt;
	struct buf status;		/* of the last answer, whole line */
	struct buf answer;
	struct proto_version them;
	char node[NAME_MAX_LEN + 1];
};

static inline void
dial(struct caller *c, unsigned i, const struct serve_options *o)
{
	int fd;

	memset(c, 0, sizeof(*c));
	fd = post_serve(&c->v, i, o);
	pkt_init(&c->pkt, fd, fd, 5000);
	buf_init(&c->status, PROTO_LINE_MAX);
	buf_init(&c->answer, PROTO_BODY_MAX);
}

/* Hang up: what serve_run returned; c->v.e says why. */
static inline int
hang_up(struct caller *c)
{
	int ret;

	shutdown(c->pkt.in, SHUT_WR);
	ret = post_served(&c->v);
	close(c->pkt.in);
	pkt_free(&c->pkt);
	buf_free(&c->status);
	buf_free(&c->answer);
	return ret;
}

/* The first line of the next answer, and its payload; false: it hung up. */
static inline bool
hear(struct caller *c)
{
	buf_reset(&c->answer);
	if (pkt_read_line(&c->pkt, &c->status, &e) != 0) {
		buf_reset(&c->status);
		return false;
	}
	return pkt_read_all(&c->pkt, &c->answer, &e) == 0;
}

static inline bool
ask(struct caller *c, const char *request, struct span body)
{
	return pkt_line(&c->pkt, &e, "%s", request) == 0 &&
	    pkt_write(&c->pkt, body, &e) == 0 &&
	    pkt_flush(&c->pkt, &e) == 0 && hear(c);
}

__attribute__((unused)) static const struct span nothing = { NULL, 0 };

/* Does the last answer begin so? */
static inline bool
said(const struct caller *c, const char *start)
{
	if (span_starts(buf_span(&c->status), start))
		return true;
	printf("it said: %.*s\n", (int)c->status.len,
	    c->status.p == NULL ? "" : (const char *)c->status.p);
	return false;
}

static inline void
our_version(struct proto_version *v, const char *node)
{
	memset(v, 0, sizeof(*v));
	v->version = 1;
	v->has_ledger = v->has_head = true;
	v->ledger = v->head = *repo_ledger(p.f.r[0]);
	v->time_ms = clock_now_ms();
	v->node = span_str(node);
	memset(v->nonce, 7, sizeof(v->nonce));
}

/* Say VERSION; false when it was refused. */
static inline bool
greet(struct caller *c, const struct proto_version *v)
{
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	bool yes;

	proto_version_format(&line, v);
	buf_addc(&line, '\0');
	yes = ask(c, (const char *)line.p, nothing) &&
	    proto_version_parse(&c->them, buf_span(&c->status), &e) == 0;
	if (yes)
		snprintf(c->node, sizeof(c->node), "%.*s",
		    SPAN_FMT(c->them.node));
	buf_free(&line);
	return yes;
}

/* A proof by key, as that node, for peer, over nonce. */
static inline void
prove(struct buf *note, const char *kind, const struct identity *key,
    const char *peer, const unsigned char *nonce)
{
	struct buf text = BUF_INIT(PROTO_HELLO_MAX);

	proto_hello_text(&text, kind, repo_ledger(p.f.r[0]), key->name, peer,
	    nonce);
	little_ok(identity_sign(note, buf_span(&text), key, &e));
	buf_free(&text);
}

/* A whole greeting as hospital i (-1: nobody), to hospital 0. */
static inline void
enter(struct caller *c, const struct serve_options *o, int i)
{
	struct buf note = BUF_INIT(PROTO_HELLO_MAX);
	struct proto_version v;

	dial(c, 0, o);
	our_version(&v, i < 0 ? "" : p.f.node[i].name);
	CHECK(greet(c, &v));
	CHECK_STR(c->node, "hospital-a");
	if (i >= 0)
		prove(&note, HELLO_CALLER, &p.f.node[i], "hospital-a",
		    c->them.nonce);
	CHECK(ask(c, "verack", buf_span(&note)));
	buf_free(&note);
}

#endif
