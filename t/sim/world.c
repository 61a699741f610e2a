/* world: one run, from its seed to its end. */
#include <stdio.h>

#include "t/sim/sim.h"

static void
clear_inst(struct inst *x, unsigned me)
{
	x->me = me;
	x->role = HONEST;
	x->up = true;
	x->alone = false;
	x->records = x->synced = x->first = 0;
	x->ncerts = x->nheard = x->nread = 0;
	memset(x->body_disk, 0, sizeof(x->body_disk));
	memset(x->body, 0, sizeof(x->body));
	x->head = 0;
	x->head_ms = EPOCH_MS;
	x->floor = 0;
	x->read = 0;
	x->wake_ms = DBFT_NEVER;
	x->work_ms = -1;
	x->cut = 0;
	x->skew_ms = 0;
	x->away = x->missed = 0;
	x->s.height = 0;
}

void
world_init(struct world *w, uint64_t seed, unsigned n)
{
	bool traced = w->trace;

	/* Everything but the big arrays, of which only parts are in use. */
	for (unsigned i = 0; i < PACKETS; i++) {
		w->used[i] = false;
		w->freelist[i] = PACKETS - 1 - i;
	}
	w->nfree = PACKETS;
	w->nheap = w->nvotes = 0;
	w->nblocks = 0;
	memset(w->table, 0, sizeof(w->table));
	memset(w->slot, 0, sizeof(w->slot));
	memset(w->is_final, 0, sizeof(w->is_final));
	memset(w->loss, 0, sizeof(w->loss));
	w->seed = w->rng = seed;
	w->trace = traced;
	w->manual = w->pipes = w->calm = w->adversary_stays = false;
	w->skips = w->clocks = false;
	w->n = w->ninst = n;
	w->f = (n - 1) / 3;
	w->quorum = n - w->f;
	w->now = 0;
	w->seq = w->events = w->top = 0;
	w->bad = w->live = w->workers = 0;
	w->dup = w->crash = w->amnesia = w->diskfull = w->slow = 0;
	w->lost_blocks = 0;
	w->delay_ms = 10;
	w->failure[0] = '\0';
	for (unsigned i = 0; i < INST_MAX; i++)
		clear_inst(&w->inst[i], i);
}

static void
restart(struct world *w, struct inst *x)
{
	unsigned i = inst_index(w, x);

	if (x->role == FAULTY || (w->calm && (w->live >> i & 1) == 0))
		return;
	trace(w, "%u: starts at height %llu", i,
	    (unsigned long long)x->head + 1);
	x->up = true;
	if (!x->alone)
		inst_start(w, x);
}

static void
work(struct world *w, struct inst *x)
{
	unsigned i = inst_index(w, x);

	if (x->role != FAULTY && (!w->calm || (w->workers >> i & 1) != 0))
		inst_work(w, x);
}

static void
happen(struct world *w, const struct event *e)
{
	struct inst *x = &w->inst[e->arg % INST_MAX];
	struct packet *p;

	switch (e->kind) {
	case E_PACKET:
		p = &w->packet[e->arg];
		if (w->inst[p->to].up)
			trace(w, "%u > %u: %s", p->from, p->to,
			    show_packet(p));
		inst_deliver(w, &w->inst[p->to], p);
		net_free(w, e->arg);
		break;
	case E_WAKE:
		inst_wake(w, x);
		break;
	case E_RESTART:
		restart(w, x);
		break;
	case E_WORK:
		work(w, x);
		break;
	case E_FAULT:
		if (w->calm)
			break;
		faults_happen(w);
		event_add(w, w->now + 1 + (int64_t)rnd(w, 4 * BASE_MS),
		    E_FAULT, 0);
		break;
	case E_ADVERSARY:
		if (w->calm && !w->adversary_stays)
			break;
		adversary_acts(w);
		event_add(w, w->now + 1 + (int64_t)rnd(w, BASE_MS / 2),
		    E_ADVERSARY, 0);
		break;
	case E_SYNC:
		if (w->calm && (w->live >> e->arg & 1) == 0)
			break;
		inst_sync(w, x);
		event_add(w, w->now + 2 * BASE_MS +
		    (int64_t)rnd(w, 2 * BASE_MS), E_SYNC, e->arg);
		break;
	}
}

bool
world_event(struct world *w)
{
	struct event e;

	if (w->failure[0] != '\0' || !event_next(w, &e))
		return false;
	w->now = e.at_ms;
	w->events++;
	happen(w, &e);
	return w->failure[0] == '\0';
}

