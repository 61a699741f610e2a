/*
 * plan: what to ask which peer next, so that a chain comes from several at
 * once, and a peer that is silent, slow or wrong costs little (ehr-sync(1)).
 *
 * It knows no descriptor and no clock: it is told what happened and when, and
 * says what to do.  Headers come first, from one peer after another; when no
 * peer claims more than was certified, blocks are asked of all of them, in a
 * window above the last one applied.  Times are milliseconds that never go
 * back (clock_mono_ms).
 */
#ifndef NET_PLAN_H
#define NET_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_PEERS 64		/* at most; others wait for another time */
#define PLAN_SPINE 1000000	/* headers, before the blocks of these come */
#define PLAN_AHEAD 6		/* requests that one peer has before it */
#define PLAN_HEADERS 1000	/* headers asked for at once */
#define PLAN_BLOCKS 16		/* blocks asked for at once */
#define PLAN_WINDOW 4096	/* blocks above the last one applied */
#define PLAN_STRIKES 3		/* times that others had to help out */

enum plan_kind {
	PLAN_ADDR,		/* which others it knows */
	PLAN_HEADER,		/* headers from .. from + count - 1 */
	PLAN_DELEGATES,		/* of height from */
	PLAN_BLOCK		/* blocks from .. from + count - 1 */
};

struct plan_ask {
	enum plan_kind kind;
	uint64_t from;
	uint32_t count;
};

struct plan_peer {
	enum { PLAN_OPENING, PLAN_READY, PLAN_GONE } state;
	uint64_t claim;		/* height that it says to have */
	bool told;		/* it was asked for addresses */
	struct plan_ask ask[PLAN_AHEAD];	/* oldest first */
	unsigned nasks;
	int64_t until_ms;	/* when what it was asked must have moved */
	unsigned strikes;
};

struct plan {
	struct plan_peer peer[PLAN_PEERS];
	unsigned npeers;
	int64_t timeout_ms;	/* that an exchange may stand still; -1: none */
	int64_t stall_ms;	/* after which another peer helps out */
	bool addr;		/* ask everybody for addresses */

	uint64_t applied;	/* blocks that are here for good */
	uint64_t spine;		/* headers that are certified */
	uint64_t limit;		/* so far may that go */
	int64_t spine_ms;	/* when it moved */
	uint64_t asked;		/* headers that are here or asked for */
	bool lacks;		/* the delegates of spine + 1 must come first */
	bool lacks_asked;
	bool tight;		/* much is held: ask only for what is next; set
				 * by the caller */
	int64_t first_ms;	/* when the first peer was met, or -1 */

	/* Blocks above applied, by height modulo the window. */
	struct plan_slot {
		enum { PLAN_NONE, PLAN_ASKED, PLAN_HERE } state;
		unsigned char peer;	/* asked, or whose it is */
	} slot[PLAN_WINDOW];
	uint64_t waiting;	/* the height that is waited for, and since */
	int64_t waiting_ms;
};

/* Begin with so many peers that are being opened, above a height. */
void plan_init(struct plan *p, unsigned npeers, uint64_t height,
    int64_t timeout_ms, bool addr, int64_t now_ms);

/* One more that is being opened: its number, or -1 when there is no room. */
int plan_add(struct plan *p, int64_t now_ms);

/* --- what happened -------------------------------------------------------- */

/* It let us in, and claims to have blocks up to that height. */
void plan_met(struct plan *p, unsigned peer, uint64_t claim, int64_t now_ms);

/* It is gone, or was left: others are asked for what it was asked. */
void plan_gone(struct plan *p, unsigned peer);

/* So many bytes came from it. */
void plan_heard(struct plan *p, unsigned peer, size_t bytes, int64_t now_ms);

/* The oldest request that it has before it, or NULL. */
const struct plan_ask *plan_oldest(const struct plan *p, unsigned peer);

/*
 * That one was answered; tell first what came.  Full: the answer was as long
 * as answers get, and so need not have all.  Returns why the peer is to be
 * left, or NULL.
 */
const char *plan_answered(struct plan *p, unsigned peer, bool full,
    int64_t now_ms);

/* The certified headers reach up to there; lacks: and to go on, the delegates
 * of the next height must come. */
void plan_spine(struct plan *p, uint64_t height, bool lacks,
    int64_t now_ms);

/* A block that was asked for is held, or it is not needed (false). */
bool plan_block(struct plan *p, unsigned peer, uint64_t height);

/* What is held of a peer above a height, is not worth anything. */
void plan_drop(struct plan *p, unsigned peer, uint64_t above);

/* Blocks up to there were applied. */
void plan_applied(struct plan *p, uint64_t height);

/* So long nobody was listened to: it does not count. */
void plan_skip(struct plan *p, int64_t ms);

/* --- what to do ----------------------------------------------------------- */

enum plan_do {
	PLAN_ASK,		/* ask that peer for that */
	PLAN_LEAVE,		/* leave that peer: why says it */
	PLAN_WAIT,		/* until something happens, or until_ms */
	PLAN_DONE		/* nothing more can be had */
};

struct plan_step {
	enum plan_do what;
	unsigned peer;
	struct plan_ask ask;
	const char *why;
	int64_t until_ms;	/* INT64_MAX: for ever */
};

/* The next step; to be repeated until it is PLAN_WAIT or PLAN_DONE. */
void plan_next(struct plan *p, int64_t now_ms, struct plan_step *out);

/* The most that a peer which is there claims to have. */
uint64_t plan_claim(const struct plan *p);

#endif
