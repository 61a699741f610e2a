#define _GNU_SOURCE	/* newlocale, O_* */
#include "record/payload.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/gzstream.h"
#include "record/media.h"
#include "record/names.h"

struct payload_writer {
	struct gz_writer *gz;
	struct archive_entry *entry;
	locale_t utf8;		/* 0 when the system has none */
	struct buf head;	/* what was read of a file */
	struct fields fields;
	/* The record being written. */
	struct archive *tar;
	struct meta_writer *meta;
	struct buf json;
	struct item *items;
	struct name_pick *picks;
	size_t n;
	struct err *e;		/* of the caller, for the callback */
	bool failed;		/* *e is set */
	bool leaving;		/* after an error: write no more */
};

/* One file on its way: what it was when META.json was made. */
struct item {
	const struct payload_input *in;
	const char *name;
	int fd;			/* -1 unless it stays open */
	uint64_t size;		/* bytes */
	struct stat st;
};

struct payload_writer *
payload_writer_new(struct err *e)
{
	struct payload_writer *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		err_set(e, ERR_SYS, "out of memory");
		return NULL;
	}
	buf_init(&w->head, FIELDS_LOOK_MAX);
	buf_init(&w->json, META_WRITE_MAX);
	w->entry = archive_entry_new();
	w->gz = gz_writer_new(e);
	/*
	 * libarchive converts names from the locale's encoding; ours are
	 * UTF-8 whatever the locale is.
	 */
	w->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (w->gz != NULL && w->entry != NULL)
		return w;
	if (w->gz != NULL)
		err_set(e, ERR_SYS, "out of memory");
	payload_writer_free(w);
	return NULL;
}

void
payload_writer_free(struct payload_writer *w)
{
	if (w == NULL)
		return;
	if (w->utf8 != (locale_t)0)
		freelocale(w->utf8);
	gz_writer_free(w->gz);
	archive_entry_free(w->entry);
	buf_wipe(&w->head);
	buf_wipe(&w->json);
	hash_wipe(&w->fields, sizeof(w->fields));
	free(w);
}

static int
changed(const char *path, struct err *e)
{
	return err_set(e, ERR_BAD, "%s: changed while it was read", path);
}

