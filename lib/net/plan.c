#include "net/plan.h"

#include <assert.h>
#include <string.h>

#define STALL_MIN_MS 500
#define STALL_MAX_MS 5000
#define STALL_PART 12		/* of the timeout */

void
plan_init(struct plan *p, unsigned npeers, uint64_t height,
    int64_t timeout_ms, bool addr, int64_t now_ms)
{
	memset(p, 0, sizeof(*p));
	p->timeout_ms = timeout_ms;
	p->stall_ms = timeout_ms / STALL_PART;
	if (timeout_ms < 0 || p->stall_ms > STALL_MAX_MS)
		p->stall_ms = STALL_MAX_MS;
	if (p->stall_ms < STALL_MIN_MS)
		p->stall_ms = STALL_MIN_MS;
	p->addr = addr;
	p->applied = p->spine = p->asked = height;
	p->limit = height + PLAN_SPINE;
	p->first_ms = -1;
	while (npeers-- > 0)
		plan_add(p, now_ms);
}

int
plan_add(struct plan *p, int64_t now_ms)
{
	struct plan_peer *q = &p->peer[p->npeers];

	if (p->npeers == PLAN_PEERS)
		return -1;
	memset(q, 0, sizeof(*q));
	q->state = PLAN_OPENING;
	q->until_ms = p->timeout_ms < 0 ? INT64_MAX : now_ms + p->timeout_ms;
	return (int)p->npeers++;
}

static struct plan_slot *
slot(struct plan *p, uint64_t height)
{
	return &p->slot[height % PLAN_WINDOW];
}

static bool
in_window(const struct plan *p, uint64_t height)
{
	return height > p->applied && height <= p->applied + PLAN_WINDOW &&
	    height <= p->spine;
}

uint64_t
plan_claim(const struct plan *p)
{
	uint64_t most = 0;

	for (unsigned i = 0; i < p->npeers; i++)
		if (p->peer[i].state == PLAN_READY && p->peer[i].claim > most)
			most = p->peer[i].claim;
	return most;
}

/* --- what happened -------------------------------------------------------- */

/* It has time again for what it was asked. */
static void
grant(const struct plan *p, struct plan_peer *q, int64_t now_ms)
{
	q->until_ms = p->timeout_ms < 0 ? INT64_MAX : now_ms + p->timeout_ms;
}

static void
push(struct plan *p, unsigned peer, enum plan_kind kind, uint64_t from,
    uint64_t count, int64_t now_ms, struct plan_step *out)
{
	struct plan_peer *q = &p->peer[peer];

	assert(q->nasks < PLAN_AHEAD && q->state == PLAN_READY);
	if (q->nasks == 0)
		grant(p, q, now_ms);
	*out = (struct plan_step){ .what = PLAN_ASK, .peer = peer,
	    .ask = { kind, from, (uint32_t)count } };
	q->ask[q->nasks++] = out->ask;
}

void
plan_met(struct plan *p, unsigned peer, uint64_t claim, int64_t now_ms)
{
	struct plan_peer *q = &p->peer[peer];

	q->state = PLAN_READY;
	q->claim = claim;
	if (p->first_ms < 0)
		p->first_ms = now_ms;
}

void
plan_gone(struct plan *p, unsigned peer)
{
	struct plan_peer *q = &p->peer[peer];

	for (unsigned i = 0; i < q->nasks; i++) {
		if (q->ask[i].kind == PLAN_HEADER)
			p->asked = p->spine;
		if (q->ask[i].kind == PLAN_DELEGATES)
			p->lacks_asked = false;
	}
	q->state = PLAN_GONE;
	q->nasks = 0;
	for (size_t i = 0; i < PLAN_WINDOW; i++)
		if (p->slot[i].state == PLAN_ASKED && p->slot[i].peer == peer)
			p->slot[i].state = PLAN_NONE;
}

/* As pkt.h: each byte gives a millisecond more, up to the whole time. */
void
plan_heard(struct plan *p, unsigned peer, size_t bytes, int64_t now_ms)
{
	struct plan_peer *q = &p->peer[peer];

	if (p->timeout_ms < 0 || q->state == PLAN_OPENING)
		return;
	q->until_ms += (int64_t)bytes;
	if (q->until_ms > now_ms + p->timeout_ms)
		q->until_ms = now_ms + p->timeout_ms;
}

