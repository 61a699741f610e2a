#define _GNU_SOURCE	/* openat, newlocale */
#include "store/bundle_in.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "ledger/genesis.h"
#include "store/bundle_out.h"

#define CHUNK 65536
#define HEADER_MAX (1u << 20)	/* bytes that one header may take */

struct reader {
	struct bundle_in *in;
	struct archive *tar;
	struct hash_stream *hash;	/* of all but the last bytes */
	unsigned char last[BUNDLE_TAIL];	/* those */
	size_t nlast;
	unsigned char chunk[CHUNK];
	int fd, dirfd;
	bool limited;			/* a header is being read */
	size_t left;			/* bytes that it may still take */
	struct err *e;			/* of the callback, when it failed */
	bool failed;
	int kind;			/* of the entry; -1 before the first */
	char name[BUNDLE_NAME_MAX + 1];	/* of the one before */
	locale_t plain;
};

static int
bad(struct reader *r, const char *what)
{
	const char *why = what == NULL ? archive_error_string(r->tar) : what;

	if (r->failed)
		return -1;
	return err_set(r->e, ERR_BAD, "bundle: %s", why == NULL ?
	    "not a tar" : why);
}

/* --- bytes ---------------------------------------------------------------- */

/* Hash what cannot be a part of the last BUNDLE_TAIL bytes any more. */
static void
remember(struct reader *r, const unsigned char *p, size_t n)
{
	size_t keep = n < BUNDLE_TAIL ? n : BUNDLE_TAIL;
	size_t out = r->nlast + keep > BUNDLE_TAIL ?
	    r->nlast + keep - BUNDLE_TAIL : 0;

	hash_add(r->hash, r->last, out);
	memmove(r->last, r->last + out, r->nlast - out);
	r->nlast -= out;
	hash_add(r->hash, p, n - keep);
	memcpy(r->last + r->nlast, p + n - keep, keep);
	r->nlast += keep;
	r->in->bytes += n;
}

static la_ssize_t
more(struct archive *a, void *arg, const void **p)
{
	struct reader *r = arg;
	ssize_t n;

	if (r->limited && r->left < CHUNK) {
		archive_set_error(a, EINVAL, "a header is too long");
		return -1;
	}
	do {
		n = read(r->fd, r->chunk, CHUNK);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		err_sys(r->e, "bundle");
		r->failed = true;
		return -1;
	}
	if (r->limited)
		r->left -= (size_t)n;
	remember(r, r->chunk, (size_t)n);
	*p = r->chunk;
	return n;
}

/* To the end of the file, and is that the end of this bundle? */
static int
check_tail(struct reader *r)
{
	unsigned char want[BUNDLE_TAIL];
	struct hash before;
	const void *p;
	la_ssize_t n;

	r->limited = false;
	while ((n = more(r->tar, r, &p)) > 0)
		;
	hash_finish(r->hash, &before);
	r->hash = NULL;
	if (n < 0 || bundle_tail(want, &before, r->e) != 0)
		return -1;
	if (r->nlast == BUNDLE_TAIL &&
	    memcmp(r->last, want, BUNDLE_TAIL) == 0)
		return 0;
	return bad(r, "its bytes are not those that it was made of: it was "
	    "cut or altered");
}

/* --- entries -------------------------------------------------------------- */

/* May the entry of that name come after the one before? */
static int
check_order(struct reader *r, struct span name, uint64_t size)
{
	struct span before = span_str(r->name);
	int kind = bundle_name(name);

	if (kind < 0)
		return bad(r, "an entry with a name that no bundle has");
	if (size > bundle_limit(kind))
		return bad(r, "an entry that is too long");
	if (kind < r->kind || (kind > BUNDLE_HEAD && r->kind < BUNDLE_HEAD) ||
	    (kind > BUNDLE_GENESIS && r->kind < BUNDLE_GENESIS) ||
	    (kind == r->kind && bundle_cmp(before, name) >= 0))
		return bad(r, "its entries are not in order");
	if (name.n > before.n && name.p[before.n] == '/' &&
	    span_starts(name, r->name))
		return bad(r, "a folder with the name of a file");
	r->kind = kind;
	memcpy(r->name, name.p, name.n);
	r->name[name.n] = '\0';
	return 0;
}

/* The next one: 1, 0 at the end, -1. */
static int
next(struct reader *r, uint64_t *size)
{
	locale_t before = uselocale(r->plain);
	struct archive_entry *entry;
	int status;

	r->limited = true;
	r->left = HEADER_MAX;
	status = archive_read_next_header(r->tar, &entry);
	r->limited = false;
	uselocale(before);
	if (status == ARCHIVE_EOF)
		return 0;
	if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
		return bad(r, NULL);
	if (archive_entry_pathname(entry) == NULL ||
	    archive_entry_filetype(entry) != AE_IFREG ||
	    archive_entry_hardlink(entry) != NULL ||
	    archive_entry_symlink(entry) != NULL ||
	    archive_entry_sparse_count(entry) != 0 ||
	    !archive_entry_size_is_set(entry) ||
	    archive_entry_size(entry) < 0)
		return bad(r, "an entry that is no regular file");
	*size = (uint64_t)archive_entry_size(entry);
	return check_order(r, span_str(archive_entry_pathname(entry)), *size)
	    == 0 ? 1 : -1;
}

