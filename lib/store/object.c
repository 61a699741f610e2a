#define _GNU_SOURCE
#include "store/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/object_find.h"

int
object_has(struct repo *r, const struct hash *id, struct err *e)
{
	struct object_place p;
	int got = object_find(&p, r, id, NULL, e);

	if (got > 0)
		close(p.fd);
	return got;
}

/* object_find, where absence is an error. */
static int
must_find(struct object_place *p, struct repo *r, const struct hash *id,
    struct err *e)
{
	char hex[HASH_HEX];
	bool erased;
	int got = object_find(p, r, id, &erased, e);

	if (got != 0)
		return got < 0 ? -1 : 0;
	hash_format(hex, id);
	return err_set(e, ERR_NO, "object %s: %s", hex,
	    erased ? "erased" : "not here");
}

static int
damaged(const struct object_place *p, const struct repo *r,
    const struct hash *id, struct err *e)
{
	char hex[HASH_HEX];

	if (!p->in_segment)
		return err_set(e, ERR_BAD, "%s/%s: damaged object", r->path,
		    p->path);
	hash_format(hex, id);
	return err_set(e, ERR_BAD, "%s/%s: damaged object %s", r->path,
	    p->path, hex);
}

static int
read_all(struct buf *out, const struct object_place *p, const struct repo *r,
    const struct hash *id, struct err *e)
{
	unsigned char *to;
	struct hash h;

	if (p->size > out->max - out->len)
		return err_set(e, ERR_BAD, "%s/%s: an object of %llu bytes, "
		    "too long here", r->path, p->path,
		    (unsigned long long)p->size);
	if ((to = buf_room(out, (size_t)p->size)) == NULL)
		return buf_check(out, "object", e);
	if (object_place_read(p, r, to, 0, (size_t)p->size, e) != 0)
		return -1;
	hash_bytes(&h, to, (size_t)p->size);
	if (!hash_eq(&h, id))
		return damaged(p, r, id, e);
	out->len += (size_t)p->size;
	return 0;
}

int
object_read(struct buf *out, struct repo *r, const struct hash *id,
    struct err *e)
{
	struct object_place p;
	int got;

	if (must_find(&p, r, id, e) != 0)
		return -1;
	got = read_all(out, &p, r, id, e);
	close(p.fd);
	return got;
}

int
object_open(struct object_file *f, struct repo *r, const struct hash *id,
    struct err *e)
{
	struct object_place p;

	if (must_find(&p, r, id, e) != 0)
		return -1;
	*f = (struct object_file){ p.fd, p.at, p.size };
	return 0;
}

long
object_file_read(struct object_file *f, void *p, size_t n, struct err *e)
{
	ssize_t got;

	if (f->left == 0)
		return 0;
	if (n > f->left)
		n = (size_t)f->left;
	do
		got = pread(f->fd, p, n, (off_t)f->at);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_sys(e, "object");
	if (got == 0 && n > 0)
		return err_set(e, ERR_BAD, "object: damaged: cut short");
	f->at += (uint64_t)got;
	f->left -= (uint64_t)got;
	return got;
}

void
object_file_close(struct object_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

int
object_check_unless(struct repo *r, const struct hash *id,
    object_right *right, void *arg, struct err *e)
{
	struct object_place p;
	struct hash h;
	int got = 0;

	if (must_find(&p, r, id, e) != 0)
		return -1;
	if (right == NULL || !right(arg, p.path)) {
		got = object_place_hash(&p, r, &h, e);
		if (got == 0 && !hash_eq(&h, id))
			got = damaged(&p, r, id, e);
	}
	close(p.fd);
	return got;
}

int
object_check(struct repo *r, const struct hash *id, struct err *e)
{
	return object_check_unless(r, id, NULL, NULL, e);
}

int
object_reindex(struct repo *r, struct err *e)
{
	bool added;

	return object_index_refresh(r, &added, e);
}

typedef int each_fn(void *arg, const struct hash *id, uint64_t size,
    struct err *e);

/* The loose objects of one folder, objects/xx; what is none is passed over. */
static int
each_loose(struct repo *r, const char *xx, each_fn *fn, void *arg,
    struct err *e)
{
	char path[OBJECT_PATH_LEN], folder[OBJECT_PATH_LEN];
	struct fs_names l;
	struct hash id;
	struct stat st;
	int got;

	snprintf(folder, sizeof(folder), "objects/%.2s", xx);
	if (fs_list(&l, r->dirfd, folder, e) != 0)
		return -1;
	got = 0;
	for (size_t i = 0; i < l.n && got == 0; i++) {
		if (hash_parse(&id, span_str(l.name[i])) != 0 ||
		    strncmp(l.name[i], xx, 2) != 0)
			continue;
		object_path(path, &id);
		if (fstatat(r->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			got = fn(arg, &id, (uint64_t)st.st_size, e);
	}
	fs_names_free(&l);
	return got;
}

static int
each_all_loose(struct repo *r, each_fn *fn, void *arg, struct err *e)
{
	struct fs_names l;
	int got = 0;

	if (fs_list(&l, r->dirfd, "objects", e) != 0)
		return -1;
	for (size_t i = 0; i < l.n && got == 0; i++)
		if (strlen(l.name[i]) == 2)
			got = each_loose(r, l.name[i], fn, arg, e);
	fs_names_free(&l);
	return got;
}

/* An object of a segment, unless it was erased or is (also) loose. */
static int
one_of_segment(struct repo *r, const struct hash *id, each_fn *fn, void *arg,
    struct err *e)
{
	struct object_place p;
	int got = object_find(&p, r, id, NULL, e);

	if (got <= 0)
		return got;
	close(p.fd);
	return p.in_segment ? fn(arg, id, p.size, e) : 0;
}

int
object_each(struct repo *r, int (*fn)(void *arg, const struct hash *id,
    uint64_t size, struct err *e), void *arg, struct err *e)
{
	struct hash page[256], *after = NULL, last;
	size_t n;

	if (object_reindex(r, e) != 0 || each_all_loose(r, fn, arg, e) != 0)
		return -1;
	/* By pages: fn may change the table, or take its time. */
	do {
		if (object_index_ids(page, 256, &n, r, after, e) != 0)
			return -1;
		for (size_t i = 0; i < n; i++)
			if (one_of_segment(r, &page[i], fn, arg, e) != 0)
				return -1;
		if (n > 0) {
			last = page[n - 1];
			after = &last;
		}
	} while (n > 0);
	return 0;
}
