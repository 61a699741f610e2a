/*
 * bundle_in: unpacking a bundle (ehr-bundle(5)) that a stranger may have made,
 * into a folder of its own.
 */
#ifndef STORE_BUNDLE_IN_H
#define STORE_BUNDLE_IN_H

#include "ledger/bundle.h"

struct bundle_in {
	/* Called with what the bundle says of itself, before anything else is
	 * read; -1 with *e set ends it.  May be NULL. */
	int (*begin)(void *arg, const struct bundle_head *h, struct err *e);
	/* Called after each entry; may be NULL. */
	void (*progress)(void *arg, uint64_t entries, uint64_t bytes);
	void *arg;
	struct bundle_head head;
	bool begun;		/* head was read */
	bool genesis;		/* and the genesis is that of its ledger */
	uint64_t entries, bytes;
};

/*
 * Read the bundle from fd to its end, and make its files in the empty folder
 * dirfd, with a config that names the ledger: then it is a ledger directory
 * that repo_open opens.  Nothing but the form, and that it came whole, is
 * checked; nothing is synced.  ERR_BAD: it is no bundle, or damaged; the files
 * that came before that are there.
 */
int bundle_unpack(struct bundle_in *in, int fd, int dirfd, struct err *e);

/*
 * A folder for that in folder parent of dirfd, named .tmp-bundle-RANDOM: *fd is
 * it, name (relative to dirfd) what to remove.
 */
#define BUNDLE_DIR_LEN 4200
int bundle_dir(int *fd, char name[BUNDLE_DIR_LEN], int dirfd,
    const char *parent, struct err *e);

/* Remove such a folder with all that is in it. */
int bundle_dir_remove(int dirfd, const char *name, struct err *e);

/* Remove those in parent that processes left which were killed. */
int bundle_dir_sweep(int dirfd, const char *parent, struct err *e);

#endif
