/* heard: what one process was given another finds; what is damaged is as if it
 * were not there, and never something else. */
#define _GNU_SOURCE
#include "scratch.h"

#include <poll.h>
#include <sys/inotify.h>

#include "store/heard.h"
#include "store/watch.h"

#define FILE_PATH "x/.ehr/" HEARD_PATH
#define NOTES 5

static struct repo *r;
static struct err e;
static struct buf got = BUF_INIT(HEARD_NOTE_MAX);

/* A note is lines without tabs; what they say, heard does not ask. */
static const char *
note(unsigned i)
{
	static char text[64];

	snprintf(text, sizeof(text), "vote %u\n\n\u2014 name signature\n", i);
	return text;
}

static struct heard *
look(uint64_t height)
{
	struct heard *h = heard_open(r);

	CHECK(h != NULL && heard_look(h, height, false, &e) == 0);
	return h;
}

/* From here on these notes follow, and no more. */
static bool
follow(struct heard *h, unsigned from, unsigned to)
{
	for (; from < to; from++)
		if (heard_next(h, &got, &e) != 1 ||
		    !span_is(buf_span(&got), note(from)))
			return false;
	return heard_next(h, &got, &e) == 0;
}

static void
add(struct heard *h, unsigned i)
{
	CHECK(heard_add(h, span_str(note(i)), &e) == 0);
}

/* A file with all of them, of height 7. */
static void
fill(void)
{
	struct heard *h;

	unlink(FILE_PATH);
	h = look(7);
	CHECK(follow(h, 0, 0));
	for (unsigned i = 0; i < NOTES; i++)
		add(h, i);
	heard_close(h);
}

static void
handed_over(void)
{
	struct heard *a = look(7), *b = look(7);
	struct stat st;

	CHECK(follow(a, 0, 0) && follow(b, 0, 0));
	add(a, 0);
	add(a, 1);
	CHECK(heard_look(b, 7, false, &e) == 0 && follow(b, 0, 2));
	CHECK(stat(FILE_PATH, &st) == 0 && (st.st_mode & 0777) == 0600);
	add(b, 2);
	CHECK(heard_look(b, 7, false, &e) == 0 && follow(b, 3, 3));
	CHECK(heard_look(b, 7, true, &e) == 0 && follow(b, 0, 3));
	CHECK(heard_look(a, 7, false, &e) == 0 && follow(a, 2, 3));
	/* Nobody else's height. */
	CHECK(heard_look(a, 8, false, &e) == 0 && follow(a, 0, 0));
	CHECK(heard_look(a, 7, false, &e) == 0 && follow(a, 0, 3));
	CHECK(heard_look(a, 8, false, &e) == 0 && follow(a, 0, 0));
	add(a, 0);
	CHECK(heard_look(b, 7, false, &e) == 0 && follow(b, 0, 0));
	CHECK(heard_look(b, 8, false, &e) == 0 && follow(b, 0, 1));
	/* Begun anew in place: a reader in the middle notices. */
	unlink(FILE_PATH);
	CHECK(heard_look(a, 8, false, &e) == 0 && follow(a, 0, 0));
	heard_ring(a);
	add(a, 3);
	add(a, 4);
	CHECK(heard_look(b, 8, false, &e) == 0 && follow(b, 3, 5));
	heard_close(a);
	heard_close(b);
	heard_close(NULL);
}

/* How many whole lines follow the head in n bytes? */
static unsigned
whole(const struct buf *file, size_t n)
{
	unsigned lines = 0;

	for (size_t i = 0; i < n; i++)
		lines += file->p[i] == '\n';
	return lines < 3 ? 0 : lines - 3;
}

static void
put(struct span data)
{
	CHECK(fs_write(r->dirfd, HEARD_PATH, "tmp", data, 0600, false,
	    &e) == 0);
}

static void
read_file(struct buf *out)
{
	buf_reset(out);
	CHECK(fs_read(out, r->dirfd, HEARD_PATH, &e) == 0);
}

/* Torn anywhere: the whole ones are there, and more can be added. */
static void
torn(void)
{
	struct buf file = BUF_INIT(HEARD_MAX);

	fill();
	read_file(&file);
	for (size_t n = 0; n <= file.len; n++) {
		unsigned left = whole(&file, n);
		struct heard *h;

		put(span_of(file.p, n));
		h = look(7);
		CHECK(follow(h, 0, left));
		add(h, left);
		heard_close(h);
		h = look(7);
		CHECK(follow(h, 0, left + 1));
		heard_close(h);
	}
	buf_free(&file);
}

/* A bit is wrong: those before it are there, none is another. */
static void
damaged(void)
{
	struct buf file = BUF_INIT(HEARD_MAX);

	fill();
	read_file(&file);
	for (size_t at = 0; at < file.len; at++) {
		unsigned left = whole(&file, at), n = 0;
		struct heard *h;

		file.p[at] ^= (unsigned char)(1 << at % 8);
		put(buf_span(&file));
		file.p[at] ^= (unsigned char)(1 << at % 8);
		h = look(7);
		while (heard_next(h, &got, &e) == 1)
			CHECK(span_is(buf_span(&got), note(n++)));
		/* One hex digit of the nonce is as good as another. */
		CHECK(n == left || (left == 0 && n == NOTES));
		heard_close(h);
	}
	buf_free(&file);
}

