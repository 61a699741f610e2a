/*
 * session: our side of a connection to a peer's ehr-serve, once both have
 * said who they are (ehr-protocol(5)).
 */
#ifndef NET_SESSION_H
#define NET_SESSION_H

#include "net/hello.h"
#include "net/message.h"
#include "net/pipe.h"
#include "net/pkt.h"
#include "store/pool.h"

#define SESSION_TIMEOUT_MS 60000	/* unless net.timeout says otherwise */

struct session {
	struct repo *repo;		/* ours; NULL while a clone has none */
	char peer[NAME_MAX_LEN + 1];	/* what our config calls it */
	char node[NAME_MAX_LEN + 1];	/* what it proved to be, or "" */
	uint64_t height;		/* of the peer's head, when we began */
	struct hash head;
	struct pkt pkt;
	struct pipe_command command;	/* pid -1: descriptors were given */

	struct hash ledger;		/* of which it speaks */
	char claim[NAME_MAX_LEN + 1];	/* the node that it says to be, or "" */
	enum proto_access access;	/* what it lets us do */
	int64_t time_ms, met_ms;	/* its clock, and ours at that moment */
	bool broken;			/* nothing more can be asked */

	struct pool_mark given;		/* how far what waits here was given */

	/* What opens a secret that is sealed to us; wiped. */
	struct seal_secret seal[IDENTITY_SEALS_MAX];
	size_t nseals;

	/* The greeting, so far. */
	enum { SESSION_VERSION, SESSION_VERACK, SESSION_OPEN } stage;
	struct message in;
	struct hello me;		/* what we say; its key is borrowed */

	/* For session_prove. */
	struct buf welcome;
	char for_whom[NAME_MAX_LEN + 1];	/* they know us as, or "" */
};

/*
 * Begin a connection: run a peer's command, or use descriptors that are there
 * (which are closed in any case), and queue what is said first.  r may be
 * NULL.  The key of *me is needed until the greeting is over; its nonce is not
 * used, each connection gets one of its own.
 */
int session_begin(struct session **out, struct repo *r,
    const struct hello *me, const char *peer, const char *command,
    int timeout_ms, struct err *e);
int session_begin_over(struct session **out, struct repo *r,
    const struct hello *me, const char *peer, int in, int out_fd,
    int timeout_ms, struct err *e);

/*
 * Go on with the greeting as far as what was read (pkt_fill) allows: 1 the
 * peer has let us in, 0 more has to come, -1.  Nothing is waited for.
 */
int session_step(struct session *s, struct err *e);

/* A greeting that failed with *e, which may get to say how the command ended;
 * s is released.  Returns -1. */
int session_give_up(struct session *s, struct err *e);

/*
 * Run a peer's command line with sh -c, exchange VERSION and VERACK, and check
 * that it speaks of the same ledger, that its clock agrees and, when it says
 * to be a node, that it has that node's key.  ERR_AGAIN: no answer; ERR_NO: a
 * refusal, with the reason from either side.
 *
 * A node that our state does not know (yet) is let in without its name: node
 * stays "" until session_prove, after blocks arrived, finds its key.  A peer
 * that our config gives the name of a node must be that node.
 */
int session_open(struct session **out, struct repo *r, const char *peer,
    const char *command, struct err *e);

/*
 * The same for a clone, which has no ledger directory yet: nothing is proved,
 * and the clock not checked unless me->has_skew.  session_adopt gives it the
 * directory, and then proves the peer.
 */
int session_connect(struct session **out, const struct hello *me,
    const char *peer, const char *command, struct err *e);
int session_adopt(struct session *s, struct repo *r, struct err *e);

/* session_connect over descriptors that are there; s closes them. */
int session_over(struct session **out, const struct hello *me,
    const char *peer, int in, int out_fd, int timeout_ms, struct err *e);

/* Look again whether the peer is the node that it says to be.  ERR_NO: it is
 * certainly not. */
int session_prove(struct session *s, struct err *e);

/* End the connection and the process; NULL does nothing. */
void session_close(struct session *s);

/*
 * One exchange: send the request line and, unless it is empty, body as
 * payload; read the answer.  Its first line goes to status (without newline):
 * it begins with "ok" or else is an error: ERR_NO "PEER: reason", or ERR_AGAIN
 * when the peer says so or is gone (s->broken).  What follows it up to the
 * flush is appended to answer (may be NULL: then there must be nothing).
 */
int session_ask(struct session *s, const char *request, struct span body,
    struct buf *status, struct buf *answer, struct err *e);

/*
 * The same in parts, for payloads that are streams.  After session_start the
 * caller writes packets to s->pkt; after session_status (which gives what
 * follows "ok ") it reads packets up to the flush.
 */
int session_start(struct session *s, const char *request, struct err *e);
int session_status(struct session *s, struct buf *status, struct err *e);

/* What an answer's line says: 0 it begins with "ok", and *rest is what follows;
 * -1 as session_ask. */
int session_answer(struct session *s, struct span line, struct span *rest,
    struct err *e);

/*
 * A packet could not be written or read: *e says it of the peer; if the peer
 * left a reason, that.  Returns -1.
 */
int session_failed(struct session *s, struct err *e);

#endif
