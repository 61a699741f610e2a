#include <stdio.h>

#include "base/stamp.h"
#include "crypto/cosign.h"
#include "log/checkpoints.h"
#include "store/blocks.h"

int
checkpoints_line_ok(struct db *db, const struct checkpoint *c, size_t i,
    const struct hash *ledger, struct err *e)
{
	bool log = checkpoint_is_log(c, i, ledger);
	struct span name = c->note.sig[i].name;
	struct err ignored;
	sqlite3_stmt *s;
	int ret;

	if (db_stmt(&s, db, "SELECT sign FROM key WHERE name IN "
	    "(SELECT name FROM node) AND (?1 IS NULL OR name=?1)", e) != 0)
		return -1;
	if (!log)
		db_bind_span(s, 1, name);
	while ((ret = db_step(db, s, e)) == 1) {
		struct sign_pub pub;
		uint64_t time_s;

		if (sign_pub_parse(&pub, db_column_span(s, 0), e) != 0)
			ret = -1;
		else if (checkpoint_verify(c, i, ledger, name, &pub, &time_s,
		    &ignored) != 0)
			continue;
		sqlite3_reset(s);
		return ret;
	}
	return ret;
}

int
checkpoints_signed(struct db *db, const struct checkpoint *c,
    const struct hash *ledger, struct err *e)
{
	int got = 0;

	for (size_t i = 0; i < c->note.nsigs && got == 0; i++)
		got = checkpoints_line_ok(db, c, i, ledger, e);
	return got;
}

int
checkpoints_contradicts(struct repo *r, struct db *db,
    const struct head *head, const char *name, struct err *e)
{
	struct buf text = BUF_INIT(CHECKPOINT_MAX);
	struct checkpoint c;
	struct hash root;
	int got;

	if (checkpoints_read(&c, &text, r, name, e) != 0)
		got = e->kind == ERR_SYS ? -1 : 0;
	else if ((got = signer_root(&root, r, db, head, c.size, e)) == 1 &&
	    hash_eq(&root, &c.root))
		got = 0;
	else if (got >= 0)
		got = checkpoints_signed(db, &c, repo_ledger(r), e);
	buf_free(&text);
	return got;
}

/* What is wrong with one, in *why, or NULL. */
static int
check(const char **why, struct repo *r, struct db *db,
    const struct head *head, const char *name, struct buf *text,
    struct err *e)
{
	struct checkpoint c;
	struct hash root;
	uint64_t size;
	int64_t hour;
	int got;

	*why = "is not named by an hour that is over";
	if (stamp_hour_parse(&hour, span_str(name)) != 0 ||
	    hour + STAMP_HOUR_MS > head->time_ms)
		return 0;
	*why = "is not a checkpoint of this ledger";
	if (checkpoints_read(&c, text, r, name, e) != 0)
		return e->kind == ERR_SYS ? -1 : 0;
	if (blocks_size_before(&size, db, head->height, hour + STAMP_HOUR_MS,
	    e) != 0 || (got = signer_root(&root, r, db, head, c.size, e)) < 0)
		return -1;
	*why = "is not the tree at the end of that hour";
	if (got == 0 || c.size != size || !hash_eq(&root, &c.root))
		return 0;
	*why = "has a signature that is no node's";
	for (size_t i = 0; i < c.note.nsigs; i++)
		if ((got = checkpoints_line_ok(db, &c, i, repo_ledger(r),
		    e)) != 1)
			return got;
	*why = NULL;
	return 0;
}

/* The copy for those who read the tiles. */
static int
check_newest(struct repo *r, const struct fs_names *list, hourly_bad *bad,
    void *arg, struct err *e)
{
	struct buf copy = BUF_INIT(CHECKPOINT_MAX);
	struct buf text = BUF_INIT(CHECKPOINT_MAX);
	char path[FS_NAME_MAX];
	bool same = false;
	int ret;

	ret = fs_read(&copy, r->dirfd, TREE_DIR "/checkpoint", e);
	if (ret == 0 && list->n > 0) {
		snprintf(path, sizeof(path), CHECKPOINT_DIR "/%s",
		    list->name[list->n - 1]);
		same = fs_read(&text, r->dirfd, path, e) == 0 &&
		    span_eq(buf_span(&copy), buf_span(&text));
	}
	if (ret != 0 && e->kind == ERR_NO)
		ret = 0;
	else if (!same)
		ret = bad(arg, TREE_DIR "/checkpoint",
		    "is not the newest checkpoint", e);
	buf_free(&copy);
	buf_free(&text);
	return ret;
}

int
checkpoints_check(struct repo *r, struct db *db, const struct head *head,
    uint64_t *checked, hourly_bad *bad, void *arg, struct err *e)
{
	struct buf text = BUF_INIT(CHECKPOINT_MAX);
	struct fs_names list;
	int ret = 0;

	*checked = 0;
	if (fs_list(&list, r->dirfd, CHECKPOINT_DIR, e) != 0)
		return -1;
	for (size_t i = 0; i < list.n && ret == 0; i++) {
		char path[FS_NAME_MAX];
		const char *why;

		buf_reset(&text);
		++*checked;
		snprintf(path, sizeof(path), CHECKPOINT_DIR "/%s",
		    list.name[i]);
		ret = check(&why, r, db, head, list.name[i], &text, e);
		if (ret == 0 && why != NULL)
			ret = bad(arg, path, why, e);
	}
	if (ret == 0)
		ret = check_newest(r, &list, bad, arg, e);
	fs_names_free(&list);
	buf_free(&text);
	return ret;
}
