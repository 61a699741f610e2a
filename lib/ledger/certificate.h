/*
 * certificate: what makes a block final (ehr-block(5)).
 *
 * One note: the commit statement of one view, with the signatures of a quorum
 * of the delegates of the block's height.
 */
#ifndef LEDGER_CERTIFICATE_H
#define LEDGER_CERTIFICATE_H

#include "ledger/block.h"
#include "ledger/name.h"

/* A delegate: one that may vote at some height. */
struct delegate {
	char name[NAME_MAX_LEN + 1];
	struct sign_pub sign;
};

struct delegates {
	size_t n;
	struct delegate d[GENESIS_NODES_MAX];	/* most votes first */
};

/* Votes that a certificate needs: n - floor((n - 1) / 3). */
size_t delegates_quorum(size_t n);

/*
 * A set as text, "NAME KEY\n" for each; appended, and read back.  ERR_BAD when
 * it is malformed, names one twice, or names none.
 */
#define DELEGATES_TEXT_MAX (GENESIS_NODES_MAX * 1024)	/* bytes */
void delegates_text(struct buf *out, const struct delegates *set);
int delegates_parse(struct delegates *set, struct span text, struct err *e);

/* The digest that a header carries: SHA-256 over that text. */
void delegates_digest(struct hash *out, const struct delegates *set);

/* The index of a node in the set, or -1. */
int delegates_find(const struct delegates *set, struct span name);

/* The text of a commit statement, which a certificate is signed over. */
void certificate_text(struct buf *out, uint64_t height, uint32_t view,
    const struct hash *block, const struct hash *ledger);

/*
 * Is note a certificate for that block by these delegates: the commit
 * statement of one view with at least a quorum of distinct, valid delegate
 * signatures, in the order of the set, and none other?  *signers is their
 * bit set.  ERR_BAD or ERR_NO.
 */
int certificate_check(struct span note, const struct block_header *h,
    const struct delegates *set, const struct hash *ledger, uint64_t *signers,
    struct err *e);

#endif
