#define _GNU_SOURCE	/* reallocarray */
#include "net/intake.h"

#include <stdlib.h>

#include "crypto/age.h"
#include "net/proto.h"
#include "net/waiting.h"
#include "store/chain.h"
#include "store/object.h"
#include "store/settle.h"

/* One item of a peer, or one pair of them. */
struct intake_item {
	struct span note;		/* transaction or manifest */
	struct span header;		/* of a staged record */
	struct hash id;
	struct ids lacks;		/* objects that are not here */
	uint64_t body_size;		/* of a record's body */
	bool skip;		/* we have it, or need not look further */
};

struct items {
	struct intake_item *v;
	size_t n;
};

void
intake_init(struct intake *in)
{
	memset(in, 0, sizeof(*in));
	buf_init(&in->reasons, INTAKE_REASONS * 1024);
}

void
intake_free(struct intake *in)
{
	ids_free(&in->missing);
	buf_free(&in->reasons);
}

static void
refuse(struct intake *in, const struct hash *id, const struct err *why)
{
	char hex[HASH_HEX];

	if (in->refused++ >= INTAKE_REASONS)
		return;
	hash_format(hex, id);
	buf_addf(&in->reasons, "%s %s\n", hex, why->msg);
}

static void
free_items(struct items *l)
{
	for (size_t i = 0; i < l->n; i++)
		ids_free(&l->v[i].lacks);
	free(l->v);
}

/* Take the payload apart; pair: two items belong together. */
static int
split(struct items *l, struct span rest, size_t max, bool pair,
    struct err *e)
{
	struct intake_item it, *more;
	int got;

	*l = (struct items){ NULL, 0 };
	for (;;) {
		memset(&it, 0, sizeof(it));
		got = proto_item_next(&rest, &it.note, max, e);
		if (got == 1 && pair)
			got = proto_item_next(&rest, &it.header,
			    AGE_HEADER_MAX, e);
		if (got == 0 && it.note.p != NULL)
			got = err_set(e, ERR_BAD, "not the protocol: a "
			    "manifest without its header");
		if (got == 1 && l->n == PROTO_IDS_MAX)
			got = err_set(e, ERR_BAD, "over %d items",
			    PROTO_IDS_MAX);
		if (got != 1)
			break;
		/* A power of two is when the array is full. */
		if ((l->n & (l->n - 1)) == 0) {
			more = reallocarray(l->v, l->n == 0 ? 1 : l->n * 2,
			    sizeof(*more));
			if (more == NULL) {
				got = err_set(e, ERR_SYS, "out of memory");
				break;
			}
			l->v = more;
		}
		hash_bytes(&it.id, it.note.p, it.note.n);
		l->v[l->n++] = it;
	}
	if (got != 0)
		free_items(l);
	return got;
}

/*
 * What an item that the rules accepted lacks: note it, or leave it.  Returns
 * whether it may be taken.
 */
static int
lacks(struct intake *in, const struct intake_item *it, struct err *e)
{
	for (size_t i = 0; i < it->lacks.n; i++)
		if (ids_add(&in->missing, &it->lacks.id[i], e) != 0)
			return -1;
	if (it->lacks.n > 0 && it->body_size > in->largest)
		in->largest = it->body_size;
	return it->lacks.n > 0;
}

/* Is it an error of one item only? */
static bool
is_refusal(const struct err *e)
{
	return e->kind == ERR_NO || e->kind == ERR_BAD;
}

/* What lacks an object that the ledger has dismissed is never complete. */
static int
check_lacks(struct intake *in, struct repo *r, struct intake_item *it,
    struct err *e)
{
	int got = 0;

	for (size_t i = 0; i < it->lacks.n && got == 0; i++)
		got = waiting_is_dismissed(r, &it->lacks.id[i], e);
	if (got == 1) {
		it->skip = true;
		err_set(e, ERR_NO, "it names an object that was deleted");
		refuse(in, &it->id, e);
	}
	return got < 0 ? -1 : 0;
}

/* --- pending transactions ------------------------------------------------- */

