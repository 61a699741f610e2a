#define _GNU_SOURCE	/* fstatat, faccessat */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/tiles.h"
#include "store/blocks.h"

#define DEPTH_MAX 13			/* of folders in folders */
#define BUNDLE_ENTRY (2 + HASH_LEN)

/* One tile as it is gathered, of each level, and the bundle. */
struct gather {
	struct tile t;			/* width: so far */
	unsigned char data[TILE_WIDTH * BUNDLE_ENTRY];
};

struct checker {
	struct repo *repo;
	uint64_t size, need;
	uint64_t *checked;
	hourly_bad *bad;
	void *arg;
	struct gather level[TILE_LEVELS], bundle;
};

static size_t
unit(const struct tile *t)
{
	return t->level == TILE_ENTRIES ? BUNDLE_ENTRY : HASH_LEN;
}

static void
path_of(char out[FS_NAME_MAX], const struct tile *t)
{
	char path[TILE_PATH_LEN];

	tile_path(path, t);
	snprintf(out, FS_NAME_MAX, TREE_DIR "/%s", path);
}

/*
 * Hold a file against the first width hashes of what was gathered.  *there
 * tells whether there is one.
 */
static int
compare(struct checker *k, const struct gather *g, unsigned width,
    bool *there, struct err *e)
{
	struct buf have = BUF_INIT(sizeof(g->data) + 1);
	struct tile t = g->t;
	char path[FS_NAME_MAX];
	int ret;

	t.width = width;
	path_of(path, &t);
	ret = fs_read(&have, k->repo->dirfd, path, e);
	*there = ret == 0 || e->kind != ERR_NO;
	if (ret != 0 && e->kind == ERR_SYS) {
		buf_free(&have);
		return -1;
	}
	*k->checked += *there;
	if (*there && (ret != 0 || !span_eq(buf_span(&have),
	    span_of(g->data, width * unit(&t)))))
		ret = k->bad(k->arg, path, "differs from what the blocks give",
		    e);
	else
		ret = 0;
	buf_free(&have);
	return ret;
}

/* The parts of a tile that are there. */
static int
compare_parts(struct checker *k, const struct gather *g, struct err *e)
{
	struct tile t = g->t;
	char whole[FS_NAME_MAX], dir[FS_NAME_MAX + 2], path[TILE_PATH_LEN];
	struct fs_names list;
	bool there;
	int ret = 0;

	t.width = TILE_WIDTH;
	path_of(whole, &t);
	snprintf(dir, sizeof(dir), "%s.p", whole);
	if (fs_list(&list, k->repo->dirfd, dir, e) != 0)
		return -1;
	for (size_t i = 0; i < list.n && ret == 0; i++)
		if ((size_t)snprintf(path, sizeof(path), "%s/%s",
		    dir + sizeof(TREE_DIR), list.name[i]) < sizeof(path) &&
		    tile_parse(&t, path) == 0 && t.width <= g->t.width)
			ret = compare(k, g, t.width, &there, e);
	fs_names_free(&list);
	return ret;
}

