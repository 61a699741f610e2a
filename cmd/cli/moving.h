/* moving: what a person sees of an exchange with peers: a progress line, and
 * with -v what moved. */
#ifndef CLI_MOVING_H
#define CLI_MOVING_H

#include "cli/progress.h"
#include "net/exchange.h"

/* Set c, the rest zero. */
struct moving {
	struct cli *c;
	struct progress bar;
	const struct sync_result *of;	/* what the bar is about, or NULL */
	const char *doing;
	uint64_t done, bytes;		/* when it moved last; at its begin */
};

/* For the watch of a sync_result, whose arg is a struct moving.  res NULL: that
 * was all. */
void moving_watch(void *arg, const struct sync_result *res);

/* Watch all of an exchange. */
void moving_start(struct moving *m, struct exchange *x);

/* Clear the progress line, if it is there. */
void moving_end(struct moving *m);

/* With -v: what moved from (way "pulled") or to a peer. */
void moving_narrate(struct moving *m, const char *peer, const char *way,
    const struct sync_count *n);

#endif
