#include "net/waiting.h"

#include "ledger/rules.h"
#include "store/chain.h"
#include "store/object.h"
#include "store/settle.h"
#include "store/verify.h"

int
waiting_names(struct ids *out, const struct tx *tx, struct err *e)
{
	switch (tx->kind) {
	case TX_ENROLL:
		return tx->has_profile ? ids_add(out, &tx->profile, e) : 0;
	case TX_ROLE_KEY:
		return ids_add(out, &tx->object, e);
	case TX_AUTHORIZE:
		if (ids_add(out, &tx->staged.body, e) != 0)
			return -1;
		return ids_add(out, &tx->header, e);
	case TX_GRANT:
	case TX_WITHDRAW:
		return ids_add(out, &tx->header, e);
	default:
		return 0;
	}
}

int
waiting_here(struct repo *r, const struct ids *objects, struct ids *missing,
    struct err *e)
{
	int all = 1;

	for (size_t i = 0; i < objects->n; i++) {
		int got = object_has(r, &objects->id[i], e);

		if (got < 0)
			return -1;
		if (got == 1)
			continue;
		all = 0;
		if (missing == NULL)
			break;
		if (ids_add(missing, &objects->id[i], e) != 0)
			return -1;
	}
	return all;
}

/* --- lists ---------------------------------------------------------------- */

struct listing {
	struct repo *repo;
	struct ids *out;
	size_t lacking;		/* that name objects that are not here */
	struct state_view view;
	int64_t now_ms;
};

/* Are the objects that it names here?  1, 0, -1. */
static int
is_whole(struct repo *r, const struct hash *id, struct err *e)
{
	struct buf note = BUF_INIT(TX_MAX);
	struct ids names = IDS_INIT;
	struct tx tx;
	int got;

	if (pool_find(&note, r, id, e) != 0)
		return e->kind == ERR_NO ? 0 : -1;
	got = tx_parse(&tx, buf_span(&note), repo_ledger(r), e) == 0;
	if (got == 1) {
		got = waiting_names(&names, &tx, e);
		tx_free(&tx);
		if (got == 0)
			got = waiting_here(r, &names, NULL, e);
	}
	ids_free(&names);
	buf_free(&note);
	return got;
}

static int
list_pending(void *arg, const struct pool_row *row, struct err *e)
{
	struct listing *l = arg;
	struct pool_row seen = *row;
	int got = row->whole ? 1 : is_whole(l->repo, &row->id, e);

	if (got < 0)
		return -1;
	l->lacking += got == 0;
	seen.whole = true;
	if (got == 1 && !row->whole &&
	    pool_index_judge(l->repo, &seen, 1, e) != 0)
		return -1;
	return got == 0 ? 0 : ids_add(l->out, &row->id, e);
}

int
waiting_pending(struct ids *out, struct repo *r, int64_t now_ms,
    struct pool_mark *from, struct err *e)
{
	struct pool_mark before = from == NULL ? (struct pool_mark){ 0, 0 } :
	    *from;
	struct listing l = { .repo = r, .out = out };
	int got;

	if (chain_catch_up(r, e) != 0)
		return -1;
	got = pool_standing(r, now_ms, from, list_pending, &l, e);
	/* What still lacks an object here is for a later call. */
	if (from != NULL && (got != 0 || l.lacking > 0))
		*from = before;
	return got;
}

static int
list_staged(void *arg, const struct staged *s, struct span header,
    struct err *e)
{
	struct listing *l = arg;
	int got;

	(void)header;
	got = rules_check_staged(&l->view.v, s, l->now_ms, e);
	if (got != 0)
		return e->kind == ERR_NO ? 0 : -1;
	got = object_has(l->repo, &s->body, e);
	if (got <= 0)
		return got;
	return ids_add(l->out, &s->id, e);
}

int
waiting_staged(struct ids *out, struct repo *r, int64_t now_ms,
    struct err *e)
{
	struct listing l = { .repo = r, .out = out, .now_ms = now_ms };
	struct db *db;

	if (chain_catch_up(r, e) != 0 || db_of(&db, r, e) != 0)
		return -1;
	state_view_init(&l.view, r, db);
	l.view.verify = state_verify_came;
	l.view.verify_arg = db;
	return staging_each(r, list_staged, &l, e);
}

/* --- items ---------------------------------------------------------------- */

struct picking {
	struct buf *out;
	const struct ids *sorted;
	size_t soft;
	bool full, more;
};

static int
pick_pending(void *arg, const struct hash *id, struct span note,
    struct err *e)
{
	struct picking *p = arg;

	(void)id;
	if (p->full) {
		p->more = true;
		return 1;
	}
	proto_item_add(p->out, note);
	p->full = p->out->len >= p->soft;
	return buf_check(p->out, "pending transactions", e);
}

int
waiting_pending_items(struct buf *out, struct repo *r,
    const struct ids *sorted, size_t soft, bool *more, struct err *e)
{
	struct picking p = { out, sorted, soft, false, false };
	int got = pool_each_of(r, sorted->id, sorted->n, pick_pending, &p, e);

	*more = p.more;
	return got;
}

/* Is it asked for, and is there room for it? */
static bool
picks(struct picking *p, const struct hash *id)
{
	if (!ids_has(p->sorted, id))
		return false;
	p->more = p->full;
	return !p->full;
}

