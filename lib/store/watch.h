/*
 * watch: to be told when pending transactions or blocks arrive, whoever
 * brings them, and with PBFT votes (heard.h), by a descriptor that becomes
 * readable (inotify(7)).
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

/* Empty the descriptor: true if something has arrived. */
bool watch_take(int fd);

#endif
