/*
 * again: a folder made once more what it was before something worked in it.
 */
#ifndef UNIT_AGAIN_H
#define UNIT_AGAIN_H

#include "scratch.h"

#include <dirent.h>

#define AGAIN_MAX (1u << 20)	/* bytes of a file, at most */

/* A file's bytes to p; their number, -1 when there is no such file. */
static inline ssize_t
again_read(int at, const char *name, char *p)
{
	int fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n, sum = 0;

	if (fd < 0)
		return -1;
	while ((n = read(fd, p + sum, AGAIN_MAX - (size_t)sum)) > 0)
		sum += n;
	if (n < 0 || sum == AGAIN_MAX)
		abort();
	close(fd);
	return sum;
}

static inline void
again_remove(int at, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", at, name);
	scratch_remove(path);
}

/* One that is there as it was is left alone, else it is made so. */
static inline void
again_file(int from, int to, const char *name, const struct stat *st)
{
	static char was[AGAIN_MAX], is[AGAIN_MAX];
	const struct timespec times[2] = { st->st_mtim, st->st_mtim };
	ssize_t n = again_read(from, name, was);
	struct stat now;
	int fd;

	if (n < 0)
		abort();
	if (fstatat(to, name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	    now.st_mode == st->st_mode && now.st_size == st->st_size &&
	    again_read(to, name, is) == n && memcmp(was, is, (size_t)n) == 0)
		return;
	again_remove(to, name);
	fd = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, was, (size_t)n) != n ||
	    fchmod(fd, st->st_mode & 07777) != 0 || futimens(fd, times) != 0)
		abort();
	close(fd);
}

static inline void again_dir(int from, int to);

/* A folder. */
static inline void
again_sub(int from, int to, const char *name, const struct stat *st)
{
	int a = openat(from, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int b = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);

	if (b < 0) {
		again_remove(to, name);
		if (mkdirat(to, name, st->st_mode & 07777) != 0)
			abort();
		b = openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	again_dir(a, b);
	close(a);
	close(b);
}

/* Remove what is in `to` and not in `from`. */
static inline void
again_extra(int from, int to)
{
	DIR *dir = fdopendir(openat(to, ".", O_RDONLY | O_CLOEXEC));
	struct dirent *d;
	struct stat st;

	while ((d = readdir(dir)) != NULL)
		if (fstatat(from, d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			again_remove(to, d->d_name);
	closedir(dir);
}

static inline void
again_dir(int from, int to)
{
	DIR *dir = fdopendir(openat(from, ".", O_RDONLY | O_CLOEXEC));
	struct stat st, now;
	struct dirent *d;

	again_extra(from, to);
	while ((d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 ||
		    strcmp(d->d_name, "..") == 0)
			continue;
		if (fstatat(from, d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			abort();
		if (S_ISDIR(st.st_mode))
			again_sub(from, to, d->d_name, &st);
		else
			again_file(from, to, d->d_name, &st);
	}
	closedir(dir);
	/* Who looks whether something is new in it sees that, too. */
	if (fstat(from, &st) == 0 && fstat(to, &now) == 0 &&
	    (now.st_mtim.tv_sec != st.st_mtim.tv_sec ||
	    now.st_mtim.tv_nsec != st.st_mtim.tv_nsec)) {
		const struct timespec times[2] = { st.st_mtim, st.st_mtim };

		if (futimens(to, times) != 0)
			abort();
	}
}

/*
 * Make the folder of that name what the one in `was` is: the names in it, the
 * bytes, who may read them and when they were written last.  What is so
 * already is not touched, which is far less work than a copy.
 */
static inline void
again(const char *was, const char *name)
{
	int fd = open(was, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstatat(fd, name, &st, 0) != 0)
		abort();
	again_sub(fd, AT_FDCWD, name, &st);
	close(fd);
}

#endif
