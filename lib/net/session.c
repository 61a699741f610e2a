#include "net/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/lookup.h"

#define GRACE_MS 5000		/* that a command has to end by itself */
#define LATE_MS 2000		/* to find out why a write failed */

static int
broken(struct session *s, struct err *e)
{
	s->broken = true;
	return err_wrap(e, "%s", s->peer);
}

/* Turn an answer's line into an error, unless it is "ok": then 0. */
static int
take_answer(struct session *s, struct span line, struct span *rest,
    struct err *e)
{
	enum proto_answer a;

	if (proto_answer_parse(&a, rest, line, e) != 0)
		return broken(s, e);
	if (a == PROTO_OK)
		return 0;
	return err_set(e, a == PROTO_NO ? ERR_NO : ERR_AGAIN, "%s: %.*s",
	    s->peer, SPAN_FMT(*rest));
}

int
session_failed(struct session *s, struct err *e)
{
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	struct err why;
	struct span rest;

	/* Who refuses a stream says so and closes. */
	if (!s->broken && e->kind == ERR_AGAIN) {
		s->pkt.timeout_ms = LATE_MS;
		s->pkt.inside = false;
		if (pkt_read_line(&s->pkt, &line, &why) == 0 &&
		    take_answer(s, buf_span(&line), &rest, &why) != 0 &&
		    !s->broken) {
			*e = why;
			s->broken = true;
			buf_free(&line);
			return -1;
		}
	}
	buf_free(&line);
	return broken(s, e);
}

/* --- greeting ------------------------------------------------------------- */

/* The peer's version line, or its refusal. */
static int
read_version(struct session *s, struct proto_version *v, struct buf *line,
    struct err *e)
{
	struct span rest;

	if (pkt_read_line(&s->pkt, line, e) != 0)
		return broken(s, e);
	if (!span_starts(buf_span(line), "version ")) {
		if (take_answer(s, buf_span(line), &rest, e) == 0)
			err_set(e, ERR_BAD, "%s: not the protocol", s->peer);
		s->broken = true;
		return -1;
	}
	if (proto_version_parse(v, buf_span(line), e) != 0 ||
	    pkt_read_flush(&s->pkt, e) != 0)
		return broken(s, e);
	return 0;
}

/* We will not talk with them: tell them why. */
static int
refuse(struct session *s, struct err *e)
{
	struct err ignored;

	if (pkt_line(&s->pkt, &ignored, "no %s", e->msg) == 0)
		pkt_flush(&s->pkt, &ignored);
	return broken(s, e);
}

static int
exchange_versions(struct session *s, const struct hello *me,
    unsigned char theirs[PROTO_NONCE], struct err *e)
{
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	struct proto_version v;
	int r = -1;

	hello_version(&line, me, clock_now_ms());
	if (pkt_line(&s->pkt, e, "%.*s", SPAN_FMT(buf_span(&line))) != 0 ||
	    pkt_flush(&s->pkt, e) != 0) {
		session_failed(s, e);
		goto end;
	}
	if (read_version(s, &v, &line, e) != 0)
		goto end;
	s->met_ms = clock_now_ms();
	if (hello_agree(me, &v, s->met_ms, e) != 0) {
		refuse(s, e);
		goto end;
	}
	if (!v.has_ledger || !v.has_head) {
		err_set(e, ERR_BAD, "it does not say of which ledger it is");
		refuse(s, e);
		goto end;
	}
	s->ledger = v.ledger;
	s->height = v.height;
	s->head = v.head;
	s->time_ms = v.time_ms;
	snprintf(s->claim, sizeof(s->claim), "%.*s", SPAN_FMT(v.node));
	memcpy(theirs, v.nonce, PROTO_NONCE);
	r = 0;
end:
	buf_free(&line);
	return r;
}

