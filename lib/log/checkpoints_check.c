#include <stdio.h>
#include <stdlib.h>

#include "base/stamp.h"
#include "crypto/cosign.h"
#include "log/checkpoints.h"
#include "store/blocks.h"

#define DAY 10			/* characters of a day in a name */

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

/* --- all of them ---------------------------------------------------------- */

/* What has to be known for one, and what comes out. */
struct looking {
	struct repo *repo;
	struct db *db;
	const struct head *head;
	struct fs_names list;
	uint64_t *checked;
	hourly_bad *bad;
	void *arg;
	bool right;		/* none of those since it was set was bad */
};

static int
look(struct looking *l, const char *name, struct err *e)
{
	struct buf text = BUF_INIT(CHECKPOINT_MAX);
	char path[FS_NAME_MAX];
	const char *why;
	int ret = check(&why, l->repo, l->db, l->head, name, &text, e);

	buf_free(&text);
	++*l->checked;
	if (ret != 0 || why == NULL)
		return ret;
	l->right = false;
	snprintf(path, sizeof(path), CHECKPOINT_DIR "/%s", name);
	return l->bad(l->arg, path, why, e);
}

/* Those of one day, from number i on, are a group: up to which? */
static size_t
group_of(char name[CHECKED_NAME_MAX], const struct fs_names *l, size_t i)
{
	int64_t ms;

	name[0] = '\0';
	if (stamp_hour_parse(&ms, span_str(l->name[i])) != 0)
		return i + 1;
	snprintf(name, CHECKED_NAME_MAX, CHECKPOINT_DIR "/%.*s", DAY,
	    l->name[i]);
	while (++i < l->n && strncmp(l->name[i], l->name[i - 1], DAY) == 0)
		;
	return i;
}

/* Their names and bytes. */
static int
digest_of(struct hash *digest, const struct looking *l, size_t from, size_t to,
    struct err *e)
{
	struct buf text = BUF_INIT(CHECKPOINT_MAX);
	char path[FS_NAME_MAX];
	int ret = 0;

	memset(digest, 0, sizeof(*digest));
	for (; from < to && ret == 0; from++) {
		buf_reset(&text);
		snprintf(path, sizeof(path), CHECKPOINT_DIR "/%s",
		    l->list.name[from]);
		ret = fs_read(&text, l->repo->dirfd, path, e);
		checked_bind(digest, span_str(path));
		checked_bind(digest, buf_span(&text));
	}
	buf_free(&text);
	return ret == 0 ? 0 : e->kind == ERR_SYS ? -1 : 1;
}

/* A group, or if its name is empty one that is of none. */
static int
look_group(struct looking *l, const char *name, size_t from, size_t to,
    const struct checked_groups *was, struct checked_groups *now,
    struct err *e)
{
	const struct checked_group *g = checked_find(was, name);
	struct hash digest;
	int got = digest_of(&digest, l, from, to, e);
	bool same = got == 0 && g != NULL && hash_eq(&g->digest, &digest);

	l->right = got == 0;
	if (same)
		*l->checked += to - from;
	for (; from < to && got >= 0 && !same; from++)
		if (look(l, l->list.name[from], e) != 0)
			return -1;
	if (got < 0 || !l->right || name[0] == '\0')
		return got < 0 ? -1 : 0;
	return checked_add(now, name, 0, &digest, e);
}

int
checkpoints_check_since(struct repo *r, struct db *db,
    const struct head *head, const struct checked_groups *was,
    struct checked_groups *now, uint64_t *checked, hourly_bad *bad, void *arg,
    struct err *e)
{
	struct looking l = { r, db, head, { NULL, 0 }, checked, bad, arg,
	    true };
	char name[CHECKED_NAME_MAX];
	int ret = 0;

	*checked = 0;
	if (fs_list(&l.list, r->dirfd, CHECKPOINT_DIR, e) != 0)
		return -1;
	for (size_t i = 0, end; i < l.list.n && ret == 0; i = end) {
		end = group_of(name, &l.list, i);
		ret = look_group(&l, name, i, end, was, now, e);
	}
	if (ret == 0)
		ret = check_newest(r, &l.list, bad, arg, e);
	fs_names_free(&l.list);
	return ret;
}

int
checkpoints_check(struct repo *r, struct db *db, const struct head *head,
    uint64_t *checked, hourly_bad *bad, void *arg, struct err *e)
{
	const struct checked_groups none = { NULL, 0 };
	struct checked_groups now = { NULL, 0 };
	int ret = checkpoints_check_since(r, db, head, &none, &now, checked,
	    bad, arg, e);

	free(now.v);
	return ret;
}
