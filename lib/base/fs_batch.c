#define _GNU_SOURCE	/* syncfs */
#include "base/fs_batch.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define NAMES_MAX (64u << 20)	/* bytes */

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
	return close(t.fd) == 0 ? 0 : err_sys(e, "%s: close", path);
}

static int
sync_all(struct fs_batch *b, struct err *e)
{
	int fd = openat(b->dirfd, b->temp_dir, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(e, "%s", b->temp_dir);
	r = syncfs(fd) == 0 ? 0 : err_sys(e, "%s: syncfs", b->temp_dir);
	close(fd);
	return r;
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

	if (b->n == 0)
		return 0;
	if (sync_all(b, e) != 0)
		return -1;
	for (size_t i = 0; i < b->n; i++) {
		const char *temp = at, *path = temp + strlen(temp) + 1;

		if (renameat(b->dirfd, temp, b->dirfd, path) != 0)
			return err_sys(e, "%s", path);
		at = path + strlen(path) + 1;
	}
	forget(b);
	return sync_all(b, e);
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
