/*
 * hourtext: the text of an hourly log (ehr-log(5)).
 *
 *	ehr.v1 log LEDGER
 *	hour 2026-11-22_19
 *	previous ROOT
 *	USER AUTHOR TIME DIGEST DESCRIPTION	for each transaction
 *
 * ROOT is the RFC 6962 root over the digests of the hour before (that of an
 * empty tree for the first).  USER is whom the transaction is about, or "-".
 */
#ifndef LOG_HOURTEXT_H
#define LOG_HOURTEXT_H

#include "crypto/merkle.h"
#include "ledger/tx_note.h"

#define HOURTEXT_MAX (1u << 30)		/* bytes of a log */

struct hourtext_head {
	int64_t hour_ms;		/* its start */
	struct hash previous;
};

void hourtext_add_head(struct buf *out, const struct hourtext_head *h,
    const struct hash *ledger);

/* The line of one transaction; user is empty for "-". */
void hourtext_add_line(struct buf *out, const struct tx *tx,
    struct span user);

/*
 * Read a log: its head, and the Merkle tree over its digests.  ERR_BAD names
 * the line that is malformed.
 */
int hourtext_parse(struct hourtext_head *h, struct merkle *tree,
    struct span text, const struct hash *ledger, struct err *e);

#endif