const struct plan_ask *
plan_oldest(const struct plan *p, unsigned peer)
{
	const struct plan_peer *q = &p->peer[peer];

	return q->nasks > 0 ? &q->ask[0] : NULL;
}

/* Blocks that did not come may be asked of anybody again: were there any? */
static bool
release(struct plan *p, unsigned peer, const struct plan_ask *a)
{
	bool any = false;

	for (uint64_t h = a->from; h < a->from + a->count; h++) {
		struct plan_slot *s = slot(p, h);

		if (!in_window(p, h) || s->state != PLAN_ASKED ||
		    s->peer != peer)
			continue;
		s->state = PLAN_NONE;
		any = true;
	}
	return any;
}

/* Does a peer that answered so for headers have fewer than it says?  What was
 * asked for ahead of delegates that we lacked, or of a short answer, fits
 * nowhere: that is nobody's fault. */
static bool
headers_lack(const struct plan *p, const struct plan_ask *a, bool full)
{
	return !p->lacks && a->from <= p->spine + 1 &&
	    p->spine < a->from + a->count - 1 &&
	    (!full || p->spine < a->from);
}

const char *
plan_answered(struct plan *p, unsigned peer, bool full, int64_t now_ms)
{
	struct plan_peer *q = &p->peer[peer];
	struct plan_ask a = q->ask[0];

	memmove(q->ask, q->ask + 1, --q->nasks * sizeof(q->ask[0]));
	if (q->nasks > 0)
		grant(p, q, now_ms);
	switch (a.kind) {
	case PLAN_ADDR:
		break;
	case PLAN_HEADER:
		if (p->spine < a.from + a.count - 1)
			p->asked = p->spine;
		if (headers_lack(p, &a, full))
			return "it has fewer blocks than it says";
		break;
	case PLAN_DELEGATES:
		p->lacks_asked = false;
		if (p->lacks && a.from == p->spine + 1)
			return "it does not say who the delegates are";
		break;
	case PLAN_BLOCK:
		if (release(p, peer, &a) && !full)
			return "it does not give blocks that it says to have";
		break;
	}
	return NULL;
}

void
plan_spine(struct plan *p, uint64_t height, bool lacks, int64_t now_ms)
{
	if (height > p->spine)
		p->spine_ms = now_ms;
	p->spine = height;
	if (p->asked < height || lacks)
		p->asked = height;
	p->lacks = lacks;
}

bool
plan_block(struct plan *p, unsigned peer, uint64_t height)
{
	struct plan_slot *s = slot(p, height);

	if (!in_window(p, height) || s->state == PLAN_HERE)
		return false;
	s->state = PLAN_HERE;
	s->peer = (unsigned char)peer;
	return true;
}

void
plan_drop(struct plan *p, unsigned peer, uint64_t above)
{
	for (uint64_t h = above + 1; in_window(p, h); h++)
		if (slot(p, h)->state == PLAN_HERE && slot(p, h)->peer == peer)
			slot(p, h)->state = PLAN_NONE;
}

void
plan_applied(struct plan *p, uint64_t height)
{
	while (p->applied < height)
		slot(p, ++p->applied)->state = PLAN_NONE;
}

void
plan_skip(struct plan *p, int64_t ms)
{
	for (unsigned i = 0; i < p->npeers; i++)
		if (p->peer[i].until_ms != INT64_MAX)
			p->peer[i].until_ms += ms;
	p->waiting_ms += ms;
	p->spine_ms += ms;
	if (p->first_ms >= 0)
		p->first_ms += ms;
}

/* --- what to do ----------------------------------------------------------- */

static bool
late(struct plan *p, int64_t now_ms, struct plan_step *out)
{
	for (unsigned i = 0; i < p->npeers; i++) {
		const struct plan_peer *q = &p->peer[i];
		bool owes = q->state == PLAN_OPENING ||
		    (q->state == PLAN_READY && q->nasks > 0);

		if (owes && now_ms >= q->until_ms) {
			*out = (struct plan_step){ .what = PLAN_LEAVE,
			    .peer = i, .why = q->state == PLAN_OPENING ?
			    "it does not answer" : "it is silent or too "
			    "slow" };
			return true;
		}
		if (q->state == PLAN_READY && q->strikes >= PLAN_STRIKES) {
			*out = (struct plan_step){ .what = PLAN_LEAVE,
			    .peer = i, .why = "it is slow, and others are "
			    "not" };
			return true;
		}
	}
	return false;
}

