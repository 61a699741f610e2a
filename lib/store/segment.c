#define _GNU_SOURCE
#include "store/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/stamp.h"
#include "base/text.h"

#define BUFFER 65536		/* bytes that a writer gathers */
#define HEAD "ehr.v1 segment "
#define LINE_BYTES 128		/* bytes of a line, newline included */
#define SKIM 16384		/* bytes read at once without the data */

struct segment_writer {
	struct fs_temp temp;
	char *dir;
	uint64_t at;		/* offset of the next byte */
	size_t count;
	size_t used;		/* bytes of buf */
	struct err failed;	/* the first error; later calls repeat it */
	unsigned char buf[BUFFER];
};

static int
flush(struct segment_writer *w, struct err *e)
{
	if (w->failed.kind == ERR_NONE &&
	    fs_write_all(w->temp.fd, w->buf, w->used) != 0)
		err_sys(&w->failed, "%s: segment", w->dir);
	w->used = 0;
	if (w->failed.kind == ERR_NONE)
		return 0;
	*e = w->failed;
	return -1;
}

static int
put(struct segment_writer *w, const void *p, size_t n, struct err *e)
{
	const unsigned char *from = p;

	if (w->failed.kind != ERR_NONE)
		return flush(w, e);
	while (n > 0) {
		size_t part = BUFFER - w->used < n ? BUFFER - w->used : n;

		memcpy(w->buf + w->used, from, part);
		w->used += part;
		w->at += part;
		from += part;
		n -= part;
		if (w->used == BUFFER && flush(w, e) != 0)
			return -1;
	}
	return 0;
}

int
segment_open(struct segment_writer **out, int dirfd, const char *dir,
    const char *kind, struct err *e)
{
	struct segment_writer *w = malloc(sizeof(*w));
	char line[LINE_BYTES];
	int n;

	if (w == NULL || (w->dir = strdup(dir)) == NULL) {
		free(w);
		return err_set(e, ERR_SYS, "out of memory");
	}
	w->at = w->count = w->used = 0;
	w->failed.kind = ERR_NONE;
	if (fs_temp_open(&w->temp, dirfd, "tmp", 0600, e) != 0) {
		free(w->dir);
		free(w);
		return -1;
	}
	n = snprintf(line, sizeof(line), HEAD "%s\n", kind);
	if (put(w, line, (size_t)n, e) != 0) {
		segment_abort(w);
		return -1;
	}
	*out = w;
	return 0;
}

int
segment_add_hashed(struct segment_writer *w, struct span item,
    const struct hash *id, uint64_t *at, struct err *e)
{
	char line[LINE_BYTES];
	int n;

	if (item.n > SEGMENT_ITEM_MAX)
		return err_set(e, ERR_BAD, "an item of %zu bytes, over %u",
		    item.n, SEGMENT_ITEM_MAX);
	hash_format(line, id);
	n = snprintf(line + HASH_HEX - 1, sizeof(line) - HASH_HEX + 1,
	    " %zu\n", item.n);
	if (put(w, line, HASH_HEX - 1 + (size_t)n, e) != 0)
		return -1;
	if (at != NULL)
		*at = w->at;
	if (put(w, item.p, item.n, e) != 0 || put(w, "\n", 1, e) != 0)
		return -1;
	w->count++;
	return 0;
}

int
segment_add(struct segment_writer *w, struct span item, struct hash *id,
    uint64_t *at, struct err *e)
{
	struct hash h;

	hash_bytes(&h, item.p, item.n);
	if (id != NULL)
		*id = h;
	return segment_add_hashed(w, item, &h, at, e);
}

size_t
segment_count(const struct segment_writer *w)
{
	return w->count;
}

