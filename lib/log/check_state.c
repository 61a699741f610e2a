/* The part of a check that is about state.db. */
#include "log/check_part.h"

#include <unistd.h>

#include "store/mirror.h"
#include "store/object.h"
#include "store/pool_index.h"

#define LOCK_MS 30000
#define STATE "state.db"

/*
 * Inside one moment of the state: 1 it is what the blocks give; 0 it is not,
 * and *why says so; -1.
 */
static int
compare(struct check *k, struct db *state, const char **why, struct err *e)
{
	struct head h;
	bool there;
	int got = state_head(&h, state, e);

	*why = "is damaged";
	if (got == 1 && check_go_on(k, h.height, &there, e) != 0)
		return -1;
	if (got == 1 && h.height == k->head.height)
		got = mirror_same(state, k->db, why, e);
	else if (got >= 0) {
		*why = "ends at another block";
		got = 0;
	}
	return got == 1 ? 1 : got < 0 && e->kind == ERR_AGAIN ? -1 : 0;
}

static int
look(struct check *k, struct db *state, const char **why, struct err *e)
{
	bool mine;
	/* Of a quick one, all that it has is compared, as it is found by its
	 * indexes. */
	int got = k->quick ? 1 : db_sound(state, e);

	*why = "is damaged";
	if (got != 1)
		return got;
	/* A state that is only behind catches up. */
	if (chain_catch_up(k->repo, e) != 0 && e->kind == ERR_AGAIN)
		return -1;
	if (db_snapshot(state, &mine, e) != 0)
		return e->kind == ERR_AGAIN ? -1 : 0;
	got = compare(k, state, why, e);
	db_snapshot_end(state, mine);
	return got;
}

/*
 * The state that was made from the blocks in its place, with what follows from
 * the segments, as processes that run look into those once.  The caller has
 * the writer's lock, so that no block comes.
 */
static int
replace(struct check *k, struct db *state, struct err *e)
{
	struct repo made = *k->repo;
	bool there;

	made.db = k->db;
	made.seg_seen_ns = 0;
	k->mixed = true;
	if (check_go_on(k, UINT64_MAX, &there, e) != 0 ||
	    object_reindex(&made, e) != 0 || pool_index_refresh(&made, e) != 0)
		return -1;
	return db_replace(state, k->db, e);
}

int
check_state(struct check *k, struct err *e)
{
	const char *why;
	struct db *state;
	int lock, got;

	if (db_of(&state, k->repo, e) != 0 ||
	    (got = look(k, state, &why, e)) < 0)
		return -1;
	if (got == 1)
		return 0;
	k->doubt = k->quick;
	if (k->doubt)
		return 0;
	if (check_found(k, STATE, why, e) != 0)
		return -1;
	if (k->o->look)
		return 0;
	if ((lock = repo_lock(k->repo, LOCK_MS, e)) < 0)
		return -1;
	got = replace(k, state, e);
	close(lock);
	if (got != 0)
		return -1;
	return check_event(k, e, EVENT_REPAIRED, STATE, "differed from what "
	    "the blocks give (%s); it was made again from them", why);
}
