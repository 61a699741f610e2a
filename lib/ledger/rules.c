#include "ledger/rules.h"

static int
check_kind(const struct rules_view *v, const struct tx *tx, int64_t now_ms,
    struct err *e)
{
	switch (tx->kind) {
	case TX_ENROLL:
		return rules_enroll(v, tx, e);
	case TX_REKEY:
		return rules_rekey(v, tx, e);
	case TX_ROLE_DEFINE:
		return rules_role_define(v, tx, e);
	case TX_ROLE_GRANT:
	case TX_ROLE_REVOKE:
		return rules_role_change(v, tx, e);
	case TX_ROLE_KEY:
		return rules_role_key(v, tx, e);
	case TX_NODE_ADMIT:
	case TX_NODE_REMOVE:
		return rules_node_change(v, tx, e);
	case TX_VOTE:
		return rules_vote(v, tx, e);
	case TX_AUTHORIZE:
		return rules_authorize(v, tx, now_ms, e);
	case TX_REJECT:
		return rules_reject(v, tx, e);
	case TX_GRANT:
	case TX_WITHDRAW:
		return rules_readers(v, tx, e);
	case TX_ACCESS:
		return rules_access(v, tx, e);
	case TX_ERASE:
		return rules_erase(v, tx, e);
	case TX_KINDS:
		break;
	}
	return rules_refuse(e, "of an unknown kind");
}

int
rules_check(const struct rules_view *v, const struct tx *tx, int64_t now_ms,
    struct err *e)
{
	int r = v->tx(v->arg, &tx->id, e);

	if (r < 0)
		return -1;
	if (r > 0)
		return rules_refuse(e, "it is on the ledger already");
	if (rules_time(v, tx->time_ms, now_ms, e) != 0 ||
	    check_kind(v, tx, now_ms, e) != 0)
		return -1;
	/* Last, because it costs most. */
	return rules_signature(v, &tx->note, tx->author, e);
}
