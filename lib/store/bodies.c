#define _GNU_SOURCE	/* faccessat */
#include "store/bodies.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "ledger/block.h"
#include "store/votes.h"

#define SUFFIX ".block"

void
bodies_path(char out[BODIES_PATH_LEN], uint64_t height,
    const struct hash *id)
{
	char hex[HASH_HEX];

	hash_format(hex, id);
	snprintf(out, BODIES_PATH_LEN, VOTES_DIR "/%09llu-%s" SUFFIX,
	    (unsigned long long)height, hex);
}

bool
bodies_has(const struct repo *r, uint64_t height, const struct hash *id)
{
	char path[BODIES_PATH_LEN];

	bodies_path(path, height, id);
	return faccessat(r->dirfd, path, F_OK, 0) == 0;
}

int
bodies_put(const struct repo *r, uint64_t height, const struct hash *id,
    struct span content, struct err *e)
{
	char path[BODIES_PATH_LEN];

	bodies_path(path, height, id);
	/* A process may have died between the rename and the directory. */
	if (bodies_has(r, height, id))
		return fs_sync_dir(r->dirfd, VOTES_DIR, e);
	return fs_write(r->dirfd, path, "tmp", content, 0600, false, e);
}

int
bodies_get(struct buf *out, const struct repo *r, uint64_t height,
    const struct hash *id, struct err *e)
{
	char path[BODIES_PATH_LEN];
	struct block b;

	bodies_path(path, height, id);
	if (fs_read(out, r->dirfd, path, e) != 0 ||
	    block_parse(&b, buf_span(out), false, &r->genesis->id, e) != 0)
		return -1;
	if (b.h.height != height || !hash_eq(&b.h.id, id))
		return err_set(e, ERR_BAD, "%s: holds another block", path);
	return 0;
}

int
bodies_check(const struct repo *r, uint64_t height, const struct hash *id,
    struct err *e)
{
	struct buf text = BUF_INIT(BLOCK_CONTENT_MAX);
	struct block b;
	int ret = bodies_get(&text, r, height, id, e);

	if (ret == 0)
		ret = block_parse(&b, buf_span(&text), false, &r->genesis->id,
		    e);
	if (ret == 0)
		ret = block_check_root(&b, NULL, e);
	buf_free(&text);
	return ret;
}

bool
bodies_name(uint64_t *height, struct hash *id, const char *name)
{
	struct span s = span_str(name);
	size_t zeros = strspn(name, "0");

	if (s.n != 10 + HASH_HEX - 1 + strlen(SUFFIX) || s.p[9] != '-' ||
	    zeros > 8 || strcmp(name + s.n - strlen(SUFFIX), SUFFIX) != 0)
		return false;
	return text_parse_u64(height, span_of(name + zeros, 9 - zeros),
	    VOTES_HEIGHT_MAX) == 0 &&
	    hash_parse(id, span_of(name + 10, HASH_HEX - 1)) == 0;
}

int
bodies_sweep(const struct repo *r, uint64_t head, struct err *e)
{
	char path[FS_NAME_MAX];
	struct fs_names list;
	struct hash id;
	uint64_t height;

	if (fs_list(&list, r->dirfd, VOTES_DIR, e) != 0)
		return -1;
	/* Nobody waits for these to be gone: no need to sync. */
	for (size_t i = 0; i < list.n; i++)
		if (bodies_name(&height, &id, list.name[i]) &&
		    height <= head) {
			snprintf(path, sizeof(path), VOTES_DIR "/%s",
			    list.name[i]);
			unlinkat(r->dirfd, path, 0);
		}
	fs_names_free(&list);
	return 0;
}
