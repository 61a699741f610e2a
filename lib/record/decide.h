/*
 * decide: what a patient does with records: authorize or reject those that
 * wait, admit and dismiss readers later, erase.
 *
 * A decider gathers many decisions and makes them durable together: first the
 * new age headers, then the transactions.
 */
#ifndef RECORD_DECIDE_H
#define RECORD_DECIDE_H

#include "record/unseal.h"
#include "store/staging.h"

struct decider;

/* Holds the writer's lock and the state until committed or aborted. */
int decider_open(struct decider **out, struct repo *r,
    const struct identity *id, int64_t now_ms, struct err *e);

/*
 * Authorize a staged record for readers ("HANDLE" or "role:NAME"); n = 0: for
 * the default, its author and role:doctor.  A role that has no key yet is
 * admitted all the same, and cannot open the record before it is granted
 * again; *unkeyed, if not NULL, is set then.  *txid may be NULL.
 */
int decide_authorize(struct decider *d, const struct hash *record,
    const struct span *reader, size_t n, struct hash *txid, bool *unkeyed,
    struct err *e);

int decide_reject(struct decider *d, const struct hash *record,
    struct hash *txid, struct err *e);

/* Admit readers to, or dismiss them from, a record on the ledger: a new
 * header for whoever is admitted then. */
int decide_readers(struct decider *d, bool grant, const struct hash *record,
    const struct span *reader, size_t n, struct hash *txid, struct err *e);

/* reason: ehr-authorize(1) lists them. */
int decide_erase(struct decider *d, const struct hash *record,
    const char *reason, struct hash *txid, struct err *e);

/* Is the record one that waits (for this patient)? */
bool decide_is_staged(struct decider *d, const struct hash *record);

/* Frees d in either outcome. */
int decider_commit(struct decider *d, struct err *e);
void decider_abort(struct decider *d);		/* NULL does nothing */

#endif
