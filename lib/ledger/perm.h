/* perm: the permissions that a role can carry (dissertation, table 6-3). */
#ifndef LEDGER_PERM_H
#define LEDGER_PERM_H

#include "base/buf.h"

enum perm {
	PERM_AUTHORIZE = 1 << 0,	/* decide on one's own records */
	PERM_FILL = 1 << 1,		/* add records for patients */
	PERM_LIBRARY = 1 << 2,		/* open records sealed to the role */
	PERM_SYSTEM = 1 << 3,		/* admit and remove nodes, roles */
	PERM_USERS = 1 << 4,		/* enrol users, give roles */
	PERM_VIEW_OWN = 1 << 5		/* open one's own records */
};

/*
 * The text of a set: names joined by commas in the order of the enum, which
 * is alphabetical, or "none".
 */
void perm_add(struct buf *out, unsigned set);

/* Returns 0, or -1 when text is not exactly such a set. */
int perm_parse(unsigned *set, struct span text);

/* The name of one permission. */
const char *perm_name(enum perm p);

#endif
