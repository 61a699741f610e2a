/*
 * watch: to be told when pending transactions or blocks arrive, whoever
 * brings them, with PBFT votes (heard.h), and when another node calls, by a
 * descriptor that becomes readable (inotify(7)).
 */
#ifndef STORE_WATCH_H
#define STORE_WATCH_H

#include "store/repo.h"

/* Returns a descriptor to close, or -1. */
int watch_open(const struct repo *r, struct err *e);

/* Also blocks of the folder in which that height will lie.  Repeating it is
 * cheap; a folder that is not there yet is no error. */
void watch_height(int fd, const struct repo *r, uint64_t height);

/* Also staged records. */
void watch_staging(int fd, const struct repo *r);

enum {
	WATCH_ARRIVED = 1 << 0,	/* something is there that was not */
	WATCH_CALLED = 1 << 1	/* a node has called (watch_ring) */
};

/* Empty the descriptor: what has happened, WATCH_ARRIVED... */
int watch_take(int fd);

/* This node's ehr-serve was called by another node: let those know who wait
 * for one that was away.  It is a hint, and so nothing when it fails. */
void watch_ring(const struct repo *r);

#endif
