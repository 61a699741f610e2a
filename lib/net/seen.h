/*
 * seen: whose votes the ehr-dbft at work holds while a height takes its time,
 * in consensus/seen (ehr-consensus(7)), so that "ehr-dbft status", which is
 * another process, can say who is missing.  Nothing else depends on it.
 */
#ifndef NET_SEEN_H
#define NET_SEEN_H

#include "net/driver.h"

#define SEEN_PATH VOTES_DIR "/seen"
#define SEEN_MAX 16384		/* bytes of the file */

struct seen {
	uint64_t height;
	uint32_t view;
	bool speaks;		/* PREPARE and COMMIT are known */
	uint64_t have[DBFT_COMMIT + 1];	/* by kind: mask of the set */
};

/* As bytes, and read from them; ERR_BAD. */
void seen_format(struct buf *out, const struct seen *s,
    const struct hash *ledger, const struct delegates *set);
int seen_parse(struct seen *s, struct span text, const struct hash *ledger,
    const struct delegates *set, struct err *e);

/*
 * Write down what the driver has seen if that is not *last any more; unless at
 * once, only when its height has lasted for a while.  That it fails does not
 * matter.
 */
void seen_keep(struct seen *last, const struct driver *d, bool at_once);

/* Read it.  ERR_NO: it is not there. */
int seen_read(struct seen *s, const struct repo *r,
    const struct delegates *set, struct err *e);

#endif
