#include <stdarg.h>
#include <stdio.h>

#include "t/sim/sim.h"

void
trace_line(const struct world *w, const char *fmt, ...)
{
	va_list ap;

	printf("%8lld  ", (long long)w->now);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

const char *
show_vote(const struct dbft_msg *m)
{
	static char ring[4][80];
	static unsigned turn;
	char *s = ring[turn++ % 4];
	static const char *const name[] = {
		"entered", "change-view", "prepare", "commit"
	};

	if (m->kind == DBFT_PREPARE || m->kind == DBFT_COMMIT)
		snprintf(s, sizeof(ring[0]), "%s %llu/%u block %u",
		    name[m->kind], (unsigned long long)m->height, m->view,
		    block_index(&m->block));
	else if (m->kind == DBFT_CHANGE && m->prepared)
		snprintf(s, sizeof(ring[0]),
		    "%s %llu/%u with block %u of view %u", name[m->kind],
		    (unsigned long long)m->height, m->view,
		    block_index(&m->block), m->prepared_view);
	else
		snprintf(s, sizeof(ring[0]), "%s %llu/%u", name[m->kind],
		    (unsigned long long)m->height, m->view);
	return s;
}

static const char *
show_cert(const char *what, const struct dbft_cert *c)
{
	static char s[96];

	snprintf(s, sizeof(s), "%s %llu/%u block %u by %llx", what,
	    (unsigned long long)c->height, c->view, block_index(&c->block),
	    (unsigned long long)c->signers);
	return s;
}

const char *
show_packet(const struct packet *p)
{
	static char s[160];

	if (p->kind == P_FETCH) {
		snprintf(s, sizeof(s), "fetch from %llu",
		    (unsigned long long)p->height);
		return s;
	}
	switch (p->in) {
	case DBFT_IN_PROPOSAL:
		snprintf(s, sizeof(s), "proposal %s, %zu change-views%s",
		    show_vote(&p->vote.msg), p->n,
		    p->cert.signers != 0 ? ", certificate" : "");
		return s;
	case DBFT_IN_PREPARED:
		return show_cert("certificate", &p->cert);
	case DBFT_IN_FINAL:
		return show_cert("final", &p->cert);
	default:
		snprintf(s, sizeof(s), "%s of %u (+%zu)",
		    show_vote(&p->vote.msg), p->vote.signer, p->n);
		return s;
	}
}
