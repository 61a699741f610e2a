#include "store/bundle_out.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>

#include "base/fs.h"

#define BUFFER (1u << 18)		/* bytes that are written at once */

struct bundle_out {
	struct archive *tar;
	struct archive_entry *entry;
	struct hash_stream *hash;
	int fd;
	uint64_t bytes;
	bool ending;		/* what libarchive adds is not ours */
	int failed;		/* errno of the first write that failed */
	size_t n;		/* bytes in buffer */
	unsigned char buffer[BUFFER];
};

/* --- one entry, the same everywhere --------------------------------------- */

static void
describe(struct archive_entry *entry, const char *name, uint64_t size)
{
	archive_entry_clear(entry);
	archive_entry_copy_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0600);
	archive_entry_set_mtime(entry, 0, 0);
	archive_entry_set_size(entry, (la_int64_t)size);
}

static int
start_tar(struct archive *tar, struct err *e)
{
	if (tar != NULL &&
	    archive_write_set_format_pax_restricted(tar) == ARCHIVE_OK &&
	    archive_write_set_bytes_per_block(tar, 0) == ARCHIVE_OK)
		return 0;
	return err_set(e, ERR_SYS, "out of memory");
}

int
bundle_tail(unsigned char out[BUNDLE_TAIL], const struct hash *before,
    struct err *e)
{
	struct archive *tar = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	char text[BUNDLE_END_LEN];
	size_t used = 0;
	int ret = start_tar(tar, e);

	hash_format(text, before);
	text[BUNDLE_END_LEN - 1] = '\n';
	if (ret == 0 && entry != NULL)
		describe(entry, bundle_kind_name(BUNDLE_END), sizeof(text));
	if (ret == 0 && (entry == NULL || archive_write_open_memory(tar, out,
	    BUNDLE_TAIL, &used) != ARCHIVE_OK ||
	    archive_write_header(tar, entry) != ARCHIVE_OK ||
	    archive_write_data(tar, text, sizeof(text)) !=
	    (la_ssize_t)sizeof(text) ||
	    archive_write_close(tar) != ARCHIVE_OK || used != BUNDLE_TAIL))
		ret = err_set(e, ERR_SYS, "bundle: its end cannot be made");
	archive_entry_free(entry);
	archive_write_free(tar);
	return ret;
}

/* --- a bundle ------------------------------------------------------------- */

static int
flush(struct bundle_out *o)
{
	if (o->failed == 0 && fs_write_all(o->fd, o->buffer, o->n) != 0)
		o->failed = errno;
	o->n = 0;
	return o->failed == 0 ? 0 : -1;
}

static void
append(struct bundle_out *o, const unsigned char *p, size_t n)
{
	o->bytes += n;
	while (n > 0) {
		size_t part = BUFFER - o->n < n ? BUFFER - o->n : n;

		memcpy(o->buffer + o->n, p, part);
		o->n += part;
		p += part;
		n -= part;
		if (o->n == BUFFER)
			flush(o);
	}
}

static la_ssize_t
from_tar(struct archive *a, void *arg, const void *p, size_t n)
{
	struct bundle_out *o = arg;

	if (o->ending)
		return (la_ssize_t)n;
	hash_add(o->hash, p, n);
	append(o, p, n);
	if (o->failed == 0)
		return (la_ssize_t)n;
	archive_set_error(a, o->failed, "cannot write");
	return -1;
}

static int
failed(const struct bundle_out *o, struct err *e)
{
	const char *why = archive_error_string(o->tar);

	if (o->failed == 0)
		return err_set(e, ERR_SYS, "bundle: %s", why == NULL ?
		    "cannot be written" : why);
	errno = o->failed;
	return err_sys(e, "bundle");
}

int
bundle_out_open(struct bundle_out **out, int fd, struct err *e)
{
	struct bundle_out *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	o->fd = fd;
	o->hash = hash_open();
	o->tar = archive_write_new();
	o->entry = archive_entry_new();
	if (o->entry == NULL)
		err_set(e, ERR_SYS, "out of memory");
	else if (start_tar(o->tar, e) == 0) {
		if (archive_write_open(o->tar, o, NULL, from_tar, NULL) ==
		    ARCHIVE_OK) {
			*out = o;
			return 0;
		}
		failed(o, e);
	}
	bundle_out_abort(o);
	return -1;
}

int
bundle_out_entry(struct bundle_out *o, const char *name, uint64_t size,
    struct err *e)
{
	describe(o->entry, name, size);
	return archive_write_header(o->tar, o->entry) == ARCHIVE_OK ? 0 :
	    failed(o, e);
}

int
bundle_out_data(struct bundle_out *o, const void *p, size_t n, struct err *e)
{
	return archive_write_data(o->tar, p, n) == (la_ssize_t)n ? 0 :
	    failed(o, e);
}

int
bundle_out_commit(struct bundle_out *o, struct err *e)
{
	unsigned char tail[BUNDLE_TAIL];
	struct hash before;
	int ret = 0;

	if (archive_write_finish_entry(o->tar) != ARCHIVE_OK)
		ret = failed(o, e);
	hash_finish(o->hash, &before);
	o->hash = NULL;
	if (ret == 0)
		ret = bundle_tail(tail, &before, e);
	if (ret == 0) {
		append(o, tail, sizeof(tail));
		if (flush(o) != 0)
			ret = failed(o, e);
	}
	bundle_out_abort(o);
	return ret;
}

void
bundle_out_abort(struct bundle_out *o)
{
	if (o == NULL)
		return;
	o->ending = true;
	archive_write_free(o->tar);
	archive_entry_free(o->entry);
	hash_discard(o->hash);
	free(o);
}

uint64_t
bundle_out_bytes(const struct bundle_out *o)
{
	return o->bytes;
}
