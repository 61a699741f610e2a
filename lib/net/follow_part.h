/* follow_part: what the threads of follow share with it; private. */
#ifndef NET_FOLLOW_PART_H
#define NET_FOLLOW_PART_H

#include <pthread.h>
#include <stdatomic.h>

#include "net/follow.h"

/* One connection.  What is above the line is set before its thread begins. */
struct follower {
	struct follow *of;
	char *name, *command;		/* owned */
	pthread_t thread;
	int wake[2];			/* a byte for a task; don't block */
	/* --- */
	struct repo *r;
	struct session *s;
	int64_t full_ms;		/* when everything is exchanged next */
	int64_t said_ms;		/* when something was said last */
	unsigned unanswered;		/* keepalives */
	uint64_t refused;		/* of what was given last */
	bool slow;			/* it was left because of that */
	bool away;			/* and that was told */
	bool judged;			/* what follows is to be kept */
	bool judged_slow;
	struct err why;
};

struct follow {
	struct repo *repo;		/* borrowed; not for the threads */
	char *path;			/* of .ehr; owned */
	struct follow_options o;
	pthread_mutex_t lock;		/* for tell, failure, v and n */
	struct err failure;		/* of ours, not of a peer */
	int watch, stop[2];
	int poll_ms, keepalive_ms;	/* poll_ms -1: never */
	unsigned misses;
	int64_t forgive_ms;		/* that a peer is left which is bad */
	atomic_bool ended;
	struct peers peers;		/* the scout's */
	pthread_t scout;
	bool scouting;			/* there is that thread, or was */
	bool scouted;			/* it keeps nothing of peers any more */
	int64_t look_ms;		/* when a peer is forgiven; or never */
	struct follower *v;		/* owned */
	size_t n, room;
};

/* Begin a connection, unless there is one or it is all over. */
int follow_add(struct follow *f, const struct peer *p, struct err *e);

/*
 * Keep what became of a peer (exchange_judge); with the follower's own r.  What
 * the scout keeps at its end must not undo it: it waits until then.
 */
void follow_judge(struct follower *w, const struct err *why);

/* The scout keeps nothing any more. */
void follow_scouted(struct follow *f, struct repo *r);

/* We can't go on, for that reason. */
void follow_fail(struct follow *f, const struct err *e);

/* The thread of one; and the one that goes before them. */
void *follower_run(void *arg);
void *follow_scout(void *arg);

#endif
