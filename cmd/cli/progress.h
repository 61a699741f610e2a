/*
 * progress: how far a long job is (pace.h), in one line of the terminal that
 * is drawn over.  Only when stderr is a terminal and we are not in the
 * background, and not with -q.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/cli.h"
#include "cli/pace.h"

struct progress {
	struct cli *c;
	struct pace pace;
	int64_t drawn_ms;
	bool on;
};

/* A job begins: "sealing"; borrowed. */
void progress_start(struct progress *p, struct cli *c, const char *what);

/* So many items and bytes are done; total 0: not known.  Draws at most five
 * times a second, and nothing of a job that is over sooner. */
void progress_set(struct progress *p, uint64_t done, uint64_t total,
    uint64_t bytes);

/* Clear the line: at the end, and before something else is printed. */
void progress_end(struct progress *p);

#endif
