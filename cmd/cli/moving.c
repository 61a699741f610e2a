#include "cli/moving.h"

void
moving_end(struct moving *m)
{
	if (m->doing != NULL)
		progress_end(&m->bar);
	m->doing = NULL;
}

void
moving_watch(void *arg, const struct sync_result *res)
{
	struct moving *m = arg;
	uint64_t bytes;

	if (res == NULL) {
		moving_end(m);
		return;
	}
	bytes = res->pulled.bytes + res->pushed.bytes + res->chain_bytes;
	if (m->doing != res->doing || res->done < m->done) {
		moving_end(m);
		progress_start(&m->bar, m->c, res->doing, res->total);
		m->doing = res->doing;
		m->done = 0;
		m->bytes = bytes;
	}
	progress_add(&m->bar, res->done - m->done, bytes - m->bytes);
	m->done = res->done;
	m->bytes = bytes;
}

/* A peer's part begins. */
static void
begin(void *arg, struct peer *p)
{
	p->res.watch = moving_watch;
	p->res.arg = arg;
}

void
moving_start(struct moving *m, struct exchange *x)
{
	x->begin = begin;
	x->arg = m;
	x->chain.watch = moving_watch;
	x->chain.arg = m;
}

void
moving_narrate(struct moving *m, const char *peer, const char *way,
    const struct sync_count *n)
{
	cli_verbose(m->c, "%s: %s %llu blocks, %llu objects (%llu bytes), "
	    "%llu staged records, %llu transactions", peer, way,
	    (unsigned long long)n->blocks, (unsigned long long)n->objects,
	    (unsigned long long)n->bytes, (unsigned long long)n->staged,
	    (unsigned long long)n->pending);
}
