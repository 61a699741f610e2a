/* One block on top of another: what it must be, and what it changes. */
#include "store/chain.h"

#include "base/stamp.h"
#include "ledger/rules.h"
#include "store/later.h"
#include "store/pool_index.h"

#define WORTH_A_MEMO 16		/* transactions of a block */

/* How a block is replayed. */
struct replay {
	struct state_view view;
	enum chain_trust trust;
	struct verify_batch *batch;
	struct later *later;	/* CHAIN_TRY */
	bool waits;		/* some transactions wait here */
	bool elects;		/* the delegates may be others afterwards */
};

static bool
verifies(enum chain_trust trust)
{
	return trust == CHAIN_ALL || trust == CHAIN_TRY;
}

/* Choose how the signatures of a transaction are checked. */
static int
choose_verify(struct replay *rp, const struct hash *id, struct err *e)
{
	struct pool_row row;
	int got = rp->waits ? pool_index_find(&row, rp->view.db, id, e) : 0;

	rp->view.verify = !verifies(rp->trust) ? verify_never :
	    got == 1 ? state_verify_came : verify_later;
	rp->view.verify_arg = got == 1 ? (void *)rp->view.db : rp->batch;
	return got < 0 ? -1 : 0;
}

static int
check_tx(struct replay *rp, const struct tx *tx, const struct block *b,
    struct err *e)
{
	char id[HASH_HEX];

	if (rp->trust == CHAIN_NOTHING)
		return 0;
	if (choose_verify(rp, &tx->id, e) != 0)
		return -1;
	if (rules_check(&rp->view.v, tx, b->h.time_ms, e) == 0)
		return 0;
	hash_format(id, &tx->id);
	return err_wrap(e, "block %llu, transaction %s",
	    (unsigned long long)b->h.height, id);
}

/* May it change who is elected, or with which key? */
static bool
elects(const struct tx *tx)
{
	switch (tx->kind) {
	case TX_NODE_ADMIT:
	case TX_NODE_REMOVE:
	case TX_VOTE:
	case TX_REKEY:
		return true;
	default:
		return false;
	}
}

/* Rules, then change.  before and after: how many bytes of the block's body end
 * before tx, and with it. */
static int
replay_tx(struct replay *rp, const struct tx *tx, const struct block *b,
    uint64_t seq, size_t before, size_t after, struct err *e)
{
	const unsigned char *body = b->body.p;

	rp->elects = rp->elects || elects(tx);
	if (rp->later == NULL)
		return check_tx(rp, tx, b, e) != 0 ? -1 :
		    state_apply(rp->view.db, tx, b->h.height, seq, e);
	if (later_ask(rp->later, tx, span_of(body, before), e) != 0 ||
	    check_tx(rp, tx, b, e) != 0)
		return -1;
	return later_take(rp->later, tx, span_of(body, after), e);
}

/*
 * Replay a block's transactions on the state, inside the caller's database
 * transaction.
 */
static int
replay(struct replay *rp, const struct block *b, uint64_t seq,
    struct err *e)
{
	struct span body = b->body, note;
	size_t before = 0, after;
	struct tx tx;

	while (block_next_tx(&body, &note) == 1) {
		int ret;

		if (tx_parse(&tx, note, rp->view.v.ledger, e) != 0)
			return err_wrap(e, "block %llu",
			    (unsigned long long)b->h.height);
		after = b->body.n - body.n;
		ret = replay_tx(rp, &tx, b, seq++, before, after, e);
		before = after;
		if (!tx_names_record(tx.kind))
			state_memo_clear(rp->view.memo);
		tx_free(&tx);
		if (ret != 0)
			return -1;
	}
	return 0;
}

int
chain_follows(const struct block *b, const struct head *h,
    const struct settings *s, const struct delegates *set, struct err *e)
{
	unsigned long long height = b->h.height;

	if (b->h.height > h->height + 1)
		return err_set(e, ERR_AGAIN, "block %llu: blocks from %llu on "
		    "are missing", height, (unsigned long long)h->height + 1);
	if (b->h.height <= h->height || !hash_eq(&b->h.parent, &h->id))
		return err_set(e, ERR_NO, "block %llu: does not follow block "
		    "%llu", height, (unsigned long long)h->height);
	if (b->h.time_ms <= h->time_ms)
		return err_set(e, ERR_NO, "block %llu: not later than the "
		    "block before it", height);
	if (b->h.txs == 0 && b->h.time_ms / STAMP_HOUR_MS ==
	    h->time_ms / STAMP_HOUR_MS)
		return err_set(e, ERR_NO, "block %llu: empty, and closes no "
		    "hour", height);
	if (b->h.txs > s->block_txs || b->body.n > s->block_bytes)
		return err_set(e, ERR_NO, "block %llu: larger than this "
		    "ledger allows", height);
	if (delegates_find(set, b->h.proposer) < 0)
		return err_set(e, ERR_NO, "block %llu: proposed by %.*s, which "
		    "is no delegate", height, SPAN_FMT(b->h.proposer));
	return 0;
}

/* What only some ways of replaying need. */
static int
prepare(struct replay *rp, const struct block *b, uint64_t seq,
    struct err *e)
{
	struct state_view *v = &rp->view;
	size_t waiting;

	if (b->h.txs >= WORTH_A_MEMO && rp->trust != CHAIN_NOTHING)
		v->memo = state_memo_open();
	if (verifies(rp->trust)) {
		if (pool_index_count(&waiting, v->db, e) != 0)
			return -1;
		rp->waits = waiting > 0;
		verify_height(rp->batch, b->h.height);
	}
	return rp->trust != CHAIN_TRY ? 0 : later_open(&rp->later, v->db,
	    v->v.ledger, b->h.height, seq, e);
}

int
chain_advance(struct repo *r, struct db *db, struct head *h,
    const struct block *b, const struct delegates *set,
    enum chain_trust trust, struct verify_batch *batch, struct err *e)
{
	struct replay rp = { .trust = trust, .batch = batch };
	struct delegates next;
	struct hash digest;
	uint64_t seq = h->tree.size;
	int ret;

	if (chain_follows(b, h, &r->genesis->settings, set, e) != 0 ||
	    block_check_root(b, &h->tree, e) != 0)
		return -1;
	state_view_init(&rp.view, r, db);
	ret = prepare(&rp, b, seq, e);
	if (ret == 0)
		ret = replay(&rp, b, seq, e);
	later_free(rp.later);
	state_memo_free(rp.view.memo);
	if (ret != 0)
		return -1;
	if (rp.elects && state_elect(&next, db,
	    r->genesis->settings.delegates, e) != 0)
		return -1;
	delegates_digest(&digest, rp.elects ? &next : set);
	if (!hash_eq(&digest, &b->h.delegates))
		return err_set(e, ERR_BAD, "block %llu: names another set of "
		    "delegates than the votes give",
		    (unsigned long long)b->h.height);
	h->height = b->h.height;
	h->id = b->h.id;
	h->time_ms = b->h.time_ms;
	if ((rp.elects && state_set_delegates(db, &next, h->height + 1,
	    e) != 0) || state_add_block(db, &b->h, e) != 0)
		return -1;
	return state_set_head(db, h, e);
}