static bool
ask_addresses(struct plan *p, int64_t now_ms, struct plan_step *out)
{
	for (unsigned i = 0; p->addr && i < p->npeers; i++)
		if (p->peer[i].state == PLAN_READY && !p->peer[i].told) {
			p->peer[i].told = true;
			push(p, i, PLAN_ADDR, 0, 0, now_ms, out);
			return true;
		}
	return false;
}

/* Who claims the most, of those who were not slow if there are any. */
static int
header_peer(const struct plan *p)
{
	int best = -1;

	for (unsigned i = 0; i < p->npeers; i++) {
		const struct plan_peer *q = &p->peer[i];
		const struct plan_peer *b = best < 0 ? q : &p->peer[best];

		if (q->state != PLAN_READY || q->claim <= p->spine)
			continue;
		if (best < 0 || q->strikes < b->strikes ||
		    (q->strikes == b->strikes && q->claim > b->claim))
			best = (int)i;
	}
	return best;
}

static bool
has_headers(const struct plan_peer *q)
{
	for (unsigned i = 0; i < q->nasks; i++)
		if (q->ask[i].kind == PLAN_HEADER ||
		    q->ask[i].kind == PLAN_DELEGATES)
			return true;
	return false;
}

/* Headers do not come, and another peer might give them: ask that one. */
static void
help_headers(struct plan *p, int64_t now_ms)
{
	unsigned others = 0;
	int slow = -1;

	for (unsigned i = 0; i < p->npeers; i++) {
		const struct plan_peer *q = &p->peer[i];

		if (q->state != PLAN_READY || q->claim <= p->spine)
			continue;
		if (has_headers(q) && q->strikes == 0)
			slow = (int)i;
		else if (q->strikes == 0)
			others++;
	}
	if (slow < 0 || others == 0 || now_ms < p->spine_ms + 2 * p->stall_ms)
		return;
	p->peer[slow].strikes++;
	p->asked = p->spine;
	p->lacks_asked = false;
	p->spine_ms = now_ms;
}

/* Two requests at once, of one peer, so that it never waits for us. */
static bool
ask_headers(struct plan *p, int64_t now_ms, struct plan_step *out)
{
	int peer = header_peer(p);
	uint64_t end, left;
	struct plan_peer *q;

	if (peer < 0)
		return false;
	help_headers(p, now_ms);
	peer = header_peer(p);
	q = &p->peer[peer];
	if (!has_headers(q))
		p->spine_ms = now_ms;
	if (p->lacks) {
		if (p->lacks_asked || q->nasks >= PLAN_AHEAD)
			return false;
		p->lacks_asked = true;
		push(p, (unsigned)peer, PLAN_DELEGATES, p->spine + 1, 1,
		    now_ms, out);
		return true;
	}
	end = q->claim < p->limit ? q->claim : p->limit;
	if (p->asked >= end || p->asked - p->spine > PLAN_HEADERS ||
	    q->nasks >= PLAN_AHEAD)
		return false;
	left = end - p->asked;
	if (left > PLAN_HEADERS)
		left = PLAN_HEADERS;
	push(p, (unsigned)peer, PLAN_HEADER, p->asked + 1, left, now_ms, out);
	p->asked += left;
	return true;
}

/* May bodies be asked for: were headers compared of all who are there? */
static bool
settled(const struct plan *p, int64_t now_ms)
{
	bool opening = false;

	for (unsigned i = 0; i < p->npeers; i++) {
		if (p->peer[i].state == PLAN_READY &&
		    p->peer[i].claim > p->spine && p->spine < p->limit)
			return false;
		opening = opening || p->peer[i].state == PLAN_OPENING;
	}
	return !opening || (p->first_ms >= 0 &&
	    now_ms >= p->first_ms + p->stall_ms);
}

/* Who may be asked for that block, and has the least before it; or -1. */
static int
block_peer(const struct plan *p, uint64_t height, int but)
{
	int best = -1;

	for (unsigned i = 0; i < p->npeers; i++) {
		const struct plan_peer *q = &p->peer[i];
		unsigned most = q->strikes > 0 ? 1 : PLAN_AHEAD;

		if (q->state != PLAN_READY || q->claim < height ||
		    q->nasks >= most || (int)i == but)
			continue;
		if (best < 0 || q->nasks < p->peer[best].nasks)
			best = (int)i;
	}
	return best;
}

