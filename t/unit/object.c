/* object: kept by hash, loose or in segments; nothing lost, nothing half. */
#define _GNU_SOURCE
#include "scratch.h"
#include "store/db.h"
#include "store/object.h"

static struct err e;
static struct repo *r;

static struct span
words(int n)
{
	static char text[64];

	snprintf(text, sizeof(text), "the ciphertext of object number %d.", n);
	return span_str(text);
}

static struct hash
name(struct span s)
{
	struct hash h;

	hash_bytes(&h, s.p, s.n);
	return h;
}

static const char *
loose(const struct hash *id)
{
	static char path[128];
	char hex[HASH_HEX];

	hash_format(hex, id);
	snprintf(path, sizeof(path), "A/.ehr/objects/%.2s/%s", hex, hex);
	return path;
}

static const char *
quarantined(const struct hash *id, const char *more)
{
	static char path[128];
	char hex[HASH_HEX];

	hash_format(hex, id);
	snprintf(path, sizeof(path), "A/.ehr/quarantine/%s%s", hex, more);
	return path;
}

/* Is it there and right, by each way of reading? */
static bool
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
static bool
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

static bool
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
static void
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
static const char *
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
static long
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

static void
fresh(void)
{
	repo_close(r);
	scratch_remove("A");
	scratch_ledger("A");
	CHECK(repo_open(&r, "A", &e) == 0);
}

static void
reopen(void)
{
	repo_close(r);
	CHECK(repo_open(&r, "A", &e) == 0);
}

static void
one(void)
{
	static unsigned char large[3u << 20];
	struct hash id, want = name(words(1));
	struct buf b = BUF_INIT(10);
	struct stat st;

	fresh();
	CHECK(absent(r, &want, "not here"));
	CHECK(object_put(r, words(1), &id, &e) == 0 && hash_eq(&id, &want));
	CHECK(scratch_holds(loose(&id), words(1)));
	CHECK(stat(loose(&id), &st) == 0 && (st.st_mode & 07777) == 0600);
	CHECK(reads(r, words(1)));
	CHECK(object_put(r, words(1), NULL, &e) == 0);
	CHECK(object_put(r, span_of(NULL, 0), &id, &e) == 0);
	CHECK(reads(r, span_of(NULL, 0)));
	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (unsigned char)random();
	CHECK(object_put(r, span_of(large, sizeof(large)), NULL, &e) == 0);
	CHECK(reads(r, span_of(large, sizeof(large))));
	/* The ceiling of a buffer is told, and the buffer not spoilt. */
	CHECK(object_read(&b, r, &want, &e) == -1 && e.kind == ERR_BAD);
	CHECK(buf_check(&b, "b", &e) == 0);
	CHECK(scratch_entries("A/.ehr/tmp") == 0);
}

static void
stream(void)
{
	struct hash id, other = name(words(7)), want = name(words(2));
	struct object_writer *w;
	uint64_t size;

	fresh();
	CHECK(object_writer_open(&w, r, &e) == 0);
	for (size_t i = 0; i < words(2).n; i++)
		CHECK(object_writer_add(w, words(2).p + i, 1, &e) == 0);
	CHECK(absent(r, &want, "not here"));
	CHECK(object_writer_commit(w, &want, &id, &size, &e) == 0);
	CHECK(hash_eq(&id, &want) && size == words(2).n);
	CHECK(reads(r, words(2)));
	/* Again: the bytes are compared, and all is well. */
	CHECK(object_writer_open(&w, r, &e) == 0);
	CHECK(object_writer_add(w, words(2).p, words(2).n, &e) == 0);
	CHECK(object_writer_commit(w, NULL, NULL, NULL, &e) == 0);
	/* Not what was announced: not stored under either name. */
	CHECK(object_writer_open(&w, r, &e) == 0);
	CHECK(object_writer_add(w, words(3).p, words(3).n, &e) == 0);
	CHECK(object_writer_commit(w, &other, &id, &size, &e) == -1 &&
	    e.kind == ERR_BAD);
	want = name(words(3));
	CHECK(absent(r, &want, "not here") && absent(r, &other, "not here"));
	CHECK(object_writer_open(&w, r, &e) == 0);
	CHECK(object_writer_add(w, "x", 1, &e) == 0);
	object_writer_abort(w);
	object_writer_abort(NULL);
	/* Two of the same at a time. */
	CHECK(object_writer_open(&w, r, &e) == 0);
	CHECK(object_writer_add(w, words(4).p, words(4).n, &e) == 0);
	CHECK(object_put(r, words(4), NULL, &e) == 0);
	CHECK(object_writer_commit(w, NULL, NULL, NULL, &e) == 0);
	CHECK(reads(r, words(4)));
	CHECK(scratch_entries("A/.ehr/tmp") == 0);
}

