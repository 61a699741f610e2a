/* open: the start of a command that works on a ledger. */
#ifndef CLI_OPEN_H
#define CLI_OPEN_H

#include "cli/ident.h"
#include "record/keyring.h"

/* What such a command holds.  Zero it before use. */
struct ctx {
	struct cli cli;
	struct repo *repo;
	struct db *db;
	struct head head;
	struct identity id;	/* if the command acts for someone */
	int64_t now_ms;
};

/* Open the ledger that -C, EHR_DIR or the working directory names, and bring
 * its state up to date. */
int ctx_open(struct ctx *x, struct err *e);

/* The identity of -i; and, of a member of a role, keep the role's key. */
int ctx_identity(struct ctx *x, struct err *e);

/* Wipe and close; then the exit status: of *e when ret is not 0. */
int ctx_end(struct ctx *x, int ret, const struct err *e);

/* "HEX64" as a hash: ERR_NO with the text in the message. */
int ctx_hash(struct hash *out, const char *text, struct err *e);

#endif
