#define _GNU_SOURCE
#include "store/votes.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/utf8.h"
#include "ledger/head.h"

#define HEX (HASH_HEX - 1)
#define TRIM_BYTES 65536	/* longer than that is too long */
#define LINE_MAX_BYTES (VOTES_TEXT_MAX + HEX + 16)

struct place {
	uint64_t height;
	size_t at, n;		/* of the text, in the file */
};

struct votes {
	struct repo *repo;
	int lock, fd;		/* or -1 */
	ino_t ino;		/* of the file that was read */
	struct buf file;	/* its bytes, without a torn tail */
	struct place *place;
	size_t n, cap;
	struct hash last;
	uint64_t floor;
	size_t kept;		/* bytes that were there when we locked */
	bool synced;
};

/* --- lines ---------------------------------------------------------------- */

static void
chain(struct hash *next, const struct hash *last, struct span body)
{
	char hex[HASH_HEX];
	struct span part[3];

	hash_format(hex, last);
	part[0] = span_of(hex, HEX);
	part[1] = span_str(" ");
	part[2] = body;
	hash_spans(next, part, 3);
}

static void
first_line(struct buf *out, struct hash *last, const struct hash *ledger)
{
	head_add(out, "journal", ledger);
	hash_bytes(last, out->p, out->len);
}

/* May text stand in an entry?  It can hold tabs, which utf8_line refuses. */
static bool
text_ok(struct span text)
{
	if (text.n == 0 || text.n > VOTES_TEXT_MAX)
		return false;
	while (text.n > 0) {
		const unsigned char *tab = memchr(text.p, '\t', text.n);
		size_t n = tab == NULL ? text.n : (size_t)(tab - text.p);

		if (!utf8_line(span_of(text.p, n)))
			return false;
		n += tab != NULL;
		text = span_of(text.p + n, text.n - n);
	}
	return true;
}

static void
add_line(struct buf *out, struct hash *last, uint64_t height,
    struct span text)
{
	size_t start = out->len;
	char hex[HASH_HEX];

	buf_addf(out, "%llu ", (unsigned long long)height);
	buf_add(out, text.p, text.n);
	if (out->failed)
		return;
	chain(last, last, span_of(out->p + start, out->len - start));
	hash_format(hex, last);
	buf_addf(out, " %s\n", hex);
}

/* --- reading -------------------------------------------------------------- */

static int
remember(struct votes *v, uint64_t height, struct span text, struct err *e)
{
	if (v->n == v->cap) {
		size_t cap = v->cap == 0 ? 64 : 2 * v->cap;
		struct place *p = reallocarray(v->place, cap, sizeof(*p));

		if (p == NULL)
			return err_set(e, ERR_SYS, "out of memory");
		v->place = p;
		v->cap = cap;
	}
	v->place[v->n++] = (struct place){ height,
	    (size_t)(text.p - v->file.p), text.n };
	if (span_is(text, "floor") && height > v->floor)
		v->floor = height;
	return 0;
}

/* One whole line, without its newline: 1 it is an entry, 0 it is not, -1. */
static int
take_line(struct votes *v, struct span line, struct err *e)
{
	struct span body, rest, word;
	struct hash want, is;
	uint64_t height;

	if (line.n < HEX + 4 || line.n > LINE_MAX_BYTES ||
	    line.p[line.n - HEX - 1] != ' ' || hash_parse(&is,
	    span_of(line.p + line.n - HEX, HEX)) != 0)
		return 0;
	body = rest = span_of(line.p, line.n - HEX - 1);
	chain(&want, &v->last, body);
	word = text_word(&rest);
	if (!hash_eq(&want, &is) || text_parse_u64(&height, word,
	    VOTES_HEIGHT_MAX) != 0 || !text_ok(rest))
		return 0;
	if (remember(v, height, rest, e) != 0)
		return -1;
	v->last = is;
	return 1;
}

static int
damaged(struct err *e, size_t line)
{
	return err_set(e, ERR_BAD, "%s: damaged in line %zu", VOTES_PATH,
	    line);
}

/* Is the first line ours?  Its length, or 0. */
static size_t
take_head(struct votes *v)
{
	struct buf head = BUF_INIT(256);
	size_t n = 0;

	first_line(&head, &v->last, repo_ledger(v->repo));
	if (v->file.len >= head.len &&
	    memcmp(v->file.p, head.p, head.len) == 0)
		n = head.len;
	buf_free(&head);
	return n;
}

/*
 * Take the file's bytes apart, and cut off what a crash left of a last line.
 * One of which only the newline is missing or wrong was once acknowledged.
 */
