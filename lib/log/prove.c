#include "log/prove.h"

#include <stdlib.h>

#include "store/blocks.h"
#include "store/lookup.h"

#define LOOK_AHEAD 48	/* checkpoints, for one that is cosigned well */

struct prover {
	struct repo *repo;
	struct db *db;
	const struct head *head;
	struct tree *tree;
	struct fs_names list;		/* of checkpoints */

	/* The block whose text is at hand, and the one that is proved from. */
	uint64_t at_height;
	struct buf text;
	uint64_t anchor;
	struct buf header, certificate, changes;
	struct block_header h;
	struct delegates set;		/* of its height */

	/*
	 * The checkpoint of the anchor, its lines in order; or nothing.  It is
	 * for those whose search begins at list.name[sought].
	 */
	struct buf checkpoint;
	size_t sought;
	uint64_t found;			/* its anchor; 0: none sought yet */
};

int
prove_open(struct prover **out, struct repo *r, struct db *db,
    const struct head *head, struct err *e)
{
	struct prover *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	p->repo = r;
	p->db = db;
	p->head = head;
	buf_init(&p->text, CHAIN_FILE_MAX);
	buf_init(&p->header, BLOCK_HEADER_MAX);
	buf_init(&p->certificate, BLOCK_CERT_MAX);
	buf_init(&p->changes, RECEIPT_MAX);
	buf_init(&p->checkpoint, CHECKPOINT_MAX);
	if (fs_list(&p->list, r->dirfd, CHECKPOINT_DIR, e) != 0 ||
	    tree_open(&p->tree, r, db, e) != 0) {
		prove_close(p);
		return -1;
	}
	*out = p;
	return 0;
}

void
prove_close(struct prover *p)
{
	if (p == NULL)
		return;
	tree_close(p->tree);
	fs_names_free(&p->list);
	buf_free(&p->text);
	buf_free(&p->header);
	buf_free(&p->certificate);
	buf_free(&p->changes);
	buf_free(&p->checkpoint);
	free(p);
}

/* --- blocks --------------------------------------------------------------- */

/* A block; it borrows from p->text until the next one is read. */
static int
read_block(struct block *b, struct prover *p, uint64_t height, struct err *e)
{
	if (p->at_height != height) {
		p->at_height = 0;
		buf_reset(&p->text);
		if (chain_read(&p->text, p->repo, height, e) != 0)
			return -1;
		p->at_height = height;
	}
	return block_parse(b, buf_span(&p->text), true, repo_ledger(p->repo),
	    e);
}

/* The note of a transaction in its block, borrowed from p->text. */
static int
find_note(struct span *note, struct prover *p, const struct lookup_tx *t,
    struct err *e)
{
	struct block b;
	uint64_t at;
	struct hash h;

	if (read_block(&b, p, t->height, e) != 0)
		return -1;
	at = b.h.size - b.h.txs;
	while (block_next_tx(&b.body, note) == 1 && at++ < t->seq)
		;
	hash_bytes(&h, note->p, note->n);
	if (at == t->seq + 1 && hash_eq(&h, &t->id))
		return 0;
	return err_set(e, ERR_BAD, "block %llu: lacks a transaction that "
	    "state.db finds in it", (unsigned long long)t->height);
}

/* The block before the delegates of height since are others. */
static int
add_change(struct prover *p, uint64_t since, struct err *e)
{
	struct buf names = BUF_INIT(DELEGATES_TEXT_MAX);
	struct receipt_block rb;
	struct delegates set;
	struct block b;
	int ret;

	ret = state_delegates(&set, p->db, since, e);
	if (ret == 0)
		ret = read_block(&b, p, since - 1, e);
	if (ret == 0) {
		delegates_text(&names, &set);
		rb = (struct receipt_block){ b.header, b.certificate };
		receipt_add_change(&p->changes, &rb, buf_span(&names));
		ret = buf_check(&p->changes, "receipt", e);
	}
	buf_free(&names);
	return ret;
}

