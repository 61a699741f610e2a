/*
 * object: content-addressed ciphertext (ehr-repository(5)).
 *
 * objects/xx/HEX holds one object; many small ones that arrive together are
 * in one segment, objects/seg/NAME.seg, and found through the table
 * "segment_object" of state.db, which is rebuilt from the segments when it
 * lacks one.  An id that exists is compared byte by byte, never overwritten.
 */
#ifndef STORE_OBJECT_H
#define STORE_OBJECT_H

#include "crypto/hash.h"
#include "store/repo.h"
#include "store/segment.h"

#define OBJECT_SMALL_MAX (1u << 20)	/* larger ones are files of their own */
#define OBJECT_MAX (1ULL << 40)		/* bytes */

/* 1 it is here, 0 it is not, -1 error. */
int object_has(struct repo *r, const struct hash *id, struct err *e);

/*
 * Store bytes durably; id may be NULL.  ERR_BAD: a file of that name has
 * other bytes, so it is damaged, and should go to quarantine.
 */
int object_put(struct repo *r, struct span data, struct hash *id,
    struct err *e);

/* Store a stream of unknown length: open, add ..., commit or abort. */
struct object_writer;
int object_writer_open(struct object_writer **out, struct repo *r,
    struct err *e);
int object_writer_add(struct object_writer *w, const void *p, size_t n,
    struct err *e);
/*
 * Makes it durable and frees w, in either outcome.  expect: NULL, or the id
 * that it must have, else ERR_BAD and nothing is stored.  id and size may be
 * NULL.
 */
int object_writer_commit(struct object_writer *w, const struct hash *expect,
    struct hash *id, uint64_t *size, struct err *e);
void object_writer_abort(struct object_writer *w);	/* NULL: nothing */

/*
 * A writer for the object id of which object_writer_keep may have kept the
 * first bytes: it begins after them, *at, or with `anew` at 0.  While another
 * process writes the same one, it is as from object_writer_open.
 */
int object_writer_part(struct object_writer **out, struct repo *r,
    const struct hash *id, bool anew, uint64_t *at, struct err *e);

/* As object_writer_abort, but of a writer from object_writer_part what was
 * written is kept, for a day. */
void object_writer_keep(struct object_writer *w);

/* Call fn, as that of object_each, for each of which something is kept. */
int object_parts(struct repo *r, int (*fn)(void *arg, const struct hash *id,
    struct err *e), void *arg, struct err *e);

/* Forget what is kept of one, durably. */
int object_part_forget(struct repo *r, const struct hash *id, struct err *e);

/*
 * Store many small objects (each at most OBJECT_SMALL_MAX) with one fsync.
 * Until the commit none of them is found.
 */
struct object_batch;
int object_batch_open(struct object_batch **out, struct repo *r,
    struct err *e);
int object_batch_add(struct object_batch *b, struct span data,
    struct hash *id, struct err *e);
int object_batch_commit(struct object_batch *b, struct err *e); /* frees */
void object_batch_abort(struct object_batch *b);

/*
 * Append a small object's bytes to out, their hash checked.  ERR_NO: not
 * here; ERR_BAD: damaged, or longer than out's ceiling.
 */
int object_read(struct buf *out, struct repo *r, const struct hash *id,
    struct err *e);

/*
 * Open an object for reading as a stream: a descriptor, the offset and the
 * length of its bytes.  Nothing is checked.
 */
struct object_file {
	int fd;
	uint64_t at;		/* next byte to read */
	uint64_t left;		/* bytes */
};
int object_open(struct object_file *f, struct repo *r, const struct hash *id,
    struct err *e);
long object_file_read(struct object_file *f, void *p, size_t n,
    struct err *e);	/* bytes, 0 at the end, -1 */
void object_file_close(struct object_file *f);

/*
 * Re-hash an object where it lies: 0, or -1 (ERR_NO absent, ERR_BAD damaged,
 * with the file's path in the message).
 */
int object_check(struct repo *r, const struct hash *id, struct err *e);

/*
 * The same, but for one in a file of which right says, by its path below .ehr,
 * that what is in it is known to be right: that it is there is enough.
 */
typedef bool object_right(void *arg, const char *path);
int object_check_unless(struct repo *r, const struct hash *id,
    object_right *right, void *arg, struct err *e);

/*
 * Delete an object's bytes beyond recovery by our means: remove its file, or
 * overwrite its place in a segment with zeros.  Idempotent.  Only for what an
 * erase, grant or withdraw transaction on the ledger dismissed.  ERR_BAD: a
 * segment is so damaged that what lies there is not known to be this object.
 */
int object_erase(struct repo *r, const struct hash *id, struct err *e);

/*
 * Move a damaged object to quarantine/HEX (HEX.1, ... when that exists), so
 * that a good copy can be stored.  An item of a segment is copied there, then
 * overwritten with zeros.  ERR_NO: not here.
 */
int object_quarantine(struct repo *r, const struct hash *id, struct err *e);

/*
 * Call fn for each object stored here, once each, in no order; for audit and
 * bundles.  What was erased is not here.  fn returns 0, or -1 with *e set,
 * which ends it.
 */
int object_each(struct repo *r, int (*fn)(void *arg, const struct hash *id,
    uint64_t size, struct err *e), void *arg, struct err *e);

/*
 * Bring the table of segment objects up to the segments on disk.  Called when
 * state.db was rebuilt or an object is not found.
 */
int object_reindex(struct repo *r, struct err *e);

#endif
