/*
 * tx: transactions (ehr-tx(5)), the only way in which a ledger's state
 * changes.  A transaction is a signed note with one signature, its author's;
 * its id is the SHA-256 of the note's bytes.
 */
#ifndef LEDGER_TX_H
#define LEDGER_TX_H

#include "crypto/note.h"
#include "ledger/head.h"
#include "ledger/staged.h"

#define TX_MAX 16384		/* bytes of a transaction */
#define TX_READERS_MAX 64
#define TX_VOTES_MAX 64

enum tx_kind {
	TX_ENROLL,		/* a new user */
	TX_REKEY,		/* other keys for a user or a node */
	TX_ROLE_DEFINE,		/* what a role may do */
	TX_ROLE_GRANT,		/* a user gets a role */
	TX_ROLE_REVOKE,		/* and loses it */
	TX_ROLE_KEY,		/* the sealing key of a role */
	TX_NODE_ADMIT,		/* a new node */
	TX_NODE_REMOVE,
	TX_VOTE,		/* a node names the delegates it wants */
	TX_AUTHORIZE,		/* a patient takes a staged record in */
	TX_REJECT,		/* or turns it away */
	TX_GRANT,		/* admits readers */
	TX_WITHDRAW,		/* and dismisses them */
	TX_ACCESS,		/* a reader opens a record */
	TX_ERASE,		/* a record's content is deleted everywhere */
	TX_KINDS
};

/*
 * One transaction.  Which members are set depends on the kind; the others are
 * zero.  Spans borrow from the input, or from manifest.
 */
struct tx {
	struct hash id;
	struct note note;
	enum tx_kind kind;
	int64_t time_ms;
	struct span author;	/* a handle; a node's name for TX_VOTE */

	struct span user;	/* whom it is about (rekey: or a node) */
	struct span role;
	struct span node;
	struct sign_pub sign;
	struct seal_pub seal;	/* of user, node or role */
	unsigned perms;
	uint64_t generation;	/* of a role key, from 1 */
	uint64_t members;	/* of a role key: the changes of membership
				 * that its envelope takes into account */
	struct hash object;	/* a role key's envelope */
	bool has_email, has_profile;
	struct hash email, profile;
	struct hash record;
	struct hash header;	/* object: the record's new age header */
	struct span reason;
	size_t nreaders;
	struct span reader[TX_READERS_MAX];	/* sorted; votes: nodes */
	struct buf manifest;	/* TX_AUTHORIZE: the staged record's note */
	struct staged staged;	/* and what it says; borrows from manifest */
};

/* The word that stands in the first line for each kind, and back (-1). */
const char *tx_kind_name(enum tx_kind kind);
int tx_kind_of(struct span name);

/* Is a transaction of that kind about one record? */
bool tx_names_record(enum tx_kind kind);

/* Release what a parsed transaction owns.  A zeroed one is fine. */
void tx_free(struct tx *tx);

/* Append what the hourly log says of it, in public words. */
void tx_describe(struct buf *out, const struct tx *tx);

#endif
