/* bundle: "ehr-sync bundle", see ehr-sync(1). */
#ifndef CLI_BUNDLE_H
#define CLI_BUNDLE_H

#include "cli/cli.h"
#include "net/tally.h"

/*
 * "create FILE" or "apply FILE", the arguments of c; since is the number of a
 * block, 0 for all.  res has who watches, who is told NULL at the end, and
 * gets what was moved.  The value is the exit status.
 */
int bundle_command(struct cli *c, uint64_t since, struct sync_result *res);

/* What a bundle brought, with -v; and a note if objects are lacking still. */
void bundle_narrate(struct cli *c, const struct sync_result *res);

/* ERR_BAD: it has objects that are damaged. */
int bundle_check(const char *name, const struct sync_result *res,
    struct err *e);

/* Open a bundle to read: a file, or "-".  *name is what to call it. */
int bundle_open(const char *file, const char **name, struct err *e);

#endif
