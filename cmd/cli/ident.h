/* ident: the identity that a command acts for, from its key file. */
#ifndef CLI_IDENT_H
#define CLI_IDENT_H

#include "cli/cli.h"
#include "crypto/identity.h"
#include "store/config.h"

/*
 * The path of the one identity: -i, else EHR_IDENTITY, else user.identity of
 * the config ("~/" is the home directory).  conf is the repo's, or NULL: then
 * that of -C's ledger is read, or without -C that of the user and the system.
 * ERR_USAGE when none is named, or several -i are.  path has room for
 * FS_NAME_MAX bytes.
 */
int ident_path(char *path, const struct cli *c, const struct config *conf,
    struct err *e);

/*
 * Read a key file and open it, with a passphrase when it is encrypted.
 * ERR_NO: no such file, readable by others than its owner, wrong passphrase;
 * ERR_BAD: not a regular file, malformed.  Release with identity_wipe.
 */
int ident_read(struct identity *out, struct cli *c, const char *path,
    struct err *e);

/* Both: the identity that this command acts for. */
int ident_get(struct identity *out, struct cli *c, const struct config *conf,
    struct err *e);

#endif
