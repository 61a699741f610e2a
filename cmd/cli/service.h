/* service: what a service tells its manager (sd_notify(3)), if it has one. */
#ifndef CLI_SERVICE_H
#define CLI_SERVICE_H

#include "cli/cli.h"

/*
 * Send a state such as "READY=1" to the socket that NOTIFY_SOCKET names.
 * Without one, or when it cannot be reached, nothing happens.
 */
void service_notify(const char *state);

/*
 * Run once() until it fails or SIGTERM or SIGINT has come, again each time that
 * it returns 0, with the manager told when that is because of SIGHUP (read the
 * config again).  stop() is called by each of these signals, one at a time, for
 * once() to return soon.  0, or once()'s -1 with *e.
 */
int service_run(int (*once)(struct cli *c, struct err *e), void (*stop)(void),
    struct cli *c, struct err *e);

/* For both: has a signal come to end, or to read the config again? */
bool service_ends(void);
bool service_reloads(void);

#endif
