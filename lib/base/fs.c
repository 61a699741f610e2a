#define _GNU_SOURCE	/* renameat2 */
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 65536

/* To the end; room for some bytes is made at once. */
static int
read_all(struct buf *out, int fd, size_t some, const char *what,
    struct err *e)
{
	for (;;) {
		/* One more byte than is left shows that there is too much. */
		size_t left = out->max - out->len;
		size_t room = out->cap > out->len ? out->cap - out->len : some;
		size_t want = left < room ? left : room;
		unsigned char probe, *to = &probe;
		ssize_t n;

		if (want > 0 && (to = buf_room(out, want)) == NULL)
			return buf_check(out, what, e);
		n = read(fd, to, want > 0 ? want : 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "%s", what);
		if (n == 0)
			return 0;
		if (want == 0)
			return err_set(e, ERR_BAD, "%s: longer than %zu bytes",
			    what, out->max);
		out->len += (size_t)n;
	}
}

int
fs_read_fd(struct buf *out, int fd, const char *what, struct err *e)
{
	return read_all(out, fd, CHUNK, what, e);
}

int
fs_read(struct buf *out, int dirfd, const char *path, struct err *e)
{
	size_t some = CHUNK;
	struct stat st;
	int fd, r;

	fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(e, ERR_NO, "%s: no such file", path);
	if (fd < 0)
		return err_sys(e, "%s", path);
	if (fstat(fd, &st) != 0) {
		err_sys(e, "%s", path);
		close(fd);
		return -1;
	}
	if (S_ISDIR(st.st_mode)) {
		close(fd);
		return err_set(e, ERR_BAD, "%s: is a directory", path);
	}
	/* All of a small file, and the byte that shows its end. */
	if (S_ISREG(st.st_mode) && st.st_size < CHUNK)
		some = (size_t)st.st_size + 1;
	r = read_all(out, fd, some, path, e);
	close(fd);
	return r;
}

int
fs_write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t w = write(fd, at, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -1;
		at += w;
		n -= (size_t)w;
	}
	return 0;
}

/* The directory part of path into out ("." when there is none). */
static int
parent_of(char out[FS_NAME_MAX], const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);

	if (n >= FS_NAME_MAX)
		return err_set(e, ERR_USAGE, "a path of more than %d bytes",
		    FS_NAME_MAX - 1);
	if (slash == path)
		n = 1;
	if (slash == NULL)
		strcpy(out, ".");
	else {
		memcpy(out, path, n);
		out[n] = '\0';
	}
	return 0;
}

int
fs_sync_dir(int dirfd, const char *path, struct err *e)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(e, "%s", path);
	r = fsync(fd) == 0 ? 0 : err_sys(e, "%s: fsync", path);
	close(fd);
	return r;
}

int
fs_sync_parent(int dirfd, const char *path, struct err *e)
{
	char dir[FS_NAME_MAX];

	if (parent_of(dir, path, e) != 0)
		return -1;
	return fs_sync_dir(dirfd, dir, e);
}

int
fs_temp_open(struct fs_temp *t, int dirfd, const char *dir, mode_t mode,
    struct err *e)
{
	static atomic_uint serial;
	struct timespec ts;

	t->dirfd = dirfd;
	t->fd = -1;
	for (int try = 0; try < 100; try++) {
		clock_gettime(CLOCK_REALTIME, &ts);
		if ((size_t)snprintf(t->name, sizeof(t->name),
		    "%s/.tmp-%d-%u-%09ld", dir, (int)getpid(),
		    atomic_fetch_add(&serial, 1), ts.tv_nsec) >=
		    sizeof(t->name))
			return err_set(e, ERR_USAGE, "%s: too long a path",
			    dir);
		t->fd = openat(dirfd, t->name,
		    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
		if (t->fd >= 0 || errno != EEXIST)
			break;
	}
	return t->fd >= 0 ? 0 : err_sys(e, "%s: cannot write there", dir);
}

int
fs_temp_beside(struct fs_temp *t, int dirfd, const char *path, mode_t mode,
    struct err *e)
{
	char dir[FS_NAME_MAX];
	struct stat st;

