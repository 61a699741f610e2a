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
	LINK_AWAY,		/* it does not answer */
	LINK_ENDED		/* link_end was called */
};

/* What link_sync exchanges: our blocks are pushed when they are needed. */
enum {
	LINK_PULL = 1 << 0,	/* take its blocks and pending transactions */
	LINK_PUSH = 1 << 1	/* give our pending transactions */
};

struct link_config {
	const char *repo;	/* path of .ehr */
	const char *peer;	/* its name */
	const char *command;
	int bell;		/* written to at any news; does not block */
	bool keep;		/* connect again, at growing intervals */
	int sync;		/* what is exchanged at first */
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

/* Queue a message that speaks of that height, unless it waits already.  A
 * final block makes all before it useless; so does a greater height. */
void link_send(struct link *l, uint64_t height, enum wire_kind kind,
    struct span bytes);

/* Exchange what waits, when no message is to be sent. */
void link_sync(struct link *l, int what);

/* The messages that were answered, appended to out: true, or false when there
 * are none. */
bool link_answer(struct link *l, struct buf *out);

void link_info(struct link *l, struct link_info *out);

/* Somebody called: if this one is away, try it again soon, rather than when
 * the interval ends. */
void link_retry(struct link *l);

/* End the connection, once what waits has been sent. */
void link_end(struct link *l);

/*
 * Wait for that until the time (clock_mono_ms) and release l; false: the
 * thread still hangs, and l stays.
 */
bool link_join(struct link *l, int64_t until_mono_ms);

#endif
