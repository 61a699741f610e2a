/*
 * segment: many small items in one file, written with one fsync
 * (ehr-repository(5)).
 *
 *	ehr.v1 segment KIND
 *	HASH SIZE		for each item: its SHA-256, its bytes
 *	<SIZE bytes>
 *	<newline>
 *	...
 *	end COUNT
 *
 * Each item is named by its hash, so that no bit changes unseen, and the last
 * line shows that the file is whole.  Files are named TIME-RANDOM.seg, so that
 * names sort by age, and never change: they appear whole and are removed whole.
 */
#ifndef STORE_SEGMENT_H
#define STORE_SEGMENT_H

#include "base/fs.h"
#include "crypto/hash.h"

#define SEGMENT_ITEM_MAX (1u << 20)	/* bytes of an item */
#define SEGMENT_NAME_LEN 48		/* room for a file name and a NUL */
#define SEGMENT_ERASABLE "objects"	/* the kind whose items can be erased */

struct segment_writer;

/*
 * Start a segment of that kind ("objects", "staging", "pending") in directory
 * dir of the ledger directory dirfd, in whose "tmp" it is written.  An error
 * of the writer is repeated by all later calls, so that commit tells it too.
 */
int segment_open(struct segment_writer **out, int dirfd, const char *dir,
    const char *kind, struct err *e);

/* Append an item; its hash is computed into *id, its offset into *at (of its
 * first byte in the file); both may be NULL.  ERR_BAD: it is too long. */
int segment_add(struct segment_writer *w, struct span item, struct hash *id,
    uint64_t *at, struct err *e);

/* The same for one whose hash the caller has computed. */
int segment_add_hashed(struct segment_writer *w, struct span item,
    const struct hash *id, uint64_t *at, struct err *e);

/* Items added so far. */
size_t segment_count(const struct segment_writer *w);

/*
 * End line, fsync, rename, fsync of the directory; name gets the file's name.
 * Frees w in either outcome.  A segment without items leaves no file and an
 * empty name.
 */
int segment_commit(struct segment_writer *w, char name[SEGMENT_NAME_LEN],
    struct err *e);
void segment_abort(struct segment_writer *w);	/* NULL does nothing */

/*
 * Call item for each item of a file, in order, with its offset; item returns
 * 0 to go on, 1 to stop there, -1 with *e set.  With check, each item's hash
 * is verified and the whole file's form; without, data is not read (its p is
 * NULL, its n the size).  Returns what item did, or -1 (ERR_BAD: corrupt;
 * ERR_NO: no such file); the items before the damage were given by then.
 *
 * An item that was erased is all zeros, which is not what its hash says: with
 * check, and only in a segment of kind SEGMENT_ERASABLE, it comes with data.p
 * NULL and data.n its size, and the caller decides whether the ledger dismissed
 * it.  In other segments it is damage.  The bytes are borrowed for the call.
 */
typedef int segment_item(void *arg, const struct hash *id, uint64_t at,
    struct span data, struct err *e);
int segment_scan(int dirfd, const char *path, const char *kind, bool check,
    segment_item *item, void *arg, struct err *e);

#endif
