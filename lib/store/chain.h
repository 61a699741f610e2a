/*
 * chain: the blocks on disk, blocks/NNNNNN/NNNNNNNNN.gz, and the state that
 * follows from them.
 *
 * A block file is durable before the state knows of it; chain_catch_up brings
 * a state that is behind, or new, up to the blocks.
 */
#ifndef STORE_CHAIN_H
#define STORE_CHAIN_H

#include "store/state.h"
#include "store/verify.h"

#define CHAIN_FILE_MAX (BLOCK_CONTENT_MAX + BLOCK_CERT_MAX + 4096)

/* The head, after catching up. */
int chain_head(struct head *h, struct repo *r, struct err *e);

/*
 * Apply the blocks on disk that the state lacks.  Their certificates and
 * rules are checked, their transactions' signatures are not again: the
 * certificate says that a quorum did.  ERR_BAD: a block is damaged.
 */
int chain_catch_up(struct repo *r, struct err *e);

/* Path of a block relative to .ehr. */
#define CHAIN_PATH_LEN 56
void chain_path(char out[CHAIN_PATH_LEN], uint64_t height);

/* Append a block file's text (its certificate included).  ERR_NO, ERR_BAD. */
int chain_read(struct buf *text, struct repo *r, uint64_t height,
    struct err *e);

/* Append the block file as it lies on disk, gzip'd. */
int chain_read_packed(struct buf *out, struct repo *r, uint64_t height,
    struct err *e);

/* What of a block's transactions has to be checked. */
enum chain_trust {
	CHAIN_ALL,	/* rules, and signatures */
	CHAIN_TRY,	/* the same; the caller will roll the state back, which
			 * need not show all that the block changes */
	CHAIN_RULES,	/* a quorum has verified the signatures */
	CHAIN_NOTHING	/* chain_check accepted them on the same state */
};

/* How the header must continue the chain: 0, or ERR_NO, ERR_AGAIN. */
int chain_follows(const struct block *b, const struct head *h,
    const struct settings *s, const struct delegates *set, struct err *e);

/*
 * Take a parsed block on top of *h, which is advanced, and of the state in db
 * (any database with our tables): header, rules, roots, delegates.  With
 * CHAIN_ALL or CHAIN_TRY the signatures of its transactions are added to batch,
 * for verify_all; but for those that wait here (pool_index.h), which were
 * verified when they came.  Else batch is not used.
 * set are the delegates of its height; its certificate is not looked at.
 * Inside a database transaction, which the caller rolls back after an error.
 */
int chain_advance(struct repo *r, struct db *db, struct head *h,
    const struct block *b, const struct delegates *set,
    enum chain_trust trust, struct verify_batch *batch, struct err *e);

/*
 * Could this content (block.h) be the next block at time now_ms?  Checks all
 * but a certificate.  ERR_NO or ERR_BAD tell why not; ERR_AGAIN: it builds on
 * blocks that we do not have.  The state is not changed.
 */
int chain_check(struct repo *r, struct span content, int64_t now_ms,
    struct err *e);

/* A block that is to be added. */
struct chain_block {
	struct span text;	/* of its file */
	struct span packed;	/* the same, compressed; empty: not at hand */
	bool known;		/* as chain_apply's */
	bool certified;		/* its certificate was checked already, against
				 * the delegates that the header before names */
};

/*
 * Add several blocks that follow each other, with one wait for the disk, while
 * their signatures are verified.  Errors as chain_apply's; *done is how many
 * were added (or were there), also after an error.
 */
int chain_apply_all(struct repo *r, const struct chain_block *all, size_t n,
    int64_t now_ms, size_t *done, struct err *e);

/*
 * Add a certified block, as a file's text.  known: its content passed
 * chain_check in this process or was voted for, so that neither rules nor
 * signatures need be checked again.  A block that we have already is no error.
 * ERR_NO, ERR_BAD: refused; ERR_AGAIN: blocks before it are missing.  The
 * caller holds the writer's lock; accept.h is what programs call.
 */
int chain_apply(struct repo *r, struct span text, bool known, int64_t now_ms,
    struct err *e);

#endif
