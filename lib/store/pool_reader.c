#define _GNU_SOURCE
#include "store/pool_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* All n bytes at a place; fewer are ERR_BAD. */
static int
read_at(unsigned char *to, size_t n, uint64_t at, int fd, const char *path,
    struct err *e)
{
	while (n > 0) {
		ssize_t got = pread(fd, to, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, "%s", path);
		if (got == 0)
			return err_set(e, ERR_BAD, "%s: ends too early", path);
		to += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

void
pool_reader_close(struct pool_reader *rd)
{
	if (rd->fd >= 0)
		close(rd->fd);
	rd->fd = -1;
}

static int
open_segment(struct pool_reader *rd, const struct pool_row *row,
    const char *path, struct err *e)
{
	if (rd->fd >= 0 && rd->file == row->file)
		return 0;
	pool_reader_close(rd);
	rd->fd = openat(rd->repo->dirfd, path, O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK);
	rd->file = row->file;
	if (rd->fd >= 0)
		return 0;
	return errno == ENOENT ? err_set(e, ERR_NO, "%s: no such file", path) :
	    err_sys(e, "%s", path);
}

int
pool_reader_get(struct buf *out, struct pool_reader *rd,
    const struct pool_row *row, struct err *e)
{
	char path[FS_NAME_MAX];
	unsigned char *to;
	struct hash is;

	snprintf(path, sizeof(path), POOL_DIR "/%s", row->segment);
	if ((to = buf_room(out, row->size)) == NULL)
		return buf_check(out, path, e);
	if (open_segment(rd, row, path, e) != 0 ||
	    read_at(to, row->size, row->at, rd->fd, path, e) != 0)
		return -1;
	hash_bytes(&is, to, row->size);
	if (!hash_eq(&is, &row->id))
		return err_set(e, ERR_BAD, "%s: an item differs from its hash "
		    "at byte %llu", path, (unsigned long long)row->at);
	out->len += row->size;
	return 0;
}
