#define _GNU_SOURCE	/* fstatat */
#include "store/accept.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ledger/rules.h"
#include "store/object.h"
#include "store/pool.h"
#include "store/settle.h"
#include "store/staging.h"

struct looking {
	struct repo *repo;
	struct db *db;
	bool live;		/* something in the file is not settled */
	bool odd;		/* a manifest came, its header is next */
};

static int
look_staged(void *arg, const struct hash *id, uint64_t at, struct span data,
    struct err *e)
{
	struct looking *l = arg;
	struct staged m;
	int ret;

	(void)id, (void)at;
	l->odd = !l->odd;
	if (!l->odd)
		return 0;
	if (staged_parse(&m, data, repo_ledger(l->repo), e) != 0)
		return -1;
	ret = settle_staged(l->db, &m, e);
	if (ret < 0)
		return -1;
	l->live = ret == 0;
	return l->live;
}

/*
 * Remove the segments of staging/ of which all items are settled.  Damaged ones
 * stay: whoever reads them next moves them to quarantine.
 */
static int
tidy_staging(struct looking *l, struct err *e)
{
	struct fs_names list;
	char path[FS_NAME_MAX];
	int ret = 0;

	if (fs_list(&list, l->repo->dirfd, STAGING_DIR, e) != 0)
		return -1;
	for (size_t i = 0; i < list.n && ret == 0; i++) {
		snprintf(path, sizeof(path), STAGING_DIR "/%s", list.name[i]);
		l->live = false;
		l->odd = false;
		ret = segment_scan(l->repo->dirfd, path, STAGING_DIR, true,
		    look_staged, l, e);
		if (ret < 0 && (e->kind == ERR_BAD || e->kind == ERR_NO))
			ret = 0;
		else if (ret == 0 && !l->live)
			ret = fs_remove(l->repo->dirfd, path, e);
		else if (ret > 0)
			ret = 0;
	}
	fs_names_free(&list);
	return ret;
}

/* --- what will never settle ----------------------------------------------- */

/* Pending transactions that the rules refuse are given up after a day. */
#define GIVE_UP_S (24 * 3600)

struct judging {
	struct repo *repo;
	struct db *db;
	uint64_t seq;
	bool hope;		/* one of them may still come to a block */
};

/* One may need what another has done, so that each is tried on the others. */
static int
judge(void *arg, const struct hash *id, uint64_t at, struct span data,
    struct err *e)
{
	struct judging *j = arg;
	struct state_view v;
	struct tx tx;
	int ret = settle_tx(j->db, id, e);

	(void)at;
	if (ret != 0 || tx_parse(&tx, data, repo_ledger(j->repo), e) != 0)
		return ret < 0 ? -1 : 0;
	state_view_init(&v, j->repo, j->db);
	v.verify = state_verify_came;
	v.verify_arg = j->db;
	ret = rules_check(&v.v, &tx, tx.time_ms, e);
	if (ret == 0) {
		j->hope = true;
		ret = state_apply(j->db, &tx, INT32_MAX, j->seq++, e);
	} else if (e->kind == ERR_NO)
		ret = 0;
	tx_free(&tx);
	return ret;
}

