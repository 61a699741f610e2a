#include "log/tree.h"

#include <stdio.h>
#include <stdlib.h>

#define SLOTS 16384		/* hashes that are remembered */

struct slot {
	uint64_t index;
	int level;		/* -1: empty */
	struct hash h;
};

struct tree {
	struct repo *repo;
	struct db *db;
	struct tile last;	/* the tile read last; width 0: none */
	struct hash hash[TILE_WIDTH];
	struct slot slot[SLOTS];
};

int
tree_open(struct tree **out, struct repo *r, struct db *db, struct err *e)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	t->repo = r;
	t->db = db;
	for (size_t i = 0; i < SLOTS; i++)
		t->slot[i].level = -1;
	*out = t;
	return 0;
}

void
tree_close(struct tree *t)
{
	free(t);
}

int
tree_each_id(struct db *db, uint64_t from, uint64_t to,
    int (*fn)(void *arg, const struct hash *id, struct err *e), void *arg,
    struct err *e)
{
	struct hash id;
	sqlite3_stmt *s;
	int ret;

	if (db_stmt(&s, db, "SELECT id FROM tx WHERE seq>=? AND seq<? "
	    "ORDER BY seq", e) != 0)
		return -1;
	db_bind_int(s, 1, (int64_t)from);
	db_bind_int(s, 2, (int64_t)to);
	while ((ret = db_step(db, s, e)) == 1) {
		ret = db_column_hash(s, 0, &id) != 0 ? err_set(e, ERR_BAD,
		    "state.db: damaged; remove it") : fn(arg, &id, e);
		if (ret != 0) {
			sqlite3_reset(s);
			return -1;
		}
		from++;
	}
	if (ret == 0 && from < to)
		return err_set(e, ERR_BAD, "state.db: lacks transaction %llu; "
		    "remove it", (unsigned long long)from);
	return ret;
}

int
tree_read_tile(struct hash h[TILE_WIDTH], struct repo *r,
    const struct tile *t, struct err *e)
{
	struct buf data = BUF_INIT(TILE_WIDTH * HASH_LEN);
	char path[sizeof(TREE_DIR) + TILE_PATH_LEN] = TREE_DIR "/";
	int ret;

	tile_path(path + sizeof(TREE_DIR), t);
	ret = fs_read(&data, r->dirfd, path, e) == 0 ? 1 :
	    e->kind == ERR_SYS ? -1 : 0;
	if (ret == 1 && data.len != t->width * HASH_LEN)
		ret = 0;
	if (ret == 1)
		memcpy(h, data.p, data.len);
	buf_free(&data);
	return ret;
}

/* From a whole tile, if there is one: 1, 0, -1. */
static int
from_tile(struct tree *t, unsigned level, uint64_t index, struct hash *out,
    struct err *e)
{
	unsigned n = 1u << level % 8, at;
	struct tile tile = { .level = (int)(level / 8), .width = TILE_WIDTH };
	int ret = 1;

	if (level / 8 >= TILE_LEVELS || index >= UINT64_MAX / TILE_WIDTH)
		return 0;
	tile.index = index * n / TILE_WIDTH;
	at = (unsigned)(index * n % TILE_WIDTH);
	if (t->last.width == 0 || t->last.level != tile.level ||
	    t->last.index != tile.index) {
		t->last.width = 0;
		ret = tree_read_tile(t->hash, t->repo, &tile, e);
		if (ret == 1)
			t->last = tile;
	}
	if (ret == 1)
		tile_root(out, t->hash + at, n);
	return ret;
}

static int
take_id(void *arg, const struct hash *id, struct err *e)
{
	(void)e;
	merkle_leaf(arg, id->b, HASH_LEN);
	return 0;
}

/* From the two subtrees below, or the transaction. */
static int
from_below(struct tree *t, unsigned level, uint64_t index, struct hash *out,
    struct err *e)
{
	struct hash left, right;

	if (level == 0)
		return tree_each_id(t->db, index, index + 1, take_id, out, e);
	if (tree_node(t, level - 1, 2 * index, &left, e) != 0 ||
	    tree_node(t, level - 1, 2 * index + 1, &right, e) != 0)
		return -1;
	merkle_node(out, &left, &right);
	return 0;
}

int
tree_node(void *arg, unsigned level, uint64_t index, struct hash *out,
    struct err *e)
{
	struct tree *t = arg;
	struct slot *s = &t->slot[(index * 31 + level * 977) % SLOTS];
	int got;

	if (s->level == (int)level && s->index == index) {
		*out = s->h;
		return 0;
	}
	got = from_tile(t, level, index, out, e);
	if (got < 0 || (got == 0 && from_below(t, level, index, out, e) != 0))
		return -1;
	*s = (struct slot){ index, (int)level, *out };
	return 0;
}