static int
exchange_proofs(struct session *s, const struct hello *me,
    const unsigned char theirs[PROTO_NONCE], struct err *e)
{
	struct buf note = BUF_INIT(PROTO_HELLO_MAX);
	struct buf status = BUF_INIT(PROTO_LINE_MAX);
	struct span rest;
	int r = 0;

	if (me->key != NULL && (r = hello_sign(&note, me, HELLO_CALLER,
	    &s->ledger, s->claim, theirs, e)) != 0)
		refuse(s, e);
	if (r == 0)
		r = session_ask(s, "verack", buf_span(&note), &status,
		    &s->welcome, e);
	rest = buf_span(&status);
	text_word(&rest);
	if (r == 0 && proto_access_parse(&s->access, rest, e) != 0)
		r = broken(s, e);
	buf_free(&note);
	buf_free(&status);
	return r;
}

static int
greet(struct session *s, const struct hello *me, struct err *e)
{
	unsigned char theirs[PROTO_NONCE];

	memcpy(s->nonce, me->nonce, PROTO_NONCE);
	if (me->key != NULL) {
		memcpy(s->seal, me->key->seal, sizeof(s->seal));
		s->nseals = me->key->nseals;
	}
	if (exchange_versions(s, me, theirs, e) != 0)
		return -1;
	if (exchange_proofs(s, me, theirs, e) != 0)
		return -1;
	/* They sign for whom they know us to be. */
	if (s->access >= PROTO_READER)
		snprintf(s->me, sizeof(s->me), "%s", me->node);
	return 0;
}

/* --- opening and closing -------------------------------------------------- */

static int
make(struct session **out, const char *peer, struct err *e)
{
	struct session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	s->command.pid = -1;
	s->command.to = s->command.from = -1;
	buf_init(&s->welcome, PROTO_HELLO_MAX);
	if ((size_t)snprintf(s->peer, sizeof(s->peer), "%s", peer) >=
	    sizeof(s->peer)) {
		free(s);
		return err_set(e, ERR_USAGE, "%s: too long a name for a peer",
		    peer);
	}
	*out = s;
	return 0;
}

int
session_over(struct session **out, const struct hello *me, const char *peer,
    int in, int out_fd, int timeout_ms, struct err *e)
{
	struct session *s;

	if (make(&s, peer, e) != 0) {
		close(in);
		close(out_fd);
		return -1;
	}
	s->command.from = in;
	s->command.to = out_fd;
	pkt_init(&s->pkt, in, out_fd, timeout_ms);
	if (greet(s, me, e) != 0) {
		session_close(s);
		return -1;
	}
	*out = s;
	return 0;
}

/* A command that ended without a word: its status may say why. */
static int
no_answer(struct session *s, struct err *e)
{
	bool spoke = s->pkt.bytes_in > 0;
	int status;

	pkt_free(&s->pkt);
	pipe_close(&s->command, s->pkt.ended ? GRACE_MS : 0, &status);
	if (!spoke && status > 0 && e->kind == ERR_AGAIN)
		err_set(e, ERR_AGAIN, "%s: no answer: its command ended with "
		    "status %d", s->peer, status);
	session_close(s);
	return -1;
}

static int
dial(struct session **out, const struct hello *me, const char *peer,
    const char *command, int timeout_ms, struct err *e)
{
	struct session *s;

	if (make(&s, peer, e) != 0)
		return -1;
	if (pipe_open(&s->command, command, e) != 0) {
		free(s);
		return -1;
	}
	pkt_init(&s->pkt, s->command.from, s->command.to, timeout_ms);
	if (greet(s, me, e) != 0)
		return no_answer(s, e);
	*out = s;
	return 0;
}

int
session_connect(struct session **out, const struct hello *me,
    const char *peer, const char *command, struct err *e)
{
	return dial(out, me, peer, command, SESSION_TIMEOUT_MS, e);
}

int
session_prove(struct session *s, struct err *e)
{
	int got;

	if (s->node[0] != '\0' || s->claim[0] == '\0' || s->welcome.len == 0)
		return 0;
	got = hello_proves(s->repo, buf_span(&s->welcome), HELLO_CALLED,
	    s->claim, s->me, s->nonce, e);
	if (got < 0)
		return err_wrap(e, "%s", s->peer);
	if (got == 1)
		memcpy(s->node, s->claim, sizeof(s->node));
	return 0;
}

