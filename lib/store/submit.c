#include "store/submit.h"

int
submit_tx(struct pool *p, const struct identity *id, struct tx *tx,
    int64_t now_ms, struct hash *txid, struct err *e)
{
	struct buf text = BUF_INIT(TX_MAX), note = BUF_INIT(TX_MAX);
	int ret;

	tx->author = span_str(id->name);
	tx->time_ms = now_ms;
	tx_text(&text, tx, repo_ledger(pool_repo(p)));
	ret = buf_check(&text, "transaction", e);
	if (ret == 0)
		ret = identity_sign(&note, buf_span(&text), id, e);
	if (ret == 0)
		ret = pool_add(p, buf_span(&note), true, txid, NULL, e);
	buf_free(&text);
	buf_free(&note);
	return ret;
}
