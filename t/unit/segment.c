/* segment: whole or absent, every bit checked, hostile files refused. */
#define _GNU_SOURCE
#include "scratch.h"
#include "store/segment.h"

static struct err e;

struct seen {
	size_t n, erased, stop_at;	/* stop_at: 0 is never */
	uint64_t at[16];
	size_t size[16];
	struct hash id[16];
	bool data[16];			/* there, and hashed to id */
};

static int
see(void *arg, const struct hash *id, uint64_t at, struct span data,
    struct err *err)
{
	struct seen *s = arg;
	struct hash h;

	(void)err;
	if (s->n < 16) {
		s->at[s->n] = at;
		s->size[s->n] = data.n;
		s->id[s->n] = *id;
		if (data.p != NULL) {
			hash_bytes(&h, data.p, data.n);
			s->data[s->n] = hash_eq(&h, id);
		}
	}
	s->erased += data.p == NULL;
	return ++s->n == s->stop_at ? 1 : 0;
}

static int
scan(const char *path, bool check, struct seen *s)
{
	memset(s, 0, sizeof(*s));
	return segment_scan(AT_FDCWD, path, "test", check, see, s, &e);
}

/* Is this text, as a file, refused as corrupt? */
static bool
refused(struct span text)
{
	struct seen s;

	/* A file that is cut to nothing first goes to the disk: slow. */
	unlink("hostile");
	scratch_write("hostile", text.p, text.n);
	return scan("hostile", true, &s) == -1 && e.kind == ERR_BAD;
}

/* Write a segment of items; its path, until the next call. */
static const char *
written(const struct span *item, size_t n)
{
	static char path[SEGMENT_NAME_LEN + 8];
	char name[SEGMENT_NAME_LEN];
	struct segment_writer *w;

	CHECK(segment_open(&w, AT_FDCWD, "seg", "test", &e) == 0);
	for (size_t i = 0; i < n; i++) {
		CHECK(segment_count(w) == i);
		CHECK(segment_add(w, item[i], NULL, NULL, &e) == 0);
	}
	CHECK(segment_commit(w, name, &e) == 0);
	snprintf(path, sizeof(path), "seg/%s", name);
	return path;
}

static void
known_bytes(void)
{
	struct span item[2] = { span_str("abc"), span_of(NULL, 0) };
	const char *path = written(item, 2);
	struct stat st;
	struct seen s;

	CHECK(scratch_holds(path, span_str("ehr.v1 segment test\n"
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	    " 3\nabc\n"
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	    " 0\n\nend 2\n")));
	CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600);
	CHECK(strlen(path) == 4 + 19 + 1 + 16 + 4);
	CHECK(path[4] == '2' && path[12] == 'T' && path[22] == 'Z' &&
	    path[23] == '-' && strcmp(path + 40, ".seg") == 0);
	CHECK(scan(path, true, &s) == 0 && s.n == 2 && s.at[0] == 87 &&
	    s.at[1] == 158);
	/* The kind is part of it. */
	CHECK(segment_scan(AT_FDCWD, path, "tes", true, see, &s, &e) == -1 &&
	    e.kind == ERR_BAD);
	CHECK(segment_scan(AT_FDCWD, path, "test2", true, see, &s, &e) == -1);
}

/* Items of all sizes come back with their places. */
static void
sizes(void)
{
	static const size_t size[] = { 0, 1, 127, 128, 16383, 16384, 65535,
	    65536, 65537, SEGMENT_ITEM_MAX - 1, SEGMENT_ITEM_MAX, 5 };
	unsigned char *p = malloc(SEGMENT_ITEM_MAX + 1);
	char name[SEGMENT_NAME_LEN], path[64];
	struct segment_writer *w;
	struct hash id[12];
	uint64_t at[12];
	struct seen s;

	for (size_t i = 0; i < SEGMENT_ITEM_MAX + 1; i++)
		p[i] = (unsigned char)random();
	CHECK(segment_open(&w, AT_FDCWD, "seg", "test", &e) == 0);
	for (size_t i = 0; i < 12; i++)
		CHECK(segment_add(w, span_of(p, size[i]), &id[i], &at[i], &e)
		    == 0);
	CHECK(segment_add(w, span_of(p, SEGMENT_ITEM_MAX + 1), NULL, NULL, &e)
	    == -1 && e.kind == ERR_BAD);
	CHECK(segment_count(w) == 12);
	CHECK(segment_commit(w, name, &e) == 0);
	snprintf(path, sizeof(path), "seg/%s", name);
	for (int check = 0; check < 2; check++) {
		CHECK(scan(path, check, &s) == 0 && s.n == 12);
		CHECK(s.erased == (check ? 0 : 12));
		for (size_t i = 0; i < 12; i++)
			CHECK(s.at[i] == at[i] && s.size[i] == size[i] &&
			    hash_eq(&s.id[i], &id[i]) && s.data[i] == check);
	}
	memset(&s, 0, sizeof(s));
	s.stop_at = 3;
	CHECK(segment_scan(AT_FDCWD, path, "test", true, see, &s, &e) == 1 &&
	    s.n == 3);
	unlink(path);
	free(p);
}

