#define _GNU_SOURCE	/* openat */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/bundle.h"
#include "net/waiting.h"
#include "store/blocks.h"
#include "store/bundle_out.h"
#include "store/chain.h"
#include "store/object.h"
#include "store/pool.h"

#define CHUNK 65536
#define LOGS_WAIT_MS 30000

struct making {
	struct repo *repo;
	struct bundle_out *out;
	struct sync_result *res;
	struct bundle_head head;
	struct ids names;	/* objects; of a bundle that is not whole */
	bool odd;		/* a manifest came, its header is next */
};

static void
moved(struct making *m, const char *doing)
{
	struct sync_result *res = m->res;

	res->pushed.bytes = bundle_out_bytes(m->out);
	res->wire_bytes = res->pushed.bytes;
	tally_moved(res, doing, res->doing == doing ? res->done + 1 : 1, 0);
}

/* --- files as they lie ---------------------------------------------------- */

static int
copy(struct making *m, int fd, const char *path, uint64_t size,
    struct err *e)
{
	unsigned char part[CHUNK];
	ssize_t n = 1;

	if (bundle_out_entry(m->out, path, size, e) != 0)
		return -1;
	while (size > 0 && n > 0) {
		n = read(fd, part, size < CHUNK ? (size_t)size : CHUNK);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0 && bundle_out_data(m->out, part, (size_t)n,
		    e) != 0)
			return -1;
		else if (n > 0)
			size -= (uint64_t)n;
	}
	if (n < 0)
		return err_sys(e, "%s", path);
	return size == 0 ? 0 : err_set(e, ERR_BAD, "%s: changed while it was "
	    "read", path);
}

/* One that is gone by now was settled or erased. */
static int
add_file(struct making *m, const char *path, struct err *e)
{
	int kind = bundle_name(span_str(path)), fd, ret;
	struct stat st;

	if (kind < 0)
		return err_set(e, ERR_BAD, "%s: no file of a ledger has such a "
		    "name", path);
	fd = openat(m->repo->dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", path);
	if (fstat(fd, &st) != 0)
		ret = err_sys(e, "%s", path);
	else if (!S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size > bundle_limit(kind))
		ret = err_set(e, ERR_BAD, "%s: not a file, or too long a one",
		    path);
	else
		ret = copy(m, fd, path, (uint64_t)st.st_size, e);
	close(fd);
	moved(m, bundle_kind_name(kind));
	return ret;
}

static int
is_folder(struct making *m, const char *path)
{
	struct stat st;

	return fstatat(m->repo->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode);
}

static int
add_folder(struct making *m, const char *path, struct err *e)
{
	struct fs_names list;
	int ret = 0;

	if (fs_list(&list, m->repo->dirfd, path, e) != 0)
		return -1;
	for (size_t i = 0; i < list.n && ret == 0; i++) {
		char sub[FS_NAME_MAX];

		if ((size_t)snprintf(sub, sizeof(sub), "%s/%s", path,
		    list.name[i]) > BUNDLE_NAME_MAX)
			ret = err_set(e, ERR_BAD, "%s: holds a name that is "
			    "too long", path);
		else
			ret = is_folder(m, sub) ? add_folder(m, sub, e) :
			    add_file(m, sub, e);
	}
	fs_names_free(&list);
	return ret;
}

static int
add_kind(struct making *m, enum bundle_kind k, struct err *e)
{
	return add_folder(m, bundle_kind_name(k), e);
}

/* --- the head ------------------------------------------------------------- */

/* The last block, as its file says: nothing is verified. */
static int
last_block(struct making *m, struct err *e)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);
	struct fs_names dirs, files = { NULL, 0 };
	char path[FS_NAME_MAX], want[CHAIN_PATH_LEN] = "";
	unsigned long long height = 0;
	struct block b;
	int ret;

	m->head.head = *repo_ledger(m->repo);
	if (fs_list(&dirs, m->repo->dirfd, "blocks", e) != 0)
		return -1;
	for (size_t i = dirs.n; i-- > 0 && files.n == 0;) {
		snprintf(path, sizeof(path), "blocks/%s", dirs.name[i]);
		if (fs_list(&files, m->repo->dirfd, path, e) != 0)
			break;
	}
	if (files.n > 0 && sscanf(files.name[files.n - 1], "%9llu",
	    &height) == 1)
		chain_path(want, height);
	ret = files.n == 0 ? 0 : strcmp(strrchr(want, '/') == NULL ? "" :
	    strrchr(want, '/') + 1, files.name[files.n - 1]) != 0 ?
	    err_set(e, ERR_BAD, "%.100s: not named as blocks are", path) :
	    chain_read(&text, m->repo, height, e);
	if (ret == 0 && files.n > 0 && (ret = block_parse(&b,
	    buf_span(&text), true, repo_ledger(m->repo), e)) == 0) {
		m->head.height = height;
		m->head.head = b.h.id;
	}
	fs_names_free(&dirs);
	fs_names_free(&files);
	buf_free(&text);
	return ret;
}

static int
add_head(struct making *m, struct err *e)
{
	struct buf text = BUF_INIT(BUNDLE_TEXT_MAX);
	int ret;

	bundle_format(&text, &m->head);
	ret = bundle_out_entry(m->out, bundle_kind_name(BUNDLE_HEAD),
	    text.len, e);
	if (ret == 0)
		ret = bundle_out_data(m->out, text.p, text.len, e);
	buf_free(&text);
	return ret == 0 ? add_file(m, bundle_kind_name(BUNDLE_GENESIS), e) :
	    -1;
}

