#define _GNU_SOURCE	/* reallocarray */
#include "store/pool.h"

#include <stdlib.h>
#include <unistd.h>

#include "crypto/checker.h"
#include "ledger/rules.h"
#include "store/chain.h"
#include "store/pool_walk.h"
#include "store/settle.h"

/* One that was added, but is not durable yet. */
struct added {
	struct pool_row row;
	struct span note;	/* the caller's */
	bool applied;		/* to the state */
};

struct pool {
	struct repo *repo;
	struct db *db;
	int lock;
	bool begun;		/* a database transaction is open */
	bool some;		/* not all that waits was looked at */
	int64_t now_ms;
	uint64_t seq;
	struct segment_writer *out;
	struct checker *checker;
	struct state_memo *memo;
	const struct early *early;	/* signatures that were verified */
	struct added *added;
	size_t n;
	size_t *slot;		/* hash table of these by record, number + 1 */
	size_t slots;
	struct pool_row *judged;	/* of what was in doubt */
	size_t njudged;
};

/* A rules_view's verify: what was verified early is known, and for the others
 * the keys are kept ready. */
static int
verify_kept(void *arg, const struct note *n, struct span name,
    const struct sign_pub *pub, struct err *e)
{
	struct pool *p = arg;
	int known = p->early == NULL ? -1 :
	    early_said(p->early, n, name, pub);

	if (known >= 0)
		return known;
	if (p->checker == NULL)
		p->checker = checker_open();
	if (note_check(n, 0, name, pub, p->checker, e) == 0)
		return 1;
	return e->kind == ERR_NO ? 0 : -1;
}

/* Check against the state as it will be, and change it. */
static int
take(struct pool *p, const struct tx *tx, bool trust, bool apply,
    struct err *e)
{
	struct state_view v;
	int ret;

	state_view_init(&v, p->repo, p->db);
	v.memo = p->memo;
	v.verify = trust ? state_verify_came : verify_kept;
	v.verify_arg = trust ? (void *)p->db : p;
	ret = rules_check(&v.v, tx, p->now_ms, e);
	if (ret == 0 && apply) {
		ret = state_apply(p->db, tx, STATE_WAITING, p->seq++, e);
		if (!tx_names_record(tx->kind))
			state_memo_clear(p->memo);
	}
	return ret;
}

/* Whose new keys wait for a block waits, too: see state_verify_came. */
static int
check_author(struct pool *p, const struct tx *tx, struct err *e)
{
	int ret = state_rekey_waits(p->db, tx->author, e);

	if (ret <= 0)
		return ret;
	return err_set(e, ERR_NO, "the new keys of %.*s wait for a block",
	    SPAN_FMT(tx->author));
}

/* Room for one more in an array of *n of that size; NULL when there is none.
 * array points to the pointer to the first. */
static void *
more(void *array, size_t *n, size_t size, struct err *e)
{
	void **first = array;

	/* A power of two is when it is full. */
	if ((*n & (*n - 1)) == 0) {
		void *grown = reallocarray(*first, *n == 0 ? 1 : *n * 2, size);

		if (grown == NULL) {
			err_set(e, ERR_SYS, "out of memory");
			return NULL;
		}
		*first = grown;
	}
	return (char *)*first + (*n)++ * size;
}

/* One that waits already; what the rules refuse by now is passed over. */
static int
take_waiting(void *arg, const struct pool_row *row, struct span note,
    struct err *e)
{
	struct pool_row *judged;
	struct pool *p = arg;
	struct tx tx;
	int ret;

	ret = tx_parse(&tx, note, repo_ledger(p->repo), e);
	if (ret == 0) {
		ret = take(p, &tx, true, true, e);
		tx_free(&tx);
	}
	if (ret != 0 && e->kind != ERR_NO && e->kind != ERR_BAD)
		return -1;
	if (row->doubt == POOL_STANDS)
		return 0;
	if ((judged = more(&p->judged, &p->njudged, sizeof(*judged),
	    e)) == NULL)
		return -1;
	*judged = *row;
	judged->doubt = ret == 0 ? POOL_STANDS : POOL_REFUSED;
	return 0;
}

/* Take what waits: all, or what is system, or what names a record. */
static int
take_all(struct pool *p, bool system, const struct hash *record,
    struct err *e)
{
	struct pool_walk w = { .repo = p->repo, .db = p->db, .system = system,
	    .record = record, .fn = take_waiting, .arg = p };

	return pool_walk(&w, e);
}

static int
open_pool(struct pool **out, struct repo *r, bool some, int64_t now_ms,
    struct err *e)
{
	struct pool *p = calloc(1, sizeof(*p));
	struct head h;

