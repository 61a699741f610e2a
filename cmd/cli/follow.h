/* follow: "ehr-sync --follow", see ehr-sync(1). */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include "cli/cli.h"

/* Follow the peers that are the arguments of c, or all, until a signal says
 * that it is enough.  The value is the exit status. */
int follow_command(struct cli *c);

#endif
