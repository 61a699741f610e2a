#define _GNU_SOURCE	/* newlocale */
#include "record/payload_read.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>

#include "record/gzstream.h"

#define HEADER_MAX (2u << 20)	/* bytes of tar before an entry's content */
#define PADDING_MAX (2u << 20)	/* bytes after the last entry */
#define CHUNK 16384

static const char folder[] = "files/";

struct payload_reader {
	struct gz_reader *gz;
	struct archive *tar;
	locale_t plain;
	struct meta meta;
	struct payload_entry entry;
	size_t files;		/* that came so far */
	bool limited;		/* libarchive may read only... */
	size_t left;		/* ...so many bytes more */
	bool failed;		/* *e is set, by the callback */
	struct err *e;		/* of the caller, for the callback */
	unsigned char chunk[CHUNK];
};

/*
 * libarchive's input.  Headers are limited here, since some of tar's old
 * forms let libarchive collect without end.
 */
static la_ssize_t
from_gzip(struct archive *a, void *arg, const void **p)
{
	struct payload_reader *r = arg;
	size_t got;

	if (r->failed)
		return -1;
	if (r->limited && r->left < CHUNK) {
		archive_set_error(a, EINVAL, "a header is too long");
		return -1;
	}
	if (gz_read(r->gz, r->chunk, CHUNK, &got, r->e) != 0) {
		r->failed = true;
		return -1;
	}
	r->left -= got < r->left ? got : r->left;
	*p = r->chunk;
	return (la_ssize_t)got;
}

static int
bad(const struct payload_reader *r, const char *what)
{
	if (r->failed)
		return -1;
	return err_set(r->e, ERR_BAD, "payload: %s", what);
}

/* What libarchive complains of, unless it only relays our own error. */
static int
tar_error(const struct payload_reader *r)
{
	const char *why = archive_error_string(r->tar);

	return bad(r, why != NULL ? why : "not a tar archive");
}

/*
 * Read the next header: 1; 0 at the end; -1.  Names are bytes to us; in the C
 * locale libarchive gives those of a pax header as they are and warns.
 */
static int
next_header(struct payload_reader *r, struct archive_entry **entry)
{
	locale_t before = uselocale(r->plain);
	int status;

	r->limited = true;
	r->left = HEADER_MAX;
	status = archive_read_next_header(r->tar, entry);
	r->limited = false;
	uselocale(before);
	if (status == ARCHIVE_EOF)
		return 0;
	if (r->failed || (status != ARCHIVE_OK && status != ARCHIVE_WARN))
		return tar_error(r);
	if (archive_entry_pathname(*entry) == NULL ||
	    archive_entry_filetype(*entry) != AE_IFREG ||
	    archive_entry_hardlink(*entry) != NULL ||
	    archive_entry_symlink(*entry) != NULL ||
	    archive_entry_sparse_count(*entry) != 0 ||
	    !archive_entry_size_is_set(*entry) ||
	    archive_entry_size(*entry) < 0)
		return bad(r, "an entry that is not a regular file");
	return 1;
}

int
payload_copy(struct payload_reader *r, age_sink *sink, void *sink_arg,
    struct err *e)
{
	la_int64_t at, total = 0;
	const void *p;
	int status;
	size_t n;

	r->e = e;
	for (;;) {
		status = archive_read_data_block(r->tar, &p, &n, &at);
		if (status == ARCHIVE_EOF)
			break;
		if (status != ARCHIVE_OK)
			return tar_error(r);
		if (at != total)
			return bad(r, "a file with a hole");
		if (n > 0 && sink != NULL && sink(sink_arg, p, n, e) != 0)
			return -1;
		total += (la_int64_t)n;
	}
	if ((uint64_t)total != r->entry.size)
		return bad(r, "a file that is cut short");
	return 0;
}

static int
to_buf(void *arg, const void *p, size_t n, struct err *e)
{
	buf_add(arg, p, n);
	return buf_check(arg, "META.json", e);
}

static int
read_meta(struct payload_reader *r, struct err *e)
{
	struct archive_entry *entry;
	struct buf json = BUF_INIT(META_MAX);
	int status = next_header(r, &entry);

	if (status < 0)
		return -1;
	if (status == 0 ||
	    strcmp(archive_entry_pathname(entry), "META.json") != 0)
		return bad(r, "the first entry is not META.json");
	r->entry.size = (uint64_t)archive_entry_size(entry);
	if (r->entry.size > META_MAX)
		return bad(r, "META.json is too long");
	status = payload_copy(r, to_buf, &json, e);
	if (status == 0)
		status = meta_parse(&r->meta, buf_span(&json), e);
	buf_wipe(&json);
	return status;
}

struct payload_reader *
payload_open(age_source *source, void *arg, struct err *e)
{
	struct payload_reader *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		err_set(e, ERR_SYS, "out of memory");
		return NULL;
	}
	r->e = e;
	r->plain = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
	if ((r->gz = gz_reader_new(source, arg, e)) == NULL)
		goto fail;
	if ((r->tar = archive_read_new()) == NULL) {
		err_set(e, ERR_SYS, "out of memory");
		goto fail;
	}
	if (archive_read_support_format_tar(r->tar) != ARCHIVE_OK ||
	    archive_read_open(r->tar, r, NULL, from_gzip, NULL) !=
	    ARCHIVE_OK) {
		tar_error(r);
		goto fail;
	}
	if (read_meta(r, e) == 0)
		return r;
