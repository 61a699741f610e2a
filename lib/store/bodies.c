#define _GNU_SOURCE	/* faccessat */
#include "store/bodies.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "ledger/block.h"
#include "store/votes.h"

#define SUFFIX ".block"
#define PATH_BYTES 128

static void
path_of(char out[PATH_BYTES], uint64_t height, const struct hash *id)
{
	char hex[HASH_HEX];

	hash_format(hex, id);
	snprintf(out, PATH_BYTES, VOTES_DIR "/%09llu-%s" SUFFIX,
	    (unsigned long long)height, hex);
}

bool
bodies_has(const struct repo *r, uint64_t height, const struct hash *id)
{
	char path[PATH_BYTES];

	path_of(path, height, id);
	return faccessat(r->dirfd, path, F_OK, 0) == 0;
}

int
bodies_put(const struct repo *r, uint64_t height, const struct hash *id,
    struct span content, struct err *e)
{
	char path[PATH_BYTES];

	path_of(path, height, id);
	/* A process may have died between the rename and the directory. */
	if (bodies_has(r, height, id))
		return fs_sync_dir(r->dirfd, VOTES_DIR, e);
	return fs_write(r->dirfd, path, "tmp", content, 0600, false, e);
}

int
bodies_get(struct buf *out, const struct repo *r, uint64_t height,
    const struct hash *id, struct err *e)
{
	char path[PATH_BYTES];
	struct block b;

	path_of(path, height, id);
	if (fs_read(out, r->dirfd, path, e) != 0 ||
	    block_parse(&b, buf_span(out), false, &r->genesis->id, e) != 0)
		return -1;
	if (b.h.height != height || !hash_eq(&b.h.id, id))
		return err_set(e, ERR_BAD, "%s: holds another block", path);
	return 0;
}

/* The height in a body's name; false if it is no body's. */
static bool
height_of(uint64_t *height, const char *name)
{
	struct span s = span_str(name);
	size_t zeros = strspn(name, "0");

	if (s.n != 10 + HASH_HEX - 1 + strlen(SUFFIX) || s.p[9] != '-' ||
	    zeros > 8 || strcmp(name + s.n - strlen(SUFFIX), SUFFIX) != 0)
		return false;
	return text_parse_u64(height, span_of(name + zeros, 9 - zeros),
	    VOTES_HEIGHT_MAX) == 0;
}

int
bodies_sweep(const struct repo *r, uint64_t head, struct err *e)
{
	char path[FS_NAME_MAX];
	struct fs_names list;
	uint64_t height;

	if (fs_list(&list, r->dirfd, VOTES_DIR, e) != 0)
		return -1;
	/* Nobody waits for these to be gone: no need to sync. */
	for (size_t i = 0; i < list.n; i++)
		if (height_of(&height, list.name[i]) && height <= head) {
			snprintf(path, sizeof(path), VOTES_DIR "/%s",
			    list.name[i]);
			unlinkat(r->dirfd, path, 0);
		}
	fs_names_free(&list);
	return 0;
}
