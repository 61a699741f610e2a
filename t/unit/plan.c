/* plan: a chain comes from several peers, whatever some of them do. */
#include "check.h"

#include <stdlib.h>

#include "net/plan.h"

#define TIMEOUT 60000

static struct plan p;
static struct plan_step step;

/* --- by hand -------------------------------------------------------------- */

static bool
asks(int64_t now, unsigned peer, enum plan_kind kind, uint64_t from,
    uint32_t count)
{
	plan_next(&p, now, &step);
	if (step.what == PLAN_ASK && step.peer == peer &&
	    step.ask.kind == kind && step.ask.from == from &&
	    step.ask.count == count)
		return true;
	printf("step %d: peer %u, kind %d, %llu + %u\n", step.what, step.peer,
	    step.ask.kind, (unsigned long long)step.ask.from, step.ask.count);
	return false;
}

static bool
waits(int64_t now)
{
	plan_next(&p, now, &step);
	return step.what == PLAN_WAIT;
}

static bool
leaves(int64_t now, unsigned peer, const char *why)
{
	plan_next(&p, now, &step);
	return step.what == PLAN_LEAVE && step.peer == peer &&
	    strstr(step.why, why) != NULL;
}

/* Headers are asked of who claims the most, two requests ahead. */
static void
headers(void)
{
	plan_init(&p, 2, 0, TIMEOUT, false, 0);
	CHECK(waits(0) && step.until_ms == TIMEOUT);
	plan_met(&p, 0, 10, 5);
	plan_met(&p, 1, 2500, 5);
	CHECK(asks(5, 1, PLAN_HEADER, 1, 1000));
	CHECK(asks(5, 1, PLAN_HEADER, 1001, 1000));
	CHECK(waits(5));
	plan_spine(&p, 1000, false, 6);
	CHECK(plan_oldest(&p, 1)->from == 1);
	CHECK(plan_answered(&p, 1, false, 6) == NULL);
	CHECK(asks(6, 1, PLAN_HEADER, 2001, 500));
	/* The delegates change at 1600: what was asked ahead is in vain. */
	plan_spine(&p, 1600, true, 7);
	CHECK(plan_answered(&p, 1, false, 7) == NULL);
	CHECK(asks(7, 1, PLAN_DELEGATES, 1601, 1));
	CHECK(waits(7));
	CHECK(plan_answered(&p, 1, false, 8) == NULL);	/* 2001 to 2500 */
	plan_spine(&p, 1600, false, 9);
	CHECK(plan_answered(&p, 1, false, 9) == NULL);
	CHECK(asks(9, 1, PLAN_HEADER, 1601, 900));
	plan_spine(&p, 2500, false, 10);
	CHECK(plan_answered(&p, 1, false, 10) == NULL);
	/* Now blocks, of the one that has them and of the other. */
	CHECK(asks(10, 0, PLAN_BLOCK, 1, 10));
	CHECK(asks(10, 1, PLAN_BLOCK, 11, PLAN_BLOCKS));
}

