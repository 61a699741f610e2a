/* audit_votes: what the node of an audit has signed: its folder consensus/. */
#ifndef LOG_AUDIT_VOTES_H
#define LOG_AUDIT_VOTES_H

#include "log/audit_base.h"

/*
 * The vote journal and the blocks that it speaks of, and what was signed of the
 * tree, against the chain and each other; db is the state that the blocks gave.
 * us is the node's name, or NULL for a copy that is none: then only names, and
 * such blocks, are looked at.  After audit_chain; nothing is locked or changed.
 */
int audit_votes(struct audit *a, struct db *db, const char *us,
    struct err *e);

#endif
