/*
 * audit_node: the files of an audit that only the node has, beside the ledger:
 * its key, secret, votes, settings and peers; and files that do not belong in
 * the directory.
 */
#ifndef LOG_AUDIT_NODE_H
#define LOG_AUDIT_NODE_H

#include "log/audit_base.h"

/*
 * Hold them against the chain and each other, after the chain was audited; db
 * is the state that the blocks gave.  In a directory without any, as a
 * bundle's, nothing is checked.  Secrets stay in here.
 */
int audit_node(struct audit *a, struct db *db, struct err *e);

#endif