/* A peer that has fewer than it says, or does not say who votes. */
static void
empty_claims(void)
{
	plan_init(&p, 1, 7, TIMEOUT, false, 0);
	plan_met(&p, 0, 99, 0);
	CHECK(asks(0, 0, PLAN_HEADER, 8, 92));
	CHECK(strstr(plan_answered(&p, 0, false, 1), "fewer blocks") != NULL);
	/* It gave some, and that was all. */
	plan_init(&p, 1, 7, TIMEOUT, false, 0);
	plan_met(&p, 0, 99, 0);
	CHECK(asks(0, 0, PLAN_HEADER, 8, 92));
	plan_spine(&p, 90, false, 1);
	CHECK(strstr(plan_answered(&p, 0, false, 1), "fewer blocks") != NULL);
	/* But an answer need not be longer than answers get. */
	plan_init(&p, 1, 7, TIMEOUT, false, 0);
	plan_met(&p, 0, 99, 0);
	CHECK(asks(0, 0, PLAN_HEADER, 8, 92));
	plan_spine(&p, 90, false, 1);
	CHECK(plan_answered(&p, 0, true, 1) == NULL);
	CHECK(asks(1, 0, PLAN_HEADER, 91, 9));
	plan_spine(&p, 95, true, 2);
	CHECK(plan_answered(&p, 0, false, 2) == NULL);
	CHECK(asks(2, 0, PLAN_DELEGATES, 96, 1));
	CHECK(strstr(plan_answered(&p, 0, false, 3), "who the delegates") !=
	    NULL);
	/* Blocks that were certified, and do not come. */
	plan_init(&p, 1, 0, TIMEOUT, false, 0);
	plan_met(&p, 0, 3, 0);
	CHECK(asks(0, 0, PLAN_HEADER, 1, 3));
	plan_spine(&p, 3, false, 0);
	CHECK(plan_answered(&p, 0, false, 0) == NULL);
	CHECK(asks(0, 0, PLAN_BLOCK, 1, 3));
	CHECK(plan_block(&p, 0, 1) && !plan_block(&p, 0, 1));
	CHECK(strstr(plan_answered(&p, 0, false, 0), "does not give") != NULL);
	plan_gone(&p, 0);
	plan_applied(&p, 1);
	plan_next(&p, 0, &step);
	CHECK(step.what == PLAN_DONE);
}

/* Two peers at height 100, of which the first has all headers by now. */
static void
two_ready(int64_t now)
{
	plan_init(&p, 2, 0, TIMEOUT, false, now);
	plan_met(&p, 0, 100, now);
	plan_met(&p, 1, 100, now);
	CHECK(asks(now, 0, PLAN_HEADER, 1, 100));
	plan_spine(&p, 100, false, now);
	CHECK(plan_answered(&p, 0, false, now) == NULL);
	for (int i = 0; i < 7; i++) {
		plan_next(&p, now, &step);
		CHECK(step.what == PLAN_ASK && step.ask.kind == PLAN_BLOCK);
	}
	CHECK(waits(now));
}

static void
silence(void)
{
	/* Who does not answer at all; the clock may begin anywhere. */
	plan_init(&p, 1, 0, TIMEOUT, false, 1000000);
	CHECK(waits(1000000 + TIMEOUT - 1));
	CHECK(leaves(1000000 + TIMEOUT, 0, "does not answer"));
	/* A byte gives a millisecond, and no more than the timeout ahead. */
	plan_init(&p, 1, 0, TIMEOUT, false, 0);
	plan_met(&p, 0, 1, 0);
	CHECK(asks(0, 0, PLAN_HEADER, 1, 1));
	plan_heard(&p, 0, 10, 1000);
	CHECK(waits(TIMEOUT + 9));
	plan_heard(&p, 0, 1000000, TIMEOUT + 9);
	CHECK(waits(2 * TIMEOUT + 8));
	CHECK(leaves(2 * TIMEOUT + 9, 0, "silent or too slow"));
	/* What we did meanwhile is not the peer's fault. */
	plan_init(&p, 1, 0, TIMEOUT, false, 0);
	plan_met(&p, 0, 1, 0);
	CHECK(asks(0, 0, PLAN_HEADER, 1, 1));
	plan_skip(&p, 100000);
	CHECK(waits(100000 + TIMEOUT - 1));
	CHECK(leaves(100000 + TIMEOUT, 0, "silent"));
	/* Without a limit, for ever. */
	plan_init(&p, 2, 0, -1, false, 0);
	plan_met(&p, 0, 1, 0);
	CHECK(asks(0, 0, PLAN_HEADER, 1, 1));
	CHECK(waits(INT64_MAX / 4));
}

/* The one that everything waits for is asked of another peer, too. */
static void
helping(void)
{
	int64_t stall;

	two_ready(0);
	stall = p.stall_ms;
	CHECK(p.slot[1].peer == 0 && p.slot[1].state == PLAN_ASKED);
	CHECK(waits(stall - 1));
	CHECK(asks(stall, 1, PLAN_BLOCK, 1, PLAN_BLOCKS));
	CHECK(p.slot[1].peer == 1 && p.peer[0].strikes == 1);
	/* Whoever is first; the other one's are not needed. */
	CHECK(plan_block(&p, 0, 1) && !plan_block(&p, 1, 1));
	CHECK(waits(stall));
	/* And who has to be helped again and again is left. */
	for (unsigned i = 2; i <= PLAN_STRIKES; i++)
		p.peer[0].strikes++;
	CHECK(leaves(stall, 0, "slow"));
}