static int
add_changes(struct prover *p, uint64_t height, struct err *e)
{
	uint64_t since = 1;
	sqlite3_stmt *s;
	int ret;

	/* Each of them asks other questions, so one is asked at a time. */
	for (;;) {
		if (db_stmt(&s, p->db, "SELECT min(since) FROM delegate "
		    "WHERE since>? AND since<=?", e) != 0)
			return -1;
		db_bind_int(s, 1, (int64_t)since);
		db_bind_int(s, 2, (int64_t)height);
		if ((ret = db_step(p->db, s, e)) != 1)
			return ret;
		since = (uint64_t)sqlite3_column_int64(s, 0);
		sqlite3_reset(s);
		if (since == 0)
			return 0;
		if (add_change(p, since, e) != 0)
			return -1;
	}
}

/* Prove from the block of that height. */
static int
set_anchor(struct prover *p, uint64_t height, struct err *e)
{
	struct block b;

	if (p->anchor == height)
		return 0;
	p->anchor = 0;
	buf_reset(&p->changes);
	buf_reset(&p->header);
	buf_reset(&p->certificate);
	if (add_changes(p, height, e) != 0 ||
	    state_delegates(&p->set, p->db, height, e) != 0 ||
	    read_block(&b, p, height, e) != 0)
		return -1;
	buf_add(&p->header, b.header.p, b.header.n);
	buf_add(&p->certificate, b.certificate.p, b.certificate.n);
	if (buf_check(&p->header, "header", e) != 0 ||
	    buf_check(&p->certificate, "certificate", e) != 0 ||
	    block_header_parse(&p->h, buf_span(&p->header),
	    repo_ledger(p->repo), e) != 0)
		return -1;
	p->anchor = height;
	return 0;
}

/* --- checkpoints ---------------------------------------------------------- */

/*
 * Append the checkpoint with those lines that delegates of the anchor's height
 * have made: whoever has only the genesis can verify these.  How many have
 * cosigned, or -1 when no line is left.
 */
static int
keep_lines(struct prover *p, struct buf *out, const struct checkpoint *c)
{
	const struct hash *ledger = repo_ledger(p->repo);
	int cosigned = 0, kept = 0;
	uint64_t time_s;

	buf_reset(out);
	buf_add(out, c->note.text.p, c->note.text.n);
	buf_addc(out, '\n');
	for (int log = 1; log >= 0; log--)
		for (size_t i = 0; i < c->note.nsigs; i++) {
			struct span line = c->note.sig[i].line;

			if (checkpoint_is_log(c, i, ledger) != (log == 1) ||
			    receipt_line_of(c, i, ledger, &p->set,
			    &time_s) < 0)
				continue;
			buf_add(out, line.p, line.n);
			cosigned += !log;
			kept++;
		}
	return kept == 0 ? -1 : cosigned;
}

/* The first of the list that has more than index transactions, or list.n. */
static int
first_with(size_t *at, struct prover *p, uint64_t index, struct err *e)
{
	struct buf text = BUF_INIT(CHECKPOINT_MAX);
	size_t low = 0, high = p->list.n;
	struct checkpoint c;
	int ret = 0;

	while (low < high && ret == 0) {
		size_t mid = low + (high - low) / 2;

		buf_reset(&text);
		ret = checkpoints_read(&c, &text, p->repo, p->list.name[mid],
		    e);
		if (ret == 0 && c.size <= index)
			low = mid + 1;
		else
			high = mid;
	}
	buf_free(&text);
	*at = low;
	return ret;
}

/* Make one checkpoint the one to prove from, if it is better than best. */
static int
try_checkpoint(struct prover *p, size_t at, int *best, uint64_t *height,
    struct err *e)
{
	struct buf text = BUF_INIT(CHECKPOINT_MAX);
	struct buf kept = BUF_INIT(CHECKPOINT_MAX);
	struct checkpoint c;
	uint64_t h;
	int ret, n;

	ret = checkpoints_read(&c, &text, p->repo, p->list.name[at], e);
	if (ret == 0 && c.size <= p->head->tree.size &&
	    blocks_at_size(&h, p->db, p->head->height, c.size, e) == 0 &&
	    (ret = set_anchor(p, h, e)) == 0 && p->h.size == c.size &&
	    hash_eq(&p->h.tree, &c.root) &&
	    (n = keep_lines(p, &kept, &c)) > *best) {
		*best = n;
		*height = h;
		buf_reset(&p->checkpoint);
		buf_add(&p->checkpoint, kept.p, kept.len);
		ret = buf_check(&p->checkpoint, "checkpoint", e);
	}
	buf_free(&text);
	buf_free(&kept);
	return ret;
}

