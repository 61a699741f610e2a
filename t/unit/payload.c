/* payload: what goes into a record comes out of it, byte for byte. */
#define _GNU_SOURCE	/* mkdtemp, O_* */
#include "packed.h"

#include <locale.h>

#include "record/gzstream.h"

#define FILES 1000

/* Together too long for the old header of a tar. */
#define LONG "thirty-three-bytes-of-a-long-name"

static const char *const odd[] = {
	"a", "META.json", "caf\xc3\xa9 noir.txt", "cafe\xcc\x81.txt",
	" leading", "-dash", "trailing ", "\xe5\xb1\xb1\xe7\x94\xb0",
	".hidden", "back\\slash", "quote\"'$(x)", "a*b?",
	LONG LONG LONG LONG LONG ".txt",
};
#define ODD (sizeof(odd) / sizeof(odd[0]))

/* The bytes of file i: none for the first, then more and more. */
static struct span
content(size_t i)
{
	static unsigned char noise[200000];
	size_t n = i == 0 ? 0 : i * 37 % 3000 + (i == 3 ? 190000 : 0);

	for (size_t k = 0; k < n; k++)
		noise[k] = (unsigned char)((k + i) * (k / 7 + 3) >> (i % 5));
	return span_of(noise, n);
}

static void
odd_names(void)
{
	struct payload_input in[ODD] = { { 0 } };
	struct payload_input memory[ODD] = { { 0 } };
	struct buf first = BUF_INIT(1 << 20);
	int dir = new_folder(), from = new_folder();

	CHECK(fchdir(from) == 0);
	for (size_t i = 0; i < ODD; i++) {
		struct span c = content(i);

		put_file(odd[i], c.p, c.n);
		in[i].path = odd[i];
	}
	CHECK(pack(in, ODD) == 0);
	buf_add(&first, packed.p, packed.len);
	CHECK(payload_extract(packed_source(), NULL, dir, false, &e) == 0);
	CHECK(entries(dir) == (int)ODD);
	for (size_t i = 0; i < ODD; i++) {
		struct span c = content(i);
		struct stat st;

		CHECK(file_is(dir, odd[i], c.p, c.n));
		CHECK(fstatat(dir, odd[i], &st, 0) == 0 &&
		    (st.st_mode & 07777) == 0600);
	}
	/* In another order, from memory: the same bytes. */
	for (size_t i = 0; i < ODD; i++) {
		unsigned char *copy;
		struct span c = content(ODD - 1 - i);

		copy = malloc(c.n + 1);
		memcpy(copy, c.p, c.n);
		memory[i].data = span_of(copy, c.n);
		memory[i].name = odd[ODD - 1 - i];
	}
	CHECK(pack(memory, ODD) == 0);
	CHECK(span_eq(buf_span(&packed), buf_span(&first)));
	for (size_t i = 0; i < ODD; i++)
		free((void *)(uintptr_t)memory[i].data.p);
	buf_free(&first);
	CHECK(chdir(work) == 0);
	close(dir);
	close(from);
}

/* Inputs of one name, from several folders. */
static void
folders(void)
{
	struct payload_input in[3] = {
		{ .path = "./two/x/a" }, { .path = "one/a" },
		{ .path = "two/b" },
	};
	int dir = new_folder();

	CHECK(mkdir("one", 0700) == 0 && mkdir("two", 0700) == 0 &&
	    mkdir("two/x", 0700) == 0);
	put_file("one/a", "1", 1);
	put_file("two/x/a", "2", 1);
	put_file("two/b", "3", 1);
	CHECK(pack(in, 3) == 0);
	CHECK(payload_extract(packed_source(), NULL, dir, false, &e) == 0);
	CHECK(file_is(dir, "one/a", "1", 1));
	CHECK(file_is(dir, "two/x/a", "2", 1));
	CHECK(file_is(dir, "b", "3", 1));
	CHECK(entries(dir) == 3);
	close(dir);
}

