#include "log/attest.h"

#include "base/gz.h"
#include "base/stamp.h"
#include "ledger/card.h"
#include "ledger/receipt_report.h"
#include "store/object.h"
#include "store/pool.h"
#include "store/staging.h"

/* --- blocks --------------------------------------------------------------- */

/* The id of the block before, from its own header (or the genesis). */
static int
parent_id(struct hash *id, struct repo *r, uint64_t height, struct err *e)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);
	struct block b;
	int ret;

	if (height == 0) {
		*id = *repo_ledger(r);
		return 0;
	}
	ret = chain_read(&text, r, height, e);
	if (ret == 0)
		ret = block_parse(&b, buf_span(&text), true, repo_ledger(r), e);
	if (ret == 0)
		*id = b.h.id;
	buf_free(&text);
	return ret;
}

/* The body's root; the tree before is not at hand, so not its tree. */
static int
check_root(const struct block *b, struct err *e)
{
	struct span body = b->body, note;
	struct hash id, leaf, root;
	struct merkle tree;

	merkle_init(&tree);
	while (block_next_tx(&body, &note) == 1) {
		hash_bytes(&id, note.p, note.n);
		merkle_leaf(&leaf, id.b, HASH_LEN);
		merkle_add(&tree, &leaf);
	}
	merkle_root(&root, &tree);
	if (hash_eq(&root, &b->h.root))
		return 0;
	return err_set(e, ERR_BAD, "block %llu: its transactions are not "
	    "those of its header", (unsigned long long)b->h.height);
}

static int
check_block(struct buf *out, struct repo *r, const struct block *b,
    struct err *e)
{
	struct delegates set;
	struct hash parent;
	uint64_t signers;
	struct head head;
	struct db *db;
	char hex[HASH_HEX], time[STAMP_LEN + 1];

	if (chain_head(&head, r, e) != 0 || db_of(&db, r, e) != 0)
		return -1;
	if (b->h.height > head.height + 1)
		return err_set(e, ERR_AGAIN, "block %llu: we have blocks only "
		    "up to %llu", (unsigned long long)b->h.height,
		    (unsigned long long)head.height);
	if (check_root(b, e) != 0 ||
	    parent_id(&parent, r, b->h.height - 1, e) != 0 ||
	    state_delegates(&set, db, b->h.height, e) != 0 ||
	    certificate_check(b->certificate, &b->h, &set, repo_ledger(r),
	    &signers, e) != 0)
		return -1;
	if (!hash_eq(&parent, &b->h.parent))
		return err_set(e, ERR_NO, "block %llu: does not follow the "
		    "block before it", (unsigned long long)b->h.height);
	hash_format(hex, &b->h.id);
	stamp_format(time, b->h.time_ms);
	buf_addf(out, "block %llu %s %s, %u transactions, proposed by %.*s\n"
	    "certified by", (unsigned long long)b->h.height, hex, time,
	    b->h.txs, SPAN_FMT(b->h.proposer));
	for (size_t i = 0; i < set.n; i++)
		if ((signers & 1ULL << i) != 0)
			buf_addf(out, " %s", set.d[i].name);
	buf_addf(out, " (%zu of %zu delegates needed)\n",
	    delegates_quorum(set.n), set.n);
	return 0;
}

int
attest_block(struct buf *out, struct repo *r, uint64_t height, struct err *e)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);
	struct block b;
	int ret;

	if (height == 0) {
		buf_addf(out, "genesis of \"%.*s\", %zu nodes\n",
		    SPAN_FMT(r->genesis->name), r->genesis->nnodes);
		return 0;
	}
	ret = chain_read(&text, r, height, e);
	if (ret == 0)
		ret = block_parse(&b, buf_span(&text), true, repo_ledger(r), e);
	if (ret == 0 && b.h.height != height)
		ret = err_set(e, ERR_BAD, "block %llu: the file holds block "
		    "%llu", (unsigned long long)height,
		    (unsigned long long)b.h.height);
	if (ret == 0)
		ret = check_block(out, r, &b, e);
	buf_free(&text);
	return ret;
}

/* --- transactions and records --------------------------------------------- */

/* The note of a transaction in a block; ERR_BAD when it is not there. */
static int
find_in_block(struct buf *out, struct repo *r, uint64_t height,
    const struct hash *id, struct err *e)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);
	struct span body, note;
	struct block b;
	struct hash h;
	int ret;

	ret = chain_read(&text, r, height, e);
	if (ret == 0)
		ret = block_parse(&b, buf_span(&text), true, repo_ledger(r), e);
	if (ret == 0) {
		ret = err_set(e, ERR_BAD, "block %llu: lacks a transaction "
		    "that state.db finds in it", (unsigned long long)height);
		for (body = b.body; block_next_tx(&body, &note) == 1;) {
			hash_bytes(&h, note.p, note.n);
			if (!hash_eq(&h, id))
				continue;
			buf_add(out, note.p, note.n);
			ret = buf_check(out, "transaction", e);
			break;
		}
	}
	buf_free(&text);
	return ret;
}

