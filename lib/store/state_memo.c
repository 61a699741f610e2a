#include "store/state_memo.h"

#include <stdlib.h>

#define NAMES 128		/* a power of two */

struct state_memo {
	struct state_memo_name place[NAMES];
};

struct state_memo *
state_memo_open(void)
{
	return calloc(1, sizeof(struct state_memo));
}

void
state_memo_free(struct state_memo *m)
{
	free(m);
}

void
state_memo_clear(struct state_memo *m)
{
	for (size_t i = 0; m != NULL && i < NAMES; i++)
		m->place[i].n = 0;
}

struct state_memo_name *
state_memo_of(struct state_memo *m, struct span name)
{
	struct state_memo_name *p;
	uint32_t at = 0;

	if (m == NULL || name.n == 0 || name.n > sizeof(p->name))
		return NULL;
	for (size_t i = 0; i < name.n; i++)
		at = at * 31 + name.p[i];
	p = &m->place[(at ^ at >> 16) & (NAMES - 1)];
	if (p->n == name.n && memcmp(p->name, name.p, name.n) == 0)
		return p;
	p->has_key = p->has_perms = p->has_role = false;
	p->n = name.n;
	memcpy(p->name, name.p, name.n);
	return p;
}
