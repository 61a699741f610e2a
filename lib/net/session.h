/*
 * session: our side of a connection to a peer's ehr-serve, once both have
 * said who they are (ehr-protocol(5)).
 */
#ifndef NET_SESSION_H
#define NET_SESSION_H

#include "net/pkt.h"
#include "store/state.h"

struct session {
	struct repo *repo;
	char peer[NAME_MAX_LEN + 1];	/* what our config calls it */
	char node[NAME_MAX_LEN + 1];	/* what it proved to be, or "" */
	uint64_t height;		/* of the peer's head, when we began */
	struct hash head;
	struct pkt pkt;
	int pid;			/* of the command, or -1 */
};

/*
 * Run a peer's command line with sh -c, exchange VERSION and VERACK, and check
 * that it speaks of the same ledger, that its clock agrees and, when it says
 * to be a node, that it has that node's key.  ERR_AGAIN: no answer; ERR_NO: a
 * refusal, with the reason from either side.
 */
int session_open(struct session **out, struct repo *r, const char *peer,
    const char *command, struct err *e);

/* End the connection and the process; NULL does nothing. */
void session_close(struct session *s);

/*
 * One exchange: send the request line and, unless it is empty, body as
 * payload; read the answer.  Its first line goes to status (without newline):
 * it begins with "ok" or else is an error, ERR_NO "PEER: reason".  What
 * follows it up to the flush is appended to answer (may be NULL: then there
 * must be nothing).
 */
int session_ask(struct session *s, const char *request, struct span body,
    struct buf *status, struct buf *answer, struct err *e);

#endif