/* What a peer that goes was asked for is asked of others, and what it gave may
 * be dropped. */
static void
going(void)
{
	unsigned of_0 = 0;

	two_ready(0);
	CHECK(plan_block(&p, 0, 1) && plan_block(&p, 0, 2));
	plan_applied(&p, 1);
	plan_gone(&p, 0);
	plan_drop(&p, 0, 1);
	for (uint64_t h = 1; h <= 100; h++)
		of_0 += p.slot[h].state != PLAN_NONE && p.slot[h].peer == 0;
	CHECK(of_0 == 0);
	CHECK(asks(0, 1, PLAN_BLOCK, 2, 15));
	plan_gone(&p, 1);
	plan_next(&p, 0, &step);
	CHECK(step.what == PLAN_DONE);
}

/* Bodies wait a while for those that are being opened, so that all headers can
 * be compared; and if much is held, only what is next is asked for. */
static void
patience(void)
{
	plan_init(&p, 2, 0, TIMEOUT, true, 0);
	plan_met(&p, 0, 50, 0);
	CHECK(asks(0, 0, PLAN_ADDR, 0, 0));
	CHECK(asks(0, 0, PLAN_HEADER, 1, 50));
	CHECK(plan_answered(&p, 0, false, 0) == NULL);
	plan_spine(&p, 50, false, 0);
	CHECK(plan_answered(&p, 0, false, 0) == NULL);
	CHECK(waits(p.stall_ms - 1) && step.until_ms == p.stall_ms);
	p.tight = true;
	CHECK(asks(p.stall_ms, 0, PLAN_BLOCK, 1, PLAN_BLOCKS));
	CHECK(waits(p.stall_ms));
	p.tight = false;
	CHECK(asks(p.stall_ms, 0, PLAN_BLOCK, 17, PLAN_BLOCKS));
	CHECK(plan_add(&p, 0) == 2);
	while (p.npeers < PLAN_PEERS)
		CHECK(plan_add(&p, 0) >= 0);
	CHECK(plan_add(&p, 0) == -1);
}

/* --- seeded: peers of all kinds ------------------------------------------- */

enum nature { HONEST, BEHIND, SILENT, MUTE, SLOW, DRIP, BRAGGART, SHORT, LIAR,
    DYING, NATURES };

static struct {
	enum nature nature;
	uint64_t has;		/* blocks */
	int64_t open_ms, free_ms;	/* when it answers, and the next */
	bool opened, left;
	int life;		/* answers that it still gives */
	int64_t heard_ms;
} peer[PLAN_PEERS];
static uint64_t seed, height, held;

