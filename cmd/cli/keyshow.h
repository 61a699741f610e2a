/* keyshow: what a key file or a card says, in public words. */
#ifndef CLI_KEYSHOW_H
#define CLI_KEYSHOW_H

#include "cli/cli.h"

/*
 * Print the file, "key value" lines or with --json one object.  A key file's
 * passphrase is asked for; of its secrets nothing is shown.  ERR_NO: no such
 * file, wrong passphrase, a card whose signature does not verify; ERR_BAD:
 * neither a key file nor a card.
 */
int keyshow(struct cli *c, const char *path, struct err *e);

#endif
