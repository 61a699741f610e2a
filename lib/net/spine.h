/*
 * spine: the headers of a chain, each checked with its certificate, from a
 * block that is known on; without what is in the blocks (ehr-protocol(5)).
 *
 * A header names the delegates of the height after it by their digest, so that
 * the set itself may come from anybody.  What is in a spine, a quorum has
 * signed: of two peers that show different ones at a height, one lies, or the
 * ledger has forked.
 */
#ifndef NET_SPINE_H
#define NET_SPINE_H

#include "ledger/certificate.h"

#define SPINE_MAX 1000000	/* headers at once */

struct spine_link {
	struct hash id;			/* of the block */
	struct hash certificate;	/* SHA-256 of what was checked */
};

struct spine {
	struct hash ledger;
	uint64_t base;			/* height that it begins above */
	uint64_t height;		/* of the last header, or base */
	struct hash id;			/* its id */
	int64_t time_ms;
	struct hash digest;		/* of the delegates of height + 1 */
	struct delegates set;		/* these, if they are known; else n 0 */
	struct spine_link *link;	/* owned; of base + 1 on */
	size_t cap;
};

/* Begin above a block that is known, with the delegates of the height after. */
void spine_init(struct spine *s, const struct hash *ledger, uint64_t height,
    const struct hash *id, int64_t time_ms, const struct delegates *set);
void spine_free(struct spine *s);

/*
 * Take headers as items, header and certificate in turn, which are those of
 * from on; those that are here already are passed over, and those that leave
 * a gap are not taken.  At most most of them may come.  0; -1 ERR_BAD: the
 * first that is wrong was not taken, nor what follows it.  When the delegates
 * change it stops there: spine_lacks.
 */
int spine_add(struct spine *s, uint64_t from, struct span items, size_t most,
    struct err *e);

/* Must the delegates of s->height + 1 come first? */
bool spine_lacks(const struct spine *s);

/* These are they, as text.  ERR_BAD: they are not. */
int spine_delegates(struct spine *s, struct span text, struct err *e);

/* The link of a height that the spine has, or NULL. */
const struct spine_link *spine_at(const struct spine *s, uint64_t height);

#endif