static uint64_t
rnd(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static void
born(unsigned i, bool honest)
{
	memset(&peer[i], 0, sizeof(peer[i]));
	peer[i].nature = honest ? HONEST : (enum nature)rnd(NATURES);
	peer[i].has = peer[i].nature == BEHIND ? rnd(height + 1) : height;
	peer[i].open_ms = (int64_t)rnd(300);
	peer[i].life = (int)rnd(20);
}

/* The oldest request of peer i is answered: how its nature is. */
static void
answer(unsigned i, int64_t now)
{
	struct plan_ask a = *plan_oldest(&p, i);
	uint64_t end = a.from + a.count - 1, got = 0;
	bool lie = peer[i].nature == LIAR && rnd(4) == 0;
	const char *why;

	if (end > peer[i].has)
		end = peer[i].has;
	if (peer[i].nature == SHORT && a.kind == PLAN_BLOCK && rnd(3) == 0)
		end = a.from - 1 + rnd(a.count);
	if (lie || (peer[i].nature == DYING && peer[i].life-- == 0)) {
		peer[i].left = true;
		plan_gone(&p, i);
		if (lie)
			plan_drop(&p, i, p.applied);
		return;
	}
	if (a.kind == PLAN_HEADER && a.from <= p.spine + 1 && end > p.spine &&
	    !p.lacks)
		/* They change hands at each height that 700 divides. */
		plan_spine(&p, p.spine / 700 != end / 700 ?
		    (p.spine / 700 + 1) * 700 : end, p.spine / 700 !=
		    end / 700, now);
	if (a.kind == PLAN_DELEGATES && a.from == p.spine + 1)
		plan_spine(&p, p.spine, false, now);
	for (uint64_t h = a.from; a.kind == PLAN_BLOCK && h <= end; h++)
		got += plan_block(&p, i, h);
	held += got;
	why = plan_answered(&p, i, false, now);
	/* Who is honest has nothing to fear. */
	CHECK(why == NULL || peer[i].nature == BRAGGART ||
	    peer[i].nature == SHORT);
	if (why != NULL) {
		peer[i].left = true;
		plan_gone(&p, i);
	}
}

/* What peer i does until now. */
static void
live(unsigned i, int64_t now)
{
	static const int pace[NATURES] = { [SLOW] = 20000, [DRIP] = 1 };

	if (peer[i].left || peer[i].nature == SILENT || now < peer[i].open_ms)
		return;
	if (!peer[i].opened) {
		peer[i].opened = true;
		plan_met(&p, i, peer[i].nature == BRAGGART ? height +
		    rnd(5000) : peer[i].has, now);
		peer[i].free_ms = now;
	}
	if (peer[i].nature == MUTE || plan_oldest(&p, i) == NULL)
		return;
	if (peer[i].nature == DRIP) {
		if (now - peer[i].heard_ms >= 1000)
			plan_heard(&p, i, 1, now);
		peer[i].heard_ms = now;
		return;
	}
	if (peer[i].nature == SLOW)
		plan_heard(&p, i, 1000, now);
	if (now < peer[i].free_ms)
		return;
	answer(i, now);
	peer[i].free_ms = now + 1 + (int64_t)rnd(20) + pace[peer[i].nature];
}

static void
apply(void)
{
	uint64_t h = p.applied;

	while (h - p.applied < 100 && h < p.spine &&
	    p.slot[(h + 1) % PLAN_WINDOW].state == PLAN_HERE)
		h++;
	plan_applied(&p, h);
}

static bool
run_to_end(unsigned n, int64_t *now)
{
	for (long steps = 0; steps < 5000000; steps++) {
		plan_next(&p, *now, &step);
		if (step.what == PLAN_DONE)
			return true;
		if (step.what == PLAN_LEAVE) {
			CHECK(peer[step.peer].nature != HONEST);
			peer[step.peer].left = true;
			plan_gone(&p, step.peer);
		} else if (step.what == PLAN_ASK) {
			CHECK(!peer[step.peer].left);
			CHECK(step.ask.kind != PLAN_BLOCK ||
			    step.ask.from + step.ask.count - 1 <= p.spine);
			CHECK(step.ask.count > 0 ||
			    step.ask.kind == PLAN_ADDR);
		} else {
			apply();
			*now += 1 + (int64_t)rnd(10);
			for (unsigned i = 0; i < n; i++)
				live(i, *now);
		}
	}
	return false;
}

static void
worlds(void)
{
	for (uint64_t s = 1; s <= 300; s++) {
		unsigned n = 1 + (unsigned)((seed = s * 7919), rnd(8));
		int64_t now = 0;
		bool ended, all;

		height = rnd(4000);
		held = 0;
		plan_init(&p, n, 0, TIMEOUT, rnd(2) == 0, now);
		for (unsigned i = 0; i < n; i++)
			born(i, i == 0);
		ended = run_to_end(n, &now);
		all = p.applied == height;
		CHECK(ended && all);
		/* Whoever is bad, an honest peer is asked within the time of
		 * a few of them. */
		CHECK(now < 20 * TIMEOUT);
		if (!ended || !all)
			printf("seed %llu: %u peers, %llu of %llu blocks, "
			    "%lld ms\n", (unsigned long long)s, n,
			    (unsigned long long)p.applied,
			    (unsigned long long)height, (long long)now);
	}
}

int
main(void)
{
	headers();
	empty_claims();
	silence();
	helping();
	going();
	patience();
	worlds();
	return check_done("plan");
}
