/*
 * head: the first line that every signed text of ours has,
 *
 *	ehr.v1 KIND LEDGER
 *
 * so that no signature can pass for another kind of statement or for another
 * ledger.  LEDGER is 64 hex digits, or "-" in texts that precede any ledger.
 */
#ifndef LEDGER_HEAD_H
#define LEDGER_HEAD_H

#include "base/text.h"
#include "crypto/hash.h"

/* Append the line; ledger is NULL for "-". */
void head_add(struct buf *out, const char *kind, const struct hash *ledger);

/*
 * Read the line.  *kind borrows from the text.  ledger NULL: "-" is expected;
 * else exactly that ledger.  ERR_BAD when malformed or of another ledger.
 */
int head_read(struct text *t, struct span *kind, const struct hash *ledger,
    struct err *e);

/* The same, and the kind must be this one. */
int head_expect(struct text *t, const char *kind, const struct hash *ledger,
    struct err *e);

/* The kind in the first line of any text, or an empty span. */
struct span head_kind(struct span text);

#endif
