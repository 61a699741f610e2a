/* standing: ehr-dbft status, printed. */
#ifndef CLI_STANDING_H
#define CLI_STANDING_H

#include "cli/cli.h"
#include "net/status.h"

/* On stdout: lines "key value", or with --json one object. */
void standing_print(struct cli *c, const struct status *st);

#endif
