/* audit_outside: a ledger against what its auditor brought along. */
#ifndef LOG_AUDIT_OUTSIDE_H
#define LOG_AUDIT_OUTSIDE_H

#include "log/audit_base.h"

/*
 * The checkpoint that was given must be a start of the ledger: else it was cut
 * or replaced; its signatures must be those of the policy that was given, or
 * of nodes.  Without a checkpoint, the newest one in the directory must satisfy
 * the policy.  db is the state that the blocks gave.
 */
int audit_outside(struct audit *a, struct db *db, struct err *e);

#endif
