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
look_pending(void *arg, const struct hash *id, uint64_t at, struct span data,
    struct err *e)
{
	struct looking *l = arg;
	int ret = settle_tx(l->db, id, e);

	(void)at, (void)data;
	if (ret < 0)
		return -1;
	l->live = ret == 0;
	return l->live;		/* one is enough */
}

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
 * Remove the segments in dir of which all items are settled.  Damaged ones
 * stay: whoever reads them next moves them to quarantine.
 */
static int
tidy_dir(struct looking *l, const char *dir, segment_item *look,
    bool check, struct err *e)
{
	struct fs_names list;
	char path[FS_NAME_MAX];
	int ret = 0;

	if (fs_list(&list, l->repo->dirfd, dir, e) != 0)
		return -1;
	for (size_t i = 0; i < list.n && ret == 0; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, list.name[i]);
		l->live = false;
		l->odd = false;
		ret = segment_scan(l->repo->dirfd, path, dir, check, look, l,
		    e);
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
	bool hope;		/* one of them may still come to a block */
};

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
	v.verify = verify_never;
	ret = rules_check(&v.v, &tx, tx.time_ms, e);
	tx_free(&tx);
	if (ret != 0 && e->kind != ERR_NO)
		return -1;
	j->hope = ret == 0;
	return j->hope;
}

/* Old segments of which nothing can become final go to quarantine. */
static int
give_up(struct repo *r, struct db *db, struct err *e)
{
	struct judging j = { r, db, false };
	struct fs_names list;
	char path[FS_NAME_MAX];
	int ret = 0;

	if (fs_list(&list, r->dirfd, POOL_DIR, e) != 0)
		return -1;
	for (size_t i = 0; i < list.n && ret == 0; i++) {
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", POOL_DIR, list.name[i]);
		if (fstatat(r->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    st.st_mtime > time(NULL) - GIVE_UP_S)
			continue;
		j.hope = false;
		ret = segment_scan(r->dirfd, path, "pending", true, judge, &j,
		    e);
		if (ret < 0 && (e->kind == ERR_BAD || e->kind == ERR_NO))
			ret = 0;
		else if (ret == 0 && !j.hope)
			ret = settle_quarantine(r, path, e);
		else if (ret > 0)
			ret = 0;
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
	    tidy_dir(&l, POOL_DIR, look_pending, false, e) != 0 ||
	    tidy_dir(&l, STAGING_DIR, look_staged, true, e) != 0 ||
	    give_up(r, l.db, e) != 0)
		return -1;
	if (tidy_objects(r, l.db, e) != 0)
		return -1;
	return repo_sweep(r, e);
}

int
accept_block(struct repo *r, struct span text, bool known, int64_t now_ms,
    struct err *e)
{
	int lock = repo_lock(r, 30000, e);
	int ret;

	if (lock < 0)
		return -1;
	ret = chain_apply(r, text, known, now_ms, e);
	if (ret == 0)
		ret = accept_tidy(r, e);
	close(lock);
	return ret;
}
