/* renew: a new vote journal in place of one that is lost or damaged. */
#ifndef NET_RENEW_H
#define NET_RENEW_H

#include "store/repo.h"

/*
 * Ask the other delegates how far they are; when at least 2f + 1 have said
 * so, begin a journal from whose floor on this node cannot vote twice, and
 * move what is there of the old one to quarantine/.  *floor is the height up
 * to which it will not vote.  ERR_NO: the journal is whole; ERR_AGAIN: too few
 * answered, or the lock is taken.
 */
int renew_journal(uint64_t *floor, struct repo *r, struct err *e);

/* The same with a floor that somebody knows, and without asking. */
int renew_with_floor(struct repo *r, uint64_t floor, struct err *e);

#endif