/* What to prove from: a checkpoint, or the transaction's own block. */
static int
choose(struct prover *p, const struct lookup_tx *t, struct err *e)
{
	uint64_t height = t->height;
	int best = -1;
	size_t at;

	if (first_with(&at, p, t->seq, e) != 0)
		return -1;
	if (at == p->sought && p->found != 0)
		return set_anchor(p, p->found, e);
	p->sought = at;
	p->found = 0;
	buf_reset(&p->checkpoint);
	for (size_t n = 0; at < p->list.n && n < LOOK_AHEAD; n++, at++) {
		if (try_checkpoint(p, at, &best, &height, e) != 0)
			return -1;
		if (best >= (int)delegates_quorum(p->set.n))
			break;
	}
	if (best >= 0)
		p->found = height;
	return set_anchor(p, height, e);
}

/* --- receipts ------------------------------------------------------------- */

static int
add_proof(struct buf *out, struct prover *p, const struct lookup_tx *t,
    struct err *e)
{
	struct proof proof = { .number = t->seq,
	    .checkpoint = buf_span(&p->checkpoint) };
	struct hash leaf;

	if (t->seq >= p->h.size)
		return err_set(e, ERR_BAD, "state.db: damaged; remove it");
	if (merkle_inclusion(proof.path, &proof.n, t->seq, p->h.size,
	    tree_node, p->tree, e) != 0)
		return -1;
	merkle_leaf(&leaf, t->id.b, HASH_LEN);
	if (!merkle_inclusion_ok(&p->h.tree, p->h.size, t->seq, &leaf,
	    proof.path, proof.n))
		return err_set(e, ERR_BAD, "%s/%s is damaged: remove it, and "
		    "ehr-log-merkle --roll makes it again", p->repo->path,
		    TREE_DIR);
	proof_text(out, proof.checkpoint.n > 0 ? PROOF_INCLUSION : PROOF_PATH,
	    &proof);
	return buf_check(out, "proof", e);
}

static int
prove_tx(struct buf *out, struct prover *p, const struct lookup_tx *t,
    struct err *e)
{
	struct buf proof = BUF_INIT(PROOF_MAX);
	struct receipt r = { .ledger = *repo_ledger(p->repo),
	    .genesis = buf_span(&p->repo->genesis_file) };
	int ret;

	ret = choose(p, t, e);
	if (ret == 0)
		ret = add_proof(&proof, p, t, e);
	if (ret == 0)
		ret = find_note(&r.tx, p, t, e);
	if (ret == 0) {
		r.changes = buf_span(&p->changes);
		r.block.header = buf_span(&p->header);
		r.block.certificate = buf_span(&p->certificate);
		r.has_checkpoint = p->checkpoint.len > 0;
		r.proof = buf_span(&proof);
		receipt_text(out, &r);
		ret = buf_check(out, "receipt", e);
	}
	buf_free(&proof);
	return ret;
}

/* With which transaction did that record come, or was it turned away? */
static int
find_record(struct hash *tx, struct db *db, const struct hash *id,
    struct err *e)
{
	sqlite3_stmt *s;
	int ret;

	if (db_stmt(&s, db, "SELECT id FROM tx WHERE record=? AND kind IN "
	    "('authorize', 'reject') ORDER BY seq LIMIT 1", e) != 0)
		return -1;
	db_bind_hash(s, 1, id);
	if ((ret = db_step(db, s, e)) != 1)
		return ret;
	ret = db_column_hash(s, 0, tx) == 0 ? 1 : err_set(e, ERR_BAD,
	    "state.db: damaged; remove it");
	sqlite3_reset(s);
	return ret;
}

int
prove_id(struct buf *out, struct hash *tx, struct prover *p,
    const struct hash *id, struct err *e)
{
	struct lookup_tx t;
	int got = find_record(tx, p->db, id, e);

	if (got == 0)
		*tx = *id;
	if (got < 0 || (got = lookup_tx(&t, p->db, tx, e)) < 0)
		return -1;
	if (got == 0 || t.height > p->head->height)
		return err_set(e, ERR_NO, "no block here has that record or "
		    "transaction (one that waits has none yet)");
	return prove_tx(out, p, &t, e);
}
