/*
 * entry: what an entry of the vote journal says (ehr-consensus(7)), for
 * store/votes.h keeps only texts.
 *
 *	TIME prepare VIEW BLOCK			an own vote
 *	TIME commit VIEW BLOCK
 *	TIME change-view VIEW none
 *	TIME change-view VIEW PREPARED-VIEW BLOCK
 *	TIME entered VIEW			a view was entered
 *	certificate NOTE	of prepares; its newlines are tabs, the last
 *				one left out
 *	proposal NOTE		the same for the prepare of a speaker
 *	floor
 */
#ifndef NET_ENTRY_H
#define NET_ENTRY_H

#include "dbft/core.h"
#include "store/votes.h"

/* Append the text of a record (its height stands before the text). */
void entry_format(struct buf *out, const struct dbft_record *r);

/* Append the text of a certificate, or of a speaker's prepare. */
void entry_certificate(struct buf *out, struct span note);
void entry_proposal(struct buf *out, struct span note);

enum entry_kind {
	ENTRY_RECORD, ENTRY_CERTIFICATE, ENTRY_PROPOSAL, ENTRY_FLOOR
};

/*
 * Read an entry: a record into *r, or the note of a certificate or a proposal,
 * appended to note, or a floor.  ERR_BAD when it is none of these.
 */
int entry_parse(enum entry_kind *kind, struct dbft_record *r,
    struct buf *note, const struct votes_entry *x, struct err *e);

#endif
