/* round_inner: what the two ways to run a round share. */
#ifndef NET_ROUND_INNER_H
#define NET_ROUND_INNER_H

#include "net/round.h"

#define ROUND_LOCK_MS 10000	/* to wait for the consensus lock */

/*
 * With the lock held: if this node came late (driver.h), release the lock,
 * ask the others, and take it again.
 */
int round_join(struct round *rd, struct err *e);

/*
 * Step: look for work (*waits), let the core see the time, send.
 */
int round_step(struct round *rd, bool *waits, struct err *e);

/*
 * Wait for news until the time (clock_now_ms), a second at most, or until
 * there is something to read from fd (-1: none); deal with the answers.
 */
int round_wait(struct round *rd, int64_t until_ms, int fd, struct err *e);

/* The links' sum for the present delegates. */
struct links_sum round_sum(const struct round *rd);

/* What ehr-dbft --follow has told its operator; zero at first. */
struct round_told {
	uint64_t refused;		/* mask of delegates */
	struct fs_names evidence;
};

/*
 * Say which delegates refuse to talk, or were refused, each once until it is
 * connected again; and which evidence there is that was not told of.
 */
void round_tell_refused(struct round *rd, struct round_told *t);
void round_tell_evidence(struct round *rd, struct round_told *t);
void round_told_free(struct round_told *t);

/* Who speaks in that view of the present height. */
unsigned round_speaker(const struct round *rd, uint32_t view);

#endif
