#include "ledger/tx.h"

static const char *const kinds[TX_KINDS] = {
	[TX_ENROLL] = "enroll",
	[TX_REKEY] = "rekey",
	[TX_ROLE_DEFINE] = "role-define",
	[TX_ROLE_GRANT] = "role-grant",
	[TX_ROLE_REVOKE] = "role-revoke",
	[TX_ROLE_KEY] = "role-key",
	[TX_NODE_ADMIT] = "node-admit",
	[TX_NODE_REMOVE] = "node-remove",
	[TX_VOTE] = "vote",
	[TX_AUTHORIZE] = "authorize",
	[TX_REJECT] = "reject",
	[TX_GRANT] = "grant",
	[TX_WITHDRAW] = "withdraw",
	[TX_ACCESS] = "access",
	[TX_ERASE] = "erase",
};

const char *
tx_kind_name(enum tx_kind kind)
{
	return kinds[kind];
}

int
tx_kind_of(struct span name)
{
	for (int i = 0; i < TX_KINDS; i++)
		if (span_is(name, kinds[i]))
			return i;
	return -1;
}

void
tx_free(struct tx *tx)
{
	buf_free(&tx->manifest);
}

bool
tx_names_record(enum tx_kind kind)
{
	switch (kind) {
	case TX_AUTHORIZE:
	case TX_REJECT:
	case TX_GRANT:
	case TX_WITHDRAW:
	case TX_ACCESS:
	case TX_ERASE:
		return true;
	default:
		return false;
	}
}

void
tx_describe(struct buf *out, const struct tx *tx)
{
	buf_adds(out, kinds[tx->kind]);
	switch (tx->kind) {
	case TX_ENROLL:
	case TX_ROLE_GRANT:
	case TX_ROLE_REVOKE:
	case TX_ROLE_DEFINE:
	case TX_ROLE_KEY:
		buf_addf(out, " %.*s", SPAN_FMT(tx->role));
		break;
	case TX_NODE_ADMIT:
	case TX_NODE_REMOVE:
		buf_addf(out, " %.*s", SPAN_FMT(tx->node));
		break;
	case TX_AUTHORIZE:
		buf_addf(out, " %.*s", SPAN_FMT(tx->staged.label));
		break;
	case TX_ERASE:
		buf_addf(out, " %.*s", SPAN_FMT(tx->reason));
		break;
	default:
		break;
	}
}