/* The first phase: anything may happen. */
static void
storm(struct world *w)
{
	int64_t end = (int64_t)(5 + rnd(w, 60)) * BASE_MS;

	for (unsigned i = 0; i < w->ninst; i++) {
		event_add(w, 0, E_RESTART, i);
		event_add(w, (int64_t)rnd(w, BASE_MS), E_WORK, i);
		event_add(w, (int64_t)rnd(w, 4 * BASE_MS), E_SYNC, i);
	}
	event_add(w, (int64_t)rnd(w, 4 * BASE_MS), E_FAULT, 0);
	if (w->n > 1)
		event_add(w, (int64_t)rnd(w, BASE_MS), E_ADVERSARY, 0);
	while (w->now < end && w->events < 2000 && w->top < 24 &&
	    w->nvotes < VOTES / 2 && w->nblocks < BLOCKS / 2)
		if (!world_event(w))
			return;
}

static bool
reached(const struct world *w, uint64_t goal)
{
	for (unsigned i = 0; i < w->ninst; i++)
		if ((w->live >> i & 1) != 0 && w->inst[i].head < goal)
			return false;
	return true;
}

/* The time-out of a view. */
static int64_t
timeout_of(uint32_t view)
{
	return view > 5 ? CAP_MS : BASE_MS << view;
}

/* From view v on, until one has had a good speaker and time enough. */
static int64_t
rounds(const struct world *w, uint32_t v)
{
	int64_t sum = 0;

	for (; timeout_of(v) < CAP_MS && timeout_of(v) < 8 * w->delay_ms; v++)
		sum += timeout_of(v);
	for (unsigned i = 0; i < w->n; i++)
		sum += timeout_of(v++);
	return sum;
}

/* The view that it is in, or that it will find in its journal. */
static uint32_t
view_of(const struct inst *x)
{
	const struct dbft_msg *last;

	if (x->s.height != 0)
		return x->s.view;
	if (x->records == 0)
		return 0;
	last = &x->journal[x->records - 1].msg;
	return last->height == x->head + 1 ? last->view : 0;
}

/*
 * How long M delegates may take.  In each view the first message must find
 * all of them, and five more follow: propose, prepare, show, commit, final.
 * So views are too short until their time-out is above eight delays; of the n
 * views after that, one has a speaker who is well and knows of work.  Who was
 * cut off must hear of the view first; and if those are skipped who are taken
 * for dead, the first n views may all go by, and it begins anew.
 */
static int64_t
patience(const struct world *w, unsigned blocks)
{
	uint32_t top = 0;
	int64_t sum = 0;

	for (unsigned i = 0; i < w->ninst; i++) {
		uint32_t view = view_of(&w->inst[i]);

		top = view > top ? view : top;
	}
	for (unsigned b = 0; b < blocks; b++)
		sum += rounds(w, b == 0 ? top : 0) +
		    (w->skips ? rounds(w, 0) : 0);
	return sum + 8 * BASE_MS * (int64_t)blocks;
}

/* The second phase: they must make blocks. */
static void
calm(struct world *w)
{
	const unsigned blocks = 3;
	int64_t start = w->now, end;
	uint64_t goal = 0;

	faults_end(w);
	if (w->live == 0)
		return;
	for (unsigned i = 0; i < w->ninst; i++)
		if ((w->live >> i & 1) != 0 && w->inst[i].head > goal)
			goal = w->inst[i].head;
	goal += blocks;
	end = start + patience(w, blocks);
	trace(w, "CALM: instances %llx must reach height %llu by %lld",
	    (unsigned long long)w->live, (unsigned long long)goal,
	    (long long)end);
	while (!reached(w, goal)) {
		if (w->now > end) {
			fail(w, "instances %llx have not reached height %llu",
			    (unsigned long long)w->live,
			    (unsigned long long)goal);
			return;
		}
		if (!world_event(w))
			return;
	}
	w->took_ms = w->now - start;
	w->share = (double)w->took_ms / (double)(end - start);
}

bool
world_run(struct world *w, uint64_t seed)
{
	static const unsigned sizes[] = {
		1, 2, 3, 4, 4, 4, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8
	};

	w->rng = seed;
	world_init(w, seed, w->only_n > 0 ? w->only_n :
	    sizes[rnd(w, sizeof(sizes) / sizeof(sizes[0]))]);
	w->seed = seed;
	w->pbft = w->only_engine != NULL ? w->only_engine[0] == 'p' :
	    seed % 5 == 0;
	w->took_ms = -1;
	faults_choose(w);
	trace(w, "%s, n = %u, bad %llx%s", w->pbft ? "PBFT" : "dBFT", w->n,
	    (unsigned long long)w->bad, w->pipes ? ", pipes" : "");
	storm(w);
	if (w->failure[0] == '\0')
		calm(w);
	return w->failure[0] == '\0';
}
