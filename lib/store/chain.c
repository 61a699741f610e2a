#define _GNU_SOURCE	/* faccessat */
#include "store/chain.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fs_batch.h"
#include "base/gz.h"
#include "store/early.h"
#include "store/pool_index.h"

/* Blocks applied in one database transaction while catching up. */
#define CATCH_UP_BATCH 64

void
chain_path(char out[CHAIN_PATH_LEN], uint64_t height)
{
	snprintf(out, CHAIN_PATH_LEN, "blocks/%06llu/%09llu.gz",
	    (unsigned long long)(height / 1000), (unsigned long long)height);
}

int
chain_read_packed(struct buf *out, struct repo *r, uint64_t height,
    struct err *e)
{
	char path[CHAIN_PATH_LEN];

	chain_path(path, height);
	return fs_read(out, r->dirfd, path, e);
}

int
chain_read(struct buf *text, struct repo *r, uint64_t height, struct err *e)
{
	struct buf packed = BUF_INIT(CHAIN_FILE_MAX);
	char path[CHAIN_PATH_LEN];
	int ret;

	chain_path(path, height);
	ret = fs_read(&packed, r->dirfd, path, e);
	if (ret == 0)
		ret = gz_unpack(text, buf_span(&packed), path, e);
	buf_free(&packed);
	return ret;
}

/* The state's head inside a transaction, filled from the genesis if empty. */
static int
head_in(struct head *h, struct repo *r, struct db *db, struct err *e)
{
	int ret = state_head(h, db, e);

	if (ret != 0)
		return ret < 0 ? -1 : 0;
	if (state_genesis(db, r->genesis, e) != 0)
		return -1;
	return state_head(h, db, e) == 1 ? 0 : -1;
}

static int
rollback(struct db *db, int ret)
{
	struct err ignored;

	db_exec(db, "ROLLBACK", &ignored);
	return ret;
}

/* Apply the block on disk after *h.  1 done, 0 there is none, -1. */
static int
apply_next_file(struct repo *r, struct db *db, struct head *h, struct err *e)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);
	struct delegates set;
	uint64_t signers;
	struct block b;
	int ret = -1;

	if (chain_read(&text, r, h->height + 1, e) != 0) {
		buf_free(&text);
		return e->kind == ERR_NO ? 0 : -1;
	}
	if (block_parse(&b, buf_span(&text), true, repo_ledger(r), e) == 0 &&
	    state_delegates(&set, db, h->height + 1, e) == 0 &&
	    certificate_check(b.certificate, &b.h, &set, repo_ledger(r),
	    &signers, e) == 0 &&
	    chain_advance(r, db, h, &b, &set, CHAIN_RULES, NULL, e) == 0)
		ret = 1;
	buf_free(&text);
	if (ret != 1 && e->kind == ERR_NO)
		e->kind = ERR_BAD;	/* our own disk holds a wrong block */
	return ret;
}

static bool
have_file(struct repo *r, uint64_t height)
{
	char path[CHAIN_PATH_LEN];

	chain_path(path, height);
	return faccessat(r->dirfd, path, F_OK, 0) == 0;
}

/*
 * A state is never ahead of the blocks, whatever crashes: if it is, blocks were
 * lost, or an older copy of them was put in their place.
 */
static int
check_state(struct repo *r, struct db *db, const struct head *h,
    struct err *e)
{
	int ret = state_is_of(db, repo_ledger(r), e);

	if (ret == 0)
		return err_set(e, ERR_BAD, "state.db is another ledger's: "
		    "remove it");
	if (ret < 0 || h->height == 0 || have_file(r, h->height))
		return ret < 0 ? -1 : 0;
	return err_set(e, ERR_BAD, "state.db knows block %llu, which is not in "
	    "blocks: put it back, or remove state.db to go on from those that "
	    "are there", (unsigned long long)h->height);
}

