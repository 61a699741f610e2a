/* rules_user: the rules about users, roles and nodes. */
#ifndef LEDGER_RULES_USER_H
#define LEDGER_RULES_USER_H

#include "ledger/rules_base.h"

int rules_enroll(const struct rules_view *v, const struct tx *tx,
    struct err *e);
int rules_rekey(const struct rules_view *v, const struct tx *tx,
    struct err *e);
int rules_role_define(const struct rules_view *v, const struct tx *tx,
    struct err *e);
int rules_role_change(const struct rules_view *v, const struct tx *tx,
    struct err *e);
int rules_role_key(const struct rules_view *v, const struct tx *tx,
    struct err *e);
int rules_node_change(const struct rules_view *v, const struct tx *tx,
    struct err *e);
int rules_vote(const struct rules_view *v, const struct tx *tx,
    struct err *e);

#endif
