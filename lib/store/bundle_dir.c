/* The folders that bundles are unpacked into. */
#define _GNU_SOURCE	/* openat, fdopendir */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "store/bundle_in.h"

#define PREFIX ".tmp-bundle-"
#define DEPTH 12		/* of folders in one */

int
bundle_dir(int *fd, char name[BUNDLE_DIR_LEN], int dirfd, const char *parent,
    struct err *e)
{
	unsigned char random[8];
	char hex[2 * sizeof(random) + 1];

	hash_random(random, sizeof(random));
	hex_encode(hex, random, sizeof(random));
	if (snprintf(name, BUNDLE_DIR_LEN, "%s/" PREFIX "%s", parent, hex) >=
	    BUNDLE_DIR_LEN)
		return err_set(e, ERR_USAGE, "%s: too long a path", parent);
	if (mkdirat(dirfd, name, 0700) != 0)
		return err_sys(e, "%s: cannot write there", parent);
	*fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (*fd >= 0)
		return 0;
	err_sys(e, "%s", name);
	unlinkat(dirfd, name, AT_REMOVEDIR);
	return -1;
}

static int empty(int fd, int depth);

/* Remove one entry of a folder. */
static int
discard(int fd, const char *name, int depth)
{
	int sub, ret;

	if (unlinkat(fd, name, 0) == 0)
		return 0;
	if ((errno != EISDIR && errno != EPERM) || depth == 0)
		return -1;
	sub = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (sub < 0)
		return -1;
	ret = empty(sub, depth - 1);
	return ret == 0 ? unlinkat(fd, name, AT_REMOVEDIR) : -1;
}

/* Remove all in the folder fd, which is closed. */
static int
empty(int fd, int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *d;
	int ret = 0;

	if (dir == NULL) {
		close(fd);
		return -1;
	}
	while (ret == 0 && (errno = 0, d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, ".") != 0 &&
		    strcmp(d->d_name, "..") != 0)
			ret = discard(dirfd(dir), d->d_name, depth);
	if (errno != 0)
		ret = -1;
	closedir(dir);
	return ret;
}

int
bundle_dir_remove(int dirfd, const char *name, struct err *e)
{
	return discard(dirfd, name, DEPTH) == 0 ? 0 : err_sys(e, "%s", name);
}

int
bundle_dir_sweep(int dirfd, const char *parent, struct err *e)
{
	int fd = openat(dirfd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;
	int ret = 0;

	if (dir == NULL) {
		err_sys(e, "%s", parent);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while (ret == 0 && (d = readdir(dir)) != NULL)
		if (strncmp(d->d_name, PREFIX, strlen(PREFIX)) == 0 &&
		    discard(fd, d->d_name, DEPTH) != 0 && errno != ENOENT)
			ret = err_sys(e, "%s/%s", parent, d->d_name);
	closedir(dir);
	return ret;
}
