#include "cli/moving.h"

void
moving_end(struct moving *m)
{
	if (m->of != NULL)
		progress_end(&m->bar);
	m->of = NULL;
}

static bool
is_new(const struct moving *m, const struct sync_result *res)
{
	return m->of != res || strcmp(m->doing, res->doing) != 0 ||
	    res->done < m->done;
}

void
moving_watch(void *arg, const struct sync_result *res)
{
	struct moving *m = arg;

	if (res == NULL) {
		moving_end(m);
		return;
	}
	if (is_new(m, res)) {
		moving_end(m);
		progress_start(&m->bar, m->c, res->doing);
		m->of = res;
		m->doing = res->doing;
		m->bytes = res->wire_bytes;
	}
	m->done = res->done;
	progress_set(&m->bar, res->done, res->total,
	    res->wire_bytes - m->bytes);
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