static void
many(void)
{
	static unsigned char p[OBJECT_SMALL_MAX + 1];
	struct hash id = name(words(5)), zeros = name(span_of(p, 5000));
	struct object_batch *b;
	struct repo *late;

	fresh();
	CHECK(repo_open(&late, "A", &e) == 0);
	CHECK(absent(late, &id, "not here"));
	batch(r, 0, 0);
	CHECK(scratch_entries("A/.ehr/objects/seg") == 0);
	batch(r, 5, 6);
	CHECK(scratch_entries("A/.ehr/objects/seg") == 0);
	CHECK(scratch_holds(loose(&id), words(5)));
	batch(r, 0, 1000);
	CHECK(scratch_entries("A/.ehr/objects/seg") == 1);
	for (int i = 0; i < 1000; i++) {
		CHECK(reads(r, words(i)));
		/* A process that has asked before sees it, too. */
		CHECK(reads(late, words(i)));
	}
	/* What is there is not stored again. */
	batch(r, 0, 1000);
	CHECK(scratch_entries("A/.ehr/objects/seg") == 1);
	CHECK(where(segment_path(), words(5)) == -1);

	CHECK(object_batch_open(&b, r, &e) == 0);
	CHECK(object_batch_add(b, words(2000), NULL, &e) == 0);
	CHECK(object_batch_add(b, words(2001), &id, &e) == 0);
	CHECK(absent(r, &id, "not here"));
	CHECK(object_batch_add(b, span_of(p, sizeof(p)), NULL, &e) == -1);
	object_batch_abort(b);
	object_batch_abort(NULL);
	CHECK(absent(r, &id, "not here"));
	CHECK(object_batch_open(&b, r, &e) == 0);
	CHECK(object_batch_add(b, span_of(p, sizeof(p) - 1), NULL, &e) == 0);
	CHECK(object_batch_add(b, span_of(NULL, 0), NULL, &e) == 0);
	CHECK(object_batch_add(b, span_of(p, 5000), NULL, &e) == 0);
	CHECK(object_batch_commit(b, &e) == 0);
	/* Zeros that are what their hash says were not erased. */
	CHECK(reads(r, span_of(p, sizeof(p) - 1)));
	CHECK(reads(r, span_of(p, 5000)) && reads(r, span_of(NULL, 0)));
	CHECK(object_erase(r, &zeros, &e) == 0);
	CHECK(scratch_entries("A/.ehr/tmp") == 0);

	/* state.db can go at any time. */
	repo_close(late);
	repo_close(r);
	CHECK(unlink("A/.ehr/state.db") == 0);
	unlink("A/.ehr/state.db-wal");
	unlink("A/.ehr/state.db-shm");
	CHECK(repo_open(&r, "A", &e) == 0);
	for (int i = 0; i < 1000; i++)
		CHECK(reads(r, words(i)));
}

/*
 * A folder that changes twice within one tick of the clock has one time.  It
 * counts when a process ended before it could fill the table.
 */
static void
same_tick(void)
{
	struct timespec now[2];
	struct hash id = name(words(1));
	struct repo *other;
	struct db *db;

	fresh();
	CHECK(repo_open(&other, "A", &e) == 0);
	clock_gettime(CLOCK_REALTIME, &now[0]);
	now[1] = now[0] = (struct timespec){ now[0].tv_sec + 60, 5 };
	CHECK(utimensat(AT_FDCWD, "A/.ehr/objects/seg", now, 0) == 0);
	CHECK(absent(r, &id, "not here"));
	batch(other, 0, 5);
	CHECK(db_of(&db, other, &e) == 0 && db_exec(db,
	    "DELETE FROM segment; DELETE FROM segment_object", &e) == 0);
	CHECK(utimensat(AT_FDCWD, "A/.ehr/objects/seg", now, 0) == 0);
	CHECK(reads(r, words(1)));
	repo_close(other);
}