static int
fail(void *arg, const struct hash *id, uint64_t at, struct span data,
    struct err *err)
{
	(void)arg;
	(void)id;
	(void)at;
	(void)data;
	return err_set(err, ERR_AGAIN, "no more");
}

static void
none(void)
{
	struct span item = span_str("x");
	char name[SEGMENT_NAME_LEN] = "x";
	struct segment_writer *w;
	struct seen s;
	int before = scratch_entries("seg");

	CHECK(segment_open(&w, AT_FDCWD, "seg", "test", &e) == 0);
	CHECK(segment_commit(w, name, &e) == 0);
	CHECK_STR(name, "");
	CHECK(segment_open(&w, AT_FDCWD, "seg", "test", &e) == 0);
	CHECK(segment_add(w, item, NULL, NULL, &e) == 0);
	segment_abort(w);
	segment_abort(NULL);
	CHECK(scratch_entries("seg") == before && scratch_entries("tmp") == 0);
	CHECK(scan("none", true, &s) == -1 && e.kind == ERR_NO);
	CHECK(scan("seg", true, &s) == -1 && e.kind == ERR_BAD);
	CHECK(mkfifo("fifo", 0600) == 0);
	CHECK(scan("fifo", true, &s) == -1 && e.kind == ERR_BAD);
	CHECK(symlink("hostile", "link") == 0);
	CHECK(scan("link", true, &s) == -1 && e.kind == ERR_SYS);
	CHECK(segment_scan(AT_FDCWD, written(&item, 1), "test", true, fail,
	    NULL, &e) == -1 && e.kind == ERR_AGAIN);
	CHECK(segment_open(&w, AT_FDCWD, "no folder", "test", &e) == 0);
	CHECK(segment_add(w, item, NULL, NULL, &e) == 0);
	CHECK(segment_commit(w, name, &e) == -1 && e.kind == ERR_SYS);
	CHECK(scratch_entries("tmp") == 0);
}

