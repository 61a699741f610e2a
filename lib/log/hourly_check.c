#include <stdio.h>

#include "base/stamp.h"
#include "log/hourly.h"

/* Is a the start of b, up to the end of a line? */
static bool
is_start(struct span a, struct span b)
{
	return a.n > 0 && a.n <= b.n && a.p[a.n - 1] == '\n' &&
	    memcmp(a.p, b.p, a.n) == 0;
}

/*
 * One hour: NULL when it is right, else what is wrong.  The newest log may
 * have been written while its hour was open: then it is a start of the whole.
 */
static int
check_hour(const char **why, struct repo *r, struct db *db,
    const struct head *head, int64_t hour_ms, bool last,
    struct checked_logs *now, struct err *e)
{
	struct buf want = BUF_INIT(HOURTEXT_MAX), have = BUF_INIT(HOURTEXT_MAX);
	char path[HOURLY_PATH_LEN];
	struct merkle tree;
	int ret;

	hourly_path(path, hour_ms);
	*why = NULL;
	ret = hourly_text(&want, r, db, head, hour_ms, &now->root, &tree, e);
	if (ret == 0) {
		merkle_root(&now->root, &tree);
		checked_bind(&now->digest, buf_span(&want));
		ret = fs_read(&have, r->dirfd, path, e);
		if (ret != 0 && e->kind == ERR_NO) {
			*why = "is missing";
			ret = 0;
		} else if (ret == 0 &&
		    !span_eq(buf_span(&want), buf_span(&have)) &&
		    !(last && is_start(buf_span(&have), buf_span(&want))))
			*why = HOURLY_DIFFERS;
	}
	buf_free(&want);
	buf_free(&have);
	return ret;
}

/* Files that no hour of the chain accounts for. */
static int
check_surplus(struct repo *r, int64_t first, int64_t last, hourly_bad *bad,
    void *arg, struct err *e)
{
	struct fs_names list;
	int ret = 0;

	if (fs_list(&list, r->dirfd, "logs", e) != 0)
		return -1;
	for (size_t i = 0; i < list.n && ret == 0; i++) {
		char path[FS_NAME_MAX];
		int64_t ms;

		if (stamp_hour_parse(&ms, span_str(list.name[i])) == 0 &&
		    ms >= first && ms <= last)
			continue;
		snprintf(path, sizeof(path), "logs/%s", list.name[i]);
		ret = bad(arg, path, "is not a log of this chain", e);
	}
	fs_names_free(&list);
	return ret;
}

/*
 * The logs that the last check has found right, if they are there with the
 * same bytes: *now is what it was then.  1, 0, -1.
 */
static int
same_logs(struct checked_logs *now, struct repo *r, int64_t first,
    int64_t last, const struct checked_logs *was, struct err *e)
{
	struct buf text = BUF_INIT(HOURTEXT_MAX);
	struct hash digest = { { 0 } };
	char path[HOURLY_PATH_LEN];
	int ret = was->end_ms > first && was->end_ms <= last ? 1 : 0;

	for (int64_t hour = first; hour < was->end_ms && ret == 1;
	    hour += STAMP_HOUR_MS) {
		hourly_path(path, hour);
		buf_reset(&text);
		if (fs_read(&text, r->dirfd, path, e) != 0)
			ret = e->kind == ERR_SYS ? -1 : 0;
		checked_bind(&digest, buf_span(&text));
	}
	buf_free(&text);
	if (ret != 1 || !hash_eq(&digest, &was->digest))
		return ret < 0 ? -1 : 0;
	*now = *was;
	return 1;
}

/* Where to begin, and with what: after those that are known to be right, or
 * with the first. */
static int
begin(struct checked_logs *now, struct repo *r, int64_t first, int64_t last,
    const struct checked_logs *was, struct err *e)
{
	struct merkle tree;

	*now = (struct checked_logs){ .end_ms = first };
	merkle_init(&tree);
	merkle_root(&now->root, &tree);
	return same_logs(now, r, first, last, was, e) < 0 ? -1 : 0;
}

int
hourly_check_since(struct repo *r, struct db *db, const struct head *head,
    const struct checked_logs *was, struct checked_logs *now,
    uint64_t *checked, hourly_bad *bad, void *arg, struct err *e)
{
	int64_t first = r->genesis->time_ms - r->genesis->time_ms %
	    STAMP_HOUR_MS, last;
	struct checked_logs at;
	bool right = true;
	const char *why;

	/* What was never rolled is not missing. */
	if (hourly_newest(&last, r, head, e) != 0 ||
	    begin(&at, r, first, last, was, e) != 0)
		return -1;
	*checked = (uint64_t)((at.end_ms - first) / STAMP_HOUR_MS);
	*now = at;
	for (int64_t hour = at.end_ms; hour <= last; hour += STAMP_HOUR_MS) {
		char path[HOURLY_PATH_LEN];

		if (check_hour(&why, r, db, head, hour, hour == last, &at,
		    e) != 0)
			return -1;
		hourly_path(path, hour);
		if (why != NULL && bad(arg, path, why, e) != 0)
			return -1;
		right = right && why == NULL;
		at.end_ms = hour + STAMP_HOUR_MS;
		/* The newest may be a start of what it is to be. */
		if (right && hour < last)
			*now = at;
		++*checked;
	}
	return check_surplus(r, first, last, bad, arg, e);
}

int
hourly_check(struct repo *r, struct db *db, const struct head *head,
    uint64_t *checked, hourly_bad *bad, void *arg, struct err *e)
{
	const struct checked_logs none = { .end_ms = 0 };
	struct checked_logs now;

	return hourly_check_since(r, db, head, &none, &now, checked, bad, arg,
	    e);
}
