/* rules_record: the rules about records. */
#ifndef LEDGER_RULES_RECORD_H
#define LEDGER_RULES_RECORD_H

#include "ledger/rules_base.h"

int rules_authorize(const struct rules_view *v, const struct tx *tx,
    int64_t now_ms, struct err *e);
int rules_reject(const struct rules_view *v, const struct tx *tx,
    struct err *e);
int rules_readers(const struct rules_view *v, const struct tx *tx,
    struct err *e);
int rules_access(const struct rules_view *v, const struct tx *tx,
    struct err *e);
int rules_erase(const struct rules_view *v, const struct tx *tx,
    struct err *e);

#endif