/* No flipped bit, and no cut or added byte, goes unseen. */
static void
damage(void)
{
	struct span item[3] = { span_str("one"), span_str("item two\n"),
	    span_str("end 1\n") };
	struct buf b = BUF_INIT(4096);
	struct seen s;

	CHECK(fs_read(&b, AT_FDCWD, written(item, 3), &e) == 0);
	CHECK(!refused(buf_span(&b)));
	for (size_t i = 0; i < 8 * b.len; i++) {
		b.p[i / 8] ^= (unsigned char)(1 << i % 8);
		CHECK(refused(buf_span(&b)));
		b.p[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	for (size_t n = 0; n < b.len; n++) {
		CHECK(refused(span_of(b.p, n)));
		/* Cuts show without the data, too. */
		CHECK(scan("hostile", false, &s) == -1 && e.kind == ERR_BAD);
	}
	buf_addc(&b, '\n');
	CHECK(refused(buf_span(&b)));
	CHECK(scan("hostile", false, &s) == -1 && e.kind == ERR_BAD);
	/* What stands before the damage was given. */
	CHECK(s.n == 3);
	buf_free(&b);
}

static void
erased(void)
{
	struct span item[3] = { span_str("first"), span_str("second"),
	    span_of("\0\0\0", 3) };
	struct buf b = BUF_INIT(1000), objects = BUF_INIT(1000);
	const char *path = written(item, 3);
	struct seen s;
	int fd;

	CHECK(scan(path, true, &s) == 0 && s.erased == 0 && s.data[2]);
	CHECK((fd = open(path, O_RDWR)) >= 0);
	CHECK(pwrite(fd, "\0\0\0\0\0", 5, (off_t)s.at[1]) == 5);
	CHECK(scan(path, true, &s) == -1 && e.kind == ERR_BAD && s.n == 1);
	close(fd);
	path = written(item, 3);
	CHECK(scan(path, true, &s) == 0);
	CHECK((fd = open(path, O_RDWR)) >= 0);
	CHECK(pwrite(fd, "\0\0\0\0\0\0", 6, (off_t)s.at[1]) == 6);
	/* Only objects are ever erased. */
	CHECK(scan(path, true, &s) == -1 && e.kind == ERR_BAD && s.n == 1);
	close(fd);
	CHECK(fs_read(&b, AT_FDCWD, path, &e) == 0);
	buf_adds(&objects, "ehr.v1 segment objects\n");
	buf_add(&objects, b.p + 20, b.len - 20);
	scratch_write("objects", objects.p, objects.len);
	memset(&s, 0, sizeof(s));
	CHECK(segment_scan(AT_FDCWD, "objects", "objects", true, see, &s, &e)
	    == 0 && s.n == 3 && s.erased == 1);
	CHECK(s.data[0] && !s.data[1] && s.data[2] && s.size[1] == 6);
	buf_free(&b);
	buf_free(&objects);
}

#define ABC \
"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad 3\nabc\n"
#define HEX \
"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define HEAD "ehr.v1 segment test\n"

static void
hostile(void)
{
	static const char *const v[] = {
		"", "\n", HEAD, HEAD "end 0\n", HEAD "end 1\n",
		HEAD ABC, HEAD ABC "end\n", HEAD ABC "end \n",
		HEAD ABC "end 2\n", HEAD ABC "end 01\n", HEAD ABC "end 1",
		HEAD ABC "end 1 \n", HEAD ABC "end  1\n", HEAD ABC "END 1\n",
		HEAD ABC "end 1\nend 1\n", HEAD ABC "end 1\n" ABC "end 2\n",
		HEAD ABC "end 18446744073709551617\n", ABC "end 1\n",
		HEAD "\n" ABC "end 1\n", HEAD HEX "  3\nabc\nend 1\n",
		HEAD HEX " 03\nabc\nend 1\n", HEAD HEX " 3 \nabc\nend 1\n",
		HEAD HEX " -3\nabc\nend 1\n", HEAD HEX "\nabc\nend 1\n",
		HEAD HEX " 3\r\nabc\nend 1\n", HEAD HEX " 3\nabcend 1\n",
		HEAD HEX " 2\nabc\nend 1\n", HEAD HEX " 4\nabc\nend 1\n",
		HEAD HEX " 1048577\nabc\nend 1\n",
		HEAD HEX " 1048576\nabc\nend 1\n",
		HEAD HEX " 4294967299\nabc\nend 1\n",
		HEAD HEX " 18446744073709551615\nabc\nend 1\n",
		HEAD HEX " 18446744073709551619\nabc\nend 1\n",
		"ehr.v1 segment test" HEX HEX HEX HEX HEX "\n" ABC "end 1\n",
		HEAD HEX HEX " 3\nabc\nend 1\n", HEAD HEX HEX HEX HEX HEX,
	};
	char upper[] = HEAD ABC "end 1\n";

	CHECK(!refused(span_str(upper)));
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++)
		CHECK(refused(span_str(v[i])));
	upper[strlen(HEAD)] = 'B';
	CHECK(refused(span_str(upper)));
}

/* Write segments without end, and tell of each once it is committed. */
static void
work(void *arg, int fd)
{
	unsigned char p[3000];
	char name[SEGMENT_NAME_LEN];
	struct segment_writer *w;

	(void)arg;
	for (;;) {
		memset(name, 0, sizeof(name));
		if (segment_open(&w, AT_FDCWD, "seg", "test", &e) != 0)
			_exit(1);
		for (size_t i = 0; i < 50; i++) {
			memset(p, (int)i + 1, sizeof(p));
			if (segment_add(w, span_of(p, 60 * i), NULL, NULL, &e)
			    != 0)
				_exit(1);
		}
		if (segment_commit(w, name, &e) != 0 ||
		    fs_write_all(fd, name, sizeof(name)) != 0)
			_exit(1);
	}
}

/* What was committed is there, and nothing that is there is half. */
static void
killed(void)
{
	struct span item = span_str("x");
	struct buf said = BUF_INIT(1 << 20);
	long start = scratch_us(), us;
	size_t told = 0;
	struct fs_names l;
	struct seen s;

	written(&item, 1);
	us = scratch_us() - start;
	scratch_remove("seg");
	CHECK(mkdir("seg", 0700) == 0);
	for (int round = 0; round < 100; round++)
		scratch_kill_in(work, NULL, 4 * SEGMENT_NAME_LEN, 2 * us,
		    &said);
	CHECK(said.len % SEGMENT_NAME_LEN == 0);
	for (size_t i = 0; i < said.len; i += SEGMENT_NAME_LEN, told++) {
		char path[64];

		snprintf(path, sizeof(path), "seg/%s", (char *)said.p + i);
		CHECK(scan(path, true, &s) == 0 && s.n == 50);
	}
	CHECK(told > 10);
	CHECK(fs_list(&l, AT_FDCWD, "seg", &e) == 0 && l.n >= told);
	for (size_t i = 0; i < l.n; i++) {
		char path[64];

		snprintf(path, sizeof(path), "seg/%s", l.name[i]);
		CHECK(scan(path, true, &s) == 0 && s.n == 50);
	}
	CHECK(scratch_entries("seg") == (int)l.n);
	fs_names_free(&l);
	buf_free(&said);
}

/* A full disk is told, at the latest by the commit, and leaves nothing. */
static void
full(void)
{
	unsigned char *p = calloc(1, SEGMENT_ITEM_MAX);
	char name[SEGMENT_NAME_LEN] = "x";
	struct segment_writer *w;
	int r = 0, dir;

	if (!scratch_small_disk("disk", "512k")) {
		free(p);
		return;
	}
	CHECK((dir = open("disk", O_RDONLY | O_DIRECTORY)) >= 0);
	CHECK(mkdir("disk/tmp", 0700) == 0 && mkdir("disk/seg", 0700) == 0);
	CHECK(segment_open(&w, dir, "seg", "test", &e) == 0);
	r = segment_add(w, span_of(p, SEGMENT_ITEM_MAX), NULL, NULL, &e);
	CHECK(r == -1 && e.kind == ERR_SYS && e.errnum == ENOSPC);
	/* The writer does not forget. */
	CHECK(segment_add(w, span_str("x"), NULL, NULL, &e) == -1);
	CHECK(segment_commit(w, name, &e) == -1 && e.errnum == ENOSPC);
	CHECK_STR(name, "");
	/* So little that it is still in memory at the commit. */
	p = realloc(p, 1 << 20);
	memset(p, 1, 1 << 20);
	scratch_write("disk/filler", p, 500 << 10);
	CHECK(segment_open(&w, dir, "seg", "test", &e) == 0);
	CHECK(segment_add(w, span_of(p, 60000), NULL, NULL, &e) == 0);
	CHECK(segment_commit(w, name, &e) == -1 && e.errnum == ENOSPC);
	CHECK(scratch_entries("disk/tmp") == 0 &&
	    scratch_entries("disk/seg") == 0);
	CHECK(unlink("disk/filler") == 0);
	CHECK(segment_open(&w, dir, "seg", "test", &e) == 0);
	CHECK(segment_add(w, span_of(p, 60000), NULL, NULL, &e) == 0);
	CHECK(segment_commit(w, name, &e) == 0 && name[0] != '\0');
	close(dir);
	umount("disk");
	free(p);
}

int
main(void)
{
	scratch_open();
	srandom(20260302);
	CHECK(mkdir("tmp", 0700) == 0 && mkdir("seg", 0700) == 0);
	known_bytes();
	sizes();
	none();
	damage();
	erased();
	hostile();
	killed();
	full();
	scratch_close();
	return check_done("segment");
}
