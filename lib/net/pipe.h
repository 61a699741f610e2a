/* pipe: a command that we talk with over its standard input and output. */
#ifndef NET_PIPE_H
#define NET_PIPE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct pipe_command {
	pid_t pid;		/* or -1 when reaped */
	bool group;		/* it leads a process group of its own */
	int to, from;		/* our ends; they don't block; -1 when closed */
};

/*
 * Run command with sh -c.  Its standard error is ours.  It gets a process
 * group of its own, so that it can be ended with all that it started, unless
 * somebody sits at our terminal: then ssh may ask for a passphrase there, and
 * an interrupt is meant for both.  SIGPIPE is ignored in this process from
 * now on: a write to a command that has ended is an error like others.
 */
int pipe_open(struct pipe_command *c, const char *command, struct err *e);

/*
 * Close our ends and wait for the command to end by itself, for grace_ms;
 * then end it.  *status, if not NULL, is its exit status: 0 to 255, or 128
 * and a signal's number.  One that is closed does nothing (status 0).
 */
void pipe_close(struct pipe_command *c, int grace_ms, int *status);

/*
 * End all commands that still run, at once; for a process that is about to
 * _exit while threads hang on them.  Nothing can be closed after this.
 */
void pipe_end_all(void);

#endif
