/*
 * msg: the three texts that a delegate signs, and nothing else.
 *
 *	ehr.v1 prepare LEDGER		ehr.v1 commit LEDGER
 *	height H			height H	(from 1)
 *	view V				view V
 *	block HEX64			block HEX64
 *
 *	ehr.v1 change-view LEDGER
 *	height H
 *	view V				the view being moved to, at least 1
 *	prepared none			or: prepared PV HEX64, with PV < V
 *
 * Each is the text of a signed note.  A certificate is the same text with M
 * signature lines or more: of prepares, or of commits, always of one view.
 * See ehr-consensus(7).
 */
#ifndef DBFT_MSG_H
#define DBFT_MSG_H

#include "base/buf.h"
#include "crypto/hash.h"

#define DBFT_HEIGHT_MAX 999999999	/* nine digits, as in block names */
#define DBFT_VIEW_MAX 999999
#define DBFT_MSG_MAX 512		/* bytes, more than any text needs */

enum dbft_kind {
	DBFT_NONE = 0,
	DBFT_CHANGE = 1,	/* in the order in which one view sees them */
	DBFT_PREPARE = 2,
	DBFT_COMMIT = 3
};

/* What one text says. */
struct dbft_msg {
	enum dbft_kind kind;
	uint64_t height;
	uint32_t view;		/* CHANGE: the view being moved to */
	bool prepared;		/* CHANGE: a certificate is claimed */
	uint32_t prepared_view;	/* CHANGE: of that certificate, else 0 */
	struct hash block;	/* CHANGE: of that certificate, else zeros */
};

/* Do both say the same? */
static inline bool
dbft_msg_eq(const struct dbft_msg *a, const struct dbft_msg *b)
{
	return a->kind == b->kind && a->height == b->height &&
	    a->view == b->view && a->prepared == b->prepared &&
	    a->prepared_view == b->prepared_view &&
	    hash_eq(&a->block, &b->block);
}

/*
 * Read the text of a note (its signatures are not looked at).  ERR_BAD when
 * it is not exactly one of the three for this ledger.
 */
int dbft_msg_parse(struct dbft_msg *out, const struct hash *ledger,
    struct span text, struct err *e);

/* Append the text; the one that dbft_msg_parse reads as *m. */
void dbft_msg_format(struct buf *out, const struct hash *ledger,
    const struct dbft_msg *m);

#endif
