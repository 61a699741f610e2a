#include "log/extract.h"

#include "ledger/tx_note.h"
#include "store/chain.h"
#include "store/lookup.h"

/* Bytes of a list of readers or roles. */
#define LIST_MAX (1u << 20)

struct walk {
	struct extract *x;
	struct audit *a;
	struct merkle tree;	/* over what was read */
	char patient[HANDLE_LEN + 1];
	char actor[NAME_MAX_LEN + 1];
	struct buf user, doctor, label, roles, readers, detail;
};

/* An address is known by the ledger secret only. */
static int
person(char handle[HANDLE_LEN + 1], const struct audit *a, const char *who,
    struct err *e)
{
	struct hash secret;

	if (name_is_email(span_str(who)) &&
	    repo_secret(a->repo, &secret, e) != 0)
		return e->kind != ERR_NO ? -1 : err_set(e, ERR_NO, "%s: there "
		    "is no ledger secret here to look it up with: give the "
		    "handle", who);
	hash_wipe(&secret, sizeof(secret));
	return lookup_person(handle, a->repo, a->db, who, e);
}

/* Who is meant.  An actor can be a node. */
static int
resolve(struct walk *w, struct err *e)
{
	const struct extract *x = w->x;
	struct lookup_node node;
	int ret;

	if (x->patient != NULL &&
	    person(w->patient, w->a, x->patient, e) != 0)
		return -1;
	if (x->actor == NULL)
		return 0;
	if (!name_is_node(span_str(x->actor)))
		return person(w->actor, w->a, x->actor, e);
	ret = lookup_node(&node, w->a->db, span_str(x->actor), e);
	if (ret == 0)
		err_set(e, ERR_NO, "%s: no such node on the ledger", x->actor);
	if (ret != 1)
		return -1;
	memcpy(w->actor, node.name, sizeof(node.name));
	return 0;
}

/* --- who has which role, as the blocks go by ------------------------------ */

static int
change(struct db *db, const char *sql, struct span user, struct span role,
    struct err *e)
{
	sqlite3_stmt *s;

	if (db_stmt(&s, db, sql, e) != 0)
		return -1;
	db_bind_span(s, 1, user);
	db_bind_span(s, 2, role);
	return db_run(db, s, e);
}

static int
gain(struct db *db, struct span user, struct span role, struct err *e)
{
	return change(db, "INSERT OR IGNORE INTO extract_member(handle, role) "
	    "VALUES(?, ?)", user, role, e);
}

static int
lose(struct db *db, struct span user, struct span role, struct err *e)
{
	return change(db, "DELETE FROM extract_member WHERE handle=? AND "
	    "role=?", user, role, e);
}

static int
begin_roles(struct db *db, const struct genesis *g, struct err *e)
{
	if (db_exec(db, "CREATE TABLE extract_member(handle TEXT, role TEXT, "
	    "PRIMARY KEY(handle, role)) WITHOUT ROWID", e) != 0)
		return -1;
	for (size_t i = 0; i < g->nadmins; i++)
		if (gain(db, g->admin[i].handle, span_str("administrator"),
		    e) != 0)
			return -1;
	return 0;
}

static int
follow_roles(struct db *db, const struct tx *tx, struct err *e)
{
	if (tx->kind == TX_ENROLL || tx->kind == TX_ROLE_GRANT)
		return gain(db, tx->user, tx->role, e);
	return tx->kind == TX_ROLE_REVOKE ? lose(db, tx->user, tx->role, e) : 0;
}

static int
roles_of(struct buf *out, struct db *db, struct span handle, struct err *e)
{
	sqlite3_stmt *s;
	int got;

	if (db_stmt(&s, db, "SELECT role FROM extract_member WHERE handle=? "
	    "ORDER BY role", e) != 0)
		return -1;
	db_bind_span(s, 1, handle);
	while ((got = db_step(db, s, e)) == 1) {
		struct span role = db_column_span(s, 0);

		buf_addf(out, "%s%.*s", out->len > 0 ? " " : "",
		    SPAN_FMT(role));
	}
	return got;
}

