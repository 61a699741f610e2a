#include "log/hourly.h"

#include <stdio.h>
#include <unistd.h>

#include "base/stamp.h"
#include "net/proto.h"
#include "store/blocks.h"

void
hourly_path(char out[HOURLY_PATH_LEN], int64_t hour_ms)
{
	char hour[STAMP_HOUR_LEN + 1];

	stamp_hour_format(hour, hour_ms);
	snprintf(out, HOURLY_PATH_LEN, "logs/%s", hour);
}

static int64_t
hour_of(int64_t ms)
{
	return ms - ms % STAMP_HOUR_MS;
}

/* Append the lines of one block. */
static int
add_block(struct buf *out, struct merkle *tree, struct repo *r, struct db *db,
    uint64_t height, struct err *e)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);
	struct span body, note;
	struct lookup_tx at;
	struct hash leaf;
	struct block b;
	struct tx tx;
	int ret = -1;

	if (chain_read(&text, r, height, e) != 0 ||
	    block_parse(&b, buf_span(&text), true, repo_ledger(r), e) != 0)
		goto out;
	body = b.body;
	while (block_next_tx(&body, &note) == 1) {
		if (tx_parse(&tx, note, repo_ledger(r), e) != 0)
			goto out;
		ret = lookup_tx(&at, db, &tx.id, e);
		if (ret == 1)
			hourtext_add_line(out, &tx, span_str(at.user));
		merkle_leaf(&leaf, tx.id.b, HASH_LEN);
		merkle_add(tree, &leaf);
		tx_free(&tx);
		if (ret != 1) {
			ret = ret < 0 ? -1 : err_set(e, ERR_BAD, "state.db: "
			    "lacks a transaction of block %llu; remove it",
			    (unsigned long long)height);
			goto out;
		}
	}
	ret = 0;
out:
	buf_free(&text);
	return ret;
}

int
hourly_text(struct buf *out, struct repo *r, struct db *db,
    const struct head *head, int64_t hour_ms, const struct hash *previous,
    struct merkle *tree, struct err *e)
{
	struct hourtext_head h = { hour_ms, *previous };
	uint64_t from, until;

	merkle_init(tree);
	hourtext_add_head(out, &h, repo_ledger(r));
	if (blocks_at_time(&from, db, head->height, hour_ms, e) != 0 ||
	    blocks_at_time(&until, db, head->height,
	    hour_ms + STAMP_HOUR_MS, e) != 0)
		return -1;
	for (; from < until; from++)
		if (add_block(out, tree, r, db, from, e) != 0)
			return -1;
	return buf_check(out, "log", e);
}

/* Read a log from disk. */
static int
read_log(struct hourtext_head *h, struct merkle *tree, struct repo *r,
    int64_t hour_ms, struct err *e)
{
	struct buf text = BUF_INIT(HOURTEXT_MAX);
	char path[HOURLY_PATH_LEN];
	int ret;

	hourly_path(path, hour_ms);
	ret = fs_read(&text, r->dirfd, path, e);
	if (ret == 0 && hourtext_parse(h, tree, buf_span(&text),
	    repo_ledger(r), e) != 0)
		ret = err_wrap(e, "%s", path);
	buf_free(&text);
	if (ret == 0 && h->hour_ms != hour_ms)
		return err_set(e, ERR_BAD, "%s: is of another hour", path);
	return ret;
}

int
hourly_root(struct hash *root, uint64_t *size, struct repo *r,
    int64_t hour_ms, struct err *e)
{
	struct hourtext_head h;
	struct merkle tree;

	if (read_log(&h, &tree, r, hour_ms, e) != 0)
		return -1;
	merkle_root(root, &tree);
	*size = tree.size;
	return 0;
}

int
hourly_roots(struct repo *r, int64_t hour_ms, uint64_t count,
    struct buf *answer, struct err *e)
{
	struct proto_root root = { .hour_ms = hour_ms };

