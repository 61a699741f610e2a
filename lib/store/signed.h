/*
 * signed: what tree heads this node has signed, consensus/signed: the largest
 * of them, written down before its signature leaves (ehr-checkpoint(5)).
 *
 *	ehr.v1 signed LEDGER
 *	size SIZE
 *	root ROOT
 *	time TIME		when that was
 *	file INODE SECONDS.NANOSECONDS
 *	check HASH		of all lines before
 *
 * "file" is the number of the very file and when it was made, so that a copy,
 * such as one from a backup, is told from it: what was signed after the copy
 * was made is not in it.  Who reads and writes holds consensus/signed.lock.
 */
#ifndef STORE_SIGNED_H
#define STORE_SIGNED_H

#include "crypto/hash.h"
#include "store/repo.h"

#define SIGNED_PATH "consensus/signed"
#define SIGNED_LOCK SIGNED_PATH ".lock"

struct signed_head {
	uint64_t size;		/* transactions; 0: nothing was signed yet */
	struct hash root;
	int64_t time_ms;
};

/* What stands there when nothing was signed. */
void signed_none(struct signed_head *h, int64_t time_ms);

/* Write it, whatever is there, durably; dirfd is the ledger directory. */
int signed_write(int dirfd, const struct hash *ledger,
    const struct signed_head *h, struct err *e);

/*
 * Read it.  ERR_NO: it is not there, or is a copy (*copy is set); ERR_BAD: it
 * is damaged or another ledger's.
 */
int signed_read(struct signed_head *h, bool *copy, int dirfd,
    const struct hash *ledger, struct err *e);

#endif