/* TIME-RANDOM.seg, of the time without its punctuation. */
static void
make_name(char name[SEGMENT_NAME_LEN])
{
	char time[STAMP_LEN + 1], random[17];
	unsigned char b[8];
	int64_t now = clock_now_ms();
	size_t n = 0;

	if (now < 0 || now > STAMP_MAX_MS)
		now = 0;
	stamp_format(time, now);
	for (const char *p = time; *p != '\0'; p++)
		if (*p != '-' && *p != ':' && *p != '.')
			time[n++] = *p;
	time[n] = '\0';
	hash_random(b, sizeof(b));
	hex_encode(random, b, sizeof(b));
	snprintf(name, SEGMENT_NAME_LEN, "%.24s-%s.seg", time, random);
}

int
segment_commit(struct segment_writer *w, char name[SEGMENT_NAME_LEN],
    struct err *e)
{
	char line[LINE_BYTES], path[FS_NAME_MAX];
	int n, r = -1;

	name[0] = '\0';
	if (w->failed.kind == ERR_NONE && w->count == 0) {
		segment_abort(w);
		return 0;
	}
	n = snprintf(line, sizeof(line), "end %zu\n", w->count);
	if (put(w, line, (size_t)n, e) == 0 && flush(w, e) == 0) {
		make_name(name);
		snprintf(path, sizeof(path), "%s/%s", w->dir, name);
		r = fs_temp_commit(&w->temp, path, true, e);
	}
	if (r != 0)
		name[0] = '\0';
	segment_abort(w);
	return r;
}

void
segment_abort(struct segment_writer *w)
{
	if (w == NULL)
		return;
	fs_temp_abort(&w->temp);
	free(w->dir);
	free(w);
}

/* A window over the file that is read. */
struct reader {
	int fd;
	const char *path;
	unsigned char *buf;
	size_t cap;		/* bytes of buf */
	size_t have;		/* bytes in it */
	uint64_t base;		/* offset of buf[0] in the file */
	uint64_t pos;		/* offset of the next byte to read */
};

/*
 * The bytes from pos on: at least n, at most cap, or fewer when the file ends
 * before.
 */
static int
window(struct reader *r, size_t n, struct span *out, struct err *e)
{
	uint64_t end = r->base + r->have;
	size_t keep = 0;

	if (r->pos < r->base || r->pos + n > end) {
		if (r->pos >= r->base && r->pos < end) {
			keep = (size_t)(end - r->pos);
			memmove(r->buf, r->buf + r->have - keep, keep);
		}
		r->base = r->pos;
		r->have = keep;
	}
	while (r->have - (size_t)(r->pos - r->base) < n) {
		ssize_t got = pread(r->fd, r->buf + r->have, r->cap - r->have,
		    (off_t)(r->base + r->have));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, "%s", r->path);
		if (got == 0)
			break;
		r->have += (size_t)got;
	}
	*out = span_of(r->buf + (r->pos - r->base),
	    r->have - (size_t)(r->pos - r->base));
	return 0;
}

static int
corrupt(const struct reader *r, const char *why, struct err *e)
{
	return err_set(e, ERR_BAD, "%s: corrupt segment: %s at byte %llu",
	    r->path, why, (unsigned long long)r->pos);
}

/* The next line, without its newline. */
static int
take_line(struct reader *r, struct span *line, struct err *e)
{
	const unsigned char *nl;

	if (window(r, LINE_BYTES, line, e) != 0)
		return -1;
	if (line->n > LINE_BYTES)
		line->n = LINE_BYTES;
	nl = line->n == 0 ? NULL : memchr(line->p, '\n', line->n);
	if (nl == NULL)
		return corrupt(r, line->n < LINE_BYTES ? "ends too early" :
		    "no line", e);
	line->n = (size_t)(nl - line->p);
	return 0;
}

/* The line of an item; or 1 at the end line, which must be right. */
static int
take_head(struct reader *r, uint64_t count, struct hash *id, size_t *size,
    struct err *e)
{
	struct span line, hex, after;
	uint64_t n;

