#define _GNU_SOURCE	/* fstatat */
#include "store/work.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/stamp.h"
#include "ledger/rules.h"
#include "store/chain.h"
#include "store/pool.h"
#include "store/settle.h"
#include "store/verify.h"

struct search {
	struct repo *repo;
	struct state_view view;
	int64_t now_ms;
};

/* 1 when the rules accept it as the next transaction. */
static int
try_item(void *arg, const struct hash *id, uint64_t at, struct span data,
    struct err *e)
{
	struct search *s = arg;
	struct tx tx;
	int ret = settle_tx(s->view.db, id, e);

	(void)at;
	if (ret != 0)
		return ret < 0 ? -1 : 0;
	if (tx_parse(&tx, data, repo_ledger(s->repo), e) != 0)
		return 0;
	ret = rules_check(&s->view.v, &tx, s->now_ms, e);
	tx_free(&tx);
	if (ret == 0)
		return 1;
	return e->kind == ERR_NO || e->kind == ERR_BAD ? 0 : -1;
}

/* The same for a file; damaged ones are for pool.c to deal with. */
static int
try_file(struct search *s, const char *path, int64_t *since, struct err *e)
{
	struct stat st;
	int ret;

	ret = segment_scan(s->repo->dirfd, path, "pending", true, try_item, s,
	    e);
	if (ret < 0)
		return e->kind == ERR_NO || e->kind == ERR_BAD ? 0 : -1;
	if (ret == 0 || fstatat(s->repo->dirfd, path, &st, 0) != 0)
		return 0;
	*since = (int64_t)st.st_mtim.tv_sec * 1000 +
	    st.st_mtim.tv_nsec / 1000000;
	return 1;
}

static int
try_all(struct search *s, int64_t *since, struct err *e)
{
	struct fs_names list;
	char path[FS_NAME_MAX];
	int ret = 0;

	if (fs_list(&list, s->repo->dirfd, POOL_DIR, e) != 0)
		return -1;
	for (size_t i = 0; i < list.n && ret == 0; i++) {
		snprintf(path, sizeof(path), POOL_DIR "/%s", list.name[i]);
		ret = try_file(s, path, since, e);
	}
	fs_names_free(&list);
	return ret;
}

int
work_waits(int64_t *since_ms, struct repo *r, int64_t now_ms, struct err *e)
{
	struct search s = { .repo = r };
	int64_t hour = now_ms - now_ms % STAMP_HOUR_MS;
	struct head h;
	struct db *db;
	int ret;

	if (chain_head(&h, r, e) != 0 || db_of(&db, r, e) != 0)
		return -1;
	state_view_init(&s.view, r, db);
	s.view.verify = state_verify_came;
	s.view.verify_arg = db;
	s.now_ms = now_ms > h.time_ms ? now_ms : h.time_ms + 1;
	if ((ret = try_all(&s, since_ms, e)) < 0)
		return -1;
	if (hour > h.time_ms) {
		if (ret == 0 || hour < *since_ms)
			*since_ms = hour;
		ret = 1;
	}
	return ret;
}
