#include "crypto/tile.h"

#include <assert.h>
#include <stdio.h>

#include "base/text.h"

/* The index in groups of three digits, an x before all but the last. */
static void
add_index(char *out, size_t size, uint64_t index)
{
	unsigned group[8], n = 0;
	size_t at = 0;

	do {
		group[n++] = (unsigned)(index % 1000);
		index /= 1000;
	} while (index > 0);
	while (n-- > 0)
		at += (size_t)snprintf(out + at, size - at, n > 0 ?
		    "x%03u/" : "%03u", group[n]);
}

void
tile_path(char out[TILE_PATH_LEN], const struct tile *t)
{
	char level[4] = "", index[40];
	int n;

	add_index(index, sizeof(index), t->index);
	if (t->level != TILE_ENTRIES)
		snprintf(level, sizeof(level), "%d", t->level & 7);
	n = snprintf(out, TILE_PATH_LEN, "tile/%s/%s",
	    t->level == TILE_ENTRIES ? "entries" : level, index);
	if (t->width < TILE_WIDTH)
		n += snprintf(out + n, TILE_PATH_LEN - (size_t)n, ".p/%u",
		    t->width);
	assert(n < TILE_PATH_LEN);
}

/* Whatever is read of it, the path must be the one that is written. */
int
tile_parse(struct tile *t, const char *path)
{
	const char *at = path + strlen("tile/"), *slash;
	char same[TILE_PATH_LEN];
	uint64_t width = TILE_WIDTH;

	if (strncmp(path, "tile/", 5) != 0 ||
	    strlen(path) >= TILE_PATH_LEN || (slash = strchr(at, '/')) == NULL)
		return -1;
	t->level = *at == 'e' ? TILE_ENTRIES : *at - '0';
	if (t->level != TILE_ENTRIES &&
	    (t->level < 0 || t->level >= TILE_LEVELS))
		return -1;
	t->index = 0;
	for (at = slash + 1; *at != '\0' && *at != '.'; at++) {
		if (*at < '0' || *at > '9')
			continue;
		if (t->index > UINT64_MAX / 10 - 1)
			return -1;
		t->index = t->index * 10 + (uint64_t)(*at - '0');
	}
	if (*at == '.' && (strncmp(at, ".p/", 3) != 0 ||
	    text_parse_u64(&width, span_str(at + 3), TILE_WIDTH - 1) != 0 ||
	    width == 0))
		return -1;
	t->width = (unsigned)width;
	tile_path(same, t);
	return strcmp(same, path) == 0 ? 0 : -1;
}

uint64_t
tile_hashes(uint64_t size, int level)
{
	return size >> 8 * (level == TILE_ENTRIES ? 0 : level);
}

void
tile_root(struct hash *out, const struct hash *h, unsigned n)
{
	struct merkle m;

	merkle_init(&m);
	for (unsigned i = 0; i < n; i++)
		merkle_add(&m, &h[i]);
	merkle_root(out, &m);
}
