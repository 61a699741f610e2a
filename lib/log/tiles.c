#define _GNU_SOURCE	/* fstatat */
#include "log/tiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs_batch.h"
#include "base/stamp.h"

#define PATH_LEN (sizeof(TREE_DIR) + TILE_PATH_LEN)
#define BATCH 4096			/* files that are synced together */
#define BUNDLE_ENTRY (2 + HASH_LEN)	/* bytes: the length and the id */

struct writer {
	struct repo *repo;
	struct db *db;
	uint64_t size;			/* of the tree */
	size_t *written;
	/* Which partial tiles the hours have: by level and width. */
	bool part[TILE_LEVELS][TILE_WIDTH];
	struct buf data;
	struct fs_batch batch;
};

static void
path_of(char out[PATH_LEN], const struct tile *t)
{
	memcpy(out, TREE_DIR "/", sizeof(TREE_DIR));
	tile_path(out + sizeof(TREE_DIR), t);
}

static size_t
length_of(const struct tile *t)
{
	return (size_t)t->width * (t->level == TILE_ENTRIES ? BUNDLE_ENTRY :
	    HASH_LEN);
}

/* Is a file of that length there?  A crash leaves a whole one or none. */
static bool
is_there(struct writer *w, const struct tile *t)
{
	char path[PATH_LEN];
	struct stat st;

	path_of(path, t);
	return fstatat(w->repo->dirfd, path, &st, 0) == 0 &&
	    S_ISREG(st.st_mode) && (size_t)st.st_size == length_of(t);
}

/* --- what is in a tile ---------------------------------------------------- */

static int
add_leaf(void *arg, const struct hash *id, struct err *e)
{
	struct buf *data = arg;
	struct hash leaf;

	(void)e;
	merkle_leaf(&leaf, id->b, HASH_LEN);
	buf_add(data, leaf.b, HASH_LEN);
	return 0;
}

static int
add_entry(void *arg, const struct hash *id, struct err *e)
{
	struct buf *data = arg;

	(void)e;
	buf_addc(data, 0);
	buf_addc(data, HASH_LEN);
	buf_add(data, id->b, HASH_LEN);
	return 0;
}

/* Each hash of a higher tile is the root of a whole one below. */
static int
add_roots(struct writer *w, const struct tile *t, struct err *e)
{
	struct hash below[TILE_WIDTH], root;
	struct tile b = { t->level - 1, 0, TILE_WIDTH };

	for (unsigned i = 0; i < t->width; i++) {
		int got;

		b.index = t->index * TILE_WIDTH + i;
		if ((got = tree_read_tile(below, w->repo, &b, e)) != 1)
			return got < 0 ? -1 : err_set(e, ERR_AGAIN, "%s: "
			    "changes while it is read", TREE_DIR);
		tile_root(&root, below, TILE_WIDTH);
		buf_add(&w->data, root.b, HASH_LEN);
	}
	return 0;
}

static int
fill(struct writer *w, const struct tile *t, struct err *e)
{
	uint64_t from = t->index * TILE_WIDTH;
	int ret;

	buf_reset(&w->data);
	if (t->level > 0)
		ret = add_roots(w, t, e);
	else
		ret = tree_each_id(w->db, from, from + t->width,
		    t->level == 0 ? add_leaf : add_entry, &w->data, e);
	return ret == 0 ? buf_check(&w->data, TREE_DIR, e) : -1;
}

/* --- writing -------------------------------------------------------------- */

/* The folders that a path needs. */
static int
make_folders(struct writer *w, const char *path, struct err *e)
{
	char dir[PATH_LEN];

	for (const char *at = path; (at = strchr(at, '/')) != NULL; at++) {
		memcpy(dir, path, (size_t)(at - path));
		dir[at - path] = '\0';
		if (fs_mkdir(w->repo->dirfd, dir, 0700, e) != 0)
			return -1;
	}
	return 0;
}

/* Parts of what is whole now are not needed any more. */
static int
remove_parts(struct writer *w, const struct tile *t, struct err *e)
{
	struct fs_names list;
	char dir[FS_NAME_MAX], path[FS_NAME_MAX + 256];
	char whole[PATH_LEN];
	int ret = 0;

	path_of(whole, t);
	snprintf(dir, sizeof(dir), "%s.p", whole);
	if (fs_list(&list, w->repo->dirfd, dir, e) != 0)
		return -1;
	for (size_t i = 0; i < list.n && ret == 0; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, list.name[i]);
		if (unlinkat(w->repo->dirfd, path, 0) != 0 && errno != ENOENT)
			ret = err_sys(e, "%s", path);
	}
	fs_names_free(&list);
	if (ret == 0 && unlinkat(w->repo->dirfd, dir, AT_REMOVEDIR) != 0 &&
	    errno != ENOENT)
		ret = err_sys(e, "%s", dir);
	return ret;
}

