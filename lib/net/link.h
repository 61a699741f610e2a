/*
 * link: the connection to one delegate, kept by a thread of its own, so that
 * nobody who is slow or away delays the others.
 *
 * A thread opens its own struct repo and session; it pulls what the peer has
 * and we lack, sends the messages that are given to it one after another, and
 * keeps the answers.  A peer that is behind gets our blocks first; from one
 * that is ahead we take its.  Threads tell of news by a byte in a pipe.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include "ledger/name.h"
#include "net/wire.h"
#include "store/repo.h"

struct link;

enum link_state {
	LINK_OPENING,		/* connecting, or pulling for the first time */
	LINK_READY,
	LINK_AWAY		/* it does not answer */
};

struct link_config {
	const char *repo;	/* path of .ehr */
	const char *peer;	/* its name */
	const char *command;
	int bell;		/* written to at any news; does not block */
	bool keep;		/* reconnect, at growing intervals */
	int timeout_ms;		/* for an answer */
};

/* What is known of it. */
struct link_info {
	enum link_state state;
	bool busy;		/* something is to be sent, or answered */
	uint64_t height;	/* its last final block, as it said */
	struct err e;		/* why it is away, or what it refused last */
};

/* Strings of c are copied. */
int link_start(struct link **out, const struct link_config *c,
    struct err *e);

/* Queue a message that speaks of that height, unless it waits already. */
void link_send(struct link *l, uint64_t height, enum wire_kind kind,
    struct span bytes);

/* Forget messages that have not been sent, final blocks excepted. */
void link_drop(struct link *l);

/* Ask for what waits at the peer, when nothing else is to be done. */
void link_pull(struct link *l);

/*
 * The next answer's messages, appended to out: true, or false when there is
 * none.
 */
bool link_answer(struct link *l, struct buf *out);

void link_info(struct link *l, struct link_info *out);

/*
 * End the connection.  Waits up to wait_ms (clock_mono_ms until then) for the
 * thread; false: it still hangs, and the process has to end with it.
 */
bool link_stop(struct link *l, int64_t until_mono_ms);

#endif
