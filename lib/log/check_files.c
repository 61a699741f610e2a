/* The part of a check that is about logs, tiles and checkpoints. */
#include "log/check_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log/checkpoints.h"
#include "log/tiles.h"

#define LOCK_MS 30000

/* A file that is not right. */
struct bad_file {
	char *path;
	const char *why;
	char now[64];		/* where it went */
};

struct bad_files {
	struct bad_file *v;
	size_t n;
};

/* Look at all files of a kind. */
typedef int check_fn(struct check *k, uint64_t *checked, hourly_bad *bad,
    void *arg, struct err *e);

static int
look_logs(struct check *k, uint64_t *checked, hourly_bad *bad, void *arg,
    struct err *e)
{
	return hourly_check_since(k->repo, k->db, &k->head, &k->was.logs,
	    &k->now.logs, checked, bad, arg, e);
}

static int
look_tiles(struct check *k, uint64_t *checked, hourly_bad *bad, void *arg,
    struct err *e)
{
	return tiles_check(k->repo, k->db, &k->head, checked, bad, arg, e);
}

static int
look_checkpoints(struct check *k, uint64_t *checked, hourly_bad *bad,
    void *arg, struct err *e)
{
	k->now.groups.n = 0;	/* it may be the second time */
	return checkpoints_check_since(k->repo, k->db, &k->head,
	    &k->was.groups, &k->now.groups, checked, bad, arg, e);
}

static int
remember(void *arg, const char *path, const char *why, struct err *e)
{
	struct bad_files *l = arg;
	struct bad_file *more = realloc(l->v, (l->n + 1) * sizeof(*more));

	if (more == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	l->v = more;
	more += l->n;
	*more = (struct bad_file){ .why = why };
	if ((more->path = malloc(strlen(path) + 1)) == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	strcpy(more->path, path);
	l->n++;
	return 0;
}

static void
forget(struct bad_files *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].path);
	free(l->v);
	*l = (struct bad_files){ NULL, 0 };
}

/* --- repairing ------------------------------------------------------------ */

/* A checkpoint that a node has signed, and not over these blocks, stays. */
static int
is_proof(struct check *k, const struct bad_file *f, struct err *e)
{
	size_t n = sizeof(CHECKPOINT_DIR);

	if (strncmp(f->path, CHECKPOINT_DIR "/", n) != 0)
		return 0;
	return checkpoints_contradicts(k->repo, k->db, &k->head, f->path + n,
	    e);
}

/*
 * Out of the way, so that it can be made again.  A log stays until then: that
 * the newest is not there would show nobody that it was.
 */
static int
set_aside(struct check *k, struct bad_file *f, struct err *e)
{
	bool keep = strncmp(f->path, "logs/", 5) == 0 &&
	    strcmp(f->why, HOURLY_DIFFERS) == 0;
	char to[FS_NAME_MAX];
	int lock;

	if (check_found(k, f->path, f->why, e) != 0)
		return -1;
	if (k->o->look)
		return 0;
	if ((lock = fs_lock(k->repo->dirfd, "logs.lock", LOCK_MS, e)) < 0)
		return -1;
	if (check_quarantine(k, to, f->path, keep, e) != 0) {
		close(lock);
		return -1;
	}
	close(lock);
	snprintf(f->now, sizeof(f->now), "%.63s", to);
	return 0;
}

/* Set all aside; those that are proofs leave the list. */
static int
set_all_aside(struct check *k, struct bad_files *l, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct bad_file f = l->v[i];
		int got = is_proof(k, &f, e);

		if (got == 1 && !k->o->look) {
			got = check_event(k, e, EVENT_ALARM, f.path, "a node "
			    "has signed a tree that the blocks here do not "
			    "have: blocks were lost, or the ledger has "
			    "forked");
			free(f.path);
			l->v[i--] = l->v[--l->n];
		} else if (got >= 0) {
			got = set_aside(k, &l->v[i], e);
			n++;
		}
		if (got < 0)
			return -1;
	}
	l->n = n;
	return 0;
}

/* What is not there any more is made again. */
static int
make_again(struct check *k, check_fn *fn, struct err *e)
{
	struct db *state;
	struct head head;
	size_t written = 0;
	bool made;

	if (chain_head(&head, k->repo, e) != 0 ||
	    db_of(&state, k->repo, e) != 0)
		return -1;
	if (fn == look_logs)
		return hourly_roll_all(k->repo, &written, e);
	if (fn == look_tiles)
		return tiles_roll(k->repo, state, &head, &written, e);
	return checkpoints_roll(k->repo, state, &head, &made, e);
}

/* Is it still on the list of what is wrong? */
static bool
is_still(const struct bad_files *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].path, path) == 0)
			return true;
	return false;
}

static int
tell(struct check *k, const struct bad_files *before,
    const struct bad_files *after, struct err *e)
{
	for (size_t i = 0; i < before->n; i++) {
		const struct bad_file *f = &before->v[i];
		bool still = is_still(after, f->path);

		if (check_event(k, e, still ? EVENT_ALARM : EVENT_REPAIRED,
		    f->path, "%s; the old one is %s%s", f->why, f->now,
		    still ? ", and a new one is not right either" : "") != 0)
			return -1;
	}
	return 0;
}

/*
 * What is wrong.  While the lock is held nothing is rolled; and what was rolled
 * before is of blocks that were there before.
 */
static int
examine(struct check *k, check_fn *fn, uint64_t *checked,
    struct bad_files *bad, bool locked, struct err *e)
{
	int lock = !locked ? -1 : fs_lock(k->repo->dirfd, "logs.lock",
	    LOCK_MS, e), ret = -1;
	bool there;

	forget(bad);
	if ((lock >= 0 || !locked) &&
	    check_go_on(k, UINT64_MAX, &there, e) == 0)
		ret = fn(k, checked, remember, bad, e);
	if (lock >= 0)
		close(lock);
	return ret;
}

static int
check_kind(struct check *k, check_fn *fn, uint64_t *checked, struct err *e)
{
	struct bad_files bad = { NULL, 0 }, after = { NULL, 0 };
	uint64_t again;
	int ret = examine(k, fn, checked, &bad, false, e);

	/* Or was it only rolled meanwhile? */
	if (ret == 0 && bad.n > 0)
		ret = examine(k, fn, checked, &bad, true, e);
	if (ret == 0 && bad.n > 0)
		ret = set_all_aside(k, &bad, e);
	if (ret == 0 && bad.n > 0 && !k->o->look) {
		ret = make_again(k, fn, e);
		if (ret == 0)
			ret = examine(k, fn, &again, &after, true, e);
		if (ret == 0)
			ret = tell(k, &bad, &after, e);
	}
	forget(&bad);
	forget(&after);
	return ret;
}

int
check_files(struct check *k, struct err *e)
{
	if (check_kind(k, look_logs, &k->res->logs, e) != 0 ||
	    check_kind(k, look_tiles, &k->res->tiles, e) != 0)
		return -1;
	return check_kind(k, look_checkpoints, &k->res->checkpoints, e);
}
