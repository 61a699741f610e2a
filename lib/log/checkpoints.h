/*
 * checkpoints: checkpoints/YYYY-MM-DD_HH, the heads of the tree at the ends of
 * hours, signed by this node and cosigned by others (ehr-checkpoint(5)).  The
 * newest is also tiles/checkpoint, for those who read the tiles.
 */
#ifndef LOG_CHECKPOINTS_H
#define LOG_CHECKPOINTS_H

#include "log/tree.h"
#include "log/hourly.h"
#include "store/signer.h"

#define CHECKPOINTS_PATH_LEN 48

void checkpoints_path(char out[CHECKPOINTS_PATH_LEN], int64_t hour_ms);

/*
 * Sign that of the last hour that is over, unless it is there; after tiles_roll
 * with the same head.  *made tells whether one was.  A copy that is no node
 * signs none, nor is the head of an empty tree signed.  Errors are those of
 * signer.h.
 */
int checkpoints_roll(struct repo *r, struct db *db, const struct head *head,
    bool *made, struct err *e);

/*
 * Ask the peers whose cosignature the newest one lacks.  said is called with
 * what became of each that was asked: NULL, or why it did not cosign.  0, also
 * when there is none, or no peer; -1: ours, not a peer's failure.
 */
typedef void checkpoints_said(void *arg, const char *peer,
    const struct err *why);
int checkpoints_cosign(struct repo *r, struct db *db,
    checkpoints_said *said, void *arg, struct err *e);

/* Append a checkpoint's file, and read it; c borrows from out. */
int checkpoints_read(struct checkpoint *c, struct buf *out, struct repo *r,
    const char *name, struct err *e);

/*
 * Does line i verify by a key that a node has had: of its name, or of any if
 * it is the ledger's?  1, 0, -1.
 */
int checkpoints_line_ok(struct db *db, const struct checkpoint *c, size_t i,
    const struct hash *ledger, struct err *e);

/*
 * Hold each against the blocks up to head, and its signatures against the keys
 * that nodes have had on the ledger.
 */
int checkpoints_check(struct repo *r, struct db *db, const struct head *head,
    uint64_t *checked, hourly_bad *bad, void *arg, struct err *e);

/* The same; but those of a day that all were right before are not verified
 * again if they still have the same bytes.  To now, the days are added of which
 * all are right. */
int checkpoints_check_since(struct repo *r, struct db *db,
    const struct head *head, const struct checked_groups *was,
    struct checked_groups *now, uint64_t *checked, hourly_bad *bad, void *arg,
    struct err *e);

/* Is a line of it the signature or cosignature of a node that db knows?  1,
 * 0, -1. */
int checkpoints_signed(struct db *db, const struct checkpoint *c,
    const struct hash *ledger, struct err *e);

/*
 * Does that file show that a node has signed a tree which the blocks up to
 * head do not have?  1, 0, -1.
 */
int checkpoints_contradicts(struct repo *r, struct db *db,
    const struct head *head, const char *name, struct err *e);

#endif
