#define _GNU_SOURCE	/* renameat2 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/db.h"
#include "store/object.h"
#include "store/object_find.h"

#define CHUNK 65536
#define COPIES_MAX 1000		/* of one object in quarantine */

/*
 * Overwrite the item's bytes with zeros, durably; not past the end of a file
 * that was cut short.
 */
static int
zero(const struct object_place *p, const struct repo *r, struct err *e)
{
	static const unsigned char zeros[CHUNK];
	uint64_t end = p->at + p->size;
	struct stat st;

	if (fstat(p->fd, &st) != 0)
		return err_sys(e, "%s/%s", r->path, p->path);
	if (end > (uint64_t)st.st_size)
		end = (uint64_t)st.st_size;
	for (uint64_t at = p->at; at < end;) {
		size_t n = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
		ssize_t put = pwrite(p->fd, zeros, n, (off_t)at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_sys(e, "%s/%s: erase", r->path, p->path);
		at += (uint64_t)put;
	}
	return fdatasync(p->fd) == 0 ? 0 :
	    err_sys(e, "%s/%s: fdatasync", r->path, p->path);
}

/*
 * Is it really this object that lies there?  The line before it says so, or
 * its hash.  Zeros can be overwritten whatever they were.
 */
static int
check_row(const struct object_place *p, const struct repo *r,
    const struct hash *id, struct err *e)
{
	char hex[HASH_HEX];
	struct hash h;
	int erased;

	if (object_row_names(p, id))
		return 0;
	if ((erased = object_place_erased(p, r, id, e)) != 0)
		return erased < 0 ? -1 : 0;
	if (object_place_hash(p, r, &h, e) != 0)
		return -1;
	if (hash_eq(&h, id))
		return 0;
	hash_format(hex, id);
	return err_set(e, ERR_BAD, "%s/%s: damaged where object %s should be "
	    "erased", r->path, p->path, hex);
}

static int
erase_row(struct repo *r, const struct hash *id, const struct object_row *row,
    struct err *e)
{
	struct object_place p;
	int got = object_row_open(&p, r, row, O_RDWR, e);

	if (got <= 0)
		return got;
	if ((got = check_row(&p, r, id, e)) == 0) {
		got = object_place_erased(&p, r, id, e);
		if (got == 0 || (got < 0 && e->kind == ERR_BAD))
			got = zero(&p, r, e);
	}
	close(p.fd);
	return got < 0 ? -1 : 0;
}

/* What waits may name it (pool_index.h). */
static int
doubt_whole(struct repo *r, struct err *e)
{
	struct db *db;

	if (db_of(&db, r, e) != 0)
		return -1;
	return db_exec(db, "UPDATE pending SET whole=0 WHERE whole=1", e);
}

int
object_erase(struct repo *r, const struct hash *id, struct err *e)
{
	struct object_row row = { .at = 0 };
	char path[OBJECT_PATH_LEN];
	int got;

	/* All of its places must be known. */
	if (object_reindex(r, e) != 0 || doubt_whole(r, e) != 0)
		return -1;
	object_path(path, id);
	if (fs_remove(r->dirfd, path, e) != 0 ||
	    object_part_forget(r, id, e) != 0)
		return -1;
	while ((got = object_index_next(&row, r, id, e)) > 0)
		if (erase_row(r, id, &row, e) != 0)
			return -1;
	return got;
}

/* The n-th name for an object in quarantine: HEX, HEX.1, HEX.2 ... */
static void
quarantine_path(char out[OBJECT_PATH_LEN], const struct hash *id, unsigned n)
{
	char hex[HASH_HEX], more[12] = "";

	hash_format(hex, id);
	if (n > 0)
		snprintf(more, sizeof(more), ".%u", n);
	snprintf(out, OBJECT_PATH_LEN, "quarantine/%s%s", hex, more);
}

static int
move_file(struct repo *r, const struct hash *id, const char *path,
    struct err *e)
{
	char to[OBJECT_PATH_LEN];
	unsigned n = 0;
	int got;

	do {
		quarantine_path(to, id, n);
		got = renameat2(r->dirfd, path, r->dirfd, to,
		    RENAME_NOREPLACE);
	} while (got != 0 && errno == EEXIST && ++n < COPIES_MAX);
	if (got != 0)
		return err_sys(e, "%s/%s: quarantine", r->path, path);
	if (fs_sync_dir(r->dirfd, "quarantine", e) != 0)
		return -1;
	return fs_sync_parent(r->dirfd, path, e);
}

static int
copy_item(struct repo *r, const struct hash *id, const struct object_place *p,
    struct err *e)
{
	struct buf b = BUF_INIT(SEGMENT_ITEM_MAX);
	unsigned char *to = buf_room(&b, (size_t)p->size);
	char path[OBJECT_PATH_LEN];
	unsigned n = 0;
	ssize_t got;
	int done;

	if (to == NULL)
		return buf_check(&b, "object", e);
	/* What there is of it, if the file was cut short. */
	if ((got = pread(p->fd, to, (size_t)p->size, (off_t)p->at)) < 0) {
		buf_free(&b);
		return err_sys(e, "%s/%s", r->path, p->path);
	}
	b.len = (size_t)got;
	do {
		quarantine_path(path, id, n);
		done = fs_write(r->dirfd, path, "tmp", buf_span(&b), 0600,
		    true, e);
	} while (done != 0 && e->kind == ERR_NO && ++n < COPIES_MAX);
	buf_free(&b);
	return done;
}

/* An item is moved by a copy, which is durable before its place is blank. */
static int
move_item(struct repo *r, const struct hash *id, const struct object_place *p,
    struct err *e)
{
	struct object_place place = *p;
	int got;

	if (copy_item(r, id, p, e) != 0)
		return -1;
	place.fd = openat(r->dirfd, p->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (place.fd < 0)
		return err_sys(e, "%s/%s", r->path, p->path);
	got = zero(&place, r, e);
	close(place.fd);
	return got;
}

int
object_quarantine(struct repo *r, const struct hash *id, struct err *e)
{
	char hex[HASH_HEX];
	struct object_place p;
	int got = object_find(&p, r, id, NULL, e);

	if (got < 0)
		return -1;
	if (got == 0) {
		hash_format(hex, id);
		return err_set(e, ERR_NO, "object %s: not here", hex);
	}
	got = p.in_segment ? move_item(r, id, &p, e) :
	    move_file(r, id, p.path, e);
	close(p.fd);
	return got;
}
