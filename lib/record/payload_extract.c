#define _GNU_SOURCE	/* renameat2, syncfs, O_DIRECTORY */
#include "record/payload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/hex.h"
#include "crypto/hash.h"
#include "record/payload_read.h"

#define NAMES_MAX (16u << 20)	/* bytes of all names together */
#define MANY 16			/* files; more are made durable together */

/*
 * All files are first written into a hidden folder, under numbers, and moved
 * to their places when the whole payload has been read and found good.
 */
struct extract {
	int dirfd;		/* of the caller */
	bool force;
	bool many;
	char stage[64];		/* the hidden folder; "" while there is none */
	int stagefd;
	size_t n;		/* files in it, numbered from 0 */
	struct buf names;	/* their names, each with a NUL */
	struct buf folders;	/* that were made, each with a NUL */
	size_t placed;		/* files that were moved */
};

static void
number(char out[24], size_t i)
{
	snprintf(out, 24, "%zu", i);
}

static int
make_stage(struct extract *x, struct err *e)
{
	unsigned char rnd[8];
	char hex[2 * sizeof(rnd) + 1];

	hash_random(rnd, sizeof(rnd));
	hex_encode(hex, rnd, sizeof(rnd));
	snprintf(x->stage, sizeof(x->stage), ".tmp-%s", hex);
	if (mkdirat(x->dirfd, x->stage, 0700) != 0) {
		err_sys(e, "cannot write there");
		x->stage[0] = '\0';
		return -1;
	}
	x->stagefd = openat(x->dirfd, x->stage,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return x->stagefd >= 0 ? 0 : err_sys(e, "%s", x->stage);
}

struct file {
	int fd;
	const char *name;
};

static int
to_file(void *arg, const void *p, size_t n, struct err *e)
{
	const struct file *f = arg;

	return fs_write_all(f->fd, p, n) == 0 ? 0 : err_sys(e, "%s", f->name);
}

/* Write the file that the reader is at into the stage. */
static int
stage_file(struct extract *x, struct payload_reader *r, const char *name,
    struct err *e)
{
	struct file f = { -1, name };
	char nr[24];
	int status;

	buf_add(&x->names, name, strlen(name) + 1);
	if (buf_check(&x->names, "file names", e) != 0)
		return -1;
	number(nr, x->n);
	f.fd = openat(x->stagefd, nr, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (f.fd < 0)
		return err_sys(e, "%s", name);
	x->n++;
	status = payload_copy(r, to_file, &f, e);
	if (status == 0 && !x->many && fsync(f.fd) != 0)
		status = err_sys(e, "%s: fsync", name);
	close(f.fd);
	return status;
}

/* Open a folder in dirfd, which is closed; make it if it is not there. */
static int
enter(struct extract *x, int dirfd, const char *part, struct span path,
    struct err *e)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dirfd, part, flags);

	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(dirfd, part, 0700) == 0) {
			buf_add(&x->folders, path.p, path.n);
			buf_addc(&x->folders, '\0');
			fsync(dirfd);
		}
		fd = openat(dirfd, part, flags);
	}
	if (fd < 0)
		err_sys(e, "%.*s", SPAN_FMT(path));
	close(dirfd);
	return fd;
}

/* Open the folder that name lies in; *last is what follows it in name. */
static int
open_folder(struct extract *x, const char *name, const char **last,
    struct err *e)
{
	const char *at = name, *slash;
	char part[META_PART_MAX + 1];
	int fd = openat(x->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "%s", name);
	while (fd >= 0 && (slash = strchr(at, '/')) != NULL) {
		memcpy(part, at, (size_t)(slash - at));
		part[slash - at] = '\0';
		fd = enter(x, fd, part, span_of(name, (size_t)(slash - name)),
		    e);
		at = slash + 1;
	}
	*last = at;
	return fd;
}

