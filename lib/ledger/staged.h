/*
 * staged: the manifest of a record that waits for its patient (ehr-tx(5)).
 * A note signed by the doctor; its SHA-256 is the record's id.
 */
#ifndef LEDGER_STAGED_H
#define LEDGER_STAGED_H

#include "crypto/note.h"
#include "ledger/head.h"

#define STAGED_MAX 4096		/* bytes of a manifest */
#define STAGED_BODY_MAX (1ULL << 40)	/* bytes of a record's body */

struct staged {
	struct hash id;			/* the record's */
	struct note note;
	int64_t time_ms;
	struct span author;		/* the doctor's handle */
	struct span patient;		/* handle */
	struct span label;
	struct hash body;		/* object: the age body */
	uint64_t body_size;		/* bytes */
	struct hash header;		/* age header for patient and author */
};

/* Read a manifest of this ledger; s borrows from whole; nothing is verified. */
int staged_parse(struct staged *s, struct span whole,
    const struct hash *ledger, struct err *e);

/* Append the text that the author signs. */
void staged_text(struct buf *out, const struct staged *s,
    const struct hash *ledger);

#endif
