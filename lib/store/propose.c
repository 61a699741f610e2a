#include "store/propose.h"

#include "base/stamp.h"
#include "ledger/rules.h"
#include "store/chain.h"
#include "store/later.h"
#include "store/pool.h"
#include "store/verify.h"

struct making {
	struct repo *repo;
	struct state_view view;
	struct head head;
	int64_t time_ms;
	struct buf body;
	struct later *later;
	struct merkle own;	/* over this block's transactions */
	size_t skipped;
};

static void
add_leaf(struct making *m, const struct hash *id)
{
	struct hash leaf;

	merkle_leaf(&leaf, id->b, HASH_LEN);
	merkle_add(&m->own, &leaf);
	merkle_add(&m->head.tree, &leaf);
}

static int
offer(void *arg, const struct hash *id, struct span note, struct err *e)
{
	const struct settings *s;
	struct making *m = arg;
	struct tx tx;
	int ret;

	s = &m->repo->genesis->settings;
	if (m->own.size >= s->block_txs ||
	    m->body.len + note.n + 16 > s->block_bytes)
		return 1;
	if (tx_parse(&tx, note, repo_ledger(m->repo), e) != 0) {
		m->skipped++;
		return 0;
	}
	ret = later_ask(m->later, &tx, buf_span(&m->body), e);
	if (ret == 0)
		ret = rules_check(&m->view.v, &tx, m->time_ms, e);
	if (ret == 0) {
		block_add_tx(&m->body, note);
		add_leaf(m, id);
		ret = later_take(m->later, &tx, buf_span(&m->body), e);
		if (!tx_names_record(tx.kind))
			state_memo_clear(m->view.memo);
	} else if (e->kind == ERR_NO || e->kind == ERR_BAD) {
		m->skipped++;
		ret = 0;
	}
	tx_free(&tx);
	return ret;
}

static int
finish(struct buf *content, struct making *m, const char *proposer,
    struct err *e)
{
	struct buf header = BUF_INIT(BLOCK_HEADER_MAX);
	struct block_header h = {
		.height = m->head.height + 1,
		.time_ms = m->time_ms,
		.parent = m->head.id,
		.proposer = span_str(proposer),
		.txs = (uint32_t)m->own.size,
		.size = m->head.tree.size
	};
	struct delegates next;
	int ret;

	if (state_elect(&next, m->view.db,
	    m->repo->genesis->settings.delegates, e) != 0)
		return -1;
	delegates_digest(&h.delegates, &next);
	merkle_root(&h.root, &m->own);
	merkle_root(&h.tree, &m->head.tree);
	block_header_text(&header, &h, repo_ledger(m->repo));
	block_join(content, buf_span(&header), span_of(NULL, 0),
	    buf_span(&m->body));
	ret = buf_check(&header, "block header", e);
	buf_free(&header);
	if (ret != 0 || buf_check(&m->body, "block", e) != 0)
		return -1;
	return buf_check(content, "block", e);
}

int
propose_block(struct buf *content, struct repo *r, const char *proposer,
    int64_t now_ms, size_t *skipped, struct err *e)
{
	struct making m = { .repo = r, .body = BUF_INIT(BLOCK_CONTENT_MAX) };
	struct err ignored;
	struct db *db;
	int ret;

	if (chain_head(&m.head, r, e) != 0 ||
	    pool_index_refresh(r, e) != 0 || db_of(&db, r, e) != 0 ||
	    db_exec(db, "BEGIN IMMEDIATE", e) != 0)
		return -1;
	/* Another process may have taken a block just now. */
	if (state_head(&m.head, db, e) != 1) {
		db_exec(db, "ROLLBACK", &ignored);
		return -1;
	}
	m.time_ms = now_ms > m.head.time_ms ? now_ms : m.head.time_ms + 1;
	merkle_init(&m.own);
	state_view_init(&m.view, r, db);
	m.view.verify = state_verify_came;
	m.view.verify_arg = db;
	m.view.memo = state_memo_open();
	ret = later_open(&m.later, db, repo_ledger(r), m.head.height + 1,
	    m.head.tree.size, e);
	if (ret == 0)
		ret = pool_each(r, offer, &m, e);
	if (ret == 0 && m.own.size == 0 && m.time_ms / STAMP_HOUR_MS ==
	    m.head.time_ms / STAMP_HOUR_MS)
		ret = err_set(e, ERR_NO, "nothing waits for a block");
	if (ret == 0)
		ret = finish(content, &m, proposer, e);
	if (skipped != NULL)
		*skipped = m.skipped;
	db_exec(db, "ROLLBACK", &ignored);
	later_free(m.later);
	state_memo_free(m.view.memo);
	buf_free(&m.body);
	return ret;
}