int
chain_catch_up(struct repo *r, struct err *e)
{
	struct head h;
	struct db *db;
	int ret;

	if (db_of(&db, r, e) != 0 || (ret = state_head(&h, db, e)) < 0)
		return -1;
	if (ret == 1 && check_state(r, db, &h, e) != 0)
		return -1;
	if (ret == 1 && !have_file(r, h.height + 1))
		return 0;
	do {
		if (db_exec(db, "BEGIN IMMEDIATE", e) != 0)
			return -1;
		ret = head_in(&h, r, db, e) == 0 ? 1 : -1;
		for (int i = 0; i < CATCH_UP_BATCH && ret == 1; i++)
			ret = apply_next_file(r, db, &h, e);
		if (ret < 0)
			return rollback(db, -1);
		if (db_exec(db, "COMMIT", e) != 0)
			return rollback(db, -1);
	} while (ret == 1);
	return 0;
}

int
chain_head(struct head *h, struct repo *r, struct err *e)
{
	struct db *db;
	int ret;

	if (chain_catch_up(r, e) != 0 || db_of(&db, r, e) != 0)
		return -1;
	ret = state_head(h, db, e);
	return ret == 1 ? 0 : ret == 0 ?
	    err_set(e, ERR_BAD, "state.db: empty") : -1;
}

static int
not_ahead(const struct block *b, const struct settings *s, int64_t now_ms,
    struct err *e)
{
	if (b->h.time_ms <= now_ms || b->h.time_ms - now_ms <= s->skew_ms)
		return 0;
	return err_set(e, ERR_NO, "block %llu: its time lies in the future",
	    (unsigned long long)b->h.height);
}

/* Would it go on top of the state as it is now? */
static int
try_block(struct repo *r, const struct block *b, struct err *e)
{
	struct verify_batch *batch = NULL;
	struct delegates set;
	struct head h;
	struct db *db;
	int ret = -1;

	if (chain_catch_up(r, e) != 0 || pool_index_refresh(r, e) != 0 ||
	    db_of(&db, r, e) != 0 ||
	    db_exec(db, "BEGIN IMMEDIATE", e) != 0)
		return -1;
	if (head_in(&h, r, db, e) == 0 &&
	    state_delegates(&set, db, h.height + 1, e) == 0 &&
	    verify_open(&batch, e) == 0)
		ret = chain_advance(r, db, &h, b, &set, CHAIN_TRY, batch, e);
	/* Verifying takes longest, and needs no state: others may go on. */
	rollback(db, 0);
	if (ret == 0)
		ret = verify_all(batch, e);
	verify_free(batch);
	return ret;
}

int
chain_check(struct repo *r, struct span content, int64_t now_ms,
    struct err *e)
{
	struct block b;
	int lock, ret;

	if (block_parse(&b, content, false, repo_ledger(r), e) != 0 ||
	    not_ahead(&b, &r->genesis->settings, now_ms, e) != 0)
		return -1;
	/* What is being verified is here in a moment. */
	lock = early_wait(r);
	ret = try_block(r, &b, e);
	if (lock >= 0)
		close(lock);
	return ret;
}

/* Write the block's file under a temporary name; one that a crash left behind
 * will be replaced. */
static int
write_file(struct repo *r, struct fs_batch *files, const struct block *b,
    const struct chain_block *c, struct err *e)
{
	struct buf buf = BUF_INIT(CHAIN_FILE_MAX);
	char path[CHAIN_PATH_LEN], dir[CHAIN_PATH_LEN];
	struct span packed = c->packed;
	int ret = 0;

	chain_path(path, b->h.height);
	memcpy(dir, path, sizeof(dir));
	*strrchr(dir, '/') = '\0';
	if (packed.n == 0) {
		ret = gz_pack(&buf, c->text, e);
		packed = buf_span(&buf);
	}
	if (ret == 0)
		ret = fs_mkdir(r->dirfd, dir, 0700, e);
	if (ret == 0)
		ret = fs_batch_put(files, path, packed, 0600, e);
	buf_free(&buf);
	return ret;
}

