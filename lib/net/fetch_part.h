/* fetch_part: what the parts of fetch share; private. */
#ifndef NET_FETCH_PART_H
#define NET_FETCH_PART_H

#include "base/thread.h"
#include "net/fetch.h"
#include "net/plan.h"
#include "net/spine.h"
#include "store/chain.h"

#define FETCH_HELD_MAX (64u << 20)	/* bytes of blocks that wait, about */
#define FETCH_TOGETHER 2048	/* blocks that are applied at once, at most */

/* A block that came and is not applied yet. */
struct fetch_block {
	struct buf text, packed;
	bool certified;		/* with the certificate that its header had */
	unsigned peer;
};

/* Those that are being applied; they stay where they are meanwhile. */
struct fetch_work {
	struct repo *repo;	/* that of the fetch, or the thread's own */
	struct chain_block block[FETCH_TOGETHER];
	size_t n, done;
	int ret;
	struct err e;

	/* Of a thread that works on them, while more of them come. */
	bool busy;
	pthread_t thread;
	struct repo *own;	/* NULL: not needed yet */
	int bell[2];		/* a byte when it is done; if own is there */
};

struct fetch {
	struct repo *repo;
	struct peers *peers;	/* number i is peer i of the plan */
	const struct fetch_options *o;
	struct plan plan;
	struct spine spine;
	struct hello me;
	struct identity key;	/* what was opened here */
	int timeout_ms;
	uint64_t read[PLAN_PEERS];	/* bytes that were counted */
	bool compared[PLAN_PEERS];	/* its head, with ours */
	bool done[PLAN_PEERS];	/* and that was told */
	int64_t heard_ms[PLAN_PEERS];	/* when it said something, or began */
	bool *paused;		/* meanwhile was called */

	struct fetch_block block[PLAN_WINDOW];	/* by height */
	size_t held;		/* bytes of them */
	int64_t held_ms;	/* since when the next one is there, or 0 */
	struct fetch_work work;
};

/* Tell how far that is: headers or blocks. */
void fetch_moved(struct fetch *f, enum plan_kind what);

/* That of a height, whether it is there or not. */
struct fetch_block *fetch_block(struct fetch *f, uint64_t height);
void fetch_block_free(struct fetch *f, struct fetch_block *b);

/* Leave a peer, with that error; or with ERR_AGAIN and these words. */
void fetch_leave(struct fetch *f, unsigned i, const struct err *why);
void fetch_leave_why(struct fetch *f, unsigned i, const char *why);

/* Begin to talk with peer i of the list, which is the plan's. */
void fetch_begin(struct fetch *f, unsigned i);

/* Peer i has let us in. */
int fetch_met(struct fetch *f, unsigned i, struct err *e);

/* The answer of peer i to its oldest request has come whole.  -1: it is the
 * peer's fault. */
int fetch_take(struct fetch *f, unsigned i, struct err *e);

/* How large may the answer to that be? */
size_t fetch_most(const struct plan_ask *a);

/* Compare the heads of peers with what was certified; leave who differs. */
void fetch_compare(struct fetch *f);

/* Is it time to apply blocks?  Else *wait_ms is how long until it is, -1 for
 * ever. */
bool fetch_ripe(struct fetch *f, int64_t now_ms, int64_t *wait_ms);

/* Apply what is there, or begin to. */
int fetch_apply(struct fetch *f, struct err *e);

/* The bell of work has rung: count what was applied, and leave peers whose
 * blocks are wrong.  -1: it is our own failure. */
int fetch_applied(struct fetch *f, struct err *e);

/* Wait for what was begun; for the end. */
void fetch_apply_end(struct fetch *f);

#endif