/* --- one transaction ------------------------------------------------------ */

/* What the state says of it: whom it is about, and whose record. */
static int
from_state(struct walk *w, uint64_t seq, const struct tx *tx, struct err *e)
{
	struct db *db = w->a->db;
	sqlite3_stmt *s;
	struct hash id;
	int got;

	if (db_stmt(&s, db, "SELECT tx.id, tx.user, record.author, "
	    "record.label FROM tx LEFT JOIN record ON record.id=tx.record "
	    "AND record.seq<=tx.seq WHERE tx.seq=?", e) != 0)
		return -1;
	db_bind_int(s, 1, (int64_t)seq);
	if ((got = db_step(db, s, e)) < 0)
		return -1;
	if (got == 0 || db_column_hash(s, 0, &id) != 0 ||
	    !hash_eq(&id, &tx->id)) {
		sqlite3_reset(s);
		return err_set(e, ERR_BAD, "transaction %llu: not the one "
		    "that was verified", (unsigned long long)seq);
	}
	for (int i = 1; i <= 3; i++) {
		struct buf *to[] = { NULL, &w->user, &w->doctor, &w->label };
		struct span value = db_column_span(s, i);

		buf_add(to[i], value.p, value.n);
	}
	sqlite3_reset(s);
	return 0;
}

static void
detail_of(struct buf *out, const struct tx *tx)
{
	buf_add(out, tx->role.p, tx->role.n);
	if (tx->kind == TX_ROLE_DEFINE) {
		buf_addc(out, ' ');
		perm_add(out, tx->perms);
	} else if (tx->kind == TX_ERASE)
		buf_add(out, tx->reason.p, tx->reason.n);
}

static bool
is_wanted(const struct walk *w)
{
	return w->x->patient == NULL ||
	    span_is(buf_span(&w->user), w->patient);
}

static bool
acts(const struct walk *w, const struct tx *tx)
{
	return w->x->actor == NULL || span_is(tx->author, w->actor) ||
	    (tx->kind == TX_AUTHORIZE &&
	    span_is(tx->staged.author, w->actor));
}

static int
tell(struct walk *w, const struct block_header *h, uint64_t seq,
    const struct tx *tx, struct err *e)
{
	struct extract_entry n = { .ledger = repo_ledger(w->a->repo),
	    .seq = seq, .height = h->height, .proposer = h->proposer,
	    .recorded_ms = h->time_ms, .time_ms = tx->time_ms,
	    .kind = tx->kind, .kind_name = tx_kind_name(tx->kind),
	    .author = tx->author, .has_record = tx_names_record(tx->kind),
	    .record = tx->record, .id = tx->id,
	    .filled_ms = tx->staged.time_ms };
	struct buf *all[] = { &w->user, &w->doctor, &w->label, &w->roles,
	    &w->readers, &w->detail };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		buf_reset(all[i]);
	if (!acts(w, tx))
		return 0;
	if (from_state(w, seq, tx, e) != 0)
		return -1;
	if (!is_wanted(w))
		return 0;
	if (roles_of(&w->roles, w->a->db, tx->author, e) != 0)
		return -1;
	for (size_t i = 0; i < tx->nreaders; i++)
		buf_addf(&w->readers, "%s%.*s", i > 0 ? " " : "",
		    SPAN_FMT(tx->reader[i]));
	detail_of(&w->detail, tx);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (buf_check(all[i], "extract", e) != 0)
			return -1;
	n.user = buf_span(&w->user);
	n.doctor = buf_span(&w->doctor);
	n.label = buf_span(&w->label);
	n.roles = buf_span(&w->roles);
	n.readers = buf_span(&w->readers);
	n.detail = buf_span(&w->detail);
	w->x->found++;
	return w->x->entry(w->x->arg, &n, e);
}

