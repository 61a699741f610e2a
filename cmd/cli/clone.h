/* clone: "ehr-sync clone", see ehr-sync(1). */
#ifndef CLI_CLONE_H
#define CLI_CLONE_H

#include "cli/cli.h"

struct clone_options {
	const char *node_key;	/* file of the node's key; NULL: no node */
	const char *ledger;	/* the id that it must have, or NULL */
	const char *bundle;	/* file of one, or "-", in the place of a peer;
				 * or NULL */
};

/* "COMMAND DIR", or "DIR" with a bundle, the arguments of c.  The value is the
 * exit status. */
int clone_command(struct cli *c, const struct clone_options *o);

#endif
