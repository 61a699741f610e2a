/* receipt_report: what a receipt proves, in words. */
#ifndef LEDGER_RECEIPT_REPORT_H
#define LEDGER_RECEIPT_REPORT_H

#include "ledger/receipt.h"

/* What the verifier believes before it looks at a receipt. */
struct receipt_trust {
	const struct hash *ledger;	/* its id, or NULL */
	const struct policy *policy;	/* keys, or NULL */
};

/*
 * Verify the bytes of a receipt and append what they prove: a few lines, or
 * (page) a page that a patient can print and keep.  Without the ledger's id,
 * the policy must name it as a log.  ERR_NO, ERR_BAD: nothing is proved.
 */
int receipt_report(struct buf *out, struct span bytes,
    const struct receipt_trust *trust, bool page, struct err *e);

#endif
