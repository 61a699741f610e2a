#define _GNU_SOURCE	/* syncfs */
#include "base/fs_batch.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define NAMES_MAX (64u << 20)	/* bytes */
#define FEW 4			/* files that are synced one by one */

void
fs_batch_init(struct fs_batch *b, int dirfd, const char *temp_dir)
{
	*b = (struct fs_batch){ .dirfd = dirfd, .temp_dir = temp_dir };
	buf_init(&b->names, NAMES_MAX);
}

int
fs_batch_put(struct fs_batch *b, const char *path, struct span data,
    mode_t mode, struct err *e)
{
	struct fs_temp t;

	if (fs_temp_open(&t, b->dirfd, b->temp_dir, mode, e) != 0)
		return -1;
	if (fs_write_all(t.fd, data.p, data.n) != 0) {
		err_sys(e, "%s", path);
		fs_temp_abort(&t);
		return -1;
	}
	buf_add(&b->names, t.name, strlen(t.name) + 1);
	buf_add(&b->names, path, strlen(path) + 1);
	if (buf_check(&b->names, "names", e) != 0) {
		fs_temp_abort(&t);
		return -1;
	}
	b->n++;
	b->synced = false;
	return close(t.fd) == 0 ? 0 : err_sys(e, "%s: close", path);
}

/* Sync one file, or with sync = syncfs all of its file system. */
static int
sync_path(const struct fs_batch *b, const char *path, int (*sync)(int),
    struct err *e)
{
	int fd = openat(b->dirfd, path, O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return err_sys(e, "%s", path);
	r = sync(fd) == 0 ? 0 : err_sys(e, "%s: %s", path, sync == fsync ?
	    "fsync" : "syncfs");
	close(fd);
	return r;
}

/* The files, or once they have their names, the directories of these. */
static int
sync_all(const struct fs_batch *b, bool named, struct err *e)
{
	const char *at = (const char *)b->names.p;
	int r = 0;

	if (b->n > FEW)
		return sync_path(b, b->temp_dir, syncfs, e);
	for (size_t i = 0; i < b->n && r == 0; i++) {
		const char *temp = at, *path = temp + strlen(temp) + 1;

		r = named ? fs_sync_parent(b->dirfd, path, e) :
		    sync_path(b, temp, fsync, e);
		at = path + strlen(path) + 1;
	}
	return r;
}

int
fs_batch_sync(struct fs_batch *b, struct err *e)
{
	if (!b->synced && sync_all(b, false, e) != 0)
		return -1;
	b->synced = true;
	return 0;
}

static void
forget(struct fs_batch *b)
{
	buf_reset(&b->names);
	b->n = 0;
}

int
fs_batch_commit(struct fs_batch *b, struct err *e)
{
	const char *at = (const char *)b->names.p;
	int r;

	if (b->n == 0)
		return 0;
	if (fs_batch_sync(b, e) != 0)
		return -1;
	for (size_t i = 0; i < b->n; i++) {
		const char *temp = at, *path = temp + strlen(temp) + 1;

		if (renameat(b->dirfd, temp, b->dirfd, path) != 0)
			return err_sys(e, "%s", path);
		at = path + strlen(path) + 1;
	}
	r = sync_all(b, true, e);
	forget(b);
	return r;
}

void
fs_batch_free(struct fs_batch *b)
{
	const char *at = (const char *)b->names.p;

	for (size_t i = 0; i < b->n; i++) {
		unlinkat(b->dirfd, at, 0);
		at += strlen(at) + 1;
		at += strlen(at) + 1;
	}
	forget(b);
	buf_free(&b->names);
}
