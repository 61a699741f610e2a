/*
 * audit: a complete check of a ledger directory, offline, from the genesis on:
 * every stored byte is hashed again, every signature, rule, certificate and
 * root checked again, on a state of its own; state.db is not believed.
 * Nothing is changed.
 */
#ifndef LOG_AUDIT_H
#define LOG_AUDIT_H

#include "log/audit_base.h"

/*
 * Audit.  0: it was done, and the counts tell what came out; -1: it could not
 * be done.
 */
int audit_run(struct audit *a, struct err *e);

/* Release what audit_run keeps for whoever has questions: the state. */
void audit_close(struct audit *a);

#endif