	if (p == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	p->repo = r;
	p->some = some;
	p->now_ms = now_ms;
	p->lock = repo_lock(r, 30000, e);
	if (p->lock < 0 || chain_head(&h, r, e) != 0 ||
	    pool_index_refresh(r, e) != 0 || db_of(&p->db, r, e) != 0 ||
	    db_exec(p->db, "BEGIN IMMEDIATE", e) != 0)
		goto fail;
	p->begun = true;
	p->memo = state_memo_open();
	p->seq = h.tree.size;
	if (take_all(p, some, NULL, e) != 0 ||
	    segment_open(&p->out, r->dirfd, POOL_DIR, "pending", e) != 0)
		goto fail;
	*out = p;
	return 0;
fail:
	pool_abort(p);
	return -1;
}

int
pool_open(struct pool **out, struct repo *r, int64_t now_ms, struct err *e)
{
	return open_pool(out, r, false, now_ms, e);
}

int
pool_open_add(struct pool **out, struct repo *r, int64_t now_ms,
    struct err *e)
{
	return open_pool(out, r, true, now_ms, e);
}

void
pool_early(struct pool *p, const struct early *x)
{
	p->early = x;
}

struct repo *
pool_repo(struct pool *p)
{
	return p->repo;
}

struct db *
pool_db(struct pool *p)
{
	return p->db;
}

/* --- what was added, by record -------------------------------------------- */

/* The place of a record's first one in a table of that size. */
static size_t
slot_of(const struct hash *record, size_t slots)
{
	uint64_t h;

	memcpy(&h, record->b, sizeof(h));
	return (size_t)h & (slots - 1);
}

static void
put_slot(size_t *slot, size_t slots, const struct hash *record, size_t i)
{
	size_t at = slot_of(record, slots);

	while (slot[at] != 0)
		at = (at + 1) & (slots - 1);
	slot[at] = i + 1;
}

/* Twice the places, before half of them are taken. */
static int
grow_slots(struct pool *p, struct err *e)
{
	size_t slots = p->slots == 0 ? 64 : 2 * p->slots;
	size_t *slot;

	if (2 * p->n < p->slots)
		return 0;
	if ((slot = calloc(slots, sizeof(*slot))) == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	for (size_t i = 0; i < p->n; i++)
		if (!p->added[i].row.system)
			put_slot(slot, slots, &p->added[i].row.record, i);
	free(p->slot);
	p->slot = slot;
	p->slots = slots;
	return 0;
}

/* Apply one that was only checked when it was added. */
static int
apply_added(struct pool *p, struct added *a, struct err *e)
{
	struct tx tx;
	int ret;

	if (a->applied)
		return 0;
	a->applied = true;
	if (tx_parse(&tx, a->note, repo_ledger(p->repo), e) != 0)
		return -1;
	ret = take(p, &tx, true, true, e);
	tx_free(&tx);
	return ret;
}

/*
 * Of what was added, apply what names the record; 1 when one of these has that
 * id, 0, -1.
 */
static int
apply_record(struct pool *p, const struct hash *record,
    const struct hash *id, struct err *e)
{
	size_t at = p->slots == 0 ? 0 : slot_of(record, p->slots);
	int known = 0;

	for (; p->slots > 0 && p->slot[at] != 0;
	    at = (at + 1) & (p->slots - 1)) {
		struct added *a = &p->added[p->slot[at] - 1];

		if (!hash_eq(&a->row.record, record))
			continue;
		known |= hash_eq(&a->row.id, id);
		if (apply_added(p, a, e) != 0)
			return -1;
	}
	return known;
}

/* --- adding --------------------------------------------------------------- */

/*
 * Is it on the ledger, or waiting?  1, 0, -1.  If not, what waits and may
 * matter to it has been applied to the state.
 */
static int
is_known(struct pool *p, const struct tx *tx, struct err *e)
{
	bool about = tx_names_record(tx->kind);
	struct pool_row row;
	int got = settle_tx(p->db, &tx->id, e);

	if (got != 0 || !p->some)
		return got;
	got = pool_index_find(&row, p->db, &tx->id, e);
	if (got == 0 && about)
		got = apply_record(p, &tx->record, &tx->id, e);
	if (got == 0 && about)
		got = take_all(p, false, &tx->record, e);
	return got;
}

/* Check it, and write it. */
static int
add(struct pool *p, const struct tx *tx, bool ours, struct err *e)
{
	/* Only another one about the record would see what it changes. */
	bool later = p->some && tx_names_record(tx->kind);
	struct added *a;
	uint64_t at;

	if (check_author(p, tx, e) != 0 || take(p, tx, ours, !later, e) != 0 ||
	    grow_slots(p, e) != 0 ||
	    segment_add_hashed(p->out, tx->note.whole, &tx->id, &at, e) != 0 ||
	    (a = more(&p->added, &p->n, sizeof(*a), e)) == NULL)
		return -1;
	memset(a, 0, sizeof(*a));
	pool_index_describe(&a->row, tx);
	a->row.at = at;
	a->row.size = tx->note.whole.n;
	a->row.whole = true;
	a->note = tx->note.whole;
	a->applied = !later;
	if (!a->row.system)
		put_slot(p->slot, p->slots, &a->row.record, p->n - 1);
	return 0;
}

int
pool_add(struct pool *p, struct span note, bool ours, struct hash *id,
    bool *fresh, struct err *e)
{
	struct tx tx;
	int ret;

	if (tx_parse(&tx, note, repo_ledger(p->repo), e) != 0)
		return -1;
	if (id != NULL)
		*id = tx.id;
	ret = is_known(p, &tx, e);
	if (fresh != NULL)
		*fresh = ret == 0;
	if (ret == 0)
		ret = add(p, &tx, ours, e);
	else
		ret = ret < 0 ? -1 : 0;
	tx_free(&tx);
	return ret;
}

/* The state is as it was; then the lock goes. */
static void
end(struct pool *p)
{
	struct err ignored;

	if (p->begun)
		db_exec(p->db, "ROLLBACK", &ignored);
	p->begun = false;
}

static void
release(struct pool *p)
{
	end(p);
	if (p->lock >= 0)
		close(p->lock);
	checker_free(p->checker);
	state_memo_free(p->memo);
	free(p->added);
	free(p->slot);
	free(p->judged);
	free(p);
}

/*
 * The rows are there before anybody looks at the segment, or else it would be
 * read and checked once more.  If they cannot be written, it will.
 */
static void
commit_rows(struct pool *p, const char *segment)
{
	struct pool_row *row = calloc(p->n, sizeof(*row));
	struct err ignored;

	for (size_t i = 0; row != NULL && i < p->n; i++)
		row[i] = p->added[i].row;
	if (row == NULL || segment[0] == '\0' || pool_index_add(p->db, segment,
	    row, p->n, &ignored) != 0 || db_exec(p->db, "COMMIT",
	    &ignored) != 0)
		db_exec(p->db, "ROLLBACK", &ignored);
	free(row);
}

int
pool_commit(struct pool *p, struct err *e)
{
	char name[SEGMENT_NAME_LEN];
	struct err ignored;
	bool begun;
	int ret;

	end(p);
	begun = p->n > 0 && db_exec(p->db, "BEGIN IMMEDIATE", &ignored) == 0;
	ret = segment_commit(p->out, name, e);
	if (begun)
		commit_rows(p, name);
	release(p);
	return ret;
}

void
pool_abort(struct pool *p)
{
	if (p == NULL)
		return;
	segment_abort(p->out);
	release(p);
}

/* --- what stands ---------------------------------------------------------- */

/* Ask the rules about all, on a state that is then forgotten. */
static int
judge(struct repo *r, int64_t now_ms, struct err *e)
{
	struct pool *p;
	int ret;

	if (pool_open(&p, r, now_ms, e) != 0)
		return -1;
	end(p);
	ret = pool_index_judge(r, p->judged, p->njudged, e);
	pool_abort(p);
	return ret;
}

int
pool_standing(struct repo *r, int64_t now_ms, struct pool_mark *from,
    pool_row_fn *fn, void *arg, struct err *e)
{
	struct pool_row *row, after = { .file = -1 };
	size_t n = POOL_PAGE;
	struct db *db;
	int got;

	if (pool_index_refresh(r, e) != 0 || db_of(&db, r, e) != 0 ||
	    (got = pool_index_doubts(db, e)) < 0 ||
	    (got == 1 && judge(r, now_ms, e) != 0))
		return -1;
	if ((row = malloc(POOL_PAGE * sizeof(*row))) == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	if (from != NULL && from->file > 0) {
		after.file = from->file;
		after.at = from->at;
	}
	for (got = 0; got == 0 && n == POOL_PAGE;) {
		got = pool_index_page(row, POOL_PAGE, &n, db, &after, false,
		    NULL, e);
		for (size_t i = 0; i < n && got == 0; i++)
			if (row[i].doubt == POOL_STANDS)
				got = fn(arg, &row[i], e);
		if (n > 0)
			after = row[n - 1];
	}
	free(row);
	if (from != NULL && got == 0 && after.file > 0)
		*from = (struct pool_mark){ after.file, after.at };
	return got;
}
