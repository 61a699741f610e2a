/*
 * attest: what holds of one thing, in readable lines: a note, card, genesis,
 * block, transaction or record.
 */
#ifndef LOG_ATTEST_H
#define LOG_ATTEST_H

#include "log/hourly.h"

/*
 * Each appends lines that say what was verified, and returns 0; or -1 when it
 * does not hold (ERR_NO), or is malformed or damaged (ERR_BAD).
 */

/* A certified block on disk: its place in the chain, certificate, roots. */
int attest_block(struct buf *out, struct repo *r, uint64_t height,
    struct err *e);

/* A transaction on the ledger: its block (as above) and its signature. */
int attest_tx(struct buf *out, struct repo *r, const struct hash *id,
    struct err *e);

/*
 * An id: of a record, a transaction (also one that waits), a block, or an
 * object.  ERR_NO: nothing here has that id.
 */
int attest_id(struct buf *out, struct repo *r, const struct hash *id,
    struct err *e);

/*
 * The content of a file: a block (gzip'd or not), a genesis, a card, a receipt,
 * or any note, whose signatures by users and nodes of the ledger are verified.
 */
int attest_bytes(struct buf *out, struct repo *r, struct span bytes,
    struct err *e);

#endif
