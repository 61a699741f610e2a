#define _GNU_SOURCE
#include "store/object_find.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 65536
#define LINE_BYTES 96		/* of the line before an item */

void
object_folder(char out[OBJECT_PATH_LEN], const struct hash *id)
{
	snprintf(out, OBJECT_PATH_LEN, "objects/%02x", id->b[0]);
}

void
object_path(char out[OBJECT_PATH_LEN], const struct hash *id)
{
	char hex[HASH_HEX];

	hash_format(hex, id);
	snprintf(out, OBJECT_PATH_LEN, "objects/%02x/%s", id->b[0], hex);
}

int
object_place_read(const struct object_place *p, const struct repo *r,
    void *to, uint64_t at, size_t n, struct err *e)
{
	unsigned char *out = to;

	while (n > 0) {
		ssize_t got = pread(p->fd, out, n, (off_t)(p->at + at));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, "%s/%s", r->path, p->path);
		if (got == 0)
			return err_set(e, ERR_BAD, "%s/%s: damaged: cut short",
			    r->path, p->path);
		out += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

int
object_place_hash(const struct object_place *p, const struct repo *r,
    struct hash *out, struct err *e)
{
	struct hash_stream *h = hash_open();
	unsigned char b[CHUNK];

	for (uint64_t at = 0; at < p->size;) {
		size_t n = p->size - at < CHUNK ? (size_t)(p->size - at) :
		    CHUNK;

		if (object_place_read(p, r, b, at, n, e) != 0) {
			hash_discard(h);
			return -1;
		}
		hash_add(h, b, n);
		at += n;
	}
	hash_finish(h, out);
	return 0;
}

int
object_place_erased(const struct object_place *p, const struct repo *r,
    const struct hash *id, struct err *e)
{
	unsigned char b[CHUNK];
	struct hash h;

	if (p->size == 0)
		return 0;
	for (uint64_t at = 0; at < p->size;) {
		/* Ciphertext shows at once that it is not zeros. */
		size_t n = at == 0 ? 64 : CHUNK;

		if (p->size - at < n)
			n = (size_t)(p->size - at);
		if (object_place_read(p, r, b, at, n, e) != 0)
			return -1;
		if (b[0] != 0 || memcmp(b, b + 1, n - 1) != 0)
			return 0;
		at += n;
	}
	if (object_place_hash(p, r, &h, e) != 0)
		return -1;
	return !hash_eq(&h, id);
}

bool
object_row_names(const struct object_place *p, const struct hash *id)
{
	char want[LINE_BYTES], got[LINE_BYTES];
	int n;

	hash_format(want, id);
	n = snprintf(want + HASH_HEX - 1, sizeof(want) - HASH_HEX + 1,
	    " %llu\n", (unsigned long long)p->size) + HASH_HEX - 1;
	return p->at >= (uint64_t)n && p->size <= SEGMENT_ITEM_MAX &&
	    pread(p->fd, got, (size_t)n, (off_t)p->at - n) == n &&
	    memcmp(got, want, (size_t)n) == 0;
}

int
object_row_open(struct object_place *p, const struct repo *r,
    const struct object_row *row, int flags, struct err *e)
{
	*p = (struct object_place){ .in_segment = true, .at = row->at,
	    .size = row->size };
	snprintf(p->path, sizeof(p->path), OBJECT_SEG_DIR "/%s", row->segment);
	p->fd = openat(r->dirfd, p->path, flags | O_CLOEXEC | O_NOFOLLOW);
	if (p->fd >= 0)
		return 1;
	return errno == ENOENT ? 0 : err_sys(e, "%s/%s", r->path, p->path);
}

static int
find_loose(struct object_place *p, const struct repo *r,
    const struct hash *id, struct err *e)
{
	struct stat st;

	*p = (struct object_place){ .fd = -1 };
	object_path(p->path, id);
	p->fd = openat(r->dirfd, p->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
	if (p->fd < 0)
		return errno == ENOENT ? 0 :
		    err_sys(e, "%s/%s", r->path, p->path);
	if (fstat(p->fd, &st) != 0) {
		err_sys(e, "%s/%s", r->path, p->path);
		close(p->fd);
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		close(p->fd);
		return err_set(e, ERR_BAD, "%s/%s: not a file", r->path,
		    p->path);
	}
	p->size = (uint64_t)st.st_size;
	return 1;
}

/* The first place in a segment that was not erased. */
static int
find_in_segments(struct object_place *p, struct repo *r,
    const struct hash *id, bool *erased, struct err *e)
{
	struct object_row row = { .at = 0 };
	int got;

	while ((got = object_index_next(&row, r, id, e)) > 0) {
		if ((got = object_row_open(p, r, &row, O_RDONLY, e)) < 0)
			return -1;
		if (got == 0)
			continue;
		/* Not where the table says: as if it were not there. */
		if (!object_row_names(p, id)) {
			close(p->fd);
			continue;
		}
		got = object_place_erased(p, r, id, e);
		/* Damage is for those to find who read it. */
		if (got == 0 || (got < 0 && e->kind == ERR_BAD))
			return 1;
		close(p->fd);
		if (got < 0)
			return -1;
		*erased = true;
	}
	return got;
}

int
object_find_known(struct object_place *p, struct repo *r,
    const struct hash *id, bool *erased, struct err *e)
{
	bool zeros = false;
	int got;

	if ((got = find_loose(p, r, id, e)) == 0)
		got = find_in_segments(p, r, id, &zeros, e);
	if (erased != NULL)
		*erased = got == 0 && zeros;
	return got;
}

int
object_find(struct object_place *p, struct repo *r, const struct hash *id,
    bool *erased, struct err *e)
{
	bool added, zeros;
	int got;

	if ((got = object_find_known(p, r, id, &zeros, e)) == 0 && !zeros &&
	    (got = object_index_refresh(r, &added, e)) == 0 && added)
		got = find_in_segments(p, r, id, &zeros, e);
	if (erased != NULL)
		*erased = got == 0 && zeros;
	return got;
}
