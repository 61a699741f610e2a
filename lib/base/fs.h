/*
 * fs: files, the durable way.
 *
 * Whatever is written here appears under its name complete and on stable
 * storage, or not at all: temporary name, fsync, rename, fsync the directory.
 * A failed fsync is never retried: the kernel may have dropped the pages.
 * Paths are relative to dirfd, which may be AT_FDCWD.
 */
#ifndef BASE_FS_H
#define BASE_FS_H

#include <sys/types.h>

#include "base/buf.h"

#define FS_NAME_MAX 4096	/* bytes of a path, NUL included */

/*
 * Append the whole file to out, whose ceiling limits it.  ERR_NO when there
 * is no such file; ERR_BAD when it is longer or a directory.  A pipe is read
 * to its end, so that a shell's <(command) can stand for a file.
 */
int fs_read(struct buf *out, int dirfd, const char *path, struct err *e);

/* The same for the rest of an open descriptor (a pipe, standard input). */
int fs_read_fd(struct buf *out, int fd, const char *what, struct err *e);

/* Write all n bytes, whatever the interruptions.  Sets errno and returns -1. */
int fs_write_all(int fd, const void *p, size_t n);

/* A file being written under a temporary name. */
struct fs_temp {
	int dirfd;		/* borrowed */
	int fd;			/* -1 when closed */
	char name[FS_NAME_MAX];	/* of the temporary file, relative to dirfd */
};

/*
 * Open a new temporary file in directory dir ("." for dirfd itself), which
 * must be on the same file system as the final name.
 */
int fs_temp_open(struct fs_temp *t, int dirfd, const char *dir, mode_t mode,
    struct err *e);

/* The same beside the file path, which it is to become.  Not to a device, a
 * pipe or a directory: a rename would do away with it.  ERR_SYS. */
int fs_temp_beside(struct fs_temp *t, int dirfd, const char *path,
    mode_t mode, struct err *e);

/*
 * fsync, then give the file its final name and fsync the directory that holds
 * it.  excl: an existing file of that name is ERR_NO and stays as it is.
 * The temporary file is gone in either case.
 */
int fs_temp_commit(struct fs_temp *t, const char *path, bool excl,
    struct err *e);

/* Close and remove; does nothing after a commit. */
void fs_temp_abort(struct fs_temp *t);

/* Write a whole file in one go; its temporary file is made in directory dir,
 * or beside it when dir is NULL. */
int fs_write(int dirfd, const char *path, const char *dir, struct span data,
    mode_t mode, bool excl, struct err *e);

/* fsync directory path. */
int fs_sync_dir(int dirfd, const char *path, struct err *e);

/* fsync the directory that holds path. */
int fs_sync_parent(int dirfd, const char *path, struct err *e);

/* Make one directory unless it is there, durably. */
int fs_mkdir(int dirfd, const char *path, mode_t mode, struct err *e);

/* Remove a file durably; a missing one is no error. */
int fs_remove(int dirfd, const char *path, struct err *e);

/*
 * Names of the entries of directory path that do not start with a dot, sorted
 * bytewise.  fs_names_free releases them.  A missing directory is empty.
 */
struct fs_names {
	char **name;
	size_t n;
};
int fs_list(struct fs_names *out, int dirfd, const char *path, struct err *e);
void fs_names_free(struct fs_names *l);

/*
 * Take the lock file path (flock, so that it goes with its holder), with our
 * pid in it.  Waits up to wait_ms.  Returns a descriptor that holds the lock
 * until it is closed; or -1: ERR_AGAIN names the holder's pid.
 */
int fs_lock(int dirfd, const char *path, int wait_ms, struct err *e);

#endif
