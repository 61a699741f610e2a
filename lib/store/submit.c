#include "store/submit.h"

#include "ledger/name.h"

/*
 * Will the others accept what this key signs?  Our own signature is not
 * verified; one with a key that was replaced would spoil a block.
 */
static int
check_key(struct pool *p, const struct identity *id, const struct tx *tx,
    struct err *e)
{
	struct sign_pub known, ours;
	struct state_view v;
	int ret;

	if (tx->kind != TX_VOTE && tx->kind != TX_REKEY &&
	    !name_is_handle(span_str(id->name)))
		return err_set(e, ERR_NO, "%s is a node's name, and only a "
		    "user does this", id->name);
	if (tx->kind == TX_VOTE && !name_is_node(span_str(id->name)))
		return err_set(e, ERR_NO, "only a node votes");
	ret = state_rekey_waits(pool_db(p), span_str(id->name), e);
	if (ret != 0)
		return ret < 0 ? -1 : 0;	/* pool_add refuses it */
	state_view_init(&v, pool_repo(p), pool_db(p));
	ret = v.v.key(v.v.arg, span_str(id->name), &known, e);
	if (ret <= 0)
		return ret;			/* the rules refuse it */
	sign_public(&ours, id->sign);
	return sign_pub_eq(&ours, &known) ? 0 : err_set(e, ERR_NO,
	    "the key of %s on the ledger is not this one", id->name);
}

int
submit_tx(struct pool *p, const struct identity *id, struct tx *tx,
    int64_t now_ms, struct hash *txid, struct err *e)
{
	struct buf text = BUF_INIT(TX_MAX), note = BUF_INIT(TX_MAX);
	int ret;

	if (check_key(p, id, tx, e) != 0)
		return -1;
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
