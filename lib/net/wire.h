/*
 * wire: messages of the consensus as bytes (ehr-consensus(7)).
 *
 *	message KIND COUNT		COUNT parts follow
 *	PART SIZE			"note", "certificate" or "block"
 *	<SIZE bytes>
 *
 * A payload is one such message or several.  What a kind has to consist of,
 * and whether signatures hold, is for feed.h to check.
 */
#ifndef NET_WIRE_H
#define NET_WIRE_H

#include "base/buf.h"

/* A change-view of each delegate, with a certificate and a block for each. */
#define WIRE_PARTS_MAX 192
#define WIRE_PAYLOAD_MAX (44u << 20)	/* bytes */

enum wire_kind {
	WIRE_PROPOSAL,		/* the speaker's prepare, notes of change-views,
				 * a prepare certificate; the block */
	WIRE_PREPARE,		/* note */
	WIRE_PREPARED,		/* certificate of prepares */
	WIRE_COMMIT,		/* note */
	WIRE_CHANGE,		/* the sender's change-view, and others';
				 * certificates and blocks that they claim */
	WIRE_FINAL,		/* certificate of commits, and the block unless
				 * the receiver has it */
	WIRE_KINDS
};

enum wire_part_kind { WIRE_NOTE, WIRE_CERTIFICATE, WIRE_BLOCK, WIRE_PARTS };

struct wire_part {
	enum wire_part_kind kind;
	struct span data;		/* borrowed */
};

struct wire_msg {
	enum wire_kind kind;
	size_t n;
	struct wire_part part[WIRE_PARTS_MAX];
};

/* Begin to put a message together, and add a part; more parts than there may
 * be are left out. */
void wire_start(struct wire_msg *m, enum wire_kind kind);
void wire_part(struct wire_msg *m, enum wire_part_kind kind,
    struct span data);

/* Append the message. */
void wire_add(struct buf *out, const struct wire_msg *m);

/* The next message of *rest, which is advanced: 1, 0 at the end, or ERR_BAD.
 * It borrows from the bytes. */
int wire_next(struct wire_msg *m, struct span *rest, struct err *e);

/* The first part of a kind, or an empty span. */
struct span wire_find(const struct wire_msg *m, enum wire_part_kind kind);

/* "proposal", "prepare"... */
const char *wire_name(enum wire_kind kind);

#endif