static int
parse(struct votes *v, struct err *e)
{
	size_t at = take_head(v), end = v->file.len, line = 2;
	const unsigned char *nl;
	int got;

	if (at == 0)
		return damaged(e, 1);
	while (end > at && v->file.p[end - 1] == '\0')
		end--;
	for (; at < end; at = (size_t)(nl - v->file.p) + 1, line++) {
		nl = memchr(v->file.p + at, '\n', end - at);
		if (nl == NULL)
			break;
		got = take_line(v, span_of(v->file.p + at,
		    (size_t)(nl - v->file.p) - at), e);
		if (got != 1)
			return got < 0 ? -1 : damaged(e, line);
	}
	for (size_t less = 0; at + less < end && less < 2; less++) {
		got = take_line(v, span_of(v->file.p + at, end - at - less),
		    e);
		if (got != 0)
			return got < 0 ? -1 : damaged(e, line);
	}
	v->file.len = at;
	return 0;
}

static void
forget(struct votes *v)
{
	if (v->fd >= 0)
		close(v->fd);
	v->fd = -1;
	v->n = 0;
	v->floor = 0;
	v->synced = false;
	buf_reset(&v->file);
}

/* Open the file and read it; so many bytes of a torn tail were left out. */
static int
load(struct votes *v, int mode, size_t *torn, struct err *e)
{
	struct stat st;
	size_t size;

	forget(v);
	v->fd = openat(v->repo->dirfd, VOTES_PATH,
	    mode | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (v->fd < 0)
		return errno == ENOENT ?
		    err_set(e, ERR_NO, "%s: missing", VOTES_PATH) :
		    err_sys(e, VOTES_PATH);
	if (fstat(v->fd, &st) != 0)
		return err_sys(e, VOTES_PATH);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_BAD, "%s: not a file", VOTES_PATH);
	if (fs_read_fd(&v->file, v->fd, VOTES_PATH, e) != 0)
		return -1;
	v->ino = st.st_ino;
	size = v->file.len;
	if (parse(v, e) != 0)
		return -1;
	*torn = size - v->file.len;
	return 0;
}

/* Read the file anew; the torn tail goes. */
static int
read_all(struct votes *v, struct err *e)
{
	size_t torn;

	if (load(v, O_RDWR, &torn, e) != 0)
		return -1;
	if (torn > 0 && ftruncate(v->fd, (off_t)v->file.len) != 0)
		return err_sys(e, VOTES_PATH);
	return 0;
}

