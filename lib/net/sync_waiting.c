/* The half of sync that takes: staged records and pending transactions. */
#include "base/clock.h"
#include "net/sync_part.h"
#include "net/waiting.h"
#include "store/settle.h"

/* Take what came; what it names comes first. */
static int
take_items(struct sync *y, const struct sync_kind *k, struct span items,
    struct err *e)
{
	int64_t now_ms = clock_now_ms();
	struct intake in;
	int ret;

	intake_init(&in);
	ret = k->intake(&in, y->repo, items, 0, now_ms, e);
	if (ret == 0 && in.missing.n > 0) {
		ids_sort(&in.missing);
		ret = sync_pull_objects(y, &in.missing, in.largest, e);
		intake_free(&in);
		intake_init(&in);
		if (ret == 0)
			ret = k->intake(&in, y->repo, items, INTAKE_PART,
			    now_ms, e);
	} else if (ret != 0 && e->kind == ERR_BAD)
		sync_blame(y, e);
	y->res->declined += in.refused;
	if (k->pair)
		y->res->pulled.staged += in.fresh;
	else
		y->res->pulled.pending += in.fresh;
	intake_free(&in);
	return ret;
}

/* Fetch those of l, in as many answers as it takes. */
static int
pull_items(struct sync *y, const struct sync_kind *k, struct ids *l,
    struct err *e)
{
	struct buf status = BUF_INIT(PROTO_LINE_MAX);
	struct buf answer = BUF_INIT(PROTO_ANSWER_SOFT + (1u << 20));
	uint64_t came = 1;
	bool more = true;
	int ret = 0;

	while (ret == 0 && l->n > 0 && came > 0 && more) {
		buf_reset(&answer);
		ret = session_ask(y->s, proto_verb_name(k->get),
		    ids_payload(l, 0, l->n), &status, &answer, e);
		if (ret != 0)
			break;
		more = span_is(buf_span(&status), "ok more");
		if (sync_strike(l, k, buf_span(&answer), &came, e) != 0)
			ret = sync_blame(y, e);
		else if (came > 0)
			ret = take_items(y, k, buf_span(&answer), e);
	}
	buf_free(&status);
	buf_free(&answer);
	return ret;
}

static int
add_id(void *arg, const struct hash *id, struct span note, struct err *e)
{
	(void)note;
	return ids_add(arg, id, e);
}

static int
add_staged(void *arg, const struct staged *s, struct span header,
    struct err *e)
{
	(void)header;
	return ids_add(arg, &s->id, e);
}

/* Is it on the ledger, so that it need not come?  1, 0, -1. */
static int
is_settled(struct sync *y, const struct sync_kind *k, const struct hash *id,
    struct err *e)
{
	sqlite3_stmt *q;
	struct db *db;
	int got;

	if (db_of(&db, y->repo, e) != 0)
		return -1;
	if (!k->pair)
		return settle_tx(db, id, e);
	/* Of a rejected one, the manifest says whether that counts. */
	if (db_stmt(&q, db, "SELECT 1 FROM record WHERE id=? AND status<>?",
	    e) != 0)
		return -1;
	db_bind_hash(q, 1, id);
	db_bind_int(q, 2, RECORD_REJECTED);
	if ((got = db_step(db, q, e)) == 1)
		sqlite3_reset(q);
	return got;
}

/* Those of theirs that are neither here nor settled, in their order. */
static int
pick_new(struct ids *out, struct sync *y, const struct sync_kind *k,
    const struct ids *theirs, struct err *e)
{
	struct ids ours = IDS_INIT;
	int ret = k->pair ? staging_each(y->repo, add_staged, &ours, e) :
	    pool_each(y->repo, add_id, &ours, e);

	ids_sort(&ours);
	for (size_t i = 0; i < theirs->n && ret == 0; i++) {
		if (ids_has(&ours, &theirs->id[i]))
			continue;
		ret = is_settled(y, k, &theirs->id[i], e);
		if (ret == 0)
			ret = ids_add(out, &theirs->id[i], e);
		else if (ret == 1)
			ret = 0;
	}
	ids_free(&ours);
	return ret;
}

int
sync_pull_waiting(struct sync *y, const struct sync_kind *k, struct err *e)
{
	struct ids theirs = IDS_INIT, new = IDS_INIT, group = IDS_INIT;
	int ret = sync_list(&theirs, y, k->name, e);

	if (ret == 0)
		ret = pick_new(&new, y, k, &theirs, e);
	for (size_t i = 0; i < new.n && ret == 0; i += SYNC_GROUP) {
		group.n = 0;
		ret = ids_add_payload(&group, ids_payload(&new, i, SYNC_GROUP),
		    SYNC_GROUP, e);
		if (ret == 0)
			ret = pull_items(y, k, &group, e);
		tally_moved(y->res, k->name, i, new.n);
	}
	ids_free(&theirs);
	ids_free(&new);
	ids_free(&group);
	return ret;
}
