/*
 * A block counts from when its file has its name: its bytes were fsynced
 * before.  Only at the first node are blocks read, to see what is in them.
 */
#define _GNU_SOURCE	/* faccessat, reallocarray */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "load.h"
#include "store/watch.h"

#define LOOK_MS 20		/* between looks, should inotify miss one */

static size_t *by_id;		/* indices of transactions, sorted by id */
static const struct load *sorting;
static struct pollfd fds[LOAD_NODES_MAX];

static int
by_id_cmp(const void *a, const void *b)
{
	return memcmp(sorting->tx[*(const size_t *)a].id.b,
	    sorting->tx[*(const size_t *)b].id.b, HASH_LEN);
}

void
load_watch_begin(struct load *l)
{
	struct head h;
	struct err e;

	by_id = calloc(l->ntx, sizeof(*by_id));
	if (by_id == NULL)
		load_die("out of memory", NULL);
	for (size_t i = 0; i < l->ntx; i++)
		by_id[i] = i;
	sorting = l;
	qsort(by_id, l->ntx, sizeof(*by_id), by_id_cmp);
	for (unsigned i = 0; i < l->n; i++) {
		struct load_node *n = &l->node[i];

		if (chain_head(&h, n->repo, &e) != 0)
			load_die(n->dir, &e);
		n->first = h.height;
		fds[i].fd = watch_open(n->repo, &e);
		fds[i].events = POLLIN;
		if (fds[i].fd < 0)
			load_die(n->dir, &e);
		watch_height(fds[i].fd, n->repo, n->first + 1);
	}
}

/* Which of ours are in the block? */
static void
take_block(struct load *l, uint64_t height)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);
	struct span body, note;
	struct block b;
	struct err e;

	if (chain_read(&text, l->node[0].repo, height, &e) != 0 ||
	    block_parse(&b, buf_span(&text), true,
	    repo_ledger(l->node[0].repo), &e) != 0)
		load_die("block", &e);
	body = b.body;
	while (block_next_tx(&body, &note) == 1) {
		size_t lo = 0, hi = l->ntx;
		struct hash id;

		hash_bytes(&id, note.p, note.n);
		while (lo < hi) {
			size_t mid = (lo + hi) / 2;
			struct load_tx *tx = &l->tx[by_id[mid]];
			int c = memcmp(id.b, tx->id.b, HASH_LEN);

			if (c == 0 && tx->height == 0) {
				tx->height = height;
				l->final++;
			}
			lo = c > 0 ? mid + 1 : lo;
			hi = c > 0 ? hi : c < 0 ? mid : lo;
		}
	}
	buf_free(&text);
}

static void
look(struct load *l, unsigned i)
{
	struct load_node *n = &l->node[i];
	size_t before = n->nseen;
	char path[CHAIN_PATH_LEN];

	watch_take(fds[i].fd);
	for (;;) {
		uint64_t height = n->first + n->nseen + 1;

		chain_path(path, height);
		if (faccessat(n->repo->dirfd, path, F_OK, 0) != 0)
			break;
		if (n->nseen == n->cap) {
			n->cap = 2 * n->cap + 64;
			n->seen = reallocarray(n->seen, n->cap,
			    sizeof(*n->seen));
			if (n->seen == NULL)
				load_die("out of memory", NULL);
		}
		n->seen[n->nseen++] = clock_s();
		if (i == 0)
			take_block(l, height);
	}
	/* The next one may be the first in its folder. */
	if (n->nseen > before)
		watch_height(fds[i].fd, n->repo, n->first + n->nseen + 1);
}

static bool
all_there(const struct load *l)
{
	if (l->final < l->ntx)
		return false;
	for (unsigned i = 0; i < l->n; i++)
		if (l->node[i].first + l->node[i].nseen <
		    l->node[0].first + l->node[0].nseen)
			return false;
	return true;
}

bool
load_watch(struct load *l)
{
	double until = clock_s() + l->give_up_s;
	bool all = false;

	while (!all && clock_s() < until) {
		if (poll(fds, l->n, LOOK_MS) < 0)
			continue;
		for (unsigned i = 0; i < l->n; i++)
			look(l, i);
		all = all_there(l);
	}
	for (unsigned i = 0; i < l->n; i++)
		close(fds[i].fd);
	free(by_id);
	return all;
}

double
load_final_at(const struct load *l, const struct load_tx *tx, unsigned i)
{
	return l->node[i].seen[tx->height - l->node[i].first - 1];
}

double
load_final(const struct load *l, const struct load_tx *tx)
{
	double last = 0;

	for (unsigned i = 0; i < l->n; i++)
		if (load_final_at(l, tx, i) > last)
			last = load_final_at(l, tx, i);
	return last;
}