static int
open_input(const char *path, struct stat *st, struct err *e)
{
	/* Not to wait for the other end of a FIFO. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(e, ERR_NO, "%s: no such file", path);
	if (fd < 0)
		return err_sys(e, "%s", path);
	if (fstat(fd, st) != 0)
		err_sys(e, "%s", path);
	else if (S_ISDIR(st->st_mode))
		err_set(e, ERR_BAD, "%s: is a directory", path);
	else if (!S_ISREG(st->st_mode))
		err_set(e, ERR_BAD, "%s: is not a regular file", path);
	else
		return fd;
	close(fd);
	return -1;
}

/* Read up to n bytes, fewer only at the end of the file; -1 with *e. */
static ssize_t
read_full(int fd, void *p, size_t n, const char *path, struct err *e)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = read(fd, (char *)p + got, n - got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_sys(e, "%s", path);
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

/* Read the start of an item into w->head. */
static int
read_head(struct payload_writer *w, struct item *it, struct err *e)
{
	const char *path = it->in->path;
	unsigned char *to;
	ssize_t got;
	size_t n;

	it->size = (uint64_t)it->st.st_size;
	n = it->size < FIELDS_LOOK_MAX ? (size_t)it->size : FIELDS_LOOK_MAX;
	buf_reset(&w->head);
	if ((to = buf_room(&w->head, n)) == NULL)
		return buf_check(&w->head, path, e);
	got = read_full(it->fd, to, n, path, e);
	if (got < 0)
		return -1;
	if ((size_t)got != n)
		return changed(path, e);
	w->head.len = n;
	return 0;
}

/* Look into one item and tell META.json of it. */
static int
scan(struct payload_writer *w, struct item *it, struct err *e)
{
	struct span head = it->in->data;
	const char *type;

	it->size = head.n;
	if (it->in->path != NULL) {
		it->fd = open_input(it->in->path, &it->st, e);
		if (it->fd < 0 || read_head(w, it, e) != 0)
			return -1;
		head = buf_span(&w->head);
	}
	if (head.n > FIELDS_LOOK_MAX)
		head.n = FIELDS_LOOK_MAX;
	w->fields.n = 0;
	type = media_look(&w->fields, head, it->name);
	if (meta_add(w->meta, span_str(it->name), type, it->size, &w->fields,
	    e) != 0)
		return -1;
	/* One file stays open with its start in memory; many would not fit. */
	if (w->n > 1 && it->fd >= 0) {
		close(it->fd);
		it->fd = -1;
	}
	return 0;
}

/*
 * libarchive's output.  It is not told of a failure, since it would not free
 * all it has; those who call it look at w->failed.
 */
static la_ssize_t
to_gzip(struct archive *a, void *arg, const void *p, size_t n)
{
	struct payload_writer *w = arg;

	(void)a;
	if (w->leaving)
		return -1;
	if (!w->failed && gz_add(w->gz, p, n, w->e) != 0)
		w->failed = true;
	return (la_ssize_t)n;
}

/* What libarchive complains of, unless it only relays our own error. */
static int
tar_error(struct payload_writer *w, const char *what)
{
	const char *why = archive_error_string(w->tar);

	if (!w->failed)
		err_set(w->e, ERR_SYS, "%s: %s", what,
		    why != NULL ? why : "cannot be written");
	w->failed = true;
	return -1;
}

static int
put_header(struct payload_writer *w, const char *folder, const char *name,
    uint64_t size)
{
	char path[sizeof("files/") + META_NAME_MAX];

	strcpy(path, folder);
	strcat(path, name);
	archive_entry_clear(w->entry);
	archive_entry_copy_pathname(w->entry, path);
	archive_entry_set_filetype(w->entry, AE_IFREG);
	archive_entry_set_perm(w->entry, 0600);
	archive_entry_set_mtime(w->entry, 0, 0);
	archive_entry_set_size(w->entry, (la_int64_t)size);
	if (archive_write_header(w->tar, w->entry) != ARCHIVE_OK || w->failed)
		return tar_error(w, name);
	return 0;
}

static int
put_data(struct payload_writer *w, const char *name, struct span data)
{
	if (data.n == 0)
		return 0;
	if (archive_write_data(w->tar, data.p, data.n) !=
	    (la_ssize_t)data.n || w->failed)
		return tar_error(w, name);
	return 0;
}

/* Is the file still the one that scan saw? */
static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Copy the rest of an open item, of which done bytes are written. */
static int
copy_rest(struct payload_writer *w, struct item *it, uint64_t done,
    struct err *e)
{
	const char *path = it->in->path;
	unsigned char part[65536];
	struct stat st;
	ssize_t got;

	while (done < it->size) {
		size_t n = it->size - done < sizeof(part) ?
		    (size_t)(it->size - done) : sizeof(part);

		if ((got = read_full(it->fd, part, n, path, e)) < 0)
			return -1;
		if ((size_t)got != n)
			return changed(path, e);
		if (put_data(w, path, span_of(part, n)) != 0)
			return -1;
		done += n;
	}
	if ((got = read_full(it->fd, part, 1, path, e)) < 0)
		return -1;
	if (got > 0 || fstat(it->fd, &st) != 0 || !same_file(&st, &it->st))
		return changed(path, e);
	return 0;
}

/* Write one item: header and content. */
static int
put_item(struct payload_writer *w, struct item *it, struct err *e)
{
	struct stat st;
	int r;

	if (put_header(w, "files/", it->name, it->size) != 0)
		return -1;
	if (it->in->path == NULL)
		return put_data(w, it->name, it->in->data);
	if (it->fd >= 0) {
		if (put_data(w, it->in->path, buf_span(&w->head)) != 0)
			return -1;
		return copy_rest(w, it, w->head.len, e);
	}
	if ((it->fd = open_input(it->in->path, &st, e)) < 0)
		return -1;
	r = same_file(&st, &it->st) ? copy_rest(w, it, 0, e) :
	    changed(it->in->path, e);
	close(it->fd);
	it->fd = -1;
	return r;
}

/* Choose the names and prepare the items, in the order of their names. */
static int
prepare(struct payload_writer *w, const struct payload_input *in, size_t n,
    struct err *e)
{
	w->n = n;
	w->items = calloc(n, sizeof(*w->items));
	w->picks = calloc(n, sizeof(*w->picks));
	if (w->items == NULL || w->picks == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	for (size_t i = 0; i < n; i++) {
		w->picks[i] = (struct name_pick){ .path = in[i].path,
		    .name = in[i].name, .index = i };
		w->items[i].fd = -1;
	}
	if (names_pick(w->picks, n, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		w->items[i].in = &in[w->picks[i].index];
		w->items[i].name = w->picks[i].name;
	}
	return 0;
}

/* META.json; *size grows by what all files have. */
static int
make_meta(struct payload_writer *w, struct span description,
    struct span label, uint64_t *size, struct err *e)
{
	buf_reset(&w->json);
	w->meta = meta_writer_new(description, label, e);
	if (w->meta == NULL)
		return -1;
	for (size_t i = 0; i < w->n; i++) {
		if (scan(w, &w->items[i], e) != 0)
			return -1;
		*size += w->items[i].size;
	}
	return meta_finish(w->meta, &w->json, e);
}

/* A tar of 512-byte blocks, not padded further, into the gzip stream. */
static int
open_tar(struct payload_writer *w)
{
	if ((w->tar = archive_write_new()) == NULL)
		return err_set(w->e, ERR_SYS, "out of memory");
	if (archive_write_set_format_pax_restricted(w->tar) != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(w->tar, 0) != ARCHIVE_OK ||
	    archive_write_open(w->tar, w, NULL, to_gzip, NULL) != ARCHIVE_OK)
		return tar_error(w, "payload");
	return 0;
}

static int
put_all(struct payload_writer *w, struct err *e)
{
	if (open_tar(w) != 0 ||
	    put_header(w, "", "META.json", w->json.len) != 0 ||
	    put_data(w, "META.json", buf_span(&w->json)) != 0)
		return -1;
	for (size_t i = 0; i < w->n; i++)
		if (put_item(w, &w->items[i], e) != 0)
			return -1;
	if (archive_write_close(w->tar) != ARCHIVE_OK || w->failed)
		return tar_error(w, "payload");
	return gz_finish(w->gz, e);
}

/* Release what one record took. */
static void
finish(struct payload_writer *w)
{
	if (w->tar != NULL) {
		w->leaving = true;
		archive_write_free(w->tar);
	}
	meta_writer_free(w->meta);
	for (size_t i = 0; w->items != NULL && i < w->n; i++)
		if (w->items[i].fd >= 0)
			close(w->items[i].fd);
	if (w->picks != NULL)
		names_free(w->picks, w->n);
	free(w->items);
	free(w->picks);
	w->tar = NULL;
	w->meta = NULL;
	w->items = NULL;
	w->picks = NULL;
}

int
payload_write(struct payload_writer *w, const struct payload_input *in,
    size_t n, struct span description, struct span label, age_sink *sink,
    void *arg, struct err *e)
{
	locale_t before = uselocale(w->utf8);
	uint64_t size = 4096;
	int r = -1;

	w->e = e;
	w->failed = false;
	w->leaving = false;
	if (n == 0 || n > PAYLOAD_FILES_MAX)
		err_set(e, ERR_USAGE, "a record has 1 to %d files",
		    PAYLOAD_FILES_MAX);
	else if (prepare(w, in, n, e) == 0 &&
	    make_meta(w, description, label, &size, e) == 0) {
		gz_start(w->gz, size, sink, arg);
		r = put_all(w, e);
	}
	finish(w);
	uselocale(before);
	return r;
}
