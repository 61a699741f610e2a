/* object: kept by hash, loose or in segments. */
#define _GNU_SOURCE
#include "objects.h"
#include "store/db.h"

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
	each();
	repo_close(r);
	scratch_close();
	return check_done("object");
}
