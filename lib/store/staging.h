/*
 * staging: staging/, the records that wait for their patients.  A segment of
 * kind "staging" holds, for each, its manifest and then its age header (for
 * the patient and the author); the body is an object.
 */
#ifndef STORE_STAGING_H
#define STORE_STAGING_H

#include "ledger/staged.h"
#include "store/segment.h"
#include "store/state.h"

#define STAGING_DIR "staging"

struct staging;

/*
 * Begin to add.  Nothing is locked: names of segments do not clash.
 */
int staging_open(struct staging **out, struct repo *r, int64_t now_ms,
    struct err *e);

/*
 * Add a record.  The rules for staged records are checked, its signature too
 * unless ours is set.  The body must be stored durably before the commit.
 */
int staging_add(struct staging *s, struct span manifest, struct span header,
    bool ours, struct err *e);

/* One fsync for all.  Frees s in either outcome. */
int staging_commit(struct staging *s, struct err *e);
void staging_abort(struct staging *s);	/* NULL does nothing */

/*
 * Call fn for each record that waits still, oldest first: its parsed manifest
 * and its header, valid during the call.  fn returns 0 to go on, 1 to stop,
 * -1 with *e set.
 */
typedef int staging_fn(void *arg, const struct staged *s, struct span header,
    struct err *e);
int staging_each(struct repo *r, staging_fn *fn, void *arg, struct err *e);

/* The manifest and header of one record, appended to each; ERR_NO. */
int staging_find(struct buf *manifest, struct buf *header, struct repo *r,
    const struct hash *id, struct err *e);

#endif