/* What the tar looks like inside: this is the format. */
static void
pinned(void)
{
	/* Mode, and 0 for user and group. */
	static const char want[] = "000600 \0" "000000 \0" "000000 \0";
	struct payload_input in = { .data = { (const unsigned char *)"x", 1 },
	    .name = "a" };
	struct buf tar = BUF_INIT(1 << 20);
	struct gz_reader *r;
	size_t got;

	CHECK(pack(&in, 1) == 0);
	packed_source();
	r = gz_reader_new(from_packed, NULL, &e);
	do {
		CHECK(gz_read(r, buf_room(&tar, 4096), 4096, &got, &e) == 0);
		tar.len += got;
	} while (got > 0);
	gz_reader_free(r);
	/* Two headers, two blocks of content, two empty blocks. */
	CHECK(tar.len == 6 * 512);
	CHECK(strcmp((char *)tar.p, "META.json") == 0);
	CHECK(memcmp(tar.p + 100, want, sizeof(want) - 1) == 0);
	CHECK(memcmp(tar.p + 136, "00000000000", 11) == 0);
	CHECK(memcmp(tar.p + 257, "ustar\00000", 8) == 0);
	CHECK(tar.p[156] == '0' && tar.p[265] == '\0' && tar.p[297] == '\0');
	CHECK(strcmp((char *)tar.p + 512, "{\"version\":1,"
	    "\"description\":\"a description\",\"label\":\"laboratory\","
	    "\"files\":[{\"name\":\"a\",\"type\":\"text/plain\",\"size\":1}]}"
	    "\n") == 0);
	CHECK(strcmp((char *)tar.p + 1024, "files/a") == 0);
	CHECK(tar.p[1536] == 'x' && tar.p[1537] == 0);
	buf_free(&tar);
}

/* Stock tools, in a locale that knows only ASCII, say nothing. */
static void
stock(void)
{
	struct payload_input in[2] = {
		{ .name = "caf\xc3\xa9 noir.txt", .data = span_str("x\n") },
		{ .name = "b", .data = span_str("yy\n") },
	};
	char line[256], all[1024] = "";
	FILE *p;

	CHECK(pack(in, 2) == 0);
	put_file("rec.tar.gz", packed.p, packed.len);
	CHECK((p = popen("exec 2>&1; LC_ALL=C tar tzf rec.tar.gz; "
	    "tar xzOf rec.tar.gz files/b; "
	    "tar xzOf rec.tar.gz 'files/caf\xc3\xa9 noir.txt'", "r")) != NULL);
	while (fgets(line, sizeof(line), p) != NULL)
		strncat(all, line, sizeof(all) - strlen(all) - 1);
	CHECK(pclose(p) == 0);
	CHECK_STR(all, "META.json\nfiles/b\nfiles/caf\\303\\251 noir.txt\n"
	    "yy\nx\n");
}

static int
count(void *arg, struct span name, uint64_t size, struct err *err)
{
	size_t *n = arg;
	char want[32];

	(void)err;
	snprintf(want, sizeof(want), "f%04zu", *n);
	CHECK(span_is(name, want) && size == content(*n).n);
	++*n;
	return 0;
}

static int
refuse(void *arg, struct span name, uint64_t size, struct err *err)
{
	(void)arg;
	(void)size;
	return span_is(name, "f0002") ? err_set(err, ERR_NO, "enough") : 0;
}

