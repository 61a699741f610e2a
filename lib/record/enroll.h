/* enroll: an administrator registers users from their cards. */
#ifndef RECORD_ENROLL_H
#define RECORD_ENROLL_H

#include "record/profile.h"

/*
 * Enrol the owner of a card (its file's bytes) with a role, in the pool p: the
 * sealed profile is stored, the transaction added.  handle gets the user's.
 * ERR_NO: the e-mail address is taken, the user is enrolled, the author may
 * not; ERR_BAD: the card is malformed or not verified.
 */
int enroll_user(char handle[HANDLE_LEN + 1], struct repo *r, struct pool *p,
    const struct identity *admin, struct span card, const char *role,
    int64_t now_ms, struct err *e);

/* Give the user of a card made with --replaces its new keys. */
int enroll_rekey(char name[NAME_MAX_LEN + 1], struct pool *p,
    const struct identity *author, struct span card, int64_t now_ms,
    struct err *e);

#endif
