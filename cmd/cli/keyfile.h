/* keyfile: key files and cards on disk, whole or not at all. */
#ifndef CLI_KEYFILE_H
#define CLI_KEYFILE_H

#include "crypto/identity.h"
#include "ledger/card.h"

/* Put "KEY.card" into out, which has room for FS_NAME_MAX bytes. */
int keyfile_card_name(char *out, const char *key, struct err *e);

/* ERR_NO when there is something of that name, be it a broken link. */
int keyfile_absent(const char *path, struct err *e);

/*
 * Write the key file of id (0600), protected by pass unless that is empty, and
 * KEY.card (0644), which carries the particulars of card.  Neither may exist:
 * ERR_NO.  A failure leaves none of them; a crash may leave the key alone.
 */
int keyfile_make(const char *path, const struct identity *id,
    struct span pass, const struct card *card, struct err *e);

/* Write only a card, under a name that must be new. */
int keyfile_make_card(const char *path, const struct identity *id,
    const struct card *card, struct err *e);

/*
 * Replace the key file that is there (where a link leads, if it is one) by one
 * with another passphrase.  The new bytes are read back as a key file before
 * the old ones go.
 */
int keyfile_rewrite(const char *path, const struct identity *id,
    struct span pass, struct err *e);

#endif