/* More files than META.json has place for. */
static void
many(void)
{
	static struct payload_input in[FILES];
	static char name[FILES][16];
	struct buf one = BUF_INIT(1 << 20);
	int dir = new_folder();
	struct meta m;
	size_t n = 0;

	for (size_t i = 0; i < FILES; i++) {
		struct span c = content(i);

		snprintf(name[i], sizeof(name[i]), "f%04zu", i);
		put_file(name[i], c.p, c.n);
		in[i].path = name[i];
	}
	CHECK(pack(in, FILES) == 0);
	CHECK(payload_read_meta(&m, packed_source(), NULL, &e) == 0);
	CHECK(m.truncated && m.nfiles > 500 && m.nfiles < FILES);
	meta_free(&m);
	CHECK(payload_list(packed_source(), NULL, count, &n, &e) == 0);
	CHECK(n == FILES);
	CHECK(payload_list(packed_source(), NULL, refuse, NULL, &e) == -1);
	CHECK(e.kind == ERR_NO);
	CHECK(payload_list(packed_source(), NULL, NULL, NULL, &e) == 0);
	CHECK(payload_extract(packed_source(), NULL, dir, false, &e) == 0);
	for (size_t i = 0; i < FILES; i++) {
		struct span c = content(i);

		CHECK(file_is(dir, name[i], c.p, c.n));
	}
	CHECK(entries(dir) == FILES);
	CHECK(payload_stream(packed_source(), NULL, "f0999", to_packed, &one,
	    &e) == 0);
	CHECK(span_eq(buf_span(&one), content(999)));
	buf_reset(&one);
	CHECK(payload_stream(packed_source(), NULL, "f1000", to_packed, &one,
	    &e) == -1 && e.kind == ERR_NO && one.len == 0);
	CHECK(payload_stream(packed_source(), NULL, NULL, to_packed, &one,
	    &e) == -1 && e.kind == ERR_USAGE);
	buf_free(&one);
	close(dir);
}

static void
streams(void)
{
	struct payload_input in[2] = {
		{ .name = "META.json", .data = span_str("mine") },
		{ .name = "b", .data = span_str("") },
	};
	struct buf one = BUF_INIT(1 << 20);
	struct meta_file f;
	struct meta m;

	CHECK(pack(in, 1) == 0);
	CHECK(payload_stream(packed_source(), NULL, NULL, to_packed, &one,
	    &e) == 0);
	CHECK(span_is(buf_span(&one), "mine"));
	CHECK(pack(in, 2) == 0);
	buf_reset(&one);
	CHECK(payload_stream(packed_source(), NULL, NULL, to_packed, &one,
	    &e) == -1 && e.kind == ERR_USAGE && one.len == 0);
	CHECK(payload_stream(packed_source(), NULL, "b", to_packed, &one,
	    &e) == 0 && one.len == 0);
	CHECK(payload_stream(packed_source(), NULL, "c", to_packed, &one,
	    &e) == -1 && e.kind == ERR_NO);
	CHECK(payload_stream(packed_source(), NULL, "META.json", to_packed,
	    &one, &e) == 0);
	CHECK(span_is(buf_span(&one), "mine"));
	CHECK(payload_read_meta(&m, packed_source(), NULL, &e) == 0);
	CHECK(span_is(m.description, "a description") && m.nfiles == 2 &&
	    span_is(m.label, "laboratory"));
	meta_file(&f, &m, 0);
	CHECK(span_is(f.name, "META.json") && f.size == 4 &&
	    span_is(f.type, "application/json"));
	meta_free(&m);
	buf_free(&one);
}

/* META.json can be read from the first chunk of a large record. */
static void
first_chunk(void)
{
	struct payload_input in[200];
	char *noise = malloc(500000), name[200][16];
	struct meta m;
	uint32_t x = 7;

	for (size_t i = 0; i < 500000; i++) {
		x = x * 1664525 + 1013904223;
		noise[i] = (char)(x >> 24);
	}
	for (size_t i = 0; i < 200; i++) {
		snprintf(name[i], sizeof(name[i]), "f%04zu", i);
		in[i] = (struct payload_input){ .name = name[i],
		    .data = span_of(noise + i * 1000, 200000) };
	}
	CHECK(pack(in, 200) == 0);
	packed.len = AGE_CHUNK;
	CHECK(payload_read_meta(&m, packed_source(), NULL, &e) == 0);
	CHECK(m.nfiles == 200);
	meta_free(&m);
	free(noise);
}

int
main(void)
{
	packed_begin();
	odd_names();
	folders();
	pinned();
	stock();
	many();
	streams();
	first_chunk();
	/* A program that has set its locale changes nothing. */
	CHECK(setlocale(LC_ALL, "C.UTF-8") != NULL);
	odd_names();
	stock();
	packed_end();
	return check_done("payload");
}