/* What waits here already need not be verified again. */
static int
add_early(struct early *early, struct db *db, const struct tx *tx,
    struct err *e)
{
	struct pool_row row;
	int got = pool_index_find(&row, db, &tx->id, e);

	return got != 0 ? (got < 0 ? -1 : 0) : early_add(early, tx, e);
}

/*
 * What is known without the state as it will be; the store must not be asked
 * for objects while that is open.
 */
static int
look_pending(struct intake *in, struct repo *r, struct intake_item *it,
    struct early *early, struct err *e)
{
	struct ids names = IDS_INIT;
	struct tx tx;
	struct db *db;
	int got;

	if (db_of(&db, r, e) != 0 || (got = settle_tx(db, &it->id, e)) < 0)
		return -1;
	it->skip = got == 1;
	if (it->skip)
		return 0;
	if (tx_parse(&tx, it->note, repo_ledger(r), e) != 0) {
		it->skip = true;
		refuse(in, &it->id, e);
		return 0;
	}
	it->body_size = tx.kind == TX_AUTHORIZE ? tx.staged.body_size : 0;
	got = add_early(early, db, &tx, e);
	if (got == 0)
		got = waiting_names(&names, &tx, e);
	if (got == 0)
		got = waiting_here(r, &names, &it->lacks, e);
	ids_free(&names);
	tx_free(&tx);
	return got < 0 ? -1 : check_lacks(in, r, it, e);
}

static int
look_all_pending(struct intake *in, struct repo *r, const struct items *l,
    struct early *early, struct err *e)
{
	struct db *db;
	bool mine;
	int ret = 0;

	if (db_of(&db, r, e) != 0 || db_snapshot(db, &mine, e) != 0)
		return -1;
	for (size_t i = 0; i < l->n && ret == 0; i++)
		ret = look_pending(in, r, &l->v[i], early, e);
	db_snapshot_end(db, mine);
	return ret == 0 ? early_verify(early, e) : -1;
}

/* Add one; *take is cleared when nothing is to be taken any more. */
static int
add_pending(struct intake *in, struct pool *p, const struct intake_item *it,
    int flags, bool *take, struct err *e)
{
	bool fresh;
	int got;

	if (it->skip || (it->lacks.n > 0 && (flags & INTAKE_PART)))
		return it->skip || lacks(in, it, e) >= 0 ? 0 : -1;
	if (pool_add(p, it->note, false, NULL, &fresh, e) != 0) {
		if (!is_refusal(e))
			return -1;
		refuse(in, &it->id, e);
		return 0;
	}
	if ((got = lacks(in, it, e)) < 0)
		return -1;
	if (got == 1)
		*take = false;
	in->fresh += fresh;
	return 0;
}

static int
add_all_pending(struct intake *in, struct repo *r, const struct items *l,
    const struct early *early, int flags, int64_t now_ms, struct err *e)
{
	bool take = true;
	struct pool *p;

	if (pool_open_add(&p, r, now_ms, e) != 0)
		return -1;
	pool_early(p, early);
	for (size_t i = 0; i < l->n; i++)
		if (add_pending(in, p, &l->v[i], flags, &take, e) != 0) {
			pool_abort(p);
			return -1;
		}
	if (take)
		return pool_commit(p, e);
	in->fresh = 0;
	pool_abort(p);
	return 0;
}

int
intake_pending(struct intake *in, struct repo *r, struct span payload,
    int flags, int64_t now_ms, struct err *e)
{
	struct early *early = NULL;
	struct items l;
	int ret;

	if (chain_catch_up(r, e) != 0 ||
	    split(&l, payload, TX_MAX, false, e) != 0)
		return -1;
	ret = early_open(&early, r, e);
	if (ret == 0)
		ret = look_all_pending(in, r, &l, early, e);
	if (ret == 0 && l.n > 0)
		ret = add_all_pending(in, r, &l, early, flags, now_ms, e);
	early_free(early);
	free_items(&l);
	return ret == 0 ? buf_check(&in->reasons, "reasons", e) : -1;
}

/* --- staged records ------------------------------------------------------- */

static int
list_waiting(void *arg, const struct staged *s, struct span header,
    struct err *e)
{
	(void)header;
	return ids_add(arg, &s->id, e);
}

