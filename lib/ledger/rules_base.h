/* rules_base: what the rules of all kinds share, and that of staged records. */
#ifndef LEDGER_RULES_BASE_H
#define LEDGER_RULES_BASE_H

#include "ledger/view.h"

/* ERR_NO with that reason; -1. */
int rules_refuse(struct err *e, const char *why);

/* 0 if user who has that permission, else -1. */
int rules_need(const struct rules_view *v, struct span who, enum perm perm,
    struct err *e);

/*
 * 0 if no transaction named this object before: who names another's object
 * could later dismiss it, or keep it from being erased.
 */
int rules_new_object(const struct rules_view *v, const struct hash *id,
    struct err *e);

/* 0 if the note's only signature is the author's with the current key. */
int rules_signature(const struct rules_view *v, const struct note *n,
    struct span author, struct err *e);

/* 0 unless time_ms is further ahead of now_ms than the skew allows. */
int rules_time(const struct rules_view *v, int64_t time_ms, int64_t now_ms,
    struct err *e);

/* May the staged record s be added: its author's signature and permission,
 * its patient, its label.  As above. */
int rules_check_staged(const struct rules_view *v, const struct staged *s,
    int64_t now_ms, struct err *e);

/* A verify that verifies at once. */
int rules_verify_now(void *arg, const struct note *n, struct span name,
    const struct sign_pub *pub, struct err *e);

#endif