/* Is the file what we have read and written? */
static bool
is_current(const struct votes *v)
{
	struct stat st;

	return v->fd >= 0 && fstatat(v->repo->dirfd, VOTES_PATH, &st,
	    AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == v->ino &&
	    (size_t)st.st_size == v->file.len;
}

/* --- the handle ----------------------------------------------------------- */

int
votes_open(struct votes **out, struct repo *r, struct err *e)
{
	struct votes *v;

	/* Who was restored from a backup has no such folder. */
	if (fs_mkdir(r->dirfd, VOTES_DIR, 0700, e) != 0)
		return -1;
	if ((v = calloc(1, sizeof(*v))) == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	v->repo = r;
	v->lock = v->fd = -1;
	buf_init(&v->file, VOTES_MAX);
	*out = v;
	return 0;
}

void
votes_close(struct votes *v)
{
	if (v == NULL)
		return;
	votes_unlock(v);
	forget(v);
	buf_free(&v->file);
	free(v->place);
	free(v);
}

int
votes_lock(struct votes *v, int wait_ms, struct err *e)
{
	assert(v->lock < 0);
	v->lock = fs_lock(v->repo->dirfd, VOTES_DIR "/lock", wait_ms, e);
	if (v->lock < 0)
		return -1;
	if (!is_current(v) && read_all(v, e) != 0) {
		forget(v);
		votes_unlock(v);
		return -1;
	}
	v->kept = v->file.len;
	return 0;
}

int
votes_look(struct votes *v, size_t *torn, struct err *e)
{
	assert(v->lock < 0);
	if (load(v, O_RDONLY, torn, e) != 0) {
		forget(v);
		return -1;
	}
	/* So that nothing is appended, and who locks reads it anew. */
	close(v->fd);
	v->fd = -1;
	return 0;
}

void
votes_unlock(struct votes *v)
{
	if (v->lock >= 0)
		close(v->lock);
	v->lock = -1;
}

size_t
votes_count(const struct votes *v)
{
	return v->n;
}

struct votes_entry
votes_get(const struct votes *v, size_t i)
{
	assert(i < v->n);
	return (struct votes_entry){ v->place[i].height,
	    span_of(v->file.p + v->place[i].at, v->place[i].n) };
}

struct hash
votes_hash(const struct votes *v, size_t i)
{
	struct hash h;
	int r;

	assert(i < v->n);
	r = hash_parse(&h, span_of(v->file.p + v->place[i].at +
	    v->place[i].n + 1, HEX));
	assert(r == 0);
	(void)r;
	return h;
}

uint64_t
votes_floor(const struct votes *v)
{
	return v->floor;
}

struct hash
votes_last(const struct votes *v)
{
	return v->last;
}

/* --- writing -------------------------------------------------------------- */

/*
 * What could not be written or synced must not be taken for a vote by whoever
 * reads the file next: the kernel may show it though it is not on disk.  Of
 * what others left, only the disk knows, so the cached pages go.
 */
static int
undo(struct votes *v)
{
	if (ftruncate(v->fd, (off_t)v->kept) != 0)
		renameat(v->repo->dirfd, VOTES_PATH, v->repo->dirfd,
		    VOTES_PATH ".failed");
	posix_fadvise(v->fd, 0, 0, POSIX_FADV_DONTNEED);
	forget(v);
	return -1;
}

/* Write all of it at its place.  Sets errno and returns -1. */
static int
write_at(int fd, const void *data, size_t n, size_t at)
{
	const char *p = data;

	while (n > 0) {
		ssize_t w = pwrite(fd, p, n, (off_t)at);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -1;
		p += w;
		n -= (size_t)w;
		at += (size_t)w;
	}
	return 0;
}

int
votes_append(struct votes *v, uint64_t height, struct span text,
    struct err *e)
{
	size_t start = v->file.len, digits;

	assert(v->lock >= 0 && height <= VOTES_HEIGHT_MAX && text_ok(text));
	if (v->fd < 0)
		return err_set(e, ERR_SYS, "%s: not open", VOTES_PATH);
	add_line(&v->file, &v->last, height, text);
	if (buf_check(&v->file, VOTES_PATH, e) != 0)
		return undo(v);
	v->synced = false;
	if (write_at(v->fd, v->file.p + start, v->file.len - start,
	    start) != 0) {
		err_sys(e, VOTES_PATH);
		return undo(v);
	}
	digits = v->file.len - start - text.n - HEX - 3;
	if (remember(v, height, span_of(v->file.p + start + digits + 1,
	    text.n), e) != 0)
		return undo(v);
	return 0;
}

int
votes_sync(struct votes *v, struct err *e)
{
	assert(v->lock >= 0);
	if (v->fd < 0)
		return err_set(e, ERR_SYS, "%s: not open", VOTES_PATH);
	if (v->synced)
		return 0;
	if (fdatasync(v->fd) != 0) {
		err_sys(e, "%s: fsync", VOTES_PATH);
		return undo(v);
	}
	v->synced = true;
	v->kept = v->file.len;
	return 0;
}

static void
new_text(struct buf *out, struct hash *last, const struct hash *ledger,
    const uint64_t *floor)
{
	first_line(out, last, ledger);
	if (floor != NULL)
		add_line(out, last, *floor, span_str("floor"));
}

int
votes_create(int dirfd, const struct hash *ledger, const uint64_t *floor,
    struct err *e)
{
	struct buf text = BUF_INIT(1024);
	struct hash last;
	int r;

	new_text(&text, &last, ledger, floor);
	r = buf_check(&text, VOTES_PATH, e);
	if (r == 0)
		r = fs_write(dirfd, VOTES_PATH, "tmp", buf_span(&text), 0600,
		    true, e);
	buf_free(&text);
	return r;
}

int
votes_trim(struct votes *v, uint64_t head, struct err *e)
{
	struct buf text = BUF_INIT(VOTES_MAX);
	uint64_t floor = v->floor > head ? v->floor : head;
	struct hash last;
	int r;

	assert(v->lock >= 0);
	if (v->file.len <= TRIM_BYTES || v->n == 0 ||
	    v->place[0].height > head)
		return 0;
	new_text(&text, &last, repo_ledger(v->repo), &floor);
	for (size_t i = 0; i < v->n; i++) {
		struct votes_entry x = votes_get(v, i);

		if (x.height > head && !span_is(x.text, "floor"))
			add_line(&text, &last, x.height, x.text);
	}
	r = buf_check(&text, VOTES_PATH, e);
	if (r == 0)
		r = fs_write(v->repo->dirfd, VOTES_PATH, "tmp",
		    buf_span(&text), 0600, false, e);
	buf_free(&text);
	if (r == 0)
		r = read_all(v, e);
	if (r != 0) {
		forget(v);
		return -1;
	}
	v->kept = v->file.len;
	return 0;
}