/* --- what is new ---------------------------------------------------------- */

static int
name_objects(struct making *m, struct span note, struct err *e)
{
	struct tx tx;
	int ret;

	if (tx_parse(&tx, note, repo_ledger(m->repo), e) != 0)
		return -1;
	ret = waiting_names(&m->names, &tx, e);
	tx_free(&tx);
	return ret;
}

static int
add_block(struct making *m, uint64_t height, struct err *e)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);
	char path[CHAIN_PATH_LEN];
	struct span body, note;
	struct block b;
	int ret = chain_read(&text, m->repo, height, e);

	if (ret == 0)
		ret = block_parse(&b, buf_span(&text), true,
		    repo_ledger(m->repo), e);
	if (ret == 0)
		body = b.body;
	while (ret == 0 && block_next_tx(&body, &note) == 1)
		ret = name_objects(m, note, e);
	buf_free(&text);
	chain_path(path, height);
	return ret == 0 ? add_file(m, path, e) : -1;
}

static int
name_pending(void *arg, const struct hash *id, uint64_t at, struct span data,
    struct err *e)
{
	(void)id, (void)at;
	return name_objects(arg, data, e);
}

static int
name_staged(void *arg, const struct hash *id, uint64_t at, struct span data,
    struct err *e)
{
	struct making *m = arg;
	struct staged s;

	(void)id, (void)at;
	m->odd = !m->odd;
	if (!m->odd)
		return 0;
	return staged_parse(&s, data, repo_ledger(m->repo), e) == 0 ?
	    ids_add(&m->names, &s.body, e) : -1;
}

static int
scan_waiting(struct making *m, const char *dir, segment_item *item,
    struct err *e)
{
	struct fs_names list;
	char path[FS_NAME_MAX];
	int ret = 0;

	if (fs_list(&list, m->repo->dirfd, dir, e) != 0)
		return -1;
	for (size_t i = 0; i < list.n && ret == 0; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, list.name[i]);
		m->odd = false;
		ret = segment_scan(m->repo->dirfd, path, dir, true, item, m,
		    e);
		if (ret < 0 && e->kind == ERR_NO)
			ret = 0;
	}
	fs_names_free(&list);
	return ret;
}

/* One object as a file, wherever it lies; one that is not here is left out. */
static int
add_object(struct making *m, const struct hash *id, struct err *e)
{
	unsigned char part[CHUNK];
	char path[80], hex[HASH_HEX];
	struct object_file f;
	long n = 0;
	int ret;

	if (object_open(&f, m->repo, id, e) != 0)
		return e->kind == ERR_NO ? 0 : -1;
	hash_format(hex, id);
	snprintf(path, sizeof(path), "objects/%.2s/%s", hex, hex);
	ret = bundle_out_entry(m->out, path, f.left, e);
	while (ret == 0 && (n = object_file_read(&f, part, sizeof(part),
	    e)) > 0)
		ret = bundle_out_data(m->out, part, (size_t)n, e);
	object_file_close(&f);
	moved(m, "objects");
	return ret == 0 && n == 0 ? 0 : -1;
}

static int
add_new(struct making *m, struct err *e)
{
	int ret = 0;

	for (uint64_t h = m->head.since + 1; h <= m->head.height && ret == 0;
	    h++)
		ret = add_block(m, h, e);
	if (ret != 0 || scan_waiting(m, STAGING_DIR, name_staged, e) != 0 ||
	    scan_waiting(m, POOL_DIR, name_pending, e) != 0)
		return -1;
	ids_sort(&m->names);
	for (size_t i = 0; i < m->names.n && ret == 0; i++)
		ret = add_object(m, &m->names.id[i], e);
	return ret;
}

/* --- all of it ------------------------------------------------------------ */

static int
add_all(struct making *m, struct err *e)
{
	if (add_head(m, e) != 0)
		return -1;
	if (m->head.since > 0) {
		if (add_new(m, e) != 0)
			return -1;
	} else
		for (int k = BUNDLE_BLOCKS; k <= BUNDLE_CHECKPOINTS; k++)
			if (add_kind(m, k, e) != 0)
				return -1;
	if (add_kind(m, BUNDLE_STAGING, e) != 0)
		return -1;
	return add_kind(m, BUNDLE_PENDING, e);
}

int
bundle_make(struct bundle_head *h, struct repo *r, int fd, uint64_t since,
    struct sync_result *res, struct err *e)
{
	struct making m = { .repo = r, .res = res, .names = IDS_INIT };
	int logs, ret;

	m.head.ledger = *repo_ledger(r);
	m.head.since = since;
	/* So that logs, tiles and checkpoints are of one moment. */
	if ((logs = fs_lock(r->dirfd, "logs.lock", LOGS_WAIT_MS, e)) < 0)
		return -1;
	ret = last_block(&m, e);
	if (ret == 0 && since > m.head.height)
		ret = err_set(e, ERR_NO, "there is no block %llu here: the "
		    "last one is %llu", (unsigned long long)since,
		    (unsigned long long)m.head.height);
	if (ret == 0 && (ret = bundle_out_open(&m.out, fd, e)) == 0) {
		ret = add_all(&m, e);
		if (ret == 0)
			ret = bundle_out_commit(m.out, e);
		else
			bundle_out_abort(m.out);
	}
	ids_free(&m.names);
	close(logs);
	*h = m.head;
	return ret;
}