/* Processes that store the same objects at the same time all succeed. */
static void
racing(void)
{
	struct object_writer *w;
	int status;

	fresh();
	fflush(stdout);
	for (int child = 0; child < 4; child++) {
		if (fork() != 0)
			continue;
		if (repo_open(&r, "A", &e) != 0)
			_exit(1);
		for (int i = 0; i < 50; i++)
			if (child % 2 == 0 ? object_put(r, words(i), NULL, &e)
			    != 0 : object_writer_open(&w, r, &e) != 0 ||
			    object_writer_add(w, words(i).p, words(i).n, &e)
			    != 0 || object_writer_commit(w, NULL, NULL, NULL,
			    &e) != 0)
				_exit(1);
		_exit(0);
	}
	for (int child = 0; child < 4; child++)
		CHECK(wait(&status) > 0 && status == 0);
	for (int i = 0; i < 50; i++)
		CHECK(reads(r, words(i)));
	CHECK(scratch_entries("A/.ehr/tmp") == 0);
}

/* Within a transaction of the caller; which is then undone. */
static void
nested(void)
{
	struct db *db;

	fresh();
	CHECK(db_of(&db, r, &e) == 0 && !db_in_transaction(db));
	CHECK(db_exec(db, "BEGIN IMMEDIATE", &e) == 0);
	CHECK(db_in_transaction(db));
	batch(r, 0, 10);
	CHECK(reads(r, words(3)) && db_in_transaction(db));
	CHECK(db_exec(db, "ROLLBACK", &e) == 0);
	for (int i = 0; i < 10; i++)
		CHECK(reads(r, words(i)));
	CHECK(db_exec(db, "BEGIN IMMEDIATE", &e) == 0);
	batch(r, 10, 20);
	CHECK(db_exec(db, "COMMIT", &e) == 0);
	reopen();
	for (int i = 0; i < 20; i++)
		CHECK(reads(r, words(i)));
}

static void
damaged_loose(void)
{
	struct object_writer *w;
	struct hash id;

	fresh();
	CHECK(object_quarantine(r, &(struct hash){ { 0 } }, &e) == -1 &&
	    e.kind == ERR_NO);
	for (int i = 0; i < 3; i++) {
		CHECK(object_put(r, words(1), &id, &e) == 0);
		if (i == 0)
			scratch_flip(loose(&id), 9, 3);
		else
			CHECK(truncate(loose(&id), i == 1 ? 9 : 0) == 0);
		CHECK(damaged(&id));
		/* It is not silently put right, by either way. */
		CHECK(object_put(r, words(1), NULL, &e) == -1 &&
		    e.kind == ERR_BAD);
		CHECK(object_writer_open(&w, r, &e) == 0);
		CHECK(object_writer_add(w, words(1).p, words(1).n, &e) == 0);
		CHECK(object_writer_commit(w, &id, NULL, NULL, &e) == -1 &&
		    e.kind == ERR_BAD);
		CHECK(object_quarantine(r, &id, &e) == 0);
		CHECK(absent(r, &id, "not here"));
	}
	CHECK(access(quarantined(&id, ""), F_OK) == 0);
	CHECK(access(quarantined(&id, ".1"), F_OK) == 0);
	CHECK(access(quarantined(&id, ".2"), F_OK) == 0);
	CHECK(object_put(r, words(1), NULL, &e) == 0 && reads(r, words(1)));
	/* A name that leads elsewhere is not followed. */
	CHECK(unlink(loose(&id)) == 0);
	scratch_write("elsewhere", words(1).p, words(1).n);
	CHECK(symlink("../../../../elsewhere", loose(&id)) == 0);
	CHECK(object_has(r, &id, &e) == -1);
	CHECK(unlink(loose(&id)) == 0 && mkdir(loose(&id), 0700) == 0);
	CHECK(object_has(r, &id, &e) == -1 && e.kind == ERR_BAD);
}

