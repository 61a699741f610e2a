/*
 * fs_batch: many files that become durable together: all are written under
 * temporary names, synced at once, and then get their names.  A crash leaves
 * some of them, each whole.
 */
#ifndef BASE_FS_BATCH_H
#define BASE_FS_BATCH_H

#include "base/fs.h"

struct fs_batch {
	int dirfd;		/* borrowed */
	const char *temp_dir;	/* borrowed: where temporary files are made */
	struct buf names;	/* pairs of a temporary and a final path */
	size_t n;		/* of files */
	bool synced;		/* all that was put */
};

/* temp_dir is on the file system of all the files. */
void fs_batch_init(struct fs_batch *b, int dirfd, const char *temp_dir);

/* Write one; it has no name yet. */
int fs_batch_put(struct fs_batch *b, const char *path, struct span data,
    mode_t mode, struct err *e);

/*
 * Sync what was put, still without a name.  More than a few files are synced
 * by syncfs(2), with all of their file system; Linux tells its errors since
 * 5.8.
 */
int fs_batch_sync(struct fs_batch *b, struct err *e);

/* Sync and name them, in their order; the batch is empty then. */
int fs_batch_commit(struct fs_batch *b, struct err *e);

/* Remove what has no name yet, and release; also after a commit. */
void fs_batch_free(struct fs_batch *b);

#endif
