/*
 * profile: a user's particulars, sealed for those who may see them: the user,
 * the managers of users, and the members of roles with a library.  The ledger
 * holds only the hash of the sealed object, which can be erased.
 */
#ifndef RECORD_PROFILE_H
#define RECORD_PROFILE_H

#include "ledger/card.h"
#include "record/keyring.h"

#define PROFILE_MAX 4096	/* bytes of a profile's text */

/* Append the profile of c, sealed to n keys, to out. */
int profile_seal(struct buf *out, const struct card *c,
    const struct seal_pub *to, size_t n, struct err *e);

/*
 * Append the text of a user's profile to text and read it; c borrows from
 * text.  ERR_NO: none, not here, or not sealed for us.
 */
int profile_open(struct card *c, struct buf *text, struct repo *r,
    const struct lookup_user *u, const struct keyring *k, struct err *e);

/* Those to whom a new user's profile is sealed, the user first. */
int profile_readers(struct seal_pub *to, size_t max, size_t *n,
    struct db *db, const struct seal_pub *user, struct err *e);

#endif