	if (take_line(r, &line, e) != 0)
		return -1;
	hex = text_word(&line);
	if (span_is(hex, "end")) {
		if (text_parse_u64(&n, line, UINT64_MAX) != 0 || n != count ||
		    n == 0)
			return corrupt(r, "wrong count", e);
		r->pos += (size_t)(line.p + line.n - hex.p) + 1;
		if (window(r, 1, &after, e) != 0)
			return -1;
		return after.n == 0 ? 1 : corrupt(r, "more after the end", e);
	}
	if (hash_parse(id, hex) != 0 ||
	    text_parse_u64(&n, line, SEGMENT_ITEM_MAX) != 0)
		return corrupt(r, "malformed line", e);
	r->pos += (size_t)(line.p + line.n - hex.p) + 1;
	*size = (size_t)n;
	return 0;
}

static bool
all_zero(struct span s)
{
	return s.n > 0 && s.p[0] == 0 && memcmp(s.p, s.p + 1, s.n - 1) == 0;
}

/*
 * Verify the data at pos; *data is what the caller of the scan gets.  Zeros in
 * the place of an item are an erased one where items are erased, else damage.
 */
static int
check_data(struct reader *r, const struct hash *id, size_t size,
    bool erasable, struct span *data, struct err *e)
{
	struct hash h;

	if (window(r, size, data, e) != 0)
		return -1;
	if (data->n < size)
		return corrupt(r, "an item ends too early", e);
	data->n = size;
	hash_bytes(&h, data->p, size);
	if (hash_eq(&h, id))
		return 0;
	if (!erasable || !all_zero(*data))
		return corrupt(r, "an item differs from its hash", e);
	data->p = NULL;
	return 0;
}

static int
scan(struct reader *r, const char *kind, bool check, segment_item *item,
    void *arg, struct err *e)
{
	bool erasable = strcmp(kind, SEGMENT_ERASABLE) == 0;
	struct span line, data, after;
	struct hash id;
	size_t size = 0;
	int got;

	if (take_line(r, &line, e) != 0)
		return -1;
	if (!span_starts(line, HEAD) || !span_eq(span_str(kind),
	    span_of(line.p + strlen(HEAD), line.n - strlen(HEAD))))
		return corrupt(r, "not a segment of this kind", e);
	r->pos += line.n + 1;
	for (uint64_t n = 0;; n++) {
		if ((got = take_head(r, n, &id, &size, e)) != 0)
			return got < 0 ? -1 : 0;
		data = span_of(NULL, size);
		if (check && check_data(r, &id, size, erasable, &data, e) != 0)
			return -1;
		if ((got = item(arg, &id, r->pos, data, e)) != 0)
			return got;
		r->pos += size;
		if (window(r, 1, &after, e) != 0)
			return -1;
		if (after.n == 0 || after.p[0] != '\n')
			return corrupt(r, "no newline after an item", e);
		r->pos++;
	}
}

/* No larger than the file needs, and one byte more to see that it ends. */
static size_t
window_size(const struct stat *st, bool check)
{
	size_t most = check ? SEGMENT_ITEM_MAX + LINE_BYTES : SKIM;

	if ((uint64_t)st->st_size >= most)
		return most;
	return (size_t)st->st_size + 1;
}

int
segment_scan(int dirfd, const char *path, const char *kind, bool check,
    segment_item *item, void *arg, struct err *e)
{
	struct reader r = { .path = path };
	struct stat st;
	int got = -1;

	r.fd = openat(dirfd, path,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (r.fd < 0)
		return errno == ENOENT ?
		    err_set(e, ERR_NO, "%s: no such file", path) :
		    err_sys(e, "%s", path);
	if (fstat(r.fd, &st) != 0)
		err_sys(e, "%s", path);
	else if (!S_ISREG(st.st_mode))
		err_set(e, ERR_BAD, "%s: not a file", path);
	else if ((r.buf = malloc(r.cap = window_size(&st, check))) == NULL)
		err_set(e, ERR_SYS, "%s: out of memory", path);
	else
		got = scan(&r, kind, check, item, arg, e);
	free(r.buf);
	close(r.fd);
	return got;
}