/* Kind, author and signature of a transaction's note. */
static int
check_tx(struct buf *out, struct repo *r, struct span note, struct err *e)
{
	char hex[HASH_HEX], time[STAMP_LEN + 1];
	struct db *db;
	struct tx tx;
	int ret;

	if (db_of(&db, r, e) != 0 ||
	    tx_parse(&tx, note, repo_ledger(r), e) != 0)
		return -1;
	ret = lookup_verify(db, &tx.note, 0, e);
	if (ret == 0)
		ret = err_set(e, ERR_NO, "%.*s is not known to this ledger",
		    SPAN_FMT(tx.author));
	if (ret == 1 && tx.kind == TX_AUTHORIZE) {
		ret = lookup_verify(db, &tx.staged.note, 0, e);
		if (ret == 0)
			ret = err_set(e, ERR_NO, "%.*s is not known to this "
			    "ledger", SPAN_FMT(tx.staged.author));
	}
	if (ret == 1) {
		hash_format(hex, &tx.id);
		stamp_format(time, tx.time_ms);
		buf_addf(out, "transaction %s %s %s, signed by %.*s\n", hex,
		    tx_kind_name(tx.kind), time, SPAN_FMT(tx.author));
		if (tx.kind == TX_AUTHORIZE)
			buf_addf(out, "record added by %.*s, whose signature "
			    "verifies\n", SPAN_FMT(tx.staged.author));
	}
	tx_free(&tx);
	return ret == 1 ? 0 : -1;
}

int
attest_tx(struct buf *out, struct repo *r, const struct hash *id,
    struct err *e)
{
	struct buf note = BUF_INIT(TX_MAX);
	struct lookup_tx at;
	struct head head;
	struct db *db;
	int ret;

	if (chain_head(&head, r, e) != 0 || db_of(&db, r, e) != 0 ||
	    (ret = lookup_tx(&at, db, id, e)) < 0)
		return -1;
	if (ret == 1)
		ret = find_in_block(&note, r, at.height, id, e);
	else
		ret = pool_find(&note, r, id, e);
	if (ret == 0)
		ret = check_tx(out, r, buf_span(&note), e);
	if (ret == 0 && note.len > 0 && lookup_tx(&at, db, id, e) == 1) {
		buf_addf(out, "number %llu on the ledger\n",
		    (unsigned long long)at.seq);
		ret = attest_block(out, r, at.height, e);
	} else if (ret == 0)
		buf_adds(out, "waits for a block\n");
	buf_free(&note);
	return ret;
}

/* An object that a record consists of. */
static int
check_part(struct buf *out, struct repo *r, const char *what,
    const struct hash *id, struct err *e)
{
	char hex[HASH_HEX];

	hash_format(hex, id);
	if (object_check(r, id, e) == 0) {
		buf_addf(out, "%s %s is here, undamaged\n", what, hex);
		return 0;
	}
	if (e->kind != ERR_NO)
		return -1;
	return err_set(e, ERR_NO, "the %s %s is not here", what, hex);
}

static int
add_reader(void *arg, struct span reader, struct err *e)
{
	struct buf *out = arg;

	(void)e;
	buf_addf(out, " %.*s", SPAN_FMT(reader));
	return 0;
}

static int
attest_record(struct buf *out, struct repo *r, struct db *db,
    const struct lookup_record *rec, struct err *e)
{
	static const char *const status[] = { "unknown", "authorized",
	    "rejected", "erased" };
	struct hash tx;
	sqlite3_stmt *s;
	char hex[HASH_HEX];
	size_t before;
	int ret;

	hash_format(hex, &rec->id);
	buf_addf(out, "record %s %s, patient %s\n", hex, status[rec->status],
	    rec->patient);
	if (db_stmt(&s, db, "SELECT id FROM tx WHERE record=? AND kind IN "
	    "('authorize', 'reject', 'erase') ORDER BY seq DESC LIMIT 1",
	    e) != 0)
		return -1;
	db_bind_hash(s, 1, &rec->id);
	if (db_step(db, s, e) != 1)
		return err_set(e, ERR_BAD, "state.db: damaged; remove it");
	ret = db_column_hash(s, 0, &tx);
	sqlite3_reset(s);
	if (ret != 0 || attest_tx(out, r, &tx, e) != 0)
		return -1;
	if (rec->status != RECORD_AUTHORIZED)
		return 0;
	buf_adds(out, "readers");
	before = out->len;
	if (lookup_readers(db, &rec->id, add_reader, out, e) != 0)
		return -1;
	buf_adds(out, out->len == before ? " none\n" : "\n");
	if (check_part(out, r, "header", &rec->header, e) != 0)
		return -1;
	return check_part(out, r, "body", &rec->body, e);
}

