#define _GNU_SOURCE	/* faccessat */
#include "net/renew.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/links.h"
#include "store/chain.h"
#include "store/settle.h"

#define LOCK_WAIT_MS 10000
#define ASK_MS 30000

/* Is anything but floors in it? */
static bool
has_votes(const struct votes *v)
{
	for (size_t i = 0; i < votes_count(v); i++)
		if (!span_is(votes_get(v, i).text, "floor"))
			return true;
	return false;
}

/* ERR_NO when there is a journal with votes in it that can be read. */
static int
check_lost(struct repo *r, struct err *e)
{
	struct votes *v;
	int ret;

	if (votes_open(&v, r, e) != 0)
		return -1;
	ret = votes_lock(v, LOCK_WAIT_MS, e);
	if (ret == 0 && has_votes(v))
		ret = err_set(e, ERR_NO, "%s/%s is whole: there is nothing to "
		    "renew", r->path, VOTES_PATH);
	else if (ret != 0 && (e->kind == ERR_NO || e->kind == ERR_BAD))
		ret = 0;
	votes_close(v);
	return ret;
}

int
renew_with_floor(struct repo *r, uint64_t floor, struct err *e)
{
	int lock, ret = 0;

	if (floor > VOTES_HEIGHT_MAX)
		return err_set(e, ERR_USAGE, "a height is at most %d",
		    VOTES_HEIGHT_MAX);
	if (check_lost(r, e) != 0)
		return -1;
	lock = fs_lock(r->dirfd, VOTES_DIR "/lock", LOCK_WAIT_MS, e);
	if (lock < 0)
		return -1;
	if (faccessat(r->dirfd, VOTES_PATH, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		ret = settle_quarantine(r, VOTES_PATH, e);
	if (ret == 0)
		ret = votes_create(r->dirfd, repo_ledger(r), &floor, e);
	close(lock);
	return ret;
}

/* --- asking --------------------------------------------------------------- */

/* How many have said how far they are, and the greatest height. */
static unsigned
count(const struct links *ls, const struct delegates *set, int me,
    uint64_t *highest)
{
	unsigned n = 0;

	for (unsigned i = 0; i < set->n; i++) {
		struct link_info info;

		if ((int)i == me)
			continue;
		info = links_info(ls, set, i);
		if (info.state != LINK_READY)
			continue;
		n++;
		if (info.height > *highest)
			*highest = info.height;
	}
	return n;
}

/* Wait until all have answered or will not. */
static unsigned
ask_all(struct links *ls, const struct delegates *set, int me,
    uint64_t *highest)
{
	int64_t until = clock_mono_ms() + ASK_MS;

	while (links_sum(ls, set, me).busy && clock_mono_ms() < until)
		links_wait(ls, 1000);
	return count(ls, set, me, highest);
}

static int
ask(uint64_t *highest, struct repo *r, const struct delegates *set, int me,
    struct err *e)
{
	unsigned need = 2 * dbft_faulty((unsigned)set->n) + 1, got;
	struct links ls;

	if (links_open(&ls, r, false, 0, e) != 0)
		return -1;
	if (links_want(&ls, set, me, e) != 0) {
		links_close(&ls, 0);
		return -1;
	}
	got = ask_all(&ls, set, me, highest);
	links_close(&ls, 1000);
	if (got < need)
		return err_set(e, ERR_AGAIN, "only %u of the other delegates "
		    "answered: %u have to", got, need);
	return 0;
}

int
renew_journal(uint64_t *floor, struct repo *r, struct err *e)
{
	struct delegates *set = malloc(sizeof(*set));
	struct head h;
	struct db *db;
	int ret = -1;

	if (set == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	if (check_lost(r, e) == 0 && chain_head(&h, r, e) == 0 &&
	    db_of(&db, r, e) == 0 &&
	    state_delegates(set, db, h.height + 1, e) == 0) {
		const char *name = repo_node_name(r);
		uint64_t highest = h.height;

		ret = ask(&highest, r, set, name == NULL ? -1 :
		    delegates_find(set, span_str(name)), e);
		*floor = dbft_floor_after_loss(highest);
	}
	free(set);
	return ret != 0 ? -1 : renew_with_floor(r, *floor, e);
}
