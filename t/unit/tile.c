/* tile: the paths of c2sp.org/tlog-tiles, and which tiles a tree has. */
#include "check.h"
#include "crypto/tile.h"

static void
paths(void)
{
	static const struct {
		struct tile t;
		const char *path;
	} known[] = {
		/* The specification's own example of an index. */
		{ { 0, 1234067, 256 }, "tile/0/x001/x234/067" },
		{ { 0, 0, 256 }, "tile/0/000" },
		{ { 0, 0, 1 }, "tile/0/000.p/1" },
		{ { 3, 999, 255 }, "tile/3/999.p/255" },
		{ { 7, 1000, 256 }, "tile/7/x001/000" },
		{ { TILE_ENTRIES, 1000000, 256 },
		    "tile/entries/x001/x000/000" },
		{ { TILE_ENTRIES, 273, 112 }, "tile/entries/273.p/112" },
		{ { 0, UINT64_MAX / 256, 256 },
		    "tile/0/x072/x057/x594/x037/x927/935" },
	};
	char path[TILE_PATH_LEN];
	struct tile t;

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		tile_path(path, &known[i].t);
		CHECK_STR(path, known[i].path);
		CHECK(tile_parse(&t, path) == 0);
		CHECK(t.level == known[i].t.level &&
		    t.index == known[i].t.index &&
		    t.width == known[i].t.width);
	}
}

static void
no_paths(void)
{
	static const char *const no[] = {
		"", "tile", "tile/", "tile/0", "tile/0/", "tile/8/000",
		"tile/00/000", "tile/-1/000", "tile/0/00", "tile/0/0000",
		"tile/0/x001", "tile/0/001/002", "tile/0/x000/001",
		"tile/0/x001/x002", "tile/0/x01/002", "tile/0/ 01",
		"tile/0/000.p", "tile/0/000.p/", "tile/0/000.p/0",
		"tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/1/",
		"tile/0/000.q/1", "tile/0/000.p/1x", "tile/0/000/",
		"tile/entries", "tile/entries/", "tile/entrie/000",
		"tile/e/000", "xtile/0/000", "tile/0/000 ",
		"tile/0/x999/x999/x999/x999/x999/x999/x999/999",
		"tile/0/x001/x001/x001/x001/x001/x001/x001/x001/x001/x001/001"
	};
	struct tile t;

	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		if (tile_parse(&t, no[i]) == 0)
			CHECK_STR(no[i], "refused");
}

/* The specification: a tree of 70,000 has 273 tiles and a part of 112 at level
 * 0, one and 17 at level 1, and a part of 1 at level 2. */
static void
sizes(void)
{
	CHECK(tile_hashes(70000, 0) == 273 * 256 + 112);
	CHECK(tile_hashes(70000, 1) == 1 * 256 + 17);
	CHECK(tile_hashes(70000, 2) == 1);
	CHECK(tile_hashes(70000, 3) == 0);
	CHECK(tile_hashes(70000, TILE_ENTRIES) == 70000);
	CHECK(tile_hashes(256, 1) == 1 && tile_hashes(255, 1) == 0);
	CHECK(tile_hashes(UINT64_MAX, 7) == 255);
}

/* A tile's root is that of the tree over its leaves. */
static void
roots(void)
{
	struct hash h[TILE_WIDTH], root, want;
	struct merkle m;

	merkle_init(&m);
	for (int i = 0; i < TILE_WIDTH; i++) {
		merkle_leaf(&h[i], &i, sizeof(i));
		merkle_add(&m, &h[i]);
	}
	merkle_root(&want, &m);
	tile_root(&root, h, TILE_WIDTH);
	CHECK(hash_eq(&root, &want));
	merkle_node(&want, &h[6], &h[7]);
	tile_root(&root, h + 6, 2);
	CHECK(hash_eq(&root, &want));
	tile_root(&root, h + 9, 1);
	CHECK(hash_eq(&root, &h[9]));
}

int
main(void)
{
	paths();
	no_paths();
	sizes();
	roots();
	return check_done("tile");
}
