/* pool_reader: a transaction that waits, and its bytes in its segment. */
#ifndef STORE_POOL_READER_H
#define STORE_POOL_READER_H

#include "ledger/tx.h"
#include "store/repo.h"
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

#endif
