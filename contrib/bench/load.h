/*
 * load: puts transactions into the pools of the nodes of a ledger, watches
 * until they are final, and tells how fast that was; see load.c.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "count.h"
#include "store/chain.h"

#define LOAD_NODES_MAX 16

/* One transaction of the load, and what became of it.  Times: clock_s(). */
struct load_tx {
	struct span note;	/* never released */
	struct hash id;
	unsigned node;		/* in whose pool it was put */
	double due, acked;	/* to be submitted; its pool_commit returned */
	uint64_t height;	/* of its block, 0: none yet */
};

/* A node as the watcher sees it: when each block's file was there. */
struct load_node {
	const char *dir;
	struct repo *repo;	/* the watcher's */
	uint64_t first;		/* height when the load began */
	double *seen;		/* [height - first - 1] */
	size_t nseen, cap;
};

struct load {
	struct load_node node[LOAD_NODES_MAX];
	unsigned n;
	struct load_tx *tx;
	size_t ntx;
	double rate;		/* transactions per second; 0: all they take */
	size_t backlog;		/* then at most so many wait at a node */
	double began;		/* the first one was submitted */
	_Atomic size_t final;	/* transactions in a block of the first node */
	_Atomic bool stop;
	double give_up_s;
};

/* Seconds since some start. */
double clock_s(void);

/* End the program with a message. */
_Noreturn void load_die(const char *what, const struct err *e);

/*
 * load_make.c: enrol the people of the load, whose enrolments the
 * administrator of that key file signs, and wait until they are final; then
 * sign l->ntx transactions, and store the objects that they name at each node.
 */
void load_people(struct load *l, const char *admin_key);
void load_make(struct load *l);

/* load_submit.c: start a thread for each node that puts the transactions into
 * its pool, and end them. */
void load_submit_start(struct load *l);
void load_submit_end(struct load *l);

/*
 * load_watch.c: wait until the first ntx transactions are final at all nodes,
 * or for l->give_up_s seconds: false.
 */
void load_watch_begin(struct load *l);
bool load_watch(struct load *l);

/* When the block of that transaction was at node i; and at all of them. */
double load_final_at(const struct load *l, const struct load_tx *tx,
    unsigned i);
double load_final(const struct load *l, const struct load_tx *tx);

/* load_limit.c: Ed25519 verifications per second on all cores, as
 * "openssl speed" measures them. */
double load_verify_rate(void);

/*
 * load_proc.c: what those processes (a list of ids) and all that come from
 * them have used so far, and what the counters in that file say (NULL: 0).
 */
struct load_usage {
	uint64_t fsyncs, messages, bytes;
	double cpu_s;
	unsigned processes;
	unsigned long peak_kib;		/* of the largest */
	unsigned long sum_kib;		/* of all their peaks */
};
void load_usage(struct load_usage *u, const char *pids, const char *counters);

#endif
