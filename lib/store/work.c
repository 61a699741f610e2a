#define _GNU_SOURCE	/* fstatat */
#include "store/work.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/stamp.h"
#include "ledger/rules.h"
#include "store/chain.h"
#include "store/pool.h"
#include "store/verify.h"

#define PAGE 64			/* rows that are looked at together */

struct search {
	struct repo *repo;
	struct state_view view;
	int64_t now_ms;
};

/* Would the rules accept it as the next transaction?  1, 0, -1. */
static int
try_row(struct search *s, const struct pool_row *row, struct err *e)
{
	struct pool_reader rd = POOL_READER(s->repo);
	struct buf note = BUF_INIT(TX_MAX);
	struct tx tx;
	int ret;

	ret = pool_reader_get(&note, &rd, row, e);
	pool_reader_close(&rd);
	if (ret == 0)
		ret = tx_parse(&tx, buf_span(&note), repo_ledger(s->repo), e);
	if (ret == 0) {
		ret = rules_check(&s->view.v, &tx, s->now_ms, e);
		tx_free(&tx);
	}
	buf_free(&note);
	if (ret == 0)
		return 1;
	/* What is damaged is for pool.c to deal with. */
	return e->kind == ERR_NO || e->kind == ERR_BAD ? 0 : -1;
}

/*
 * The oldest one that the rules accept: 1, 0, -1.  Of what stands on others
 * that wait, the first of these is as old.
 */
static int
find_oldest(struct pool_row *found, struct search *s, struct err *e)
{
	struct pool_row row[PAGE], *after = NULL;
	size_t n = PAGE;
	int got = 0;

	while (got == 0 && n == PAGE) {
		got = pool_index_page(row, PAGE, &n, s->view.db, after, false,
		    NULL, e);
		for (size_t i = 0; i < n && got == 0; i++) {
			*found = row[i];
			if (row[i].doubt == POOL_STANDS)
				got = 1;
			else if (row[i].doubt == POOL_DOUBT)
				got = try_row(s, &row[i], e);
		}
		after = &row[PAGE - 1];
	}
	return got;
}

/* When the segment came here. */
static int
came(int64_t *since_ms, const struct repo *r, const struct pool_row *row)
{
	char path[FS_NAME_MAX];
	struct stat st;

	snprintf(path, sizeof(path), POOL_DIR "/%s", row->segment);
	if (fstatat(r->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	*since_ms = (int64_t)st.st_mtim.tv_sec * 1000 +
	    st.st_mtim.tv_nsec / 1000000;
	return 1;
}

int
work_waits(int64_t *since_ms, struct repo *r, int64_t now_ms, struct err *e)
{
	struct search s = { .repo = r };
	struct pool_row row;
	int64_t hour = now_ms - now_ms % STAMP_HOUR_MS;
	struct head h;
	struct db *db;
	int ret;

	if (chain_head(&h, r, e) != 0 || pool_index_refresh(r, e) != 0 ||
	    db_of(&db, r, e) != 0)
		return -1;
	state_view_init(&s.view, r, db);
	s.view.verify = state_verify_came;
	s.view.verify_arg = db;
	s.now_ms = now_ms > h.time_ms ? now_ms : h.time_ms + 1;
	if ((ret = find_oldest(&row, &s, e)) < 0)
		return -1;
	if (ret == 1)
		ret = came(since_ms, r, &row);
	if (hour > h.time_ms) {
		if (ret == 0 || hour < *since_ms)
			*since_ms = hour;
		ret = 1;
	}
	return ret;
}
