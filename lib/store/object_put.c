#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/object.h"
#include "store/object_find.h"
#include "store/object_put.h"

#define CHUNK 65536

/* What is to be stored: bytes in memory, or a file (fd >= 0). */
struct source {
	struct span mem;
	int fd;
	uint64_t size;
};

static int
source_read(const struct source *s, void *to, uint64_t at, size_t n,
    struct err *e)
{
	unsigned char *out = to;

	if (s->fd < 0) {
		if (n > 0)
			memcpy(to, s->mem.p + at, n);
		return 0;
	}
	while (n > 0) {
		ssize_t got = pread(s->fd, out, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? err_sys(e, "temporary file") :
			    err_set(e, ERR_SYS, "temporary file: cut short");
		out += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

/* Are the bytes at p those of the source?  1, 0 or -1. */
static int
same(const struct object_place *p, struct repo *r, const struct source *s,
    struct err *e)
{
	unsigned char a[CHUNK], b[CHUNK];

	if (p->size != s->size)
		return 0;
	for (uint64_t at = 0; at < s->size;) {
		size_t n = s->size - at < CHUNK ? (size_t)(s->size - at) :
		    CHUNK;

		if (object_place_read(p, r, a, at, n, e) != 0)
			return e->kind == ERR_BAD ? 0 : -1;
		if (source_read(s, b, at, n, e) != 0)
			return -1;
		if (memcmp(a, b, n) != 0)
			return 0;
		at += n;
	}
	return 1;
}

/*
 * Is what was found right, and durable?  1, 0 or -1.  A loose file of its name
 * with other bytes is an error, as it will not be overwritten; a damaged copy
 * in a segment is as none, as a loose file comes before it.
 */
static int
check_found(const struct object_place *p, struct repo *r,
    const struct source *s, struct err *e)
{
	int got = same(p, r, s, e);

	close(p->fd);
	if (got < 0 || p->in_segment)
		return got;
	if (got == 0)
		return err_set(e, ERR_BAD, "%s/%s: damaged object: differs "
		    "from what is to be stored", r->path, p->path);
	/* Whoever put it there may not have come to this yet. */
	return fs_sync_parent(r->dirfd, p->path, e) == 0 ? 1 : -1;
}

static int
is_stored(struct repo *r, const struct hash *id, const struct source *s,
    struct err *e)
{
	struct object_place p;
	int got = object_find(&p, r, id, NULL, e);

	return got > 0 ? check_found(&p, r, s, e) : got;
}

/* Another process may have given the name away before us. */
static int
settle(struct repo *r, const struct hash *id, const struct source *s,
    int committed, struct err *e)
{
	if (committed == 0 || e->kind != ERR_NO)
		return committed;
	switch (is_stored(r, id, s, e)) {
	case 1:
		return 0;
	case 0:
		return err_set(e, ERR_AGAIN, "objects: changing too fast");
	default:
		return -1;
	}
}

static int
make_folder(const struct repo *r, const struct hash *id, struct err *e)
{
	char folder[OBJECT_PATH_LEN];

	object_folder(folder, id);
	return fs_mkdir(r->dirfd, folder, 0700, e);
}

int
object_is_stored(struct repo *r, const struct hash *id, struct span data,
    struct err *e)
{
	struct source s = { data, -1, data.n };
	struct object_place p;
	int got = object_find_known(&p, r, id, NULL, e);

	return got > 0 ? check_found(&p, r, &s, e) : got;
}

int
object_put_hashed(struct repo *r, const struct hash *id, struct span data,
    struct err *e)
{
	struct source s = { data, -1, data.n };
	char path[OBJECT_PATH_LEN];
	int got = is_stored(r, id, &s, e);

	if (got != 0)
		return got < 0 ? -1 : 0;
	object_path(path, id);
	if (make_folder(r, id, e) != 0)
		return -1;
	got = fs_write(r->dirfd, path, "tmp", data, 0600, true, e);
	return settle(r, id, &s, got, e);
}

int
object_put(struct repo *r, struct span data, struct hash *id, struct err *e)
{
	struct hash h;

	hash_bytes(&h, data.p, data.n);
	if (id != NULL)
		*id = h;
	return object_put_hashed(r, &h, data, e);
}

struct object_writer {
	struct repo *r;
	struct fs_temp temp;
	bool part;		/* it is of a name that is found again */
	struct hash_stream *hash;
	uint64_t size;
	struct err failed;	/* the first error; commit repeats it */
};

int
object_writer_open(struct object_writer **out, struct repo *r, struct err *e)
{
	struct object_writer *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	if (fs_temp_open(&w->temp, r->dirfd, "tmp", 0600, e) != 0) {
		free(w);
		return -1;
	}
	w->r = r;
	w->hash = hash_open();
	*out = w;
	return 0;
}

/* --- of which the first bytes may be here --------------------------------- */

#define PART ".tmp-part-"	/* and the id; a part is swept as others are */

static void
part_path(char out[OBJECT_PATH_LEN], const struct hash *id)
{
	char hex[HASH_HEX];

	hash_format(hex, id);
	snprintf(out, OBJECT_PATH_LEN, "tmp/" PART "%s", hex);
}

/*
 * Open what is kept of an object and lock it: 1; 0 another process has it;
 * -1.  Between the two it may have become the object, or been removed.
 */
static int
part_open(struct fs_temp *t, const struct repo *r, const struct hash *id,
    struct err *e)
{
	char path[OBJECT_PATH_LEN];
	struct stat ours, named;

	part_path(path, id);
	t->dirfd = r->dirfd;
	snprintf(t->name, sizeof(t->name), "%s", path);
	t->fd = openat(r->dirfd, path, O_RDWR | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (t->fd < 0)
		return err_sys(e, "%s/%s", r->path, path);
	if (flock(t->fd, LOCK_EX | LOCK_NB) == 0 &&
	    fstat(t->fd, &ours) == 0 && fstatat(r->dirfd, path, &named,
	    AT_SYMLINK_NOFOLLOW) == 0 && ours.st_ino == named.st_ino &&
	    ours.st_dev == named.st_dev)
		return 1;
	close(t->fd);
	t->fd = -1;
	return 0;
}

/* Hash what is there; writing goes on at its end. */
static int
part_read(struct object_writer *w, struct err *e)
{
	unsigned char chunk[CHUNK];
	ssize_t n;

	while ((n = read(w->temp.fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "%s/%s", w->r->path, w->temp.name);
		hash_add(w->hash, chunk, (size_t)n);
		w->size += (uint64_t)n;
	}
	return 0;
}

int
object_writer_part(struct object_writer **out, struct repo *r,
    const struct hash *id, bool anew, uint64_t *at, struct err *e)
{
	struct object_writer *w = calloc(1, sizeof(*w));
	int got;

	*at = 0;
	if (w == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	if ((got = part_open(&w->temp, r, id, e)) <= 0) {
		free(w);
		return got < 0 ? -1 : object_writer_open(out, r, e);
	}
	w->r = r;
	w->part = true;
	w->hash = hash_open();
	if (anew && ftruncate(w->temp.fd, 0) != 0)
		got = err_sys(e, "%s/%s", r->path, w->temp.name);
	if (got < 0 || part_read(w, e) != 0) {
		object_writer_abort(w);
		return -1;
	}
	*at = w->size;
	*out = w;
	return 0;
}

void
object_writer_keep(struct object_writer *w)
{
	if (w->part && w->size > 0 && w->failed.kind == ERR_NONE) {
		close(w->temp.fd);
		w->temp.fd = -1;
	}
	object_writer_abort(w);
}

int
object_parts(struct repo *r, int (*fn)(void *arg, const struct hash *id,
    struct err *e), void *arg, struct err *e)
{
	int fd = openat(r->dirfd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;
	struct hash id;
	int ret = 0;

	if (dir == NULL) {
		ret = err_sys(e, "%s/tmp", r->path);
		if (fd >= 0)
			close(fd);
		return ret;
	}
	while (ret == 0 && (errno = 0, d = readdir(dir)) != NULL)
		if (strncmp(d->d_name, PART, strlen(PART)) == 0 &&
		    hash_parse(&id, span_str(d->d_name + strlen(PART))) == 0)
			ret = fn(arg, &id, e);
	if (ret == 0 && errno != 0)
		ret = err_sys(e, "%s/tmp", r->path);
	closedir(dir);
	return ret;
}

int
object_part_forget(struct repo *r, const struct hash *id, struct err *e)
{
	char path[OBJECT_PATH_LEN];

	part_path(path, id);
	return fs_remove(r->dirfd, path, e);
}

/* -------------------------------------------------------------------------- */

int
object_writer_add(struct object_writer *w, const void *p, size_t n,
    struct err *e)
{
	if (w->failed.kind == ERR_NONE) {
		if (n > OBJECT_MAX - w->size)
			err_set(&w->failed, ERR_BAD, "an object of over %llu "
			    "bytes", OBJECT_MAX);
		else if (fs_write_all(w->temp.fd, p, n) != 0)
			err_sys(&w->failed, "%s/objects", w->r->path);
	}
	if (w->failed.kind != ERR_NONE) {
		*e = w->failed;
		return -1;
	}
	hash_add(w->hash, p, n);
	w->size += n;
	return 0;
}

static int
commit_with_id(struct object_writer *w, const struct hash *id, struct err *e)
{
	struct source s = { { NULL, 0 }, -1, w->size };
	char path[OBJECT_PATH_LEN];
	int got;

	s.fd = w->temp.fd;
	if ((got = is_stored(w->r, id, &s, e)) != 0)
		return got < 0 ? -1 : 0;
	if (make_folder(w->r, id, e) != 0)
		return -1;
	object_path(path, id);
	/* The commit closes its descriptor; a race must still be settled. */
	if ((s.fd = dup(w->temp.fd)) < 0)
		return err_sys(e, "%s/objects", w->r->path);
	got = fs_temp_commit(&w->temp, path, true, e);
	got = settle(w->r, id, &s, got, e);
	close(s.fd);
	return got;
}

int
object_writer_commit(struct object_writer *w, const struct hash *expect,
    struct hash *id, uint64_t *size, struct err *e)
{
	char got_hex[HASH_HEX], want_hex[HASH_HEX];
	struct hash h;
	int r;

	hash_finish(w->hash, &h);
	w->hash = NULL;
	if (w->failed.kind != ERR_NONE) {
		*e = w->failed;
		r = -1;
	} else if (expect != NULL && !hash_eq(expect, &h)) {
		hash_format(got_hex, &h);
		hash_format(want_hex, expect);
		r = err_set(e, ERR_BAD, "object %s expected, %s found",
		    want_hex, got_hex);
	} else
		r = commit_with_id(w, &h, e);
	if (r == 0 && id != NULL)
		*id = h;
	if (r == 0 && size != NULL)
		*size = w->size;
	object_writer_abort(w);
	return r;
}

void
object_writer_abort(struct object_writer *w)
{
	if (w == NULL)
		return;
	fs_temp_abort(&w->temp);
	hash_discard(w->hash);
	free(w);
}
