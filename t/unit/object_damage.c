/* object: damage is told, erased is erased, nothing is lost or half there. */
#define _GNU_SOURCE
#include "objects.h"

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

		scratch_kill_in(work, &first, 20 * sizeof(int), 2 * us,
		    &said);
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
	damaged_loose();
	damaged_in_segment();
	erasing();
	killed();
	full();
	repo_close(r);
	scratch_close();
	return check_done("object_damage");
}
