/*
 * rules: may this transaction follow that state?  One pure function over a
 * read-only view, the same on submission, proposal, vote, apply and audit.
 * ehr-rules(7) gives the rules in words.
 */
#ifndef LEDGER_RULES_H
#define LEDGER_RULES_H

#include "ledger/rules_record.h"
#include "ledger/rules_user.h"

/*
 * May tx be the next transaction at time now_ms (a block's time; the clock on
 * submission)?  Returns 0; or -1: ERR_NO with the reason in one line, or the
 * view's own error.
 */
int rules_check(const struct rules_view *v, const struct tx *tx,
    int64_t now_ms, struct err *e);

#endif