	if (fstatat(dirfd, path, &st, 0) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, ERR_SYS, "%s: not a regular file, and not "
		    "replaced", path);
	if (parent_of(dir, path, e) != 0)
		return -1;
	return fs_temp_open(t, dirfd, dir, mode, e);
}

void
fs_temp_abort(struct fs_temp *t)
{
	if (t->fd < 0)
		return;
	close(t->fd);
	t->fd = -1;
	unlinkat(t->dirfd, t->name, 0);
}

/* Give the file its name.  Some file systems cannot do that exclusively. */
static int
move(struct fs_temp *t, const char *path, bool excl)
{
	if (!excl)
		return renameat(t->dirfd, t->name, t->dirfd, path);
	if (renameat2(t->dirfd, t->name, t->dirfd, path,
	    RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(t->dirfd, t->name, t->dirfd, path, 0) != 0)
		return -1;
	unlinkat(t->dirfd, t->name, 0);
	return 0;
}

int
fs_temp_commit(struct fs_temp *t, const char *path, bool excl, struct err *e)
{
	if (fsync(t->fd) != 0) {
		err_sys(e, "%s: fsync", path);
		fs_temp_abort(t);
		return -1;
	}
	if (move(t, path, excl) != 0) {
		if (errno == EEXIST)
			err_set(e, ERR_NO, "%s: exists already", path);
		else
			err_sys(e, "%s", path);
		fs_temp_abort(t);
		return -1;
	}
	if (close(t->fd) != 0) {
		t->fd = -1;
		return err_sys(e, "%s: close", path);
	}
	t->fd = -1;
	return fs_sync_parent(t->dirfd, path, e);
}

int
fs_write(int dirfd, const char *path, const char *dir, struct span data,
    mode_t mode, bool excl, struct err *e)
{
	struct fs_temp t;

	if ((dir == NULL ? fs_temp_beside(&t, dirfd, path, mode, e) :
	    fs_temp_open(&t, dirfd, dir, mode, e)) != 0)
		return -1;
	if (fs_write_all(t.fd, data.p, data.n) != 0) {
		err_sys(e, "%s", path);
		fs_temp_abort(&t);
		return -1;
	}
	return fs_temp_commit(&t, path, excl, e);
}

int
fs_mkdir(int dirfd, const char *path, mode_t mode, struct err *e)
{
	struct stat st;

	if (mkdirat(dirfd, path, mode) != 0) {
		if (errno != EEXIST)
			return err_sys(e, "%s", path);
		if (fstatat(dirfd, path, &st, 0) == 0 && S_ISDIR(st.st_mode))
			return 0;
		errno = ENOTDIR;
		return err_sys(e, "%s", path);
	}
	return fs_sync_parent(dirfd, path, e);
}

int
fs_remove(int dirfd, const char *path, struct err *e)
{
	if (unlinkat(dirfd, path, 0) != 0) {
		if (errno == ENOENT)
			return 0;
		return err_sys(e, "%s", path);
	}
	return fs_sync_parent(dirfd, path, e);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int
fs_list(struct fs_names *out, int dirfd, const char *path, struct err *e)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *d;
	size_t cap = 0;
	DIR *dir;

	*out = (struct fs_names){ NULL, 0 };
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", path);
	if ((dir = fdopendir(fd)) == NULL) {
		close(fd);
		return err_sys(e, "%s", path);
	}
	while (errno = 0, (d = readdir(dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		if (out->n == cap) {
			char **more;

			cap = cap == 0 ? 64 : cap * 2;
			more = reallocarray(out->name, cap, sizeof(*more));
			if (more == NULL)
				goto fail;
			out->name = more;
		}
		if ((out->name[out->n] = strdup(d->d_name)) == NULL)
			goto fail;
		out->n++;
	}
	if (errno != 0)
		goto fail;
	closedir(dir);
	if (out->n > 0)
		qsort(out->name, out->n, sizeof(*out->name), by_name);
	return 0;
fail:
	err_sys(e, "%s", path);
	closedir(dir);
	fs_names_free(out);
	return -1;
}

void
fs_names_free(struct fs_names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->name[i]);
	free(l->name);
	*l = (struct fs_names){ NULL, 0 };
}

/* The lock is held: say by whom, if the file tells. */
static int
locked_by(int fd, const char *path, struct err *e)
{
	char pid[16] = "";
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	pid[strspn(pid, "0123456789")] = '\0';
	close(fd);
	return err_set(e, ERR_AGAIN, "%s: locked by process %s", path,
	    pid[0] == '\0' ? "(unknown)" : pid);
}

#define NAP_MS 2		/* between looks at a lock that is taken */

int
fs_lock(int dirfd, const char *path, int wait_ms, struct err *e)
{
	const struct timespec nap = { 0, NAP_MS * 1000000 };
	char pid[16];
	int fd, n;

	fd = openat(dirfd, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd < 0)
		return err_sys(e, "%s", path);
	for (;;) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			break;
		if (errno != EWOULDBLOCK && errno != EINTR) {
			err_sys(e, "%s", path);
			close(fd);
			return -1;
		}
		if (wait_ms <= 0)
			return locked_by(fd, path, e);
		nanosleep(&nap, NULL);
		wait_ms -= NAP_MS;
	}
	/* Only for people; the lock is the flock, so errors do not matter. */
	n = snprintf(pid, sizeof(pid), "%-10d\n", (int)getpid());
	if (pwrite(fd, pid, (size_t)n, 0) < 0)
		n = 0;
	return fd;
}
