/*
 * round: the speaker's side of the consensus, which ehr-dbft runs: a driver
 * (driver.h) and a link (link.h) to each of the other delegates.
 */
#ifndef NET_ROUND_H
#define NET_ROUND_H

#include "net/driver.h"
#include "net/link.h"

struct round;

/* What there was to do, and what came of it. */
enum round_end {
	ROUND_MADE,		/* a block, ours or one that we re-proposed */
	ROUND_OTHERS,		/* another delegate made one meanwhile */
	ROUND_NOTHING,		/* nothing waits for a block */
	ROUND_NOT_OURS,		/* it is not this node's turn */
	ROUND_NO_QUORUM		/* too few delegates answered */
};

struct round_result {
	enum round_end end;
	uint64_t height;		/* of the block that was made */
	struct hash id;
	char why[512];			/* one line: whose turn, who is away */
};

/*
 * Open.  keep: connections that are lost are made again.  Lines for the
 * operator go to say.
 */
int round_open(struct round **out, struct repo *r, bool keep,
    void (*say)(void *arg, const char *line), void *arg, struct err *e);

/*
 * End the connections, for which up to wait_ms are waited.  False: a thread
 * still hangs on a peer that is silent, and the process must end with _exit.
 */
bool round_close(struct round *rd, int wait_ms);

/* Make a block, if this node may speak now; ehr-dbft --once. */
int round_once(struct round *rd, struct round_result *res, struct err *e);

#endif
