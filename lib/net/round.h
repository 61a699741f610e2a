/*
 * round: the speaker's side of the consensus, which ehr-dbft runs: a driver
 * (driver.h) and links to the other delegates (links.h).
 *
 * Only one process of a node does this at a time: it holds consensus/active.
 * It takes the consensus lock (votes.h) only while it steps, never while it
 * waits for others, so that its own ehr-serve can answer meanwhile.
 */
#ifndef NET_ROUND_H
#define NET_ROUND_H

#include <signal.h>

#include "net/links.h"
#include "net/seen.h"

struct round {
	struct repo *repo;
	struct driver *d;
	struct links links;
	int active;			/* the lock, or -1 */
	struct seen seen;		/* what status was told last */
	volatile sig_atomic_t stop;
	void (*say)(void *arg, const char *line);
	void *arg;
};

/*
 * Open.  keep: for long; connections that are lost are made again.  Lines for
 * the operator go to say.  ERR_AGAIN: another process is at it.
 */
int round_open(struct round **out, struct repo *r, bool keep,
    void (*say)(void *arg, const char *line), void *arg, struct err *e);

/* As links_close: false means that rd could not be released. */
bool round_close(struct round *rd, int wait_ms);

/* End round_follow soon; for signal handlers. */
void round_stop(struct round *rd);

/* What there was to do, and what came of it. */
enum round_end {
	ROUND_MADE = 1,		/* a block, ours or one that we re-proposed */
	ROUND_OTHERS,		/* another delegate made one meanwhile */
	ROUND_NOTHING,		/* nothing waits for a block */
	ROUND_NOT_OURS,		/* it is not this node's turn */
	ROUND_NO_QUORUM		/* too few delegates answered */
};

struct round_result {
	enum round_end end;
	uint64_t height;		/* ROUND_MADE: the block */
	struct hash id;
	char why[512];			/* the others: in words */
};

/* Make a block, if this node may speak now. */
int round_once(struct round *rd, struct round_result *res, struct err *e);

/*
 * Take part until round_stop.  made is called for each block that this node
 * makes final as the speaker, started once everything is ready.
 */
struct round_events {
	void (*started)(void *arg);
	void (*made)(void *arg, uint64_t height, const struct hash *id);
	void *arg;
};
int round_follow(struct round *rd, const struct round_events *ev,
    struct err *e);

#endif