/* --- blocks --------------------------------------------------------------- */

/* Its id was verified, and binds its transactions. */
static int
is_verified(struct walk *w, const struct block *b, uint64_t height,
    struct err *e)
{
	struct db *db = w->a->db;
	sqlite3_stmt *s;
	struct hash id;
	int got;

	if (db_stmt(&s, db, "SELECT id FROM block WHERE height=?", e) != 0)
		return -1;
	db_bind_int(s, 1, (int64_t)height);
	if ((got = db_step(db, s, e)) < 0)
		return -1;
	if (got == 1 && (db_column_hash(s, 0, &id) != 0 ||
	    !hash_eq(&id, &b->h.id)))
		got = 0;
	sqlite3_reset(s);
	if (got == 0)
		return err_set(e, ERR_BAD, "it has changed since it was "
		    "verified");
	return block_check_root(b, &w->tree, e);
}

static int
walk_txs(struct walk *w, const struct block *b, uint64_t seq, struct err *e)
{
	const struct extract *x = w->x;
	struct span body = b->body, note;

	while (block_next_tx(&body, &note) == 1) {
		struct tx tx;
		int ret = 0;

		if (tx_parse(&tx, note, repo_ledger(w->a->repo), e) != 0)
			return -1;
		if (b->h.time_ms >= x->since_ms)
			ret = tell(w, &b->h, seq, &tx, e);
		if (ret == 0)
			ret = follow_roles(w->a->db, &tx, e);
		tx_free(&tx);
		if (ret != 0)
			return -1;
		seq++;
	}
	return 0;
}

/* 1: it was too late, 0, -1. */
static int
walk_block(struct walk *w, uint64_t height, struct err *e)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);
	uint64_t seq = w->tree.size;
	char path[CHAIN_PATH_LEN];
	struct block b;
	int ret = 0;

	chain_path(path, height);
	if (chain_read(&text, w->a->repo, height, e) != 0)
		ret = -1;
	else if (block_parse(&b, buf_span(&text), true,
	    repo_ledger(w->a->repo), e) != 0 ||
	    is_verified(w, &b, height, e) != 0)
		ret = err_wrap(e, "%s", path);
	else
		ret = b.h.time_ms >= w->x->until_ms ? 1 :
		    walk_txs(w, &b, seq, e);
	buf_free(&text);
	return ret;
}

static int
find_head(struct extract *x, const struct audit *a, struct err *e)
{
	sqlite3_stmt *s;
	int got;

	x->head_ms = a->repo->genesis->time_ms;
	if (db_stmt(&s, a->db, "SELECT time FROM block WHERE height=?",
	    e) != 0)
		return -1;
	db_bind_int(s, 1, (int64_t)a->verified);
	if ((got = db_step(a->db, s, e)) != 1)
		return got;
	x->head_ms = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return 0;
}

static int
walk_all(struct walk *w, struct err *e)
{
	int ret = resolve(w, e);

	if (ret == 0)
		ret = find_head(w->x, w->a, e);
	if (ret == 0)
		ret = begin_roles(w->a->db, w->a->repo->genesis, e);
	for (uint64_t h = 1; h <= w->a->verified && ret == 0; h++)
		ret = walk_block(w, h, e);
	return ret < 0 ? -1 : 0;
}

int
extract_run(struct extract *x, struct audit *a, struct err *e)
{
	struct walk w = { .x = x, .a = a };
	struct buf *all[] = { &w.user, &w.doctor, &w.label, &w.roles,
	    &w.readers, &w.detail };
	struct err ignored;
	int ret;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		buf_init(all[i], LIST_MAX);
	merkle_init(&w.tree);
	x->found = 0;
	if (db_exec(a->db, "BEGIN", e) != 0)
		return -1;
	ret = walk_all(&w, e);
	/* The roles are not to stay. */
	db_exec(a->db, "ROLLBACK", &ignored);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		buf_free(all[i]);
	return ret;
}