static void
damaged_in_segment(void)
{
	struct hash id = name(words(5)), next = name(words(6));
	struct object_file f;
	char part[100];
	long at;

	fresh();
	batch(r, 0, 10);
	at = where(segment_path(), words(5));
	scratch_flip(segment_path(), at + 3, 1);
	CHECK(damaged(&id) && reads(r, words(6)) && reads(r, words(4)));
	CHECK(object_quarantine(r, &id, &e) == 0);
	CHECK(absent(r, &id, "erased"));
	CHECK(access(quarantined(&id, ""), F_OK) == 0);
	CHECK(reads(r, words(6)) && reads(r, words(4)));
	CHECK(object_put(r, words(5), NULL, &e) == 0 && reads(r, words(5)));
	CHECK(scratch_holds(loose(&id), words(5)));

	/* A good copy can be stored beside a damaged one, too. */
	at = where(segment_path(), words(6));
	scratch_flip(segment_path(), at, 1);
	CHECK(damaged(&next));
	CHECK(object_put(r, words(6), NULL, &e) == 0 && reads(r, words(6)));

	/* The line before an item is damaged: as if it were not here. */
	at = where(segment_path(), words(7));
	scratch_flip(segment_path(), at - 10, 0);
	next = name(words(7));
	CHECK(absent(r, &next, "not here"));
	CHECK(object_put(r, words(7), NULL, &e) == 0 && reads(r, words(7)));

	/* Cut short, within an item. */
	at = where(segment_path(), words(8));
	CHECK(truncate(segment_path(), at + 5) == 0);
	next = name(words(8));
	CHECK(object_open(&f, r, &next, &e) == 0);
	CHECK(object_file_read(&f, part, sizeof(part), &e) == 5);
	CHECK(object_file_read(&f, part, sizeof(part), &e) == -1 &&
	    e.kind == ERR_BAD);
	object_file_close(&f);
	CHECK(damaged(&next));
	next = name(words(9));
	CHECK(absent(r, &next, "not here"));
	/* What stands before the damage is found from the files alone. */
	repo_close(r);
	CHECK(unlink("A/.ehr/state.db") == 0);
	CHECK(repo_open(&r, "A", &e) == 0);
	for (int i = 0; i < 5; i++)
		CHECK(reads(r, words(i)));
	CHECK(object_put(r, words(9), NULL, &e) == 0 && reads(r, words(9)));
}

static void
erasing(void)
{
	struct hash id = name(words(1)), in = name(words(14));
	struct repo *other;
	struct fs_names l;

	fresh();
	CHECK(object_erase(r, &id, &e) == 0);
	CHECK(object_put(r, words(1), NULL, &e) == 0);
	CHECK(object_erase(r, &id, &e) == 0);
	CHECK(absent(r, &id, "not here") && access(loose(&id), F_OK) != 0);
	CHECK(object_erase(r, &id, &e) == 0);

	/* Two who store the same at the same time do not see each other. */
	CHECK(repo_open(&other, "A", &e) == 0);
	{
		struct object_batch *a, *b;

		CHECK(object_batch_open(&a, r, &e) == 0);
		CHECK(object_batch_open(&b, other, &e) == 0);
		for (int i = 10; i < 20; i++) {
			CHECK(object_batch_add(a, words(i), NULL, &e) == 0);
			CHECK(object_batch_add(b, words(i), NULL, &e) == 0);
		}
		CHECK(object_batch_add(a, words(14), NULL, &e) == 0);
		CHECK(object_batch_commit(a, &e) == 0);
		CHECK(object_batch_commit(b, &e) == 0);
	}
	CHECK(scratch_entries("A/.ehr/objects/seg") == 2);
	CHECK(reads(r, words(14)) && where(segment_path(), words(14)) > 0);
	CHECK(object_erase(r, &in, &e) == 0);
	CHECK(absent(r, &in, "erased") && absent(other, &in, "erased"));
	CHECK(object_erase(other, &in, &e) == 0);
	CHECK(fs_list(&l, AT_FDCWD, "A/.ehr/objects/seg", &e) == 0);
	for (size_t i = 0; i < l.n; i++) {
		char path[128];

		snprintf(path, sizeof(path), "A/.ehr/objects/seg/%s",
		    l.name[i]);
		CHECK(where(path, words(14)) == -1);
		CHECK(where(path, words(13)) > 0);
	}
	fs_names_free(&l);
	for (int i = 10; i < 20; i++)
		CHECK(i == 14 || reads(r, words(i)));
	repo_close(other);
	repo_close(r);
	CHECK(unlink("A/.ehr/state.db") == 0);
	CHECK(repo_open(&r, "A", &e) == 0);
	CHECK(absent(r, &in, "erased"));
	/* Should it be wanted again, it can be stored again, and erased. */
	CHECK(object_put(r, words(14), NULL, &e) == 0 && reads(r, words(14)));
	CHECK(object_erase(r, &in, &e) == 0 && absent(r, &in, "erased"));

	/* An item whose line is damaged is known by its hash. */
	in = name(words(15));
	scratch_flip(segment_path(), where(segment_path(), words(15)) - 10, 0);
	CHECK(object_erase(r, &in, &e) == 0);
	CHECK(where(segment_path(), words(15)) == -1);
	/* And if that is damaged as well, nobody knows what lies there. */
	in = name(words(16));
	scratch_flip(segment_path(), where(segment_path(), words(16)) - 10, 0);
	scratch_flip(segment_path(), where(segment_path(), words(16)), 0);
	CHECK(object_erase(r, &in, &e) == -1 && e.kind == ERR_BAD);
}