	for (; count > 0 && root.hour_ms <= STAMP_MAX_MS;
	    count--, root.hour_ms += STAMP_HOUR_MS) {
		if (hourly_root(&root.root, &root.size, r, root.hour_ms,
		    e) == 0) {
			proto_root_format(answer, &root);
			buf_addc(answer, '\n');
		} else if (e->kind == ERR_SYS)
			return -1;
	}
	return 0;
}

/* They are named so that the last by name is the newest. */
int
hourly_newest(int64_t *hour_ms, struct repo *r, const struct head *head,
    struct err *e)
{
	struct fs_names list;

	if (fs_list(&list, r->dirfd, "logs", e) != 0)
		return -1;
	*hour_ms = -1;
	for (size_t i = list.n; i-- > 0 && *hour_ms < 0;)
		if (stamp_hour_parse(hour_ms, span_str(list.name[i])) != 0 ||
		    *hour_ms > head->time_ms)
			*hour_ms = -1;
	fs_names_free(&list);
	return 0;
}

/*
 * Where to begin: the newest log, which may have been open when it was
 * written, with the root that its head names; else, or for all, the genesis.
 */
static int
start(int64_t *hour_ms, struct hash *previous, struct repo *r,
    const struct head *head, bool all, struct err *e)
{
	struct hourtext_head h;
	struct merkle tree;

	merkle_init(&tree);
	merkle_root(previous, &tree);
	if (hourly_newest(hour_ms, r, head, e) != 0)
		return -1;
	if (all || *hour_ms < 0) {
		*hour_ms = hour_of(r->genesis->time_ms);
		return 0;
	}
	if (read_log(&h, &tree, r, *hour_ms, e) != 0)
		return -1;
	*previous = h.previous;
	return 0;
}

/* Write a log unless it is there with the same bytes. */
static int
put_log(struct repo *r, int64_t hour_ms, struct span text, size_t *written,
    struct err *e)
{
	struct buf old = BUF_INIT(HOURTEXT_MAX);
	char path[HOURLY_PATH_LEN];
	int ret;

	hourly_path(path, hour_ms);
	ret = fs_read(&old, r->dirfd, path, e);
	if (ret == 0 && span_eq(buf_span(&old), text)) {
		buf_free(&old);
		return 0;
	}
	buf_free(&old);
	if (ret != 0 && e->kind != ERR_NO)
		return -1;
	++*written;
	return fs_write(r->dirfd, path, "tmp", text, 0600, false, e);
}

static int
roll(struct repo *r, bool all, size_t *written, struct err *e)
{
	struct hash previous;
	struct merkle tree;
	struct head head;
	struct db *db;
	int64_t hour;

	if (chain_head(&head, r, e) != 0 || db_of(&db, r, e) != 0 ||
	    start(&hour, &previous, r, &head, all, e) != 0)
		return -1;
	for (; hour <= head.time_ms; hour += STAMP_HOUR_MS) {
		struct buf text = BUF_INIT(HOURTEXT_MAX);
		int ret = hourly_text(&text, r, db, &head, hour, &previous,
		    &tree, e);

		if (ret == 0)
			ret = put_log(r, hour, buf_span(&text), written, e);
		buf_free(&text);
		if (ret != 0)
			return -1;
		merkle_root(&previous, &tree);
	}
	return 0;
}

static int
roll_locked(struct repo *r, bool all, size_t *written, struct err *e)
{
	size_t ignored;
	int lock, ret;

	if (written == NULL)
		written = &ignored;
	*written = 0;
	lock = fs_lock(r->dirfd, "logs.lock", 30000, e);
	if (lock < 0)
		return -1;
	ret = roll(r, all, written, e);
	close(lock);
	return ret;
}

int
hourly_roll(struct repo *r, size_t *written, struct err *e)
{
	return roll_locked(r, false, written, e);
}

int
hourly_roll_all(struct repo *r, size_t *written, struct err *e)
{
	return roll_locked(r, true, written, e);
}
