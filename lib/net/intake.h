/*
 * intake: transactions and staged records that a peer handed us, as items
 * (proto.h): checked by the store's rules, and durable when these return.
 *
 * What names an object that is not here would be a promise that we cannot
 * keep.  So either nothing is taken and missing lists the objects that must
 * come first; or, with INTAKE_PART, only what lacks nothing is taken.
 */
#ifndef NET_INTAKE_H
#define NET_INTAKE_H

#include "net/ids.h"
#include "store/repo.h"

#define INTAKE_PART 1		/* leave out what lacks an object */

#define INTAKE_REASONS 100	/* of those that were refused, at most */

struct intake {
	struct ids missing;	/* objects, of what the rules accept */
	uint64_t largest;	/* bytes that one of those may have */
	size_t fresh;		/* new here, and taken */
	size_t refused;		/* by the rules, or malformed */
	struct buf reasons;	/* "ID REASON\n" for the first ones */
};

void intake_init(struct intake *in);
void intake_free(struct intake *in);

/*
 * Items: a transaction each.  -1: nothing was taken (ERR_BAD: not items, or
 * too many; ERR_AGAIN, ERR_SYS).  What one of them lacks or breaks is no
 * error.
 */
int intake_pending(struct intake *in, struct repo *r, struct span items,
    int flags, int64_t now_ms, struct err *e);

/* Items: a manifest and then its age header each. */
int intake_staged(struct intake *in, struct repo *r, struct span items,
    int flags, int64_t now_ms, struct err *e);

#endif
