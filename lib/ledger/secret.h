/*
 * secret: the ledger's secret as its file has it (ehr-repository(5)).
 *
 *	64 hex digits
 *	check HASH		of the line before
 *
 * What was written before there was a check has the first line alone.
 */
#ifndef LEDGER_SECRET_H
#define LEDGER_SECRET_H

#include "base/buf.h"
#include "crypto/hash.h"

#define SECRET_MAX 256		/* bytes, more than a text has */

/* Append the text. */
void secret_text(struct buf *out, const struct hash *secret);

/* Read it; *checked tells whether it has a check.  ERR_BAD: it is malformed, or
 * its check is another, and *out is zero. */
int secret_parse(struct hash *out, bool *checked, struct span whole,
    struct err *e);

#endif
