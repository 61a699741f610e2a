/* faults: the character of a run, and what goes wrong in it. */
#include "t/sim/sim.h"

static unsigned
pick(struct world *w, const unsigned *of, unsigned n)
{
	return of[rnd(w, n)];
}

/* Up to f delegates are faulty, or run twice. */
static void
choose_bad(struct world *w)
{
	unsigned bad = (unsigned)rnd(w, w->f + 1);

	if (w->f > 0 && bad == 0 && chance(w, 1, 2))
		bad = w->f;
	for (; bad > 0; bad--) {
		struct inst *x = &w->inst[rnd(w, w->n)];

		if ((w->bad >> x->me & 1) != 0)
			continue;
		w->bad |= UINT64_C(1) << x->me;
		if (chance(w, 1, 3)) {
			x->role = TWIN;
			w->inst[w->ninst].me = x->me;
			w->inst[w->ninst].role = TWIN;
			w->inst[w->ninst++].up = true;
		} else {
			x->role = FAULTY;
			x->up = false;
		}
	}
}

static void
choose_losses(struct world *w)
{
	static const unsigned little[] = { 0, 0, 0, 2, 10 };
	static const unsigned some[] = { 0, 0, 10, 30, 60 };
	static const unsigned much[] = { 0, 20, 50, 80, 95 };
	unsigned level = (unsigned)rnd(w, 3);

	for (unsigned i = 0; i < DBFT_IN_FINAL + 2; i++)
		w->loss[i] = pick(w, level == 0 ? little : level == 1 ? some :
		    much, 5);
	/* Without change-views nothing happens at all. */
	if (w->loss[DBFT_IN_CHANGE] > 50)
		w->loss[DBFT_IN_CHANGE] = 50;
}

void
faults_choose(struct world *w)
{
	static const unsigned crash[] = { 0, 0, 1, 5, 30 };
	static const unsigned dup[] = { 0, 10, 100, 300 };
	static const unsigned slow[] = { 0, 0, 2, 10, 40 };
	static const unsigned delay[] = { 5, 50, 300, 1500 };

	choose_bad(w);
	choose_losses(w);
	w->pipes = chance(w, 2, 5);
	w->crash = pick(w, crash, 5);
	w->dup = pick(w, dup, 4);
	w->slow = pick(w, slow, 5);
	w->delay_ms = pick(w, delay, 4);
	w->diskfull = chance(w, 1, 6) ? 20 : 0;
	w->amnesia = chance(w, 1, 4) ? 300 : 0;
	w->adversary_stays = chance(w, 1, 3);
	w->skips = chance(w, 1, 4);
	w->clocks = chance(w, 1, 5);
	for (unsigned i = 0; i < w->ninst; i++) {
		w->inst[i].alone = w->pipes && chance(w, 1, 5);
		w->inst[i].away = rnd(w, UINT64_C(1) << w->n);
		w->inst[i].missed = rnd(w, UINT64_C(1) << w->n);
	}
}

static void
cut_links(struct world *w)
{
	uint64_t side = rnd(w, UINT64_C(1) << w->n);
	bool both = chance(w, 1, 2);

	for (unsigned i = 0; i < w->ninst; i++) {
		struct inst *x = &w->inst[i];

		x->cut = 0;
		if ((side >> x->me & 1) != 0)
			x->cut = ~side;
		else if (both)
			x->cut = side;
	}
	trace(w, "cut %llx%s", (unsigned long long)side,
	    both ? "" : ", one way");
}

/* Who loses blocks and journal has a fault in the sense of f: what others
 * deduce from its height is no longer true. */
static bool
may_lose_blocks(struct world *w)
{
	unsigned bad = 0;

	for (unsigned i = 0; i < w->n; i++)
		bad += (unsigned)(w->bad >> i & 1);
	return bad + w->lost_blocks < w->f;
}