/* Is the body here, and as long as the manifest says?  1, 0, -1. */
static int
check_body(struct repo *r, const struct staged *s, struct err *e)
{
	struct object_file f;

	if (object_open(&f, r, &s->body, e) != 0)
		return e->kind == ERR_NO ? 0 : -1;
	object_file_close(&f);
	if (f.left == s->body_size)
		return 1;
	return err_set(e, ERR_NO, "its body has %llu bytes, not %llu",
	    (unsigned long long)f.left, (unsigned long long)s->body_size);
}

/* 0 looked at, -1 an error that ends it. */
static int
look_staged(struct intake *in, struct repo *r, struct intake_item *it,
    const struct ids *waiting, struct err *e)
{
	struct staged s;
	struct db *db;
	int got;

	it->skip = true;
	if (ids_has(waiting, &it->id))
		return 0;
	if (db_of(&db, r, e) != 0)
		return -1;
	if (staged_parse(&s, it->note, repo_ledger(r), e) != 0) {
		refuse(in, &it->id, e);
		return 0;
	}
	if ((got = settle_staged(db, &s, e)) != 0)
		return got < 0 ? -1 : 0;
	if ((got = check_body(r, &s, e)) < 0) {
		if (!is_refusal(e))
			return -1;
		refuse(in, &it->id, e);
		return 0;
	}
	it->skip = false;
	it->body_size = s.body_size;
	if (got == 0 && ids_add(&it->lacks, &s.body, e) != 0)
		return -1;
	return check_lacks(in, r, it, e);
}

static int
add_staged(struct intake *in, struct staging *st,
    const struct intake_item *it, int flags, bool *take, struct err *e)
{
	int got;

	if (it->skip || (it->lacks.n > 0 && (flags & INTAKE_PART)))
		return it->skip || lacks(in, it, e) >= 0 ? 0 : -1;
	if (staging_add(st, it->note, it->header, false, e) != 0) {
		if (!is_refusal(e))
			return -1;
		refuse(in, &it->id, e);
		return 0;
	}
	if ((got = lacks(in, it, e)) < 0)
		return -1;
	if (got == 1)
		*take = false;
	in->fresh++;
	return 0;
}

static int
add_all_staged(struct intake *in, struct repo *r, const struct items *l,
    int flags, int64_t now_ms, struct err *e)
{
	struct staging *st;
	bool take = true;

	if (staging_open(&st, r, now_ms, e) != 0)
		return -1;
	for (size_t i = 0; i < l->n; i++)
		if (add_staged(in, st, &l->v[i], flags, &take, e) != 0) {
			staging_abort(st);
			return -1;
		}
	if (take)
		return staging_commit(st, e);
	in->fresh = 0;
	staging_abort(st);
	return 0;
}

/* Two of one record would both be kept. */
static int
check_doubles(const struct items *l, struct err *e)
{
	struct ids all = IDS_INIT;
	int ret = 0;

	for (size_t i = 0; i < l->n && ret == 0; i++)
		ret = ids_add(&all, &l->v[i].id, e);
	ids_sort(&all);
	if (ret == 0 && all.n != l->n)
		ret = err_set(e, ERR_BAD, "a record is there twice");
	ids_free(&all);
	return ret;
}

int
intake_staged(struct intake *in, struct repo *r, struct span payload,
    int flags, int64_t now_ms, struct err *e)
{
	struct ids waiting = IDS_INIT;
	struct items l;
	int ret;

	if (split(&l, payload, STAGED_MAX, true, e) != 0)
		return -1;
	ret = check_doubles(&l, e);
	if (ret == 0)
		ret = staging_each(r, list_waiting, &waiting, e);
	ids_sort(&waiting);
	for (size_t i = 0; i < l.n && ret == 0; i++)
		ret = look_staged(in, r, &l.v[i], &waiting, e);
	if (ret == 0 && l.n > 0)
		ret = add_all_staged(in, r, &l, flags, now_ms, e);
	ids_free(&waiting);
	free_items(&l);
	return ret == 0 ? buf_check(&in->reasons, "reasons", e) : -1;
}
