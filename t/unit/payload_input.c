/*
 * payload_input: files that can't be read whole, that change while they are
 * read, or that can't be named.  Each is refused with a message that names it.
 */
#include "packed.h"

#include <errno.h>
#include <sys/syscall.h>

/* Our own read(2), which can fail for one file from a place on. */
static const char *bad_path;
static off_t bad_from;

ssize_t
read(int fd, void *p, size_t n)
{
	struct stat st, bad;

	if (bad_path != NULL && fstat(fd, &st) == 0 &&
	    stat(bad_path, &bad) == 0 && st.st_ino == bad.st_ino &&
	    lseek(fd, 0, SEEK_CUR) >= bad_from) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_read, fd, p, n);
}

static bool
fails(const struct payload_input *in, size_t n, enum err_kind kind,
    const char *message)
{
	e.kind = ERR_NONE;
	if (pack(in, n) != -1 || e.kind != kind ||
	    strstr(e.msg, message) == NULL) {
		printf("wanted %d %s, got %d %s\n", kind, message, e.kind,
		    e.msg);
		return false;
	}
	return true;
}

#define FAILS(kind, message, ...) CHECK(fails(&(struct payload_input) \
    { __VA_ARGS__ }, 1, kind, message))

static void
inputs(void)
{
	struct payload_input two[2] = { { .path = "small" },
	    { .path = "big" } };
	static char big[300000];

	put_file("small", "x", 1);
	put_file("big", big, sizeof(big));
	put_file("caf\xe9", "x", 1);
	CHECK(mkdir("folder", 0700) == 0 && mkfifo("fifo", 0600) == 0);
	FAILS(ERR_NO, "nothing: no such file", .path = "nothing");
	FAILS(ERR_NO, "small/x: no such file", .path = "small/x");
	FAILS(ERR_BAD, "folder: is a directory", .path = "folder");
	FAILS(ERR_BAD, "folder/: is a directory", .path = "folder/");
	FAILS(ERR_BAD, "fifo: is not a regular file", .path = "fifo");
	FAILS(ERR_BAD, "/dev/null: is not a regular file",
	    .path = "/dev/null");
	FAILS(ERR_BAD, "must be UTF-8", .path = "caf\xe9");
	FAILS(ERR_BAD, "must be UTF-8", .path = "small", .name = "../small");
	CHECK(fails(two, 0, ERR_USAGE, "1 to 100000 files"));
	two[1].path = "./small";
	CHECK(fails(two, 2, ERR_USAGE, "small: two files"));
	two[1].path = "big";
	/* A file of /proc says that it is empty, and is not. */
	FAILS(ERR_BAD, "/proc/self/stat: changed while",
	    .path = "/proc/self/stat");
	bad_path = "big";
	for (bad_from = 0; bad_from <= 200000; bad_from += 100000) {
		FAILS(ERR_SYS, "big: ", .path = "big");
		CHECK(strstr(e.msg, strerror(EIO)) != NULL);
		CHECK(fails(two, 2, ERR_SYS, "big: "));
	}
	bad_path = NULL;
	CHECK(pack(two, 2) == 0);
	if (geteuid() != 0) {
		CHECK(chmod("small", 0) == 0);
		FAILS(ERR_SYS, "small: Permission denied", .path = "small");
		CHECK(chmod("small", 0600) == 0);
	}
}

static void
words(void)
{
	struct payload_input in = { .path = "small" };

	CHECK(payload_write(writer, &in, 1, span_str("two\nlines"),
	    span_str("l"), to_packed, &packed, &e) == -1 &&
	    e.kind == ERR_BAD);
	CHECK(payload_write(writer, &in, 1, span_str("d"), span_str(""),
	    to_packed, &packed, &e) == -1 && e.kind == ERR_BAD);
}

/* What happens to the second file while the first is being written. */
static enum { SHRINK, GROW, REPLACE, REWRITE, VANISH, SINK } then;
static size_t sunk;

static int
meddle(void *arg, const void *p, size_t n, struct err *err)
{
	struct timespec times[2];
	struct stat st;
	char c = 'y';
	int fd;

	(void)arg;
	(void)p;
	sunk += n;
	if (then == SINK)
		return sunk < 100000 ? 0 : err_set(err, ERR_AGAIN, "sunk");
	if (then == VANISH)
		return unlink("b"), 0;
	if (stat("b", &st) != 0)
		return 0;
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	if (then == REPLACE) {
		put_file("new", "0123456789", 10);
		CHECK(utimensat(AT_FDCWD, "new", times, 0) == 0);
		return rename("new", "b");
	}
	fd = open("b", O_WRONLY | O_CLOEXEC);
	if (then == SHRINK)
		CHECK(ftruncate(fd, 5) == 0);
	else
		CHECK(pwrite(fd, &c, 1, then == GROW ? st.st_size : 3) == 1);
	/* Clocks are coarse: but for REWRITE, as if no time had passed. */
	times[1].tv_nsec ^= then == REWRITE;
	CHECK(futimens(fd, times) == 0);
	close(fd);
	return 0;
}

static void
changes(void)
{
	static const char *const says[] = {
		"b: changed while it was read", "b: changed while",
		"b: changed while", "b: changed while", "b: no such file",
		"sunk",
	};
	static const enum err_kind kind[] = {
		ERR_BAD, ERR_BAD, ERR_BAD, ERR_BAD, ERR_NO, ERR_AGAIN
	};
	struct payload_input in[2] = { { .path = "a" }, { .path = "b" } };
	static unsigned char noise[500000];
	uint32_t x = 1;

	for (size_t i = 0; i < sizeof(noise); i++) {
		x = x * 1664525 + 1013904223;
		noise[i] = (unsigned char)(x >> 24);
	}
	put_file("a", noise, sizeof(noise));
	for (int i = SHRINK; i <= SINK; i++) {
		put_file("b", "0123456789", 10);
		then = i;
		sunk = 0;
		e.kind = ERR_NONE;
		CHECK(payload_write(writer, in, 2, span_str("d"),
		    span_str("l"), meddle, NULL, &e) == -1);
		CHECK(e.kind == kind[i] && strstr(e.msg, says[i]) != NULL);
	}
	/* The writer is as good as new. */
	put_file("b", "0123456789", 10);
	CHECK(pack(in, 2) == 0);
	CHECK(payload_list(packed_source(), NULL, NULL, NULL, &e) == 0);
	/* One file that is open all the time. */
	CHECK(rename("a", "b") == 0);
	in[0].path = "b";
	then = REWRITE;
	CHECK(payload_write(writer, in, 1, span_str("d"), span_str("l"),
	    meddle, NULL, &e) == -1 && e.kind == ERR_BAD);
	then = GROW;
	CHECK(payload_write(writer, in, 1, span_str("d"), span_str("l"),
	    meddle, NULL, &e) == -1 && e.kind == ERR_BAD);
}

int
main(void)
{
	packed_begin();
	inputs();
	words();
	changes();
	packed_end();
	return check_done("payload_input");
}