/* Is what our config calls the peer another node than it is? */
static int
check_name(struct session *s, struct err *e)
{
	struct lookup_node n;
	struct db *db;
	int got;

	if (s->node[0] == '\0' || strcmp(s->node, s->peer) == 0)
		return 0;
	if (db_of(&db, s->repo, e) != 0 ||
	    (got = lookup_node(&n, db, span_str(s->peer), e)) < 0)
		return -1;
	return got == 0 ? 0 : err_set(e, ERR_NO, "%s: its command reaches "
	    "%s", s->peer, s->node);
}

int
session_adopt(struct session *s, struct repo *r, struct err *e)
{
	s->repo = r;
	if (session_prove(s, e) != 0)
		return -1;
	return check_name(s, e);
}

int
session_open(struct session **out, struct repo *r, const char *peer,
    const char *command, struct err *e)
{
	struct identity key = { .sign = NULL };
	const struct identity *use = NULL;
	struct session *s = NULL;
	uint64_t seconds;
	struct hello me;
	int got = -1;

	if (config_number(&r->config, "net.timeout", SESSION_TIMEOUT_MS / 1000,
	    86400, &seconds, e) != 0)
		return -1;
	if (repo_node_name(r) != NULL) {
		if (repo_node_key(r, &key, e) != 0)
			return -1;
		use = &key;
	}
	if (hello_of(&me, r, use, e) == 0 &&
	    dial(&s, &me, peer, command, seconds == 0 ? -1 :
	    (int)seconds * 1000, e) == 0 &&
	    session_adopt(s, r, e) == 0)
		got = 0;
	identity_wipe(&key);
	if (got != 0)
		session_close(s);
	else
		*out = s;
	return got;
}

/* Say good-bye, without waiting for more than the word. */
static void
leave(struct session *s)
{
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	struct err ignored;

	s->pkt.timeout_ms = LATE_MS;
	if (session_start(s, "bye", &ignored) == 0)
		session_status(s, &line, &ignored);
	buf_free(&line);
}

void
session_close(struct session *s)
{
	if (s == NULL)
		return;
	if (!s->broken && s->pkt.bytes_in > 0)
		leave(s);
	pkt_free(&s->pkt);
	buf_free(&s->welcome);
	hash_wipe(s->seal, sizeof(s->seal));
	pipe_close(&s->command, s->broken ? LATE_MS : GRACE_MS, NULL);
	free(s);
}

/* --- exchanges ------------------------------------------------------------ */

int
session_start(struct session *s, const char *request, struct err *e)
{
	if (s->broken)
		return err_set(e, ERR_AGAIN, "%s: the connection has ended",
		    s->peer);
	if (pkt_line(&s->pkt, e, "%s", request) != 0)
		return session_failed(s, e);
	return 0;
}

int
session_status(struct session *s, struct buf *status, struct err *e)
{
	struct span rest;

	if (pkt_flush(&s->pkt, e) != 0)
		return session_failed(s, e);
	if (pkt_read_line(&s->pkt, status, e) != 0)
		return broken(s, e);
	if (take_answer(s, buf_span(status), &rest, e) == 0)
		return 0;
	if (!s->broken) {
		/* A refusal has no payload; the connection may go on. */
		struct err ignored;

		if (pkt_read_flush(&s->pkt, &ignored) != 0)
			s->broken = true;
	}
	return -1;
}

int
session_ask(struct session *s, const char *request, struct span body,
    struct buf *status, struct buf *answer, struct err *e)
{
	int r;

	if (session_start(s, request, e) != 0)
		return -1;
	if (pkt_write(&s->pkt, body, e) != 0)
		return session_failed(s, e);
	if (session_status(s, status, e) != 0)
		return -1;
	if (answer == NULL)
		r = pkt_read_flush(&s->pkt, e);
	else
		r = pkt_read_all(&s->pkt, answer, e);
	return r == 0 ? 0 : broken(s, e);
}
