/* driver_inner: what the parts of the driver share. */
#ifndef NET_DRIVER_INNER_H
#define NET_DRIVER_INNER_H

#include "net/driver.h"

/* driver_begin.c: read everything that holds for the present height. */
int driver_begin(struct driver *d, struct err *e);

/* The same for what the journal got since. */
int driver_refresh(struct driver *d, struct err *e);

/*
 * driver_act.c: do the actions of a step, in their order; peer as in its
 * input.  *candidate is set to the view for which a block is wanted.
 */
int driver_act(struct driver *d, const struct dbft_actions *out,
    int64_t *candidate, struct err *e);

/*
 * driver_feed.c: one step of the core and its actions, and a candidate if it
 * asks for one.
 */
int driver_step(struct driver *d, struct dbft_input *in, struct err *e);

/*
 * driver_heard.c, for a passive driver of PBFT: take over what others were
 * given for this height; and keep a vote that is new, for them.
 */
int driver_replay_heard(struct driver *d, struct err *e);
int driver_keep_heard(struct driver *d, const struct driver_given *g,
    struct err *e);

/* Put a message among the posts. */
int driver_put(struct driver *d, uint64_t to, const struct wire_msg *m,
    struct err *e);

/* Add a line for the operator. */
void driver_say(struct driver *d, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
