/*
 * keyring: everything that a user can open records with: the own sealing
 * keys, and the keys of the roles with a library that the user has.
 *
 * A role's key travels in an envelope: an object, an age file sealed to the
 * role's members, with all generations of the key as AGE-SECRET-KEY lines, the
 * newest first.  The administrator who grants the role never sees it: the
 * first member makes it, and any member's next command seals it for those who
 * came since, or replaces it after one has left.
 */
#ifndef RECORD_KEYRING_H
#define RECORD_KEYRING_H

#include "store/chain.h"
#include "store/lookup.h"
#include "store/submit.h"

#define KEYRING_MAX 256		/* keys */

struct keyring {
	char handle[HANDLE_LEN + 1];
	unsigned perms;
	size_t n;
	struct seal_secret secret[KEYRING_MAX];
};

/*
 * The keyring of an identity that is a user of the ledger (ERR_NO else).
 * Roles whose envelope is not here or not sealed for us are passed over.
 * Release with keyring_wipe.
 */
int keyring_open(struct keyring *k, struct repo *r, struct db *db,
    const struct identity *id, struct err *e);
void keyring_wipe(struct keyring *k);

/* Does any of the identity's roles need a key made, sealed or replaced? */
int keyring_due(struct repo *r, struct db *db, const struct identity *id,
    struct err *e);		/* 1, 0, -1 */

/*
 * Do what is due: adds the envelope objects and role-key transactions.
 * Roles whose present envelope we cannot open are left to other members; if
 * there are none, the role gets a new key, and its old ones are lost.
 */
int keyring_refresh(struct repo *r, struct pool *p, const struct identity *id,
    int64_t now_ms, struct err *e);

/* Both, in a pool of its own: what a member's command does first. */
int keyring_keep(struct repo *r, const struct identity *id, int64_t now_ms,
    struct err *e);

#endif