/* A part or whole that must be there: is it, as a file of whatever bytes? */
static int
expect(struct checker *k, struct tile t, unsigned width, struct err *e)
{
	char path[FS_NAME_MAX];

	t.width = width;
	path_of(path, &t);
	if (faccessat(k->repo->dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return k->bad(k->arg, path, "is missing", e);
}

/* All that is there of a tile; it is whole, or the last of its level. */
static int
finish(struct checker *k, struct gather *g, struct err *e)
{
	uint64_t need = tile_hashes(k->need, g->t.level);
	uint64_t from = g->t.index * TILE_WIDTH;
	bool whole = false;

	if (g->t.width == TILE_WIDTH && compare(k, g, TILE_WIDTH, &whole,
	    e) != 0)
		return -1;
	if (compare_parts(k, g, e) != 0)
		return -1;
	if (whole || need <= from)
		return 0;
	return expect(k, g->t, need - from < TILE_WIDTH ?
	    (unsigned)(need - from) : TILE_WIDTH, e);
}

static void
next(struct gather *g)
{
	g->t.index++;
	g->t.width = 0;
}

static int
push(struct checker *k, int level, const struct hash *h, struct err *e)
{
	struct hash hashes[TILE_WIDTH], root;
	struct gather *g = &k->level[level];

	memcpy(g->data + g->t.width++ * HASH_LEN, h->b, HASH_LEN);
	if (g->t.width < TILE_WIDTH)
		return 0;
	if (finish(k, g, e) != 0)
		return -1;
	memcpy(hashes, g->data, sizeof(hashes));
	tile_root(&root, hashes, TILE_WIDTH);
	next(g);
	return push(k, level + 1, &root, e);
}

static int
take(void *arg, const struct hash *id, struct err *e)
{
	struct checker *k = arg;
	struct gather *b = &k->bundle;
	unsigned char *at = b->data + b->t.width++ * BUNDLE_ENTRY;
	struct hash leaf;

	at[0] = 0;
	at[1] = HASH_LEN;
	memcpy(at + 2, id->b, HASH_LEN);
	if (b->t.width == TILE_WIDTH) {
		if (finish(k, b, e) != 0)
			return -1;
		next(b);
	}
	merkle_leaf(&leaf, id->b, HASH_LEN);
	return push(k, 0, &leaf, e);
}

/* --- what does not belong there ------------------------------------------- */

static bool
belongs(const struct checker *k, const char *path)
{
	struct tile t;

	/* A copy of a checkpoint, of which checkpoints_check has a look. */
	if (strcmp(path, TREE_DIR "/checkpoint") == 0)
		return true;
	return tile_parse(&t, path + sizeof(TREE_DIR)) == 0 &&
	    t.index <= k->size / TILE_WIDTH &&
	    t.index * TILE_WIDTH + t.width <= tile_hashes(k->size, t.level);
}

static int
walk(struct checker *k, const char *dir, int depth, struct err *e)
{
	struct fs_names list;
	int ret = 0;

	if (fs_list(&list, k->repo->dirfd, dir, e) != 0)
		return -1;
	for (size_t i = 0; i < list.n && ret == 0; i++) {
		char path[FS_NAME_MAX];
		struct stat st;

		if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir,
		    list.name[i]) >= sizeof(path))
			continue;
		if (fstatat(k->repo->dirfd, path, &st,
		    AT_SYMLINK_NOFOLLOW) != 0)
			continue;	/* a part that was removed */
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			ret = walk(k, path, depth + 1, e);
		else if (!S_ISREG(st.st_mode) || !belongs(k, path))
			ret = k->bad(k->arg, path, "is not a tile of this "
			    "chain", e);
	}
	fs_names_free(&list);
	return ret;
}

/* Up to which size tiles must be there. */
static int
find_need(struct checker *k, struct db *db, const struct head *head,
    struct err *e)
{
	int64_t hour;

	k->need = 0;
	if (faccessat(k->repo->dirfd, TREE_DIR "/tile", F_OK, 0) != 0)
		return 0;	/* what was never rolled is not missing */
	if (hourly_newest(&hour, k->repo, head, e) != 0)
		return -1;
	return hour < 0 ? 0 : blocks_size_before(&k->need, db, head->height,
	    hour, e);
}

int
tiles_check(struct repo *r, struct db *db, const struct head *head,
    uint64_t *checked, hourly_bad *bad, void *arg, struct err *e)
{
	struct checker *k = calloc(1, sizeof(*k));
	int ret;

	*checked = 0;
	if (k == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	k->repo = r;
	k->size = head->tree.size;
	k->checked = checked;
	k->bad = bad;
	k->arg = arg;
	k->bundle.t.level = TILE_ENTRIES;
	for (int i = 0; i < TILE_LEVELS; i++)
		k->level[i].t.level = i;
	ret = find_need(k, db, head, e);
	if (ret == 0)
		ret = tree_each_id(db, 0, k->size, take, k, e);
	if (ret == 0)
		ret = finish(k, &k->bundle, e);
	for (int i = 0; i < TILE_LEVELS && ret == 0; i++)
		ret = finish(k, &k->level[i], e);
	if (ret == 0)
		ret = walk(k, TREE_DIR, 0, e);
	free(k);
	return ret;
}
