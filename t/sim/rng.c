#include "t/sim/sim.h"

/* splitmix64 (Steele, Lea, Flood 2014): the whole run hangs on one number. */
static uint64_t
next(struct world *w)
{
	uint64_t z = w->rng += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t
rnd(struct world *w, uint64_t below)
{
	return below == 0 ? 0 : next(w) % below;
}

bool
chance(struct world *w, unsigned per, unsigned of)
{
	return per > 0 && rnd(w, of) < per;
}