/* Ask a peer for blocks from height on that are in that state. */
static void
ask_run(struct plan *p, unsigned peer, uint64_t height, int state,
    int64_t now_ms, struct plan_step *out)
{
	uint64_t h = height;
	unsigned from = slot(p, height)->peer;

	while (h < height + PLAN_BLOCKS && in_window(p, h) &&
	    h <= p->peer[peer].claim && (int)slot(p, h)->state == state &&
	    (state == PLAN_NONE || slot(p, h)->peer == from)) {
		slot(p, h)->state = PLAN_ASKED;
		slot(p, h++)->peer = (unsigned char)peer;
	}
	push(p, peer, PLAN_BLOCK, height, h - height, now_ms, out);
}

/* The block that everything waits for is late: another peer helps out. */
static bool
help_out(struct plan *p, int64_t now_ms, struct plan_step *out)
{
	uint64_t next = p->applied + 1;
	struct plan_slot *s;
	unsigned slow;
	int peer;

	while (in_window(p, next) && slot(p, next)->state == PLAN_HERE)
		next++;
	if (!in_window(p, next))
		return false;
	s = slot(p, next);
	if (p->waiting != next) {
		p->waiting = next;
		p->waiting_ms = now_ms;
	}
	if (s->state != PLAN_ASKED || now_ms < p->waiting_ms + p->stall_ms ||
	    (peer = block_peer(p, next, s->peer)) < 0)
		return false;
	slow = s->peer;
	p->waiting_ms = now_ms;
	p->peer[slow].strikes++;
	ask_run(p, (unsigned)peer, next, PLAN_ASKED, now_ms, out);
	return true;
}

static bool
ask_blocks(struct plan *p, int64_t now_ms, struct plan_step *out)
{
	uint64_t end = p->applied + (p->tight ? PLAN_BLOCKS : PLAN_WINDOW);
	int peer;

	for (uint64_t h = p->applied + 1; h <= end && in_window(p, h); h++)
		if (slot(p, h)->state == PLAN_NONE &&
		    (peer = block_peer(p, h, -1)) >= 0) {
			ask_run(p, (unsigned)peer, h, PLAN_NONE, now_ms, out);
			return true;
		}
	return false;
}

/* Is anything still to come, or to be applied? */
static bool
open_ended(struct plan *p)
{
	if (in_window(p, p->applied + 1) &&
	    slot(p, p->applied + 1)->state == PLAN_HERE)
		return true;
	for (unsigned i = 0; i < p->npeers; i++) {
		const struct plan_peer *q = &p->peer[i];

		if (q->state == PLAN_OPENING || q->nasks > 0)
			return true;
		if (q->state == PLAN_READY && q->claim > p->applied &&
		    p->applied < p->spine)
			return true;
	}
	return false;
}

/* When has somebody to be looked at again? */
static int64_t
wake_at(const struct plan *p, int64_t now_ms)
{
	int64_t until = INT64_MAX;

	for (unsigned i = 0; i < p->npeers; i++) {
		const struct plan_peer *q = &p->peer[i];

		if (q->state == PLAN_OPENING ||
		    (q->state == PLAN_READY && q->nasks > 0))
			until = q->until_ms < until ? q->until_ms : until;
	}
	if (p->applied < p->spine && p->waiting_ms + p->stall_ms < until &&
	    p->waiting_ms + p->stall_ms > now_ms)
		until = p->waiting_ms + p->stall_ms;
	if ((p->asked > p->spine || p->lacks_asked) &&
	    p->spine_ms + 2 * p->stall_ms > now_ms &&
	    p->spine_ms + 2 * p->stall_ms < until)
		until = p->spine_ms + 2 * p->stall_ms;
	if (p->first_ms >= 0 && p->first_ms + p->stall_ms > now_ms &&
	    p->first_ms + p->stall_ms < until)
		until = p->first_ms + p->stall_ms;
	return until;
}

void
plan_next(struct plan *p, int64_t now_ms, struct plan_step *out)
{
	if (late(p, now_ms, out) || ask_addresses(p, now_ms, out) ||
	    ask_headers(p, now_ms, out))
		return;
	if (settled(p, now_ms) && (help_out(p, now_ms, out) ||
	    ask_blocks(p, now_ms, out)))
		return;
	*out = (struct plan_step){ .what = open_ended(p) ? PLAN_WAIT :
	    PLAN_DONE, .until_ms = wake_at(p, now_ms) };
}
