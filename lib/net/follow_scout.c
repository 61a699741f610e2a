/* What follow does first: the chain, from all peers at once, and whom else
 * there is to follow. */
#include "net/exchange.h"
#include "net/follow_part.h"

static void
begin(void *arg, const struct peer *p)
{
	struct follow *f = arg;
	struct err e;

	if (follow_add(f, p, &e) != 0)
		follow_fail(f, &e);
}

static int
scout(struct follow *f, struct repo *r, struct err *e)
{
	struct exchange x = { .flags = SYNC_PULL | SYNC_BLOCKS,
	    .learn = f->o.learn, .done = begin, .stop = f->stop[0],
	    .arg = f };
	int ret = exchange_run(&x, &f->peers, r, e);

	/* Another one writes the directory: each peer brings the rest. */
	if (ret != 0 && e->kind != ERR_AGAIN)
		return -1;
	for (size_t i = 0; i < f->peers.n; i++)
		begin(f, &f->peers.v[i]);
	return 0;
}

void *
follow_scout(void *arg)
{
	struct follow *f = arg;
	struct repo *r = NULL;
	struct err e;
	int ret = repo_open(&r, f->path, &e);

	if (ret == 0)
		ret = scout(f, r, &e);
	if (ret == 0)
		follow_scouted(f, r);
	if (ret != 0)
		follow_fail(f, &e);
	/* Their sessions know the directory. */
	peers_free(&f->peers);
	repo_close(r);
	return NULL;
}