/* Move from the stage; as base/fs does where RENAME_NOREPLACE is unknown. */
static int
move(const struct extract *x, const char *nr, int fd, const char *last)
{
	if (x->force)
		return renameat(x->stagefd, nr, fd, last);
	if (renameat2(x->stagefd, nr, fd, last, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(x->stagefd, nr, fd, last, 0) != 0)
		return -1;
	unlinkat(x->stagefd, nr, 0);
	return 0;
}

/* Move file i of the stage to its place; sync: it is its folder's last. */
static int
place(struct extract *x, size_t i, const char *name, bool sync, struct err *e)
{
	const char *last;
	char nr[24];
	int fd = open_folder(x, name, &last, e), status = 0;

	if (fd < 0)
		return -1;
	number(nr, i);
	if (move(x, nr, fd, last) != 0) {
		status = errno == EEXIST ?
		    err_set(e, ERR_NO, "%s: exists already", name) :
		    err_sys(e, "%s", name);
	} else {
		x->placed++;
		if (sync && fsync(fd) != 0)
			status = err_sys(e, "%s: fsync", name);
	}
	close(fd);
	return status;
}

/* Bytes of the folder in name, its slash included. */
static size_t
folder_length(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash == NULL ? 0 : (size_t)(slash - name) + 1;
}

static int
place_all(struct extract *x, struct err *e)
{
	const char *name = (const char *)x->names.p;

	for (size_t i = 0; i < x->n; i++) {
		const char *next = name + strlen(name) + 1;
		size_t k = folder_length(name);
		bool sync = i + 1 == x->n || folder_length(next) != k ||
		    memcmp(name, next, k) != 0;

		if (place(x, i, name, sync, e) != 0)
			return -1;
		name = next;
	}
	return buf_check(&x->folders, "folder names", e);
}

/* Remove the files that were moved and the folders that were made. */
static void
take_back(struct extract *x)
{
	const char *name = (const char *)x->names.p;
	const char *folder = (const char *)x->folders.p;
	struct err ignored;

	for (size_t i = 0; i < x->placed; i++) {
		const char *last;
		int fd = open_folder(x, name, &last, &ignored);

		if (fd >= 0) {
			unlinkat(fd, last, 0);
			close(fd);
		}
		name += strlen(name) + 1;
	}
	/* From the last, since a folder was made before those in it. */
	for (size_t left = x->folders.len; left > 0; ) {
		size_t start = left - 1;

		while (start > 0 && folder[start - 1] != '\0')
			start--;
		unlinkat(x->dirfd, folder + start, AT_REMOVEDIR);
		left = start;
	}
}

static void
remove_stage(struct extract *x)
{
	char nr[24];

	for (size_t i = 0; x->stagefd >= 0 && i < x->n; i++) {
		number(nr, i);
		unlinkat(x->stagefd, nr, 0);
	}
	if (x->stagefd >= 0)
		close(x->stagefd);
	if (x->stage[0] != '\0')
		unlinkat(x->dirfd, x->stage, AT_REMOVEDIR);
}

/* Before much is written: is one of the names that are told taken? */
static int
check_free(const struct extract *x, const struct meta *m, struct err *e)
{
	char name[META_NAME_MAX + 1];
	struct meta_file f;
	struct stat st;

	for (size_t i = 0; !x->force && i < m->nfiles; i++) {
		meta_file(&f, m, i);
		snprintf(name, sizeof(name), "%.*s", SPAN_FMT(f.name));
		if (fstatat(x->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return err_set(e, ERR_NO, "%s: exists already", name);
	}
	return 0;
}

static int
extract(struct extract *x, struct payload_reader *r, struct err *e)
{
	struct payload_entry entry;
	int status;

	if (check_free(x, payload_meta(r), e) != 0 || make_stage(x, e) != 0)
		return -1;
	x->many = payload_meta(r)->nfiles > MANY;
	while ((status = payload_next(r, &entry, e)) == 1)
		if (stage_file(x, r, entry.name, e) != 0)
			return -1;
	if (status < 0)
		return -1;
	if (x->many && syncfs(x->stagefd) != 0)
		return err_sys(e, "syncfs");
	if (place_all(x, e) == 0)
		return 0;
	/* What force replaced can't be brought back. */
	if (!x->force)
		take_back(x);
	return -1;
}

int
payload_extract(age_source *source, void *arg, int dirfd, bool force,
    struct err *e)
{
	struct payload_reader *r = payload_open(source, arg, e);
	struct extract x = { .dirfd = dirfd, .force = force, .stagefd = -1 };
	int status;

	if (r == NULL)
		return -1;
	buf_init(&x.names, NAMES_MAX);
	buf_init(&x.folders, NAMES_MAX);
	status = extract(&x, r, e);
	remove_stage(&x);
	buf_free(&x.names);
	buf_free(&x.folders);
	payload_close(r);
	return status;
}
