/*
 * card: the public half of an identity, with its owner's particulars
 * (ehr-card(5)).  A self-signed note, made by ehr-keygen, handed to an
 * administrator; it never goes on the ledger as it is.
 */
#ifndef LEDGER_CARD_H
#define LEDGER_CARD_H

#include "crypto/identity.h"

#define CARD_MAX 16384		/* bytes */
#define CARD_VALUE_MAX 200	/* bytes of a particular */

enum card_kind {
	CARD_USER,
	CARD_NODE
};

/* Empty spans stand for particulars that are not there. */
struct card {
	enum card_kind kind;
	struct span name;	/* signs: a handle or a node's name */
	struct sign_pub sign;
	struct seal_pub seal;
	struct span full_name, email, born, phone, sex;
};

/*
 * Read a card and verify its signature by its own key.  c borrows from whole.
 * A user's name must be the handle of the key, unless it replaces a user's
 * keys (replaces is set).  ERR_BAD malformed, ERR_NO not verified.
 */
int card_parse(struct card *c, struct span whole, bool replaces,
    struct err *e);

/* Append the signed card of id, whose particulars are those of c. */
int card_make(struct buf *out, const struct card *c,
    const struct identity *id, struct err *e);

/* The profile: the particulars as the text that is sealed for the readers. */
void card_profile(struct buf *out, const struct card *c);

/* Read a profile's particulars (c's keys stay unset). */
int card_profile_parse(struct card *c, struct span text, struct err *e);

#endif