struct counted {
	int n[40], others, stop;
};

static int
count(void *arg, const struct hash *id, uint64_t size, struct err *err)
{
	struct counted *c = arg;
	struct hash h;

	for (int i = 0; i < 40; i++) {
		h = name(words(i));
		if (hash_eq(&h, id) && size == words(i).n) {
			c->n[i]++;
			return --c->stop == 0 ?
			    err_set(err, ERR_AGAIN, "enough") : 0;
		}
	}
	c->others++;
	return 0;
}

static void
each(void)
{
	struct counted c = { .stop = 0 };
	struct object_batch *b;
	struct hash id = name(words(12));

	fresh();
	for (int i = 0; i < 10; i++)
		CHECK(object_put(r, words(i), NULL, &e) == 0);
	batch(r, 10, 20);
	/* One that is both loose and, damaged, in a segment. */
	scratch_flip(segment_path(), where(segment_path(), words(13)), 0);
	CHECK(object_put(r, words(13), NULL, &e) == 0);
	CHECK(object_erase(r, &id, &e) == 0);
	scratch_text("A/.ehr/objects/stray", "x");
	id = name(words(0));
	scratch_text(strcat(strcpy((char[200]){ 0 }, loose(&id)), "x"), "x");
	CHECK(object_each(r, count, &c, &e) == 0);
	for (int i = 0; i < 40; i++)
		CHECK(c.n[i] == (i < 20 && i != 12));
	CHECK(c.others == 0);
	memset(&c, 0, sizeof(c));
	c.stop = 15;
	CHECK(object_each(r, count, &c, &e) == -1 && e.kind == ERR_AGAIN);
	CHECK(c.stop == 0);
	/* More than a page of them. */
	CHECK(object_batch_open(&b, r, &e) == 0);
	for (int i = 1000; i < 1600; i++)
		CHECK(object_batch_add(b, words(i), NULL, &e) == 0);
	CHECK(object_batch_commit(b, &e) == 0);
	memset(&c, 0, sizeof(c));
	CHECK(object_each(r, count, &c, &e) == 0 && c.others == 600);
}

/*
 * Store objects in all ways without end, and tell the number of each that was
 * acknowledged.
 */
static void
work(void *arg, int fd)
{
	int n = *(int *)arg;
	struct object_writer *w;
	struct object_batch *b;
	struct repo *mine;

	if (repo_open(&mine, "A", &e) != 0)
		_exit(1);
	for (;; n += 12) {
		if (object_put(mine, words(n), NULL, &e) != 0 ||
		    fs_write_all(fd, &n, sizeof(n)) != 0 ||
		    object_writer_open(&w, mine, &e) != 0)
			_exit(1);
		n++;
		if (object_writer_add(w, words(n).p, words(n).n, &e) != 0 ||
		    object_writer_commit(w, NULL, NULL, NULL, &e) != 0 ||
		    fs_write_all(fd, &n, sizeof(n)) != 0 ||
		    object_batch_open(&b, mine, &e) != 0)
			_exit(1);
		n++;
		for (int i = n; i < n + 12; i++)
			if (object_batch_add(b, words(i), NULL, &e) != 0)
				_exit(1);
		if (object_batch_commit(b, &e) != 0)
			_exit(1);
		for (int i = n; i < n + 12; i++)
			if (fs_write_all(fd, &i, sizeof(i)) != 0)
				_exit(1);
	}
}

