/*
 * pool_index: which transactions wait and where in the segments of pending/,
 * in the tables "pending" and "pending_file" of state.db (ehr-state(5)).  Like
 * all of state.db they are derived: from the segments, and made again when
 * they are gone.  Programs use pool.h.
 *
 * Most transactions that wait are about one record each, and none of them
 * matters to those about another.  The few others (users, roles, nodes) may
 * matter to all: they are marked as system.
 */
#ifndef STORE_POOL_INDEX_H
#define STORE_POOL_INDEX_H

#include "ledger/tx.h"
#include "store/db.h"
#include "store/segment.h"

#define POOL_DIR "pending"

/* Do the rules accept it, on the state as it will be? */
enum pool_doubt {
	POOL_STANDS = 0,	/* yes */
	POOL_DOUBT = 1,		/* not known any more */
	POOL_REFUSED = 2	/* not when it was last asked */
};

/* A transaction that waits. */
struct pool_row {
	int64_t file;		/* its segment, by age; with at, its place in
				 * the order of the pool */
	uint64_t at;		/* offset in it */
	size_t size;		/* bytes */
	struct hash id;
	bool system;		/* names no record */
	enum pool_doubt doubt;
	bool whole;		/* the objects that it names were seen here,
				 * and none was erased since */
	struct hash record;	/* unless system */
	char segment[SEGMENT_NAME_LEN];
};

/*
 * Bring the tables up to the segments on disk and the state's head: segments
 * that are new are read (a damaged one goes to quarantine), rows of those that
 * are gone and of transactions that are on the ledger go.  Not inside a
 * database transaction.  Cheap when nothing has changed.
 */
int pool_index_refresh(struct repo *r, struct err *e);

/*
 * Add the transactions of a segment that was just written; of each row, file
 * and segment are not looked at.  Not inside a database transaction.
 */
int pool_index_add(struct repo *r, const char *segment,
    const struct pool_row *row, size_t n, struct err *e);

/* What a row says of a transaction. */
void pool_index_describe(struct pool_row *row, const struct tx *tx);

/*
 * The next rows after *after (NULL: from the start), oldest first: at most
 * max; *n of them.  system: only those that are; record, if not NULL: only
 * those that name it.
 */
int pool_index_page(struct pool_row *out, size_t max, size_t *n,
    struct db *db, const struct pool_row *after, bool system,
    const struct hash *record, struct err *e);

/* Does it wait?  1 and *row, 0, -1. */
int pool_index_find(struct pool_row *row, struct db *db,
    const struct hash *id, struct err *e);

/* How many rows there are; and are there any with POOL_DOUBT?  1, 0, -1. */
int pool_index_count(size_t *n, struct db *db, struct err *e);
int pool_index_doubts(struct db *db, struct err *e);

/* Write down what the rules said, and what was seen of the objects. */
int pool_index_judge(struct repo *r, const struct pool_row *row, size_t n,
    struct err *e);

/*
 * Reads rows; the segment that was read last stays open.  Begin with
 * POOL_READER(repo), and close.
 */
struct pool_reader {
	const struct repo *repo;
	int fd;			/* or -1 */
	int64_t file;		/* that is open */
};
#define POOL_READER(r) { (r), -1, 0 }
void pool_reader_close(struct pool_reader *rd);

/* The bytes of a row, appended to out and hashed.  ERR_NO: its segment is
 * gone; ERR_BAD: damaged. */
int pool_reader_get(struct buf *out, struct pool_reader *rd,
    const struct pool_row *row, struct err *e);

/* Remove the segments of which nothing waits any more. */
int pool_index_tidy(struct repo *r, struct err *e);

#endif