/* Its data, to fd (unless -1) and to text (unless NULL). */
static int
copy(struct reader *r, uint64_t size, int fd, struct buf *text)
{
	la_int64_t at, total = 0;
	const void *p;
	int status;
	size_t n;

	while ((status = archive_read_data_block(r->tar, &p, &n, &at)) ==
	    ARCHIVE_OK) {
		if (at != total)
			return bad(r, "a file with a hole");
		if (text != NULL)
			buf_add(text, p, n);
		if (fd >= 0 && fs_write_all(fd, p, n) != 0) {
			r->failed = true;
			return err_sys(r->e, "%s", r->name);
		}
		total += (la_int64_t)n;
	}
	if (status != ARCHIVE_EOF)
		return bad(r, NULL);
	if ((uint64_t)total != size)
		return bad(r, "a file that is cut short");
	return text == NULL ? 0 : buf_check(text, "bundle", r->e);
}

/* Open the folder of name, made where it lacks; *last is the rest of it. */
static int
open_folder(struct reader *r, const char **last)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	const char *at = r->name, *slash;
	char part[BUNDLE_NAME_MAX + 1];
	int fd = openat(r->dirfd, ".", flags), up;

	while (fd >= 0 && (slash = strchr(at, '/')) != NULL) {
		memcpy(part, at, (size_t)(slash - at));
		part[slash - at] = '\0';
		up = fd;
		fd = openat(up, part, flags);
		if (fd < 0 && errno == ENOENT && mkdirat(up, part, 0700) == 0)
			fd = openat(up, part, flags);
		close(up);
		at = slash + 1;
	}
	*last = at;
	return fd;
}

static int
unpack_file(struct reader *r, uint64_t size)
{
	const char *last;
	int dir = open_folder(r, &last), fd, ret;

	fd = dir < 0 ? -1 : openat(dir, last, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		r->failed = true;
		err_sys(r->e, "%s", r->name);
	}
	if (dir >= 0)
		close(dir);
	if (fd < 0)
		return -1;
	ret = copy(r, size, fd, NULL);
	if (close(fd) != 0 && ret == 0)
		ret = err_sys(r->e, "%s", r->name);
	return ret;
}

/* The entry "bundle". */
static int
take_head(struct reader *r, uint64_t size)
{
	struct buf text = BUF_INIT(BUNDLE_TEXT_MAX);
	struct bundle_in *in = r->in;
	int ret = copy(r, size, -1, &text);

	if (ret == 0)
		ret = bundle_parse(&in->head, buf_span(&text), r->e);
	in->begun = ret == 0;
	if (ret == 0 && in->begin != NULL)
		ret = in->begin(in->arg, &in->head, r->e);
	buf_free(&text);
	return ret;
}

/* What else a ledger directory must have. */
static int
write_config(struct reader *r)
{
	struct buf text = BUF_INIT(256);
	char hex[HASH_HEX];
	int fd = openat(r->dirfd, "config", O_WRONLY | O_CREAT | O_EXCL |
	    O_CLOEXEC, 0600);
	int ret = 0;

	hash_format(hex, &r->in->head.ledger);
	buf_addf(&text, "[ledger]\n\tid = %s\n", hex);
	if (fd < 0 || fs_write_all(fd, text.p, text.len) != 0 ||
	    mkdirat(r->dirfd, "tmp", 0700) != 0)
		ret = err_sys(r->e, "config");
	if (fd >= 0)
		close(fd);
	buf_free(&text);
	return ret;
}

static int
take_genesis(struct reader *r, uint64_t size)
{
	struct buf text = BUF_INIT(GENESIS_MAX);
	struct hash id;
	int ret = copy(r, size, -1, &text);

	hash_bytes(&id, text.p, text.len);
	if (ret == 0 && !hash_eq(&id, &r->in->head.ledger))
		ret = bad(r, "its genesis is not that of its ledger");
	if (ret == 0)
		ret = fs_write(r->dirfd, "genesis", NULL, buf_span(&text),
		    0600, true, r->e);
	if (ret == 0)
		ret = write_config(r);
	r->in->genesis = ret == 0;
	buf_free(&text);
	return ret;
}

static int
take(struct reader *r, uint64_t size)
{
	switch (r->kind) {
	case BUNDLE_HEAD:
		return take_head(r, size);
	case BUNDLE_GENESIS:
		return take_genesis(r, size);
	case BUNDLE_END:
		return copy(r, size, -1, NULL);
	default:
		return unpack_file(r, size);
	}
}

static int
take_all(struct reader *r)
{
	struct bundle_in *in = r->in;
	uint64_t size = 0;
	int got;

	while ((got = next(r, &size)) == 1) {
		if (take(r, size) != 0)
			return -1;
		in->entries++;
		if (in->progress != NULL)
			in->progress(in->arg, in->entries, in->bytes);
	}
	if (got == 0 && r->kind != BUNDLE_END)
		return bad(r, "it has no end");
	return got == 0 ? check_tail(r) : -1;
}

int
bundle_unpack(struct bundle_in *in, int fd, int dirfd, struct err *e)
{
	struct reader *r = calloc(1, sizeof(*r));
	int ret = -1;

	if (r == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	in->begun = in->genesis = false;
	in->entries = in->bytes = 0;
	r->in = in;
	r->fd = fd;
	r->dirfd = dirfd;
	r->e = e;
	r->kind = -1;
	r->hash = hash_open();
	r->plain = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
	r->tar = archive_read_new();
	if (r->tar == NULL || r->plain == (locale_t)0)
		err_set(e, ERR_SYS, "out of memory");
	else if (archive_read_support_format_tar(r->tar) != ARCHIVE_OK ||
	    archive_read_open(r->tar, r, NULL, more, NULL) != ARCHIVE_OK)
		bad(r, NULL);
	else
		ret = take_all(r);
	archive_read_free(r->tar);
	if (r->plain != (locale_t)0)
		freelocale(r->plain);
	hash_discard(r->hash);
	free(r);
	return ret;
}