static int
check_one(void *arg, const struct hash *id, uint64_t size, struct err *err)
{
	(void)size;
	++*(size_t *)arg;
	return object_check(r, id, err);
}

static void
killed(void)
{
	struct buf said = BUF_INIT(1 << 20);
	size_t found = 0;
	long us;
	int n = 0;

	fresh();
	batch(r, -20, -10);
	us = scratch_us();
	batch(r, -10, 0);
	us = scratch_us() - us;
	for (; n < 100; n++) {
		int first = 1000000 * n;

		scratch_kill_in(work, &first, 8 * us, &said);
	}
	CHECK(said.len % sizeof(int) == 0 && said.len > 100 * sizeof(int));
	for (size_t i = 0; i < said.len; i += sizeof(int)) {
		memcpy(&n, said.p + i, sizeof(n));
		CHECK(reads(r, words(n)));
	}
	CHECK(object_each(r, check_one, &found, &e) == 0);
	CHECK(found >= said.len / sizeof(int) + 20);
	/* Again with a table made from the files alone. */
	repo_close(r);
	unlink("A/.ehr/state.db");
	unlink("A/.ehr/state.db-wal");
	unlink("A/.ehr/state.db-shm");
	CHECK(repo_open(&r, "A", &e) == 0);
	for (size_t i = 0; i < said.len; i += sizeof(int)) {
		memcpy(&n, said.p + i, sizeof(n));
		CHECK(reads(r, words(n)));
	}
	buf_free(&said);
}

static void
full(void)
{
	static unsigned char p[900 << 10];
	struct object_writer *w;
	struct object_batch *b;
	struct hash id = name(words(1));

	if (!scratch_small_disk("disk", "2m"))
		return;
	repo_close(r);
	scratch_ledger("disk/A");
	CHECK(repo_open(&r, "disk/A", &e) == 0);
	batch(r, 100, 120);
	for (size_t i = 0; i < sizeof(p); i++)
		p[i] = (unsigned char)random();
	scratch_fill("disk/filler", 64 << 10);
	CHECK(object_put(r, span_of(p, sizeof(p)), NULL, &e) == -1 &&
	    e.kind == ERR_SYS && e.errnum == ENOSPC);
	CHECK(object_writer_open(&w, r, &e) == 0);
	while (object_writer_add(w, p, sizeof(p), &e) == 0)
		continue;
	CHECK(e.kind == ERR_SYS && e.errnum == ENOSPC);
	CHECK(object_writer_commit(w, NULL, NULL, NULL, &e) == -1 &&
	    e.errnum == ENOSPC);
	CHECK(object_batch_open(&b, r, &e) == 0);
	CHECK(object_batch_add(b, words(1), NULL, &e) == 0);
	for (size_t i = 0; i < 9 && object_batch_add(b, span_of(p + i,
	    sizeof(p) - i), NULL, &e) == 0; i++)
		continue;
	CHECK(e.kind == ERR_SYS && e.errnum == ENOSPC);
	CHECK(object_batch_commit(b, &e) == -1 && e.errnum == ENOSPC);
	CHECK(absent(r, &id, "not here"));
	CHECK(scratch_entries("disk/A/.ehr/tmp") == 0);
	for (int i = 100; i < 120; i++)
		CHECK(reads(r, words(i)));
	/* With room again, all goes on. */
	unlink("disk/filler");
	CHECK(object_put(r, words(1), NULL, &e) == 0 && reads(r, words(1)));
	batch(r, 0, 20);
	for (int i = 0; i < 20; i++)
		CHECK(reads(r, words(i)));
	repo_close(r);
	r = NULL;
	umount("disk");
}

int
main(void)
{
	scratch_open();
	srandom(20260302);
	one();
	stream();
	many();
	same_tick();
	racing();
	nested();
	damaged_loose();
	damaged_in_segment();
	erasing();
	each();
	killed();
	full();
	repo_close(r);
	scratch_close();
	return check_done("object");
}
