/*
 * progress: how far a long job is, in one line that is drawn over.  Only when
 * stderr is a terminal, and not with -q.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/cli.h"

struct progress {
	struct cli *c;
	const char *what;		/* "sealing"; borrowed */
	uint64_t done, total;		/* items; total 0: not known */
	uint64_t bytes;
	int64_t start_ms, drawn_ms;
	bool on;
};

void progress_start(struct progress *p, struct cli *c, const char *what,
    uint64_t total);

/* So many more items and bytes; draws at most ten times a second. */
void progress_add(struct progress *p, uint64_t items, uint64_t bytes);

/* Clear the line. */
void progress_end(struct progress *p);

#endif