static int
pick_staged(void *arg, const struct staged *s, struct span header,
    struct err *e)
{
	struct picking *p = arg;

	if (!picks(p, &s->id))
		return p->more;
	proto_item_add(p->out, s->note.whole);
	proto_item_add(p->out, header);
	p->full = p->out->len >= p->soft;
	return buf_check(p->out, "staged records", e);
}

int
waiting_staged_items(struct buf *out, struct repo *r,
    const struct ids *sorted, size_t soft, bool *more, struct err *e)
{
	struct picking p = { out, sorted, soft, false, false };
	int got = staging_each(r, pick_staged, &p, e);

	*more = p.more;
	return got;
}

/* --- wanted objects ------------------------------------------------------- */

/* The next page of the table: ids above *after. */
static int
read_page(struct ids *page, struct db *db, const struct hash *after,
    struct err *e)
{
	sqlite3_stmt *s;
	struct hash id;
	int got;

	page->n = 0;
	if (db_stmt(&s, db, "SELECT object FROM want WHERE object>?1 "
	    "ORDER BY object LIMIT 1000", e) != 0)
		return -1;
	if (after == NULL)
		sqlite3_bind_zeroblob(s, 1, 0);
	else
		db_bind_hash(s, 1, after);
	while ((got = db_step(db, s, e)) == 1)
		if (db_column_hash(s, 0, &id) == 0 &&
		    ids_add(page, &id, e) != 0) {
			sqlite3_reset(s);
			return -1;
		}
	return got;
}

static int
strike_wanted(struct db *db, const struct ids *came, struct err *e)
{
	struct err ignored;
	sqlite3_stmt *s;
	int r = 0;

	if (came->n == 0)
		return 0;
	if (db_exec(db, "BEGIN IMMEDIATE", e) != 0)
		return -1;
	for (size_t i = 0; i < came->n && r == 0; i++) {
		r = db_stmt(&s, db, "DELETE FROM want WHERE object=?", e);
		if (r == 0) {
			db_bind_hash(s, 1, &came->id[i]);
			r = db_run(db, s, e);
		}
	}
	if (r == 0)
		r = db_exec(db, "COMMIT", e);
	if (r != 0)
		db_exec(db, "ROLLBACK", &ignored);
	return r;
}

/* Sort a page out: what is here to came, the rest to out. */
static int
sort_page(struct ids *out, struct ids *came, struct repo *r,
    const struct ids *page, size_t max, struct err *e)
{
	for (size_t i = 0; i < page->n && out->n < max; i++) {
		int got = object_has(r, &page->id[i], e);

		if (got < 0 || ids_add(got == 1 ? came : out, &page->id[i],
		    e) != 0)
			return -1;
	}
	return 0;
}

int
waiting_wanted(struct ids *out, struct repo *r, size_t max, struct err *e)
{
	struct ids page = IDS_INIT, came = IDS_INIT;
	struct hash last, *after = NULL;
	struct db *db;
	int got = -1;

	if (chain_catch_up(r, e) != 0 || db_of(&db, r, e) != 0)
		return -1;
	do {
		came.n = 0;
		if (read_page(&page, db, after, e) != 0 ||
		    sort_page(out, &came, r, &page, max, e) != 0 ||
		    strike_wanted(db, &came, e) != 0)
			goto end;
		if (page.n > 0) {
			last = page.id[page.n - 1];
			after = &last;
		}
	} while (page.n > 0 && out->n < max);
	got = 0;
end:
	ids_free(&page);
	ids_free(&came);
	return got;
}

/* Does the query, about an object, give a row? */
static int
holds(struct repo *r, const char *sql, const struct hash *id, struct err *e)
{
	sqlite3_stmt *s;
	struct db *db;
	int got;

	if (chain_catch_up(r, e) != 0 || db_of(&db, r, e) != 0 ||
	    db_stmt(&s, db, sql, e) != 0)
		return -1;
	db_bind_hash(s, 1, id);
	if ((got = db_step(db, s, e)) == 1)
		sqlite3_reset(s);
	return got;
}

int
waiting_is_wanted(struct repo *r, const struct hash *id, struct err *e)
{
	return holds(r, "SELECT 1 FROM want WHERE object=?", id, e);
}

int
waiting_is_dismissed(struct repo *r, const struct hash *id, struct err *e)
{
	_Static_assert(RECORD_AUTHORIZED == 1, "the query below names it");

	return holds(r, "SELECT 1 FROM named WHERE object=?1 AND NOT EXISTS"
	    "(SELECT 1 FROM want WHERE object=?1) AND NOT EXISTS"
	    "(SELECT 1 FROM role WHERE object=?1) AND NOT EXISTS"
	    "(SELECT 1 FROM user WHERE profile=?1) AND NOT EXISTS"
	    "(SELECT 1 FROM record WHERE status=1 AND "
	    "(body=?1 OR header=?1))", id, e);
}

int
waiting_largest(uint64_t *bytes, struct repo *r, struct err *e)
{
	sqlite3_stmt *s;
	struct db *db;

	if (db_of(&db, r, e) != 0 || db_stmt(&s, db,
	    "SELECT coalesce(max(body_size), 0) FROM record", e) != 0 ||
	    db_step(db, s, e) != 1)
		return -1;
	*bytes = (uint64_t)sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	if (*bytes < OBJECT_SMALL_MAX)
		*bytes = OBJECT_SMALL_MAX;
	return 0;
}
