/*
 * tail: the last line of a file that only this node keeps, and that nobody has
 * signed, so that a changed bit shows:
 *
 *	check HASH		SHA-256 of all lines before
 */
#ifndef LEDGER_TAIL_H
#define LEDGER_TAIL_H

#include "base/text.h"

/* Append it, over what out has from start on. */
void tail_add(struct buf *out, size_t start);

/* It must be the next line of t and the last one; whole is the text that t
 * reads.  ERR_BAD. */
int tail_expect(struct text *t, struct span whole, struct err *e);

#endif
