/* The part of a check that is about objects. */
#include "log/check_part.h"

#include <stdio.h>
#include <unistd.h>

#include "net/waiting.h"
#include "store/object_mend.h"

#define LOCK_MS 30000
#define PATH_LEN (sizeof("objects/xx/") + HASH_HEX)

struct looking {
	struct check *k;
	struct ids bad;		/* damaged here, or gone */
	struct ids fetch;	/* the same, and what never came */
};

static void
path_of(char out[PATH_LEN], const struct hash *id)
{
	char hex[HASH_HEX];

	hash_format(hex, id);
	snprintf(out, PATH_LEN, "objects/%.2s/%s", hex, hex);
}

/* Is it known to be right?  Else it is hashed. */
static bool
is_right(void *check, const char *path)
{
	struct check *k = check;
	bool right = check_untouched(k, path);

	k->res->hashed += !right;
	return right;
}

/* Does the query, about one object, give a row?  1, 0, -1. */
static int
holds(struct db *db, const char *sql, const struct hash *id, struct err *e)
{
	sqlite3_stmt *s;
	int got;

	if (db_stmt(&s, db, sql, e) != 0)
		return -1;
	db_bind_hash(s, 1, id);
	got = db_step(db, s, e);
	sqlite3_reset(s);
	return got;
}

/* --- segments ------------------------------------------------------------- */

static int
bad_segment(void *arg, const char *path, const char *why, struct err *e)
{
	struct check *k = arg;
	char to[FS_NAME_MAX];
	int lock, ret;

	if (check_found(k, path, why, e) != 0)
		return -1;
	if (k->o->look)
		return 0;
	if ((lock = repo_lock(k->repo, LOCK_MS, e)) < 0)
		return -1;
	ret = object_segment_mend(to, k->repo, path, e);
	close(lock);
	if (ret != 0)
		return -1;
	return check_event(k, e, EVENT_REPAIRED, path, "%s; what was whole in "
	    "it is in a new one; the old one is %s", why, to);
}

/* --- what is wrong -------------------------------------------------------- */

/*
 * The ledger needs it.  What is not here and was never seen here is fetched,
 * and no damage.
 */
static int
look_needed(struct looking *l, struct db *state, const struct hash *id,
    struct err *e)
{
	struct check *k = l->k;
	char path[PATH_LEN];
	struct err why;
	int never;

	k->res->objects++;
	if (object_check_unless(k->repo, id, is_right, k, &why) == 0)
		return 0;
	if (why.kind == ERR_SYS) {
		*e = why;
		return -1;
	}
	if (ids_add(&l->fetch, id, e) != 0)
		return -1;
	if ((never = holds(state, "SELECT 1 FROM want WHERE object=?", id,
	    e)) < 0)
		return -1;
	if (why.kind == ERR_NO && never == 1)
		return 0;
	path_of(path, id);
	if (ids_add(&l->bad, id, e) != 0)
		return -1;
	return check_found(k, path, why.msg, e);
}

/* It is here; the ledger may not have come to it yet. */
static int
look_other(void *arg, const struct hash *id, uint64_t size, struct err *e)
{
	struct looking *l = arg;
	char path[PATH_LEN];
	struct err why;
	int got;

	(void)size;
	if ((got = holds(l->k->db, "SELECT 1 FROM want WHERE object=?", id,
	    e)) != 0)
		return got < 0 ? -1 : 0;
	l->k->res->objects++;
	if (object_check_unless(l->k->repo, id, is_right, l->k, &why) == 0 ||
	    why.kind == ERR_NO)
		return 0;
	if (why.kind == ERR_SYS) {
		*e = why;
		return -1;
	}
	path_of(path, id);
	if (ids_add(&l->bad, id, e) != 0 || ids_add(&l->fetch, id, e) != 0)
		return -1;
	return check_found(l->k, path, why.msg, e);
}

static int
look_all(struct looking *l, struct err *e)
{
	struct hash id, last, *after = NULL;
	struct db *state;
	sqlite3_stmt *s;
	int got;

	if (db_of(&state, l->k->repo, e) != 0)
		return -1;
	/* One at a time: nothing else may hold the statement. */
	do {
		if (db_stmt(&s, l->k->db, "SELECT object FROM want WHERE "
		    "object>?1 ORDER BY object LIMIT 1", e) != 0)
			return -1;
		if (after == NULL)
			sqlite3_bind_zeroblob(s, 1, 0);
		else
			db_bind_hash(s, 1, after);
		got = db_step(l->k->db, s, e);
		if (got == 1 && db_column_hash(s, 0, &id) != 0)
			got = err_set(e, ERR_BAD, "not an object's id");
		sqlite3_reset(s);
		if (got == 1 && look_needed(l, state, &id, e) != 0)
			got = -1;
		last = id;
		after = &last;
	} while (got == 1);
	return got < 0 ? -1 : object_each(l->k->repo, look_other, l, e);
}

