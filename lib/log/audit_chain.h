/* audit_chain: the blocks of an audit. */
#ifndef LOG_AUDIT_CHAIN_H
#define LOG_AUDIT_CHAIN_H

#include "log/audit_base.h"

/* Replay the blocks into db, an empty scratch database. */
int audit_chain(struct audit *a, struct db *db, struct err *e);

#endif