static int
put(struct writer *w, const struct tile *t, struct err *e)
{
	char path[PATH_LEN];

	path_of(path, t);
	if (fill(w, t, e) != 0 || make_folders(w, path, e) != 0 ||
	    fs_batch_put(&w->batch, path, buf_span(&w->data), 0600, e) != 0)
		return -1;
	++*w->written;
	return 0;
}

/* All whole tiles of one level, or the bundles; then what they replace goes. */
static int
put_whole(struct writer *w, int level, uint64_t n, struct err *e)
{
	struct tile t = { level, 0, TILE_WIDTH };
	uint64_t first = n;

	for (; t.index < n; t.index++) {
		if (is_there(w, &t))
			continue;
		if (first == n)
			first = t.index;
		if (put(w, &t, e) != 0 || (w->batch.n == BATCH &&
		    fs_batch_commit(&w->batch, e) != 0))
			return -1;
	}
	if (fs_batch_commit(&w->batch, e) != 0)
		return -1;
	for (t.index = first; t.index < n; t.index++)
		if (remove_parts(w, &t, e) != 0)
			return -1;
	return 0;
}

static int
put_level(struct writer *w, int level, struct err *e)
{
	struct tile t = { level, tile_hashes(w->size, level) / TILE_WIDTH, 1 };

	if (put_whole(w, level, t.index, e) != 0)
		return -1;
	for (; t.width < TILE_WIDTH; t.width++)
		if (w->part[level == TILE_ENTRIES ? 0 : level][t.width] &&
		    !is_there(w, &t) && put(w, &t, e) != 0)
			return -1;
	return fs_batch_commit(&w->batch, e);
}

/* --- which parts ---------------------------------------------------------- */

/* The tree of that size has these parts, if their tiles are not whole yet. */
static void
mark(struct writer *w, uint64_t size)
{
	for (int level = 0; level < TILE_LEVELS; level++) {
		uint64_t n = tile_hashes(size, level);

		if (n / TILE_WIDTH == tile_hashes(w->size, level) / TILE_WIDTH)
			w->part[level][n % TILE_WIDTH] = true;
	}
}

/* The trees at the ends of all hours that are over. */
static int
mark_hours(struct writer *w, const struct head *head, struct err *e)
{
	sqlite3_stmt *s;
	int ret;

	if (db_stmt(&s, w->db, "SELECT max(size) FROM block WHERE height<=?1 "
	    "AND time<?2 GROUP BY time/?3", e) != 0)
		return -1;
	db_bind_int(s, 1, (int64_t)head->height);
	db_bind_int(s, 2, head->time_ms - head->time_ms % STAMP_HOUR_MS);
	db_bind_int(s, 3, STAMP_HOUR_MS);
	while ((ret = db_step(w->db, s, e)) == 1)
		mark(w, (uint64_t)sqlite3_column_int64(s, 0));
	return ret;
}

/* Do they give the root that the blocks have? */
static int
check_root(struct writer *w, const struct head *head, struct err *e)
{
	struct hash want, is;
	struct tree *t;
	int ret;

	if (tree_open(&t, w->repo, w->db, e) != 0)
		return -1;
	ret = merkle_root_at(&is, w->size, tree_node, t, e);
	tree_close(t);
	merkle_root(&want, &head->tree);
	if (ret != 0 || hash_eq(&is, &want))
		return ret;
	return err_set(e, ERR_BAD, "%s/%s is damaged: remove it, and "
	    "ehr-log-merkle --roll makes it again", w->repo->path, TREE_DIR);
}

int
tiles_roll(struct repo *r, struct db *db, const struct head *head,
    size_t *written, struct err *e)
{
	struct writer w = { .repo = r, .db = db, .size = head->tree.size,
	    .written = written, .data = BUF_INIT(TILE_WIDTH * BUNDLE_ENTRY) };
	int lock, ret;

	lock = fs_lock(r->dirfd, "logs.lock", 30000, e);
	if (lock < 0)
		return -1;
	fs_batch_init(&w.batch, r->dirfd, "tmp");
	ret = mark_hours(&w, head, e);
	for (int level = 0; level < TILE_LEVELS && ret == 0; level++)
		ret = put_level(&w, level, e);
	if (ret == 0)
		ret = put_level(&w, TILE_ENTRIES, e);
	if (ret == 0)
		ret = check_root(&w, head, e);
	fs_batch_free(&w.batch);
	close(lock);
	buf_free(&w.data);
	return ret;
}
