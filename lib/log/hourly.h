/*
 * hourly: the hourly logs, logs/YYYY-MM-DD_HH: a deterministic function of the
 * chain, so that honest nodes have the same bytes.
 *
 * There is a log for every hour from the genesis to the head's.  Of these only
 * the last is open: it grows with each block, until one comes with a later
 * hour.
 */
#ifndef LOG_HOURLY_H
#define LOG_HOURLY_H

#include "log/checked.h"
#include "log/hourtext.h"
#include "store/chain.h"
#include "store/lookup.h"

#define HOURLY_PATH_LEN 32

/* "logs/YYYY-MM-DD_HH". */
void hourly_path(char out[HOURLY_PATH_LEN], int64_t hour_ms);

/*
 * The text of one hour as the blocks up to head give it; previous is the root
 * before.  db is a state of these blocks, or of more.
 */
int hourly_text(struct buf *out, struct repo *r, struct db *db,
    const struct head *head, int64_t hour_ms, const struct hash *previous,
    struct merkle *tree, struct err *e);

/*
 * Write the logs that are missing or still open, in order.  Idempotent; safe
 * to run late, twice, and at the same time as another.  *written may be NULL.
 */
int hourly_roll(struct repo *r, size_t *written, struct err *e);

/* The same for all logs: those that are missing before the newest, too. */
int hourly_roll_all(struct repo *r, size_t *written, struct err *e);

/* The hour of the newest log of those up to the head's, or -1. */
int hourly_newest(int64_t *hour_ms, struct repo *r, const struct head *head,
    struct err *e);

/* Root of a log on disk; ERR_NO: there is none; ERR_BAD: it is damaged. */
int hourly_root(struct hash *root, uint64_t *size, struct repo *r,
    int64_t hour_ms, struct err *e);

/*
 * The roots of the logs on disk of count hours from that one on, as a peer is
 * told of them (serve.h).  A log that is missing or damaged is left out.
 */
int hourly_roots(struct repo *r, int64_t hour_ms, uint64_t count,
    struct buf *answer, struct err *e);

/*
 * Compare the logs on disk with the blocks up to head, of which db is a state.
 * bad is called for each that is missing, altered or too many, with its path
 * and what is wrong.
 */
#define HOURLY_DIFFERS "differs from what the blocks give"
typedef int hourly_bad(void *arg, const char *path, const char *why,
    struct err *e);
int hourly_check(struct repo *r, struct db *db, const struct head *head,
    uint64_t *checked, hourly_bad *bad, void *arg, struct err *e);

/* The same; but those that were right before are not made again if they still
 * have the same bytes.  *now is which, of hours that are over, are right. */
int hourly_check_since(struct repo *r, struct db *db, const struct head *head,
    const struct checked_logs *was, struct checked_logs *now,
    uint64_t *checked, hourly_bad *bad, void *arg, struct err *e);

#endif
