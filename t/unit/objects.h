/* objects: a ledger directory to store objects in, and all ways to read. */
#ifndef UNIT_OBJECTS_H
#define UNIT_OBJECTS_H

#include "scratch.h"
#include "store/object.h"

static struct err e;
static struct repo *r;

static inline struct span
words(int n)
{
	static char text[64];

	snprintf(text, sizeof(text), "the ciphertext of object number %d.", n);
	return span_str(text);
}

static inline struct hash
name(struct span s)
{
	struct hash h;

	hash_bytes(&h, s.p, s.n);
	return h;
}

static inline const char *
loose(const struct hash *id)
{
	static char path[128];
	char hex[HASH_HEX];

	hash_format(hex, id);
	snprintf(path, sizeof(path), "A/.ehr/objects/%.2s/%s", hex, hex);
	return path;
}

static inline const char *
quarantined(const struct hash *id, const char *more)
{
	static char path[128];
	char hex[HASH_HEX];

	hash_format(hex, id);
	snprintf(path, sizeof(path), "A/.ehr/quarantine/%s%s", hex, more);
	return path;
}

/* Is it there and right, by each way of reading? */
static inline bool
reads(struct repo *from, struct span want)
{
	struct buf b = BUF_INIT(4u << 20);
	struct hash id = name(want), h;
	struct hash_stream *s = hash_open();
	struct object_file f;
	char part[1000];
	bool ok;
	long n;

	buf_adds(&b, "before ");
	ok = object_read(&b, from, &id, &e) == 0 && b.len == 7 + want.n &&
	    (want.n == 0 || memcmp(b.p + 7, want.p, want.n) == 0) &&
	    object_has(from, &id, &e) == 1 && object_check(from, &id, &e) == 0;
	if (ok && object_open(&f, from, &id, &e) == 0) {
		CHECK(f.left == want.n);
		while ((n = object_file_read(&f, part, sizeof(part), &e)) > 0)
			hash_add(s, part, (size_t)n);
		CHECK(n == 0);
		object_file_close(&f);
	}
	hash_finish(s, &h);
	buf_free(&b);
	return ok && hash_eq(&h, &id);
}

/* Is it not here, for each way of reading, for this reason? */
static inline bool
absent(struct repo *from, const struct hash *id, const char *why)
{
	struct buf b = BUF_INIT(100);
	struct object_file f;
	bool ok = object_has(from, id, &e) == 0 &&
	    object_read(&b, from, id, &e) == -1 && e.kind == ERR_NO &&
	    strstr(e.msg, why) != NULL && b.len == 0 &&
	    object_open(&f, from, id, &e) == -1 && e.kind == ERR_NO &&
	    object_check(from, id, &e) == -1 && e.kind == ERR_NO;

	buf_free(&b);
	return ok;
}

static inline bool
damaged(const struct hash *id)
{
	struct buf b = BUF_INIT(1u << 20);
	bool ok = object_check(r, id, &e) == -1 && e.kind == ERR_BAD &&
	    strstr(e.msg, "A/.ehr/objects/") != NULL &&
	    object_read(&b, r, id, &e) == -1 && e.kind == ERR_BAD &&
	    b.len == 0 && object_has(r, id, &e) == 1;

	buf_free(&b);
	return ok;
}

/* Store objects from .. to - 1 as one batch. */
static inline void
batch(struct repo *to_repo, int from, int to)
{
	struct object_batch *b;
	struct hash id, want;

	CHECK(object_batch_open(&b, to_repo, &e) == 0);
	for (int i = from; i < to; i++) {
		want = name(words(i));
		CHECK(object_batch_add(b, words(i), &id, &e) == 0 &&
		    hash_eq(&id, &want));
	}
	CHECK(object_batch_commit(b, &e) == 0);
}

/* The only segment, or that at the end of the list. */
static inline const char *
segment_path(void)
{
	static char path[128];
	struct fs_names l;

	CHECK(fs_list(&l, AT_FDCWD, "A/.ehr/objects/seg", &e) == 0 && l.n > 0);
	if (l.n > 0)
		snprintf(path, sizeof(path), "A/.ehr/objects/seg/%s",
		    l.name[l.n - 1]);
	fs_names_free(&l);
	return path;
}

/* Where text is in a file, or -1. */
static inline long
where(const char *path, struct span text)
{
	struct buf b = BUF_INIT(16u << 20);
	unsigned char *p;
	long at = -1;

	if (fs_read(&b, AT_FDCWD, path, &e) == 0 &&
	    (p = memmem(b.p, b.len, text.p, text.n)) != NULL)
		at = (long)(p - b.p);
	buf_free(&b);
	return at;
}

static inline void
fresh(void)
{
	repo_close(r);
	scratch_remove("A");
	scratch_ledger("A");
	CHECK(repo_open(&r, "A", &e) == 0);
}

static inline void
reopen(void)
{
	repo_close(r);
	CHECK(repo_open(&r, "A", &e) == 0);
}

#endif