/* --- repairing ------------------------------------------------------------ */

/*
 * Out of the way: it is wanted first, so that whoever syncs fetches it even if
 * this ends here.
 */
static int
set_aside(struct check *k, const struct hash *id, struct err *e)
{
	struct db *state;
	sqlite3_stmt *s;
	int needed, lock = repo_lock(k->repo, LOCK_MS, e), ret = -1;

	if (lock < 0)
		return -1;
	needed = holds(k->db, "SELECT 1 FROM want WHERE object=?", id, e);
	if (needed >= 0 && db_of(&state, k->repo, e) == 0)
		ret = 0;
	if (needed == 1 && ret == 0 && (db_stmt(&s, state, "INSERT OR IGNORE "
	    "INTO want(object) VALUES(?)", e) != 0 ||
	    (db_bind_hash(s, 1, id), db_run(state, s, e) != 0)))
		ret = -1;
	if (ret == 0 && object_quarantine(k->repo, id, e) != 0 &&
	    e->kind != ERR_NO)
		ret = -1;
	close(lock);
	return ret;
}

/* Those that are still not here. */
static int
missing(struct ids *out, struct check *k, const struct ids *of,
    struct err *e)
{
	out->n = 0;
	for (size_t i = 0; i < of->n; i++) {
		int got = object_has(k->repo, &of->id[i], e);

		if (got < 0 || (got == 0 && ids_add(out, &of->id[i], e) != 0))
			return -1;
	}
	return 0;
}

static int
fetch(struct check *k, const struct ids *all, struct err *e)
{
	struct ids left = IDS_INIT;
	uint64_t largest;
	struct err why;
	int ret = check_peers_list(k, e);

	if (ret == 0)
		ret = waiting_largest(&largest, k->repo, e);
	for (size_t i = 0; i < k->peers.n && ret == 0; i++) {
		struct peer *p = &k->peers.v[i];

		ret = missing(&left, k, all, e);
		if (ret != 0 || left.n == 0)
			break;
		if (k->silent[i])
			continue;
		if ((p->s != NULL || session_open(&p->s, k->repo, p->name,
		    p->command, &why) == 0) && (p->s->access < PROTO_PUBLIC ||
		    ask_objects(k->repo, p->s, &left, largest, &why) == 0))
			continue;
		check_note(k, "%s", why.msg);
		if (why.kind == ERR_SYS) {
			*e = why;
			ret = -1;
		}
		session_close(p->s);
		p->s = NULL;
		k->silent[i] = true;
	}
	ids_free(&left);
	return ret;
}

static int
tell(struct check *k, const struct ids *bad, struct err *e)
{
	char path[PATH_LEN];
	struct err why;

	for (size_t i = 0; i < bad->n; i++) {
		bool right = object_check(k->repo, &bad->id[i], &why) == 0;
		int needed = holds(k->db, "SELECT 1 FROM want WHERE object=?",
		    &bad->id[i], e);

		path_of(path, &bad->id[i]);
		if (needed < 0 || check_event(k, e, right || needed == 0 ?
		    EVENT_REPAIRED : EVENT_ALARM, path, right ? "was damaged "
		    "or gone; taken from a peer" : needed == 0 ? "was damaged, "
		    "and is in quarantine; the ledger does not need it" :
		    "is damaged or gone, and no peer that answers has it") != 0)
			return -1;
	}
	return 0;
}

static int
repair(struct looking *l, struct err *e)
{
	struct ids left = IDS_INIT;
	int ret = 0;

	for (size_t i = 0; i < l->bad.n && ret == 0; i++)
		ret = set_aside(l->k, &l->bad.id[i], e);
	if (ret == 0 && l->fetch.n > 0)
		ret = fetch(l->k, &l->fetch, e);
	if (ret == 0)
		ret = tell(l->k, &l->bad, e);
	/* What is here is not wanted any more: should it go, that shows. */
	if (ret == 0)
		ret = waiting_wanted(&left, l->k->repo, SIZE_MAX, e);
	ids_free(&left);
	return ret;
}

int
check_objects(struct check *k, struct err *e)
{
	struct looking l = { .k = k };
	int ret = check_survey(k, e);

	if (ret == 0)
		ret = object_segments(k->repo, k->db, check_untouched,
		    bad_segment, k, e);
	if (ret == 0)
		ret = look_all(&l, e);
	if (ret == 0 && !k->o->look)
		ret = repair(&l, e);
	ids_free(&l.bad);
	ids_free(&l.fetch);
	return ret;
}
