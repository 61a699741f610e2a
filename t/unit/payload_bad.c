/*
 * payload_bad: payloads that somebody made to do harm.  Each is refused with a
 * message, and nothing remains.
 */
#include "packed.h"

#include "record/gzstream.h"

/* A tar in the making. */
static struct buf tar = BUF_INIT(64 << 20);

static void
put_sum(unsigned char *h)
{
	unsigned sum = 0;

	memset(h + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += h[i];
	sprintf((char *)h + 148, "%06o", sum);
}

static void
put_entry(const char *name, char type, const char *link, struct span data)
{
	unsigned char *h = buf_room(&tar, 512);

	memset(h, 0, 512);
	strncpy((char *)h, name, 100);
	sprintf((char *)h + 100, "%07o", 0600);
	sprintf((char *)h + 108, "%07o", 0);
	sprintf((char *)h + 116, "%07o", 0);
	sprintf((char *)h + 124, "%011zo", data.n);
	sprintf((char *)h + 136, "%011o", 0);
	h[156] = (unsigned char)type;
	strncpy((char *)h + 157, link, 100);
	memcpy(h + 257, "ustar\00000", 8);
	put_sum(h);
	tar.len += 512;
	buf_add(&tar, data.p, data.n);
	while (tar.len % 512 != 0)
		buf_addc(&tar, 0);
}

/* A tar whose META.json has these files; "a" and "b" are of 1 byte. */
#define FILE_A "{\"name\":\"a\",\"type\":\"t\",\"size\":1}"
#define FILE_B "{\"name\":\"b\",\"type\":\"t\",\"size\":1}"

static void
begin(const char *files)
{
	char json[1000];

	snprintf(json, sizeof(json), "{\"version\":1,\"description\":\"\","
	    "\"label\":\"l\",\"files\":[%s]}", files);
	buf_reset(&tar);
	put_entry("META.json", '0', "", span_str(json));
}

/* One whose META.json tells no file, but that there are some. */
static void
begin_untold(void)
{
	buf_reset(&tar);
	put_entry("META.json", '0', "", span_str("{\"version\":1,"
	    "\"description\":\"\",\"label\":\"l\",\"files\":[],"
	    "\"truncated\":true}"));
}

static void
file(const char *name)
{
	put_entry(name, '0', "", span_str("x"));
}

static void
end(void)
{
	for (int i = 0; i < 1024; i++)
		buf_addc(&tar, 0);
}

static void
compress(void)
{
	struct gz_writer *w = gz_writer_new(&e);

	buf_reset(&packed);
	gz_start(w, tar.len, to_packed, &packed);
	assert(gz_add(w, tar.p, tar.len, &e) == 0 && gz_finish(w, &e) == 0);
	gz_writer_free(w);
}

/* It must not come out, nor anything of it. */
static bool
refused(enum err_kind kind, const char *message)
{
	struct buf out = BUF_INIT(1 << 20);
	int dir = new_folder();
	bool ok;

	compress();
	e = (struct err){ ERR_NONE, 0, "" };
	ok = payload_extract(packed_source(), NULL, dir, false, &e) == -1 &&
	    e.kind == kind && strstr(e.msg, message) != NULL;
	if (!ok)
		printf("wanted %s, got %d %s\n", message, e.kind, e.msg);
	ok = ok && entries(dir) == 0;
	ok = ok && payload_list(packed_source(), NULL, NULL, NULL, &e) == -1;
	ok = ok && payload_stream(packed_source(), NULL, "a", to_packed,
	    &out, &e) == -1;
	buf_free(&out);
	close(dir);
	return ok;
}

#define REFUSED(message) CHECK(refused(ERR_BAD, message))

static void
fine(void)
{
	int dir = new_folder();

	begin(FILE_A "," FILE_B);
	file("files/a");
	file("files/b");
	end();
	compress();
	CHECK(payload_extract(packed_source(), NULL, dir, false, &e) == 0);
	CHECK(entries(dir) == 2);
	/* tar pads to its record size. */
	for (int i = 0; i < 20 * 512; i++)
		buf_addc(&tar, 0);
	compress();
	CHECK(payload_list(packed_source(), NULL, NULL, NULL, &e) == 0);
	close(dir);
}

static void
kinds_of_entries(void)
{
	static const char types[] = "123456LKVD";

	for (const char *t = types; *t != '\0'; t++) {
		begin_untold();
		put_entry("files/a", *t, "/etc/passwd", span_str(""));
		end();
		REFUSED("payload: ");
	}
	begin(FILE_A);
	put_entry("files/a", '1', "META.json", span_str("x"));
	end();
	REFUSED("not a regular file");
}

static void
names(void)
{
	static const char *const bad[] = {
		"a", "/files/a", "files/../a", "files//a", "files/a/",
		"files/", "files", "../files/a", "files/./a", "files/\n",
		"files/\xff", "file/a", "META.json", "Files/a",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(FILE_A);
		file(bad[i]);
		end();
		REFUSED("payload: ");
		begin_untold();
		file(bad[i]);
		end();
		REFUSED("payload: ");
	}
}

static void
against_meta(void)
{
	begin(FILE_A);
	file("files/b");
	end();
	REFUSED("that META.json tells otherwise");
	begin(FILE_A);
	put_entry("files/a", '0', "", span_str("xx"));
	end();
	REFUSED("that META.json tells otherwise");
	begin(FILE_A);
	file("files/a");
	file("files/b");
	end();
	REFUSED("that META.json does not tell");
	begin(FILE_A "," FILE_B);
	file("files/a");
	end();
	REFUSED("fewer files");
	begin("");
	end();
	REFUSED("fewer files");
	begin(FILE_B "," FILE_A);
	file("files/b");
	file("files/a");
	end();
	REFUSED("out of order");
	begin(FILE_A "],\"truncated\":true,\"x\":[");
	file("files/a");
	end();
	REFUSED("META.json: ");
	/* Truncated, but nothing more comes; and a name twice. */
	buf_reset(&tar);
	put_entry("META.json", '0', "", span_str("{\"version\":1,"
	    "\"description\":\"\",\"label\":\"l\",\"files\":[" FILE_A "],"
	    "\"truncated\":true}"));
	file("files/a");
	end();
	REFUSED("fewer files");
	tar.len -= 1024;
	file("files/a");
	end();
	REFUSED("out of order");
}

static void
meta_itself(void)
{
	static char json[META_MAX + 1];

	buf_reset(&tar);
	file("files/a");
	end();
	REFUSED("not META.json");
	buf_reset(&tar);
	put_entry("META.json", '2', "files/a", span_str(""));
	end();
	REFUSED("not a regular file");
	buf_reset(&tar);
	memset(json, ' ', sizeof(json));
	put_entry("META.json", '0', "", span_of(json, sizeof(json)));
	end();
	REFUSED("META.json is too long");
	buf_reset(&tar);
	put_entry("META.json", '0', "", span_str("{"));
	end();
	REFUSED("META.json, line 1");
	buf_reset(&tar);
	end();
	REFUSED("payload: ");
	buf_reset(&tar);
	REFUSED("payload: ");
	buf_adds(&tar, "this is not a tar");
	REFUSED("payload: ");
}

/* Bytes that libarchive would have to collect, and what comes after. */
static void
excess(void)
{
	static char comment[100000];
	size_t first;

	begin(FILE_A);
	memset(comment, 'x', sizeof(comment));
	memcpy(comment, "100000 comment=", 15);
	comment[sizeof(comment) - 1] = '\n';
	for (int i = 0; i < 50; i++)
		put_entry("pax", 'x', "", span_of(comment, sizeof(comment)));
	file("files/a");
	end();
	REFUSED("payload: ");

	/* An old sparse file: headers that announce more headers. */
	begin_untold();
	first = tar.len;
	put_entry("files/a", 'S', "", span_str(""));
	memcpy(tar.p + first + 257, "ustar  ", 8);
	sprintf((char *)tar.p + first + 386, "%011o", 0);
	sprintf((char *)tar.p + first + 398, "%011o", 1);
	tar.p[first + 482] = 1;
	put_sum(tar.p + first);
	for (int i = 0; i < 6000; i++) {
		memset(buf_room(&tar, 512), 0, 512);
		for (int k = 0; k < 21; k++)
			sprintf((char *)tar.p + tar.len + 24 * k,
			    "%011o %011o", i * 21 + k, 1);
		tar.p[tar.len + 504] = 1;
		tar.len += 512;
	}
	end();
	REFUSED("a header is too long");

	/* One that is as it should be, but for its hole. */
	begin_untold();
	first = tar.len;
	put_entry("files/a", 'S', "", span_str("x"));
	memcpy(tar.p + first + 257, "ustar  ", 8);
	sprintf((char *)tar.p + first + 386, "%011o", 999);
	sprintf((char *)tar.p + first + 398, "%011o", 1);
	sprintf((char *)tar.p + first + 483, "%011o", 1000);
	put_sum(tar.p + first);
	end();
	REFUSED("payload: ");

	begin(FILE_A);
	file("files/a");
	end();
	for (int i = 0; i < 4 << 20; i++)
		buf_addc(&tar, 0);
	REFUSED("goes on after its last file");

	begin(FILE_A);
	file("files/a");
	tar.len -= 512;
	REFUSED("payload: ");

	begin(FILE_A);
	file("files/a");
	end();
	compress();
	for (size_t n = packed.len - 1; n > 0; n--) {
		packed.len = n;
		CHECK(payload_list(packed_source(), NULL, NULL, NULL, &e) ==
		    -1 && e.kind == ERR_BAD);
	}
}

/* The reader's source fails after all bytes: an altered last chunk. */
static long
never_ends_well(void *arg, void *p, size_t n, struct err *err)
{
	long got = from_packed(arg, p, n, err);

	return got > 0 ? got : err_set(err, ERR_BAD, "altered");
}

/* What is in the way, in the folder that is written to. */
static void
targets(void)
{
	int dir = new_folder();

	begin("{\"name\":\"a\",\"type\":\"t\",\"size\":1},"
	    "{\"name\":\"b/c/d\",\"type\":\"t\",\"size\":1}");
	file("files/a");
	file("files/b/c/d");
	end();
	compress();

	CHECK(payload_extract((packed_source(), never_ends_well), NULL, dir,
	    false, &e) == -1 && e.kind == ERR_BAD);
	CHECK(strcmp(e.msg, "altered") == 0 && entries(dir) == 0);

	CHECK(symlinkat("/nowhere", dir, "a") == 0);
	CHECK(payload_extract(packed_source(), NULL, dir, false, &e) == -1 &&
	    e.kind == ERR_NO && strstr(e.msg, "a: exists") != NULL);
	CHECK(entries(dir) == 1);
	CHECK(payload_extract(packed_source(), NULL, dir, true, &e) == 0);
	CHECK(file_is(dir, "a", "x", 1) && file_is(dir, "b/c/d", "x", 1));
	CHECK(entries(dir) == 2);
	CHECK(payload_extract(packed_source(), NULL, dir, false, &e) == -1 &&
	    e.kind == ERR_NO && entries(dir) == 2);
	close(dir);

	/* A link out of the folder is not followed, and all is undone. */
	dir = new_folder();
	CHECK(symlinkat(work, dir, "b") == 0);
	CHECK(payload_extract(packed_source(), NULL, dir, false, &e) == -1 &&
	    e.kind == ERR_SYS);
	CHECK(entries(dir) == 1 && access("c", F_OK) != 0);
	close(dir);
	/* The same below a folder that we make. */
	dir = new_folder();
	CHECK(mkdirat(dir, "b", 0700) == 0);
	CHECK(symlinkat("nowhere", dir, "b/c") == 0);
	CHECK(payload_extract(packed_source(), NULL, dir, false, &e) == -1);
	CHECK(entries(dir) == 1);
	close(dir);

	/* A file in the way of a folder, a folder in the way of a file. */
	dir = new_folder();
	close(openat(dir, "b", O_WRONLY | O_CREAT, 0600));
	CHECK(payload_extract(packed_source(), NULL, dir, false, &e) == -1);
	CHECK(entries(dir) == 1);
	CHECK(payload_extract(packed_source(), NULL, dir, true, &e) == -1);
	close(dir);
	dir = new_folder();
	CHECK(mkdirat(dir, "a", 0700) == 0);
	CHECK(payload_extract(packed_source(), NULL, dir, true, &e) == -1);
	CHECK(entries(dir) == 1);
	close(dir);

	/* What is in the way of an untold file; folders that we made go. */
	begin_untold();
	file("files/b/c/d");
	file("files/z");
	end();
	compress();
	dir = new_folder();
	CHECK(mkdirat(dir, "z", 0700) == 0);
	CHECK(payload_extract(packed_source(), NULL, dir, false, &e) == -1 &&
	    e.kind == ERR_NO && strcmp(e.msg, "z: exists already") == 0);
	CHECK(entries(dir) == 1);
	CHECK(unlinkat(dir, "z", AT_REMOVEDIR) == 0);
	close(openat(dir, "z", O_WRONLY | O_CREAT, 0600));
	CHECK(payload_extract(packed_source(), NULL, dir, false, &e) == -1 &&
	    e.kind == ERR_NO);
	CHECK(entries(dir) == 1 && file_is(dir, "z", "", 0));
	close(dir);

	/* A name that is a folder's too. */
	begin("{\"name\":\"a\",\"type\":\"t\",\"size\":1},"
	    "{\"name\":\"a/b\",\"type\":\"t\",\"size\":1}");
	file("files/a");
	file("files/a/b");
	end();
	compress();
	dir = new_folder();
	CHECK(payload_extract(packed_source(), NULL, dir, false, &e) == -1);
	CHECK(entries(dir) == 0);
	close(dir);
}

int
main(void)
{
	packed_begin();
	fine();
	kinds_of_entries();
	names();
	against_meta();
	meta_itself();
	excess();
	targets();
	buf_free(&tar);
	packed_end();
	return check_done("payload_bad");
}