fail:
	payload_close(r);
	return NULL;
}

void
payload_close(struct payload_reader *r)
{
	if (r == NULL)
		return;
	if (r->tar != NULL)
		archive_read_free(r->tar);
	if (r->plain != (locale_t)0)
		freelocale(r->plain);
	gz_reader_free(r->gz);
	meta_free(&r->meta);
	hash_wipe(r, sizeof(*r));
	free(r);
}

const struct meta *
payload_meta(const struct payload_reader *r)
{
	return &r->meta;
}

/* After the last file: did all come, and does the source end well? */
static int
at_end(struct payload_reader *r, struct err *e)
{
	size_t got, padding = 0;

	if (r->files < r->meta.nfiles ||
	    (r->files == r->meta.nfiles && r->meta.truncated) ||
	    r->files == 0)
		return bad(r, "fewer files than META.json tells");
	do {
		if (gz_read(r->gz, r->chunk, CHUNK, &got, e) != 0)
			return -1;
		padding += got;
		if (padding > PADDING_MAX)
			return bad(r, "goes on after its last file");
	} while (got > 0);
	return 0;
}

/* Does the file fit what META.json says, and come after the one before? */
static int
check_file(struct payload_reader *r, struct span name, uint64_t size)
{
	struct meta_file told;

	if (!meta_name_ok(name))
		return bad(r, "a file name that may not be");
	if (r->files > 0 &&
	    strcmp((const char *)name.p, r->entry.name) <= 0)
		return bad(r, "file names out of order");
	if (++r->files > PAYLOAD_FILES_MAX)
		return bad(r, "too many files");
	if (r->files > r->meta.nfiles)
		return r->meta.truncated ? 0 :
		    bad(r, "a file that META.json does not tell");
	meta_file(&told, &r->meta, r->files - 1);
	if (!span_eq(told.name, name) || told.size != size)
		return bad(r, "a file that META.json tells otherwise");
	return 0;
}

int
payload_next(struct payload_reader *r, struct payload_entry *out,
    struct err *e)
{
	struct archive_entry *entry;
	const char *path;
	struct span name;
	uint64_t size;
	int status;

	r->e = e;
	status = next_header(r, &entry);
	if (status < 0)
		return -1;
	if (status == 0)
		return at_end(r, e);
	path = archive_entry_pathname(entry);
	size = (uint64_t)archive_entry_size(entry);
	if (strncmp(path, folder, sizeof(folder) - 1) != 0)
		return bad(r, "an entry that is not under files/");
	name = span_str(path + sizeof(folder) - 1);
	if (check_file(r, name, size) != 0)
		return -1;
	memcpy(r->entry.name, name.p, name.n + 1);
	r->entry.size = size;
	*out = r->entry;
	return 1;
}

int
payload_read_meta(struct meta *meta, age_source *source, void *arg,
    struct err *e)
{
	struct payload_reader *r = payload_open(source, arg, e);

	*meta = (struct meta){ .root = NULL };
	if (r == NULL)
		return -1;
	*meta = r->meta;
	r->meta = (struct meta){ .root = NULL };
	payload_close(r);
	return 0;
}

int
payload_list(age_source *source, void *arg, payload_file_fn *each,
    void *each_arg, struct err *e)
{
	struct payload_reader *r = payload_open(source, arg, e);
	struct payload_entry entry;
	int status = -1;

	while (r != NULL && (status = payload_next(r, &entry, e)) == 1) {
		if ((each != NULL && each(each_arg, span_str(entry.name),
		    entry.size, e) != 0) || payload_copy(r, NULL, NULL,
		    e) != 0) {
			status = -1;
			break;
		}
	}
	payload_close(r);
	return status;
}

/* Can payload_stream find its file, as far as META.json tells? */
static int
check_wanted(const struct meta *m, const char *name, struct err *e)
{
	struct meta_file f;

	if (name == NULL) {
		if (m->nfiles == 1 && !m->truncated)
			return 0;
		return err_set(e, ERR_USAGE, "the record holds %s%zu files: "
		    "name one", m->truncated ? "more than " : "", m->nfiles);
	}
	for (size_t i = 0; i < m->nfiles; i++) {
		meta_file(&f, m, i);
		if (span_is(f.name, name))
			return 0;
	}
	if (m->truncated)
		return 0;
	return err_set(e, ERR_NO, "%s: the record holds no such file", name);
}

int
payload_stream(age_source *source, void *arg, const char *name,
    age_sink *sink, void *sink_arg, struct err *e)
{
	struct payload_reader *r = payload_open(source, arg, e);
	struct payload_entry entry;
	bool found = false;
	int status = -1;

	if (r == NULL || check_wanted(&r->meta, name, e) != 0) {
		payload_close(r);
		return -1;
	}
	while ((status = payload_next(r, &entry, e)) == 1) {
		bool this = name == NULL || strcmp(name, entry.name) == 0;

		found = found || this;
		if (payload_copy(r, this ? sink : NULL, sink_arg, e) != 0) {
			status = -1;
			break;
		}
	}
	if (status == 0 && !found)
		status = err_set(e, ERR_NO, "%s: the record holds no such "
		    "file", name);
	payload_close(r);
	return status;
}