/* Is this the block that we have at its height?  1, 0 or -1. */
static int
have_already(struct db *db, const struct block *b, struct err *e)
{
	sqlite3_stmt *s;
	struct hash id;
	int ret;

	if (db_stmt(&s, db, "SELECT id FROM block WHERE height=?", e) != 0)
		return -1;
	db_bind_int(s, 1, (int64_t)b->h.height);
	if ((ret = db_step(db, s, e)) != 1)
		return ret;
	ret = db_column_hash(s, 0, &id);
	sqlite3_reset(s);
	return ret == 0 && hash_eq(&id, &b->h.id);
}

/* One of several: on the state, and its file under a temporary name. */
static int
apply_one(struct repo *r, struct db *db, struct head *h,
    const struct chain_block *c, int64_t now_ms, struct fs_batch *files,
    struct verify_batch *batch, struct err *e)
{
	struct delegates set;
	uint64_t signers;
	struct block b;
	int ret;

	if (block_parse(&b, c->text, true, repo_ledger(r), e) != 0 ||
	    not_ahead(&b, &r->genesis->settings, now_ms, e) != 0)
		return -1;
	if ((ret = have_already(db, &b, e)) != 0)
		return ret < 0 ? -1 : 0;
	if (state_delegates(&set, db, h->height + 1, e) != 0 ||
	    chain_follows(&b, h, &r->genesis->settings, &set, e) != 0)
		return -1;
	if (!c->certified && certificate_check(b.certificate, &b.h, &set,
	    repo_ledger(r), &signers, e) != 0)
		return -1;
	if (chain_advance(r, db, h, &b, &set, c->known ? CHAIN_NOTHING :
	    CHAIN_ALL, batch, e) != 0)
		return -1;
	return write_file(r, files, &b, c, e);
}

/*
 * All of them or none.  The disk is waited for while signatures are verified;
 * only then do the files get their names, and is the state committed.
 */
static int
apply_together(struct repo *r, struct db *db, const struct chain_block *all,
    size_t n, int64_t now_ms, struct err *e)
{
	struct verify_batch *batch = NULL;
	struct fs_batch files;
	struct head h;
	int ret = -1;

	fs_batch_init(&files, r->dirfd, "tmp");
	if (db_exec(db, "BEGIN IMMEDIATE", e) != 0)
		return -1;
	if (head_in(&h, r, db, e) == 0 && verify_open(&batch, e) == 0)
		ret = 0;
	if (ret == 0 && n > 1)
		verify_begin(batch);
	for (size_t i = 0; i < n && ret == 0; i++)
		ret = apply_one(r, db, &h, &all[i], now_ms, &files, batch, e);
	if (ret == 0)
		ret = fs_batch_sync(&files, e);
	if (ret == 0)
		ret = verify_all(batch, e);
	verify_free(batch);
	if (ret == 0)
		ret = fs_batch_commit(&files, e);
	fs_batch_free(&files);
	if (ret != 0)
		return rollback(db, -1);
	if (db_exec(db, "COMMIT", e) != 0)
		return rollback(db, -1);
	return 0;
}

int
chain_apply_all(struct repo *r, const struct chain_block *all, size_t n,
    int64_t now_ms, size_t *done, struct err *e)
{
	struct db *db;
	int ret;

	*done = 0;
	if (chain_catch_up(r, e) != 0 || db_of(&db, r, e) != 0)
		return -1;
	ret = apply_together(r, db, all, n, now_ms, e);
	if (ret == 0)
		*done = n;
	else if (n > 1 && e->kind != ERR_SYS)
		/* Which one is it?  Those before it are good. */
		for (ret = 0; *done < n; ++*done) {
			ret = apply_together(r, db, &all[*done], 1, now_ms, e);
			if (ret != 0)
				break;
		}
	return ret;
}

int
chain_apply(struct repo *r, struct span text, bool known, int64_t now_ms,
    struct err *e)
{
	struct chain_block one = { .text = text, .known = known };
	size_t done;

	return chain_apply_all(r, &one, 1, now_ms, &done, e);
}
