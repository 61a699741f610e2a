/*
 * verify: what verifying the signatures of a chain takes alone.
 *
 *	verify DIR
 *
 * Prints how many there are, of transactions and certificates, and the seconds
 * that all cores together needed to verify them, and that they worked.  What
 * else a new node has to do is not in it: blocks are read and parsed before.
 */
#define _POSIX_C_SOURCE 200809L	/* clock_gettime */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/parallel.h"
#include "store/chain.h"

#define TOGETHER 512		/* blocks that are verified at once */

struct one {
	struct buf text;
	struct block b;
	struct delegates set;
};

static struct repo *repo;
static struct db *db;
static struct one one[TOGETHER];
static double took[2];		/* seconds: until it was done, and of work */
static size_t signatures;

static void
must(int ret, const struct err *e)
{
	if (ret == 0)
		return;
	fprintf(stderr, "verify: %s\n", e->msg);
	exit((int)e->kind);
}

static void
add_times(double sign)
{
	static const clockid_t clock[2] = { CLOCK_MONOTONIC,
	    CLOCK_PROCESS_CPUTIME_ID };
	struct timespec t;

	for (int i = 0; i < 2; i++) {
		clock_gettime(clock[i], &t);
		took[i] += sign * ((double)t.tv_sec + (double)t.tv_nsec / 1e9);
	}
}

static void
read_block(struct one *o, uint64_t height)
{
	struct err e;

	buf_init(&o->text, CHAIN_FILE_MAX);
	must(chain_read(&o->text, repo, height, &e), &e);
	must(block_parse(&o->b, buf_span(&o->text), true, repo_ledger(repo),
	    &e), &e);
	must(state_delegates(&o->set, db, height, &e), &e);
	signatures += delegates_quorum(o->set.n);
}

/* Those of its transactions, with the keys that the state has now. */
static void
add_signatures(struct verify_batch *batch, const struct block *b)
{
	struct span body = b->body, note;
	struct state_view view;
	struct sign_pub pub;
	struct err e = { .msg = "a transaction of nobody" };
	struct tx tx;
	int got;

	state_view_init(&view, repo, db);
	while (block_next_tx(&body, &note) == 1) {
		must(tx_parse(&tx, note, repo_ledger(repo), &e), &e);
		got = view.v.key(view.v.arg, tx.author, &pub, &e);
		if (got == 1)
			got = verify_later(batch, &tx.note, tx.author, &pub,
			    &e);
		must(got == 1 ? 0 : -1, &e);
		tx_free(&tx);
	}
}

static void
check_certificate(void *arg, unsigned worker, size_t i)
{
	struct one *o = arg;
	uint64_t signers;
	struct err e;

	(void)worker;
	must(certificate_check(o[i].b.certificate, &o[i].b.h, &o[i].set,
	    repo_ledger(repo), &signers, &e), &e);
}

int
main(int argc, char **argv)
{
	struct verify_batch *batch;
	uint64_t at = 0;
	struct head h;
	struct err e;

	if (argc != 2) {
		fprintf(stderr, "usage: verify DIR\n");
		return 2;
	}
	must(repo_open(&repo, argv[1], &e), &e);
	must(chain_head(&h, repo, &e), &e);
	must(db_of(&db, repo, &e), &e);
	must(verify_open(&batch, &e), &e);
	while (at < h.height) {
		size_t n = 0;

		for (; n < TOGETHER && at < h.height; n++) {
			read_block(&one[n], ++at);
			add_signatures(batch, &one[n].b);
		}
		signatures += verify_count(batch);
		add_times(-1);
		must(verify_all(batch, &e), &e);
		parallel_run(n, 8, check_certificate, one);
		add_times(1);
		while (n > 0)
			buf_free(&one[--n].text);
	}
	verify_free(batch);
	repo_close(repo);
	printf("%zu %.3f %.3f\n", signatures, took[0], took[1]);
	return 0;
}