/* A record that waits for its patient. */
static int
attest_staged(struct buf *out, struct repo *r, struct db *db,
    const struct hash *id, struct err *e)
{
	struct buf manifest = BUF_INIT(STAGED_MAX);
	struct buf header = BUF_INIT(1u << 20);
	struct staged s;
	char hex[HASH_HEX];
	int ret;

	ret = staging_find(&manifest, &header, r, id, e);
	if (ret == 0)
		ret = staged_parse(&s, buf_span(&manifest), repo_ledger(r), e);
	if (ret == 0)
		ret = lookup_verify(db, &s.note, 0, e) == 1 ? 0 : -1;
	if (ret == 0) {
		hash_format(hex, id);
		buf_addf(out, "record %s waits for patient %.*s, signed by "
		    "%.*s\n", hex, SPAN_FMT(s.patient), SPAN_FMT(s.author));
		ret = check_part(out, r, "body", &s.body, e);
	}
	buf_free(&manifest);
	buf_free(&header);
	return ret;
}

/* The height of the block with that id; 1, 0, -1. */
static int
find_block(uint64_t *height, struct repo *r, struct db *db,
    const struct hash *id, struct err *e)
{
	sqlite3_stmt *s;
	int ret;

	*height = 0;
	if (hash_eq(id, repo_ledger(r)))
		return 1;
	if (db_stmt(&s, db, "SELECT height FROM block WHERE id=?", e) != 0)
		return -1;
	db_bind_hash(s, 1, id);
	if ((ret = db_step(db, s, e)) != 1)
		return ret;
	*height = (uint64_t)sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return 1;
}

int
attest_id(struct buf *out, struct repo *r, const struct hash *id,
    struct err *e)
{
	struct lookup_record rec;
	struct head head;
	uint64_t height;
	struct db *db;
	int ret;

	if (chain_head(&head, r, e) != 0 || db_of(&db, r, e) != 0 ||
	    (ret = lookup_record(&rec, db, id, e)) < 0)
		return -1;
	if (ret == 1)
		return attest_record(out, r, db, &rec, e);
	if ((ret = find_block(&height, r, db, id, e)) != 0)
		return ret < 0 ? -1 : attest_block(out, r, height, e);
	if (attest_tx(out, r, id, e) == 0)
		return 0;
	if (e->kind == ERR_NO && strstr(e->msg, "no such") != NULL)
		ret = attest_staged(out, r, db, id, e);
	else
		return -1;
	if (ret == 0 || e->kind != ERR_NO)
		return ret;
	if (object_has(r, id, e) == 1)
		return check_part(out, r, "object", id, e);
	return err_set(e, ERR_NO, "nothing here has that id");
}

/* --- files ---------------------------------------------------------------- */

static int
attest_note(struct buf *out, struct repo *r, struct span bytes, struct err *e)
{
	struct head head;
	struct note n;
	struct db *db;
	size_t good = 0;

	if (chain_head(&head, r, e) != 0 || db_of(&db, r, e) != 0 ||
	    note_parse(&n, bytes, "note", e) != 0)
		return -1;
	for (size_t i = 0; i < n.nsigs; i++) {
		int ret = lookup_verify(db, &n, i, e);

		if (ret < 0)
			return -1;
		buf_addf(out, ret == 1 ? "signed by %.*s\n" :
		    "%.*s is not known to this ledger: not checked\n",
		    SPAN_FMT(n.sig[i].name));
		good += ret == 1;
	}
	if (good > 0)
		return 0;
	return err_set(e, ERR_NO, "signed by nobody whom this ledger knows");
}

static int
attest_text(struct buf *out, struct repo *r, struct span text, struct err *e)
{
	struct span kind = head_kind(text);
	struct block b;
	struct card c;

	if (span_is(kind, "block")) {
		if (block_parse(&b, text, true, repo_ledger(r), e) != 0)
			return -1;
		return check_block(out, r, &b, e);
	}
	if (span_is(kind, "genesis")) {
		if (!span_eq(text, buf_span(&r->genesis_file)))
			return err_set(e, ERR_NO, "the genesis of another "
			    "ledger");
		return attest_block(out, r, 0, e);
	}
	if (span_is(kind, "receipt")) {
		struct receipt_trust trust = { repo_ledger(r), NULL };

		return receipt_report(out, text, &trust, false, e);
	}
	if (span_is(kind, "card")) {
		if (card_parse(&c, text, true, e) != 0)
			return -1;
		buf_addf(out, "card of %.*s, signed with its own key\n",
		    SPAN_FMT(c.name));
		return 0;
	}
	if (tx_kind_of(kind) >= 0)
		return check_tx(out, r, text, e);
	return attest_note(out, r, text, e);
}

int
attest_bytes(struct buf *out, struct repo *r, struct span bytes,
    struct err *e)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);
	int ret;

	if (bytes.n < 2 || bytes.p[0] != 31 || bytes.p[1] != 139)
		return attest_text(out, r, bytes, e);
	ret = gz_unpack(&text, bytes, "block", e);
	if (ret == 0)
		ret = attest_text(out, r, buf_span(&text), e);
	buf_free(&text);
	return ret;
}