/* However much comes, it does not grow without end. */
static void
bounded(void)
{
	static char big[HEARD_NOTE_MAX];
	struct heard *h;
	struct stat st;

	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\n';
	fill();
	h = look(7);
	CHECK(follow(h, 0, NOTES));
	for (int i = 0; i < 200; i++) {
		CHECK(heard_add(h, span_of(big, sizeof(big)), &e) == 0);
		CHECK(stat(FILE_PATH, &st) == 0 && st.st_size <= HEARD_MAX);
	}
	heard_close(h);
	/* One that others made too long is begun anew, too. */
	CHECK(truncate(FILE_PATH, HEARD_MAX + 1) == 0);
	h = look(7);
	CHECK(follow(h, 0, 0));
	add(h, 0);
	heard_close(h);
	CHECK(stat(FILE_PATH, &st) == 0 && st.st_size < 1000);
}

/* Who watches is told at the end, not while the lock may be held. */
static void
rung(void)
{
	struct heard *h;
	char sink[4096];
	int fd;

	fill();
	fd = inotify_init1(IN_NONBLOCK);
	CHECK(fd >= 0 && inotify_add_watch(fd, FILE_PATH,
	    IN_CLOSE_WRITE) >= 0);
	h = look(7);
	CHECK(follow(h, 0, NOTES));
	CHECK(read(fd, sink, sizeof(sink)) < 0);
	add(h, NOTES);
	CHECK(read(fd, sink, sizeof(sink)) < 0);
	heard_ring(h);
	CHECK(read(fd, sink, sizeof(sink)) > 0);
	heard_ring(h);
	CHECK(read(fd, sink, sizeof(sink)) < 0);
	heard_close(h);
	close(fd);
}

static bool
readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* ehr-dbft wakes up, and knows that no transaction has come; with an engine
 * that has no use for it, it does not wake up. */
static void
watched(void)
{
	static const char *const engine[] = { "dbft", "pbft" };

	for (int i = 0; i < 2; i++) {
		struct heard *h;
		int fd;

		unlink(FILE_PATH);
		r->genesis->engine = span_str(engine[i]);
		fd = watch_open(r, &e);
		CHECK(fd >= 0 && !readable(fd));
		CHECK((access(FILE_PATH, F_OK) == 0) == (i == 1));
		fill();
		watch_height(fd, r, 7);
		watch_take(fd);
		h = look(7);
		CHECK(follow(h, 0, NOTES));
		add(h, NOTES);
		CHECK(!readable(fd));
		heard_close(h);
		CHECK(readable(fd) == (i == 1) && !watch_take(fd));
		CHECK(!readable(fd));
		CHECK(fs_write(r->dirfd, "blocks/x", "tmp", span_str("x"),
		    0600, false, &e) == 0);
		CHECK(readable(fd) && watch_take(fd) == WATCH_ARRIVED);
		CHECK(unlink("x/.ehr/blocks/x") == 0);
		watch_take(fd);
		for (int again = 0; again < 2; again++) {
			watch_ring(r);
			CHECK(watch_take(fd) == WATCH_CALLED);
			CHECK(watch_take(fd) == 0);
		}
		close(fd);
	}
}

/* Nothing is made for who does not watch, and a link is not followed. */
static void
unwatched(void)
{
	static const char *const called = "x/.ehr/consensus/called";
	struct stat st;

	unlink(called);
	watch_ring(r);
	CHECK(access(called, F_OK) != 0);
	CHECK(fs_write(r->dirfd, "consensus/other", "tmp", span_str("text"),
	    0600, false, &e) == 0);
	CHECK(symlink("other", called) == 0);
	watch_ring(r);
	CHECK(stat(called, &st) == 0 && st.st_size == 4);
	unlink(called);
	unlink("x/.ehr/consensus/other");
}

/* A link to somewhere else is not written to, and says why. */
static void
not_ours(void)
{
	struct heard *h;
	struct stat st;

	unlink(FILE_PATH);
	CHECK(symlink("/dev/null", FILE_PATH) == 0);
	h = look(7);
	CHECK(follow(h, 0, 0));
	CHECK(heard_add(h, span_str(note(0)), &e) == -1 && e.kind == ERR_SYS);
	heard_close(h);
	CHECK(lstat(FILE_PATH, &st) == 0 && S_ISLNK(st.st_mode));
	unlink(FILE_PATH);
}

int
main(void)
{
	scratch_open();
	scratch_ledger("x");
	CHECK(repo_open(&r, "x", &e) == 0);
	handed_over();
	torn();
	damaged();
	bounded();
	rung();
	watched();
	unwatched();
	not_ours();
	buf_free(&got);
	repo_close(r);
	scratch_close();
	return check_done("heard");
}