/* Has this file waited for long? */
static bool
is_old(struct repo *r, const char *path)
{
	struct stat st;

	return fstatat(r->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_mtime <= time(NULL) - GIVE_UP_S;
}

/* Mark with an empty name those that are young, or have hope. */
static int
judge_all(struct judging *j, struct fs_names *list, struct err *e)
{
	char path[FS_NAME_MAX];

	for (size_t i = 0; i < list->n; i++) {
		int ret;

		snprintf(path, sizeof(path), "%s/%s", POOL_DIR, list->name[i]);
		j->hope = false;
		ret = segment_scan(j->repo->dirfd, path, "pending", true,
		    judge, j, e);
		if (ret < 0 && e->kind != ERR_BAD && e->kind != ERR_NO)
			return -1;
		if (ret < 0 || j->hope || !is_old(j->repo, path))
			list->name[i][0] = '\0';
	}
	return 0;
}

/* On a state that is then forgotten. */
static int
try_all(struct repo *r, struct db *db, struct fs_names *list, struct err *e)
{
	struct judging j = { .repo = r, .db = db };
	struct err ignored;
	struct head h;
	int ret = -1;

	if (db_exec(db, "BEGIN IMMEDIATE", e) != 0)
		return -1;
	if (state_head(&h, db, e) == 1) {
		j.seq = h.tree.size;
		ret = judge_all(&j, list, e);
	}
	db_exec(db, "ROLLBACK", &ignored);
	return ret;
}

/* Old segments of which nothing can become final go to quarantine. */
static int
give_up(struct repo *r, struct db *db, struct err *e)
{
	struct fs_names list;
	char path[FS_NAME_MAX];
	bool any = false;
	int ret = 0;

	if (fs_list(&list, r->dirfd, POOL_DIR, e) != 0)
		return -1;
	for (size_t i = 0; i < list.n && !any; i++) {
		snprintf(path, sizeof(path), "%s/%s", POOL_DIR, list.name[i]);
		any = is_old(r, path);
	}
	if (any)
		ret = try_all(r, db, &list, e);
	for (size_t i = 0; i < list.n && any && ret == 0; i++) {
		if (list.name[i][0] == '\0')
			continue;
		snprintf(path, sizeof(path), "%s/%s", POOL_DIR, list.name[i]);
		ret = settle_quarantine(r, path, e);
	}
	fs_names_free(&list);
	return ret;
}

/* The next object of table dismissed: 1, 0 none, -1. */
static int
next_dismissed(struct hash *id, struct db *db, struct err *e)
{
	sqlite3_stmt *s;
	int ret;

	if (db_stmt(&s, db, "SELECT object FROM dismissed LIMIT 1", e) != 0)
		return -1;
	if ((ret = db_step(db, s, e)) != 1)
		return ret;
	ret = db_column_hash(s, 0, id) == 0;
	sqlite3_reset(s);
	return ret;
}

static int
tidy_objects(struct repo *r, struct db *db, struct err *e)
{
	sqlite3_stmt *s;
	struct hash id;
	int ret;

	while ((ret = next_dismissed(&id, db, e)) == 1) {
		/* What is damaged cannot be erased; the audit names it. */
		if ((object_erase(r, &id, e) != 0 && e->kind != ERR_BAD) ||
		    db_stmt(&s, db, "DELETE FROM dismissed WHERE object=?",
		    e) != 0)
			return -1;
		db_bind_hash(s, 1, &id);
		if (db_run(db, s, e) != 0)
			return -1;
	}
	return ret;
}

int
accept_tidy(struct repo *r, struct err *e)
{
	struct looking l = { r, NULL, false, false };

	if (chain_catch_up(r, e) != 0 || db_of(&l.db, r, e) != 0 ||
	    pool_index_tidy(r, e) != 0 || tidy_staging(&l, e) != 0 ||
	    give_up(r, l.db, e) != 0)
		return -1;
	if (tidy_objects(r, l.db, e) != 0)
		return -1;
	return repo_sweep(r, e);
}

int
accept_blocks(struct repo *r, const struct chain_block *all, size_t n,
    int64_t now_ms, size_t *done, struct err *e)
{
	int lock = repo_lock(r, 30000, e);
	struct err ignored;
	int ret;

	*done = 0;
	if (lock < 0)
		return -1;
	ret = chain_apply_all(r, all, n, now_ms, done, e);
	/*
	 * The blocks are durable: that something could not be cleared away must
	 * not stop this node from taking part.  The next block tries again.
	 */
	if (*done > 0)
		accept_tidy(r, &ignored);
	close(lock);
	return ret;
}

int
accept_block(struct repo *r, struct span text, bool known, int64_t now_ms,
    struct err *e)
{
	struct chain_block one = { .text = text, .known = known };
	size_t done;

	return accept_blocks(r, &one, 1, now_ms, &done, e);
}
