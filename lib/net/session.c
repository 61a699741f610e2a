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

int
session_answer(struct session *s, struct span line, struct span *rest,
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
	if (!s->broken && s->in.begun && session_answer(s,
	    buf_span(&s->in.line), &rest, &why) != 0 && !s->broken) {
		*e = why;
		s->broken = true;
		return -1;
	}
	if (!s->broken && e->kind == ERR_AGAIN) {
		s->pkt.timeout_ms = LATE_MS;
		s->pkt.inside = false;
		if (pkt_read_line(&s->pkt, &line, &why) == 0 &&
		    session_answer(s, buf_span(&line), &rest, &why) != 0 &&
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

/* We will not talk with them: tell them why. */
static int
refuse(struct session *s, struct err *e)
{
	struct err ignored;

	if (pkt_line(&s->pkt, &ignored, "no %s", e->msg) == 0 &&
	    pkt_flush(&s->pkt, &ignored) != 0)
		return broken(s, e);
	return broken(s, e);
}

static int
say_version(struct session *s, struct err *e)
{
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	int ret;

	hello_version(&line, &s->me, clock_now_ms());
	ret = pkt_line(&s->pkt, e, "%.*s", SPAN_FMT(buf_span(&line)));
	buf_free(&line);
	return ret == 0 ? pkt_end(&s->pkt, e) : -1;
}

/* The peer's version line, or its refusal; theirs is its nonce. */
static int
hear_version(struct session *s, unsigned char theirs[PROTO_NONCE],
    struct err *e)
{
	struct span line = buf_span(&s->in.line), rest;
	struct proto_version v;

	if (!span_starts(line, "version ")) {
		if (session_answer(s, line, &rest, e) == 0)
			err_set(e, ERR_BAD, "%s: not the protocol", s->peer);
		s->broken = true;
		return -1;
	}
	if (proto_version_parse(&v, line, e) != 0)
		return broken(s, e);
	s->met_ms = clock_now_ms();
	if (hello_agree(&s->me, &v, s->met_ms, e) != 0)
		return refuse(s, e);
	if (!v.has_ledger || !v.has_head) {
		err_set(e, ERR_BAD, "it does not say of which ledger it is");
		return refuse(s, e);
	}
	if (s->in.body.len > 0) {
		err_set(e, ERR_BAD, "not the protocol: more than was asked "
		    "for");
		return broken(s, e);
	}
	s->ledger = v.ledger;
	s->height = v.height;
	s->head = v.head;
	s->time_ms = v.time_ms;
	snprintf(s->claim, sizeof(s->claim), "%.*s", SPAN_FMT(v.node));
	memcpy(theirs, v.nonce, PROTO_NONCE);
	return 0;
}

static int
say_verack(struct session *s, const unsigned char theirs[PROTO_NONCE],
    struct err *e)
{
	struct buf note = BUF_INIT(PROTO_HELLO_MAX);
	int ret = 0;

	if (s->me.key != NULL && (ret = hello_sign(&note, &s->me,
	    HELLO_CALLER, &s->ledger, s->claim, theirs, e)) != 0)
		refuse(s, e);
	if (ret == 0 && (pkt_line(&s->pkt, e, "verack") != 0 ||
	    pkt_write(&s->pkt, buf_span(&note), e) != 0 ||
	    pkt_end(&s->pkt, e) != 0))
		ret = session_failed(s, e);
	buf_free(&note);
	return ret;
}

static int
hear_verack(struct session *s, struct err *e)
{
	struct span rest;

	if (session_answer(s, buf_span(&s->in.line), &rest, e) != 0) {
		s->broken = true;
		return -1;
	}
	if (proto_access_parse(&s->access, rest, e) != 0)
		return broken(s, e);
	buf_add(&s->welcome, s->in.body.p, s->in.body.len);
	/* They sign for whom they know us to be. */
	if (s->access >= PROTO_READER)
		snprintf(s->for_whom, sizeof(s->for_whom), "%s", s->me.node);
	return buf_check(&s->welcome, "welcome", e);
}

/* One message of the greeting has come. */
static int
greet(struct session *s, struct err *e)
{
	unsigned char theirs[PROTO_NONCE];

	if (s->stage == SESSION_VERACK) {
		s->stage = SESSION_OPEN;
		s->me.key = NULL;
		return hear_verack(s, e);
	}
	s->stage = SESSION_VERACK;
	if (hear_version(s, theirs, e) != 0)
		return -1;
	return say_verack(s, theirs, e);
}

int
session_step(struct session *s, struct err *e)
{
	int got;

	while (s->stage != SESSION_OPEN) {
		if ((got = message_gather(&s->in, &s->pkt, e)) == 0)
			return 0;
		if (got < 0)
			return broken(s, e);
		if (greet(s, e) != 0)
			return -1;
	}
	return 1;
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
	message_init(&s->in);
	if ((size_t)snprintf(s->peer, sizeof(s->peer), "%s", peer) >=
	    sizeof(s->peer)) {
		free(s);
		return err_set(e, ERR_USAGE, "%s: too long a name for a peer",
		    peer);
	}
	*out = s;
	return 0;
}

static void
introduce(struct session *s, struct repo *r, const struct hello *me)
{
	s->repo = r;
	s->me = *me;
	hash_random(s->me.nonce, sizeof(s->me.nonce));
	if (me->key != NULL) {
		memcpy(s->seal, me->key->seal, sizeof(s->seal));
		s->nseals = me->key->nseals;
	}
}

int
session_begin_over(struct session **out, struct repo *r,
    const struct hello *me, const char *peer, int in, int out_fd,
    int timeout_ms, struct err *e)
{
	struct session *s;

	if (make(&s, peer, e) != 0) {
		close(in);
		close(out_fd);
		return -1;
	}
	s->command.from = in;
	s->command.to = out_fd;
	introduce(s, r, me);
	pkt_init(&s->pkt, in, out_fd, timeout_ms);
	*out = s;
	return say_version(s, e);
}

int
session_begin(struct session **out, struct repo *r,
    const struct hello *me, const char *peer, const char *command,
    int timeout_ms, struct err *e)
{
	struct session *s;

	if (make(&s, peer, e) != 0)
		return -1;
	if (pipe_open(&s->command, command, e) != 0) {
		free(s);
		return -1;
	}
	introduce(s, r, me);
	pkt_init(&s->pkt, s->command.from, s->command.to, timeout_ms);
	*out = s;
	return say_version(s, e);
}

/* A command that ended without a word: its status may say why. */
int
session_give_up(struct session *s, struct err *e)
{
	bool spoke = s->pkt.bytes_in > 0, ended = s->pkt.ended;
	int status;

	pkt_free(&s->pkt);
	pipe_close(&s->command, ended ? GRACE_MS : 0, &status);
	/* Not of our own signal. */
	if (!spoke && status > 0 && (ended || status < 128) &&
	    e->kind == ERR_AGAIN)
		err_set(e, ERR_AGAIN, "%s: no answer: its command ended with "
		    "status %d", s->peer, status);
	s->broken = true;
	session_close(s);
	return -1;
}

/* Go through the greeting, waiting for what has to come. */
static int
meet(struct session **out, struct session *s, struct err *e)
{
	int64_t until_ms = clock_mono_ms() + s->pkt.timeout_ms;
	int got, left = -1;

	while ((got = session_step(s, e)) == 0) {
		if (s->pkt.timeout_ms >= 0)
			left = (int)(until_ms - clock_mono_ms());
		if (pkt_send(&s->pkt, e) != 0 ||
		    pkt_wait_more(&s->pkt, left, e) != 0) {
			got = session_failed(s, e);
			break;
		}
	}
	if (got != 1)
		return session_give_up(s, e);
	*out = s;
	return 0;
}

int
session_over(struct session **out, const struct hello *me, const char *peer,
    int in, int out_fd, int timeout_ms, struct err *e)
{
	struct session *s = NULL;

	if (session_begin_over(&s, NULL, me, peer, in, out_fd, timeout_ms,
	    e) == 0)
		return meet(out, s, e);
	session_close(s);
	return -1;
}

static int
dial(struct session **out, const struct hello *me, const char *peer,
    const char *command, int timeout_ms, struct err *e)
{
	struct session *s = NULL;

	if (session_begin(&s, NULL, me, peer, command, timeout_ms, e) == 0)
		return meet(out, s, e);
	session_close(s);
	return -1;
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
	    s->claim, s->for_whom, s->me.nonce, e);
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
	message_free(&s->in);
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
	if (session_answer(s, buf_span(status), &rest, e) == 0)
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
