/*
 * extract: what happened on a ledger, from blocks that an audit has verified;
 * extract_csv and extract_fhir write it (ehr-extract(5)).
 */
#ifndef LOG_EXTRACT_H
#define LOG_EXTRACT_H

#include "ledger/tx.h"
#include "log/audit_base.h"

/*
 * One transaction, and what the ledger knew when it came.  Spans are empty
 * when there is nothing to say; all are printable ASCII.
 */
struct extract_entry {
	const struct hash *ledger;
	uint64_t seq;		/* among all transactions, from 0 */
	uint64_t height;	/* its block's, and who proposed that */
	struct span proposer;
	int64_t recorded_ms;	/* the block's time */
	int64_t time_ms;	/* its author's */
	enum tx_kind kind;
	const char *kind_name;
	struct span author;
	struct span roles;	/* that the author had, divided by blanks */
	struct span user;	/* whom it is about: a user or a node */
	bool has_record;
	struct hash record;
	struct span doctor;	/* who filled the record in */
	int64_t filled_ms;	/* of an authorize: when */
	struct span label;	/* of the record */
	struct span readers;	/* a vote: nodes; divided by blanks */
	struct span detail;	/* a role, permissions, a reason */
	struct hash id;		/* the transaction's */
};

struct extract {
	/* Handles, e-mail addresses (with the ledger secret at hand), of actor
	 * also a node's name; or NULL. */
	const char *patient, *actor;
	int64_t since_ms, until_ms;	/* of blocks; until is excluded */
	int (*entry)(void *arg, const struct extract_entry *x,
	    struct err *e);
	void *arg;
	uint64_t found;		/* how many entries there were */
	int64_t head_ms;	/* time of the last block verified; set before
				 * the first entry */
};

/*
 * Call entry for each transaction, in order, of the blocks that a verified;
 * audit_run was called, audit_close not yet.  The blocks are read again, and
 * compared with what was verified.  ERR_NO: there is no such patient or actor;
 * ERR_BAD: a block has changed since.
 */
int extract_run(struct extract *x, struct audit *a, struct err *e);

#endif