static void
lose_journal(struct world *w, struct inst *x)
{
	size_t mine;

	if (x->up)
		inst_crash(w, x);
	if (chance(w, 1, 3) && x->records > x->first) {
		/* A tail that was synced is gone: seen, and stay silent. */
		mine = x->records - x->first;
		x->records -= 1 + rnd(w, mine);
		x->synced = x->records;
		x->floor = x->head + 1 > x->floor ? x->head + 1 : x->floor;
		trace(w, "%u: LOST TAIL", inst_index(w, x));
	} else if (may_lose_blocks(w) && chance(w, 2, 3)) {
		w->lost_blocks++;
		inst_amnesia(w, x, true);
	} else
		inst_amnesia(w, x, false);
}

void
faults_happen(struct world *w)
{
	struct inst *x = &w->inst[rnd(w, w->ninst)];

	switch (rnd(w, 7)) {
	case 6:
		/* Who sets a clock starts the service again. */
		if (!w->clocks || x->role == FAULTY)
			break;
		x->skew_ms += (int64_t)rnd(w, 20 * BASE_MS) - 10 * BASE_MS;
		trace(w, "%u: clock set", inst_index(w, x));
		inst_active(w, x, true);
		break;
	case 0:
	case 1:
		cut_links(w);
		break;
	case 2:
		trace(w, "links whole");
		for (unsigned i = 0; i < w->ninst; i++)
			w->inst[i].cut = 0;
		break;
	case 3:
		if (x->role != FAULTY && x->up && w->crash > 0)
			inst_crash(w, x);
		break;
	case 4:
		if (x->role == HONEST && chance(w, w->amnesia, 1000))
			lose_journal(w, x);
		break;
	default:
		if (w->pipes && x->role != FAULTY)
			inst_active(w, x, !chance(w, 1, 3));
		break;
	}
}

/* The honest who can vote at once when all have what the first has. */
static uint64_t
able(const struct world *w)
{
	uint64_t set = 0, was;
	uint64_t top = 0;

	for (unsigned i = 0; i < w->ninst; i++)
		if (w->inst[i].role == HONEST)
			set |= UINT64_C(1) << i;
	do {
		was = set;
		top = 0;
		for (unsigned i = 0; i < w->ninst; i++)
			if ((set >> i & 1) != 0 && w->inst[i].head > top)
				top = w->inst[i].head;
		for (unsigned i = 0; i < w->ninst; i++)
			if (w->inst[i].floor > top)
				set &= ~(UINT64_C(1) << i);
	} while (set != was);
	return set;
}

static unsigned
size_of(uint64_t set)
{
	unsigned n = 0;

	for (; set != 0; set &= set - 1)
		n++;
	return n;
}

/* f + 1 of them know of work, or everybody. */
static void
choose_workers(struct world *w)
{
	w->workers = w->live;
	if (chance(w, 1, 2))
		while (size_of(w->workers) > w->f + 1)
			w->workers &= ~(UINT64_C(1) << rnd(w, w->ninst));
}

static void
mend(struct world *w, struct inst *x)
{
	unsigned i = inst_index(w, x);

	x->cut = 0;
	x->alone = false;
	x->up = (w->live >> i & 1) != 0;
	if (!x->up)
		return;
	x->work_ms = (w->workers >> i & 1) != 0 ? local_ms(w, x) : -1;
	event_add(w, w->now + 1 + (int64_t)rnd(w, BASE_MS), E_RESTART, i);
	event_add(w, w->now + (int64_t)rnd(w, BASE_MS), E_SYNC, i);
}

/* M honest delegates, or more, from now on are well and hear each other. */
void
faults_end(struct world *w)
{
	static const unsigned delay[] = { 5, 50, 50, 300, 1000, 2500 };
	uint64_t set = able(w);
	size_t spare;

	w->calm = true;
	w->crash = w->diskfull = w->amnesia = 0;
	w->delay_ms = pick(w, delay, 6);
	if (size_of(set) < w->quorum)
		return;
	spare = rnd(w, size_of(set) - w->quorum + 1);
	while (spare > 0) {
		uint64_t one = UINT64_C(1) << rnd(w, w->ninst);

		if ((set & one) != 0)
			spare--;
		set &= ~one;
	}
	w->live = set;
	choose_workers(w);
	for (unsigned i = 0; i < w->ninst; i++)
		mend(w, &w->inst[i]);
}
