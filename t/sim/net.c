/* net: events in the order of their time, and packets under way. */
#include <assert.h>

#include "t/sim/sim.h"

static bool
before(const struct event *a, const struct event *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->seq < b->seq;
}

void
event_add(struct world *w, int64_t at, enum event_kind k, unsigned arg)
{
	struct event e = { at < w->now ? w->now : at, w->seq++, k, arg };
	size_t i = w->nheap;

	if (w->nheap == sizeof(w->heap) / sizeof(w->heap[0])) {
		fail(w, "the world is full of events");
		return;
	}
	w->nheap++;
	for (; i > 0 && before(&e, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = e;
}

bool
event_next(struct world *w, struct event *e)
{
	struct event last;
	size_t i = 0, c;

	if (w->nheap == 0)
		return false;
	*e = w->heap[0];
	last = w->heap[--w->nheap];
	for (; (c = 2 * i + 1) < w->nheap; i = c) {
		if (c + 1 < w->nheap && before(&w->heap[c + 1], &w->heap[c]))
			c++;
		if (!before(&w->heap[c], &last))
			break;
		w->heap[i] = w->heap[c];
	}
	w->heap[i] = last;
	return true;
}

void
net_free(struct world *w, unsigned i)
{
	assert(w->used[i]);
	w->used[i] = false;
	w->freelist[w->nfree++] = i;
}

static void
put(struct world *w, const struct packet *p, unsigned to, int64_t delay)
{
	unsigned i;

	if (w->nfree == 0)
		return;		/* lost, like others */
	i = w->freelist[--w->nfree];
	w->packet[i] = *p;
	w->packet[i].to = to;
	w->used[i] = true;
	w->packet[i].seq = w->seq++;
	if (!w->manual)
		event_add(w, w->now + delay, E_PACKET, i);
}

static int64_t
delay_of(struct world *w)
{
	int64_t d = 1 + (int64_t)rnd(w, (uint64_t)w->delay_ms);

	if (!w->calm && chance(w, w->slow, 100))
		d += (int64_t)rnd(w, 8 * BASE_MS);
	return d;
}

void
net_send(struct world *w, const struct packet *p, unsigned from_inst,
    unsigned to)
{
	unsigned kind = p->kind == P_FETCH ? DBFT_IN_FINAL + 1 : p->in;
	bool faulty = true;

	for (unsigned i = 0; i < w->ninst; i++) {
		struct inst *x = &w->inst[i];

		if (x->me != to)
			continue;
		faulty = faulty && x->role == FAULTY;
		if (x->role == FAULTY || (w->calm && (w->live >> i & 1) == 0))
			continue;
		if (from_inst < INST_MAX && !w->calm &&
		    ((w->inst[from_inst].cut >> to & 1) != 0 ||
		    chance(w, w->loss[kind], 100)))
			continue;
		/* Of twins now one hears, now the other, now both. */
		if (x->role == TWIN && chance(w, 1, 3))
			continue;
		put(w, p, i, delay_of(w));
		if (!w->calm && chance(w, w->dup, 1000))
			put(w, p, i, delay_of(w));
	}
	if (faulty)
		adversary_hears(w, to, p);
}
