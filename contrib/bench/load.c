/*
 * load: transactions for the nodes of a ledger on this machine, at a rate or
 * as fast as they take them, until all are final everywhere.
 *
 *	load -a KEY [-n COUNT] [-r RATE] [-b BACKLOG] [-c FILE]
 *	    [-p PID,...] [-w SECONDS] DIR ...
 *
 * KEY is the administrator's, without passphrase; the DIRs are the nodes'
 * ledgers, whose ehr-dbft runs already.  COUNT (1000) authorizations are made
 * and signed beforehand: a patient's signature around a doctor's.  They go to
 * the pools of the nodes in turn, RATE of them in a second, or (0, the
 * default) so that BACKLOG (1000) wait at each node.  Each pool verifies its
 * share, as it would a peer's.  PIDs are the processes of the nodes, and FILE
 * has their counters (count.c).
 *
 * Prints "NAME VALUE" lines; times are seconds.  Exit status 1: not all became
 * final in SECONDS (120).
 */
#define _DEFAULT_SOURCE	/* usleep */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/heap.h"
#include "load.h"

#define SIGNATURES 2		/* of a transaction */

double
clock_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

_Noreturn void
load_die(const char *what, const struct err *e)
{
	fprintf(stderr, "load: %s%s%s\n", what, e != NULL ? ": " : "",
	    e != NULL ? e->msg : "");
	exit(e != NULL ? (int)e->kind : 4);
}

static double
own_cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* --- what came of it ------------------------------------------------------ */

struct span_s {
	double min, sum, max;
};

static void
note_time(struct span_s *t, double x, bool first)
{
	t->min = first || x < t->min ? x : t->min;
	t->max = first || x > t->max ? x : t->max;
	t->sum = first ? x : t->sum + x;
}

static void
print_span(const char *name, const struct span_s *t, size_t n)
{
	printf("%s-min %.4f\n%s-avg %.4f\n%s-max %.4f\n", name, t->min, name,
	    t->sum / (double)n, name, t->max);
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
print_latencies(const struct load *l)
{
	double *own = calloc(l->ntx, sizeof(*own));
	struct span_s here, all;

	if (own == NULL)
		load_die("out of memory", NULL);
	for (size_t i = 0; i < l->ntx; i++) {
		const struct load_tx *tx = &l->tx[i];

		own[i] = load_final_at(l, tx, tx->node) - tx->acked;
		note_time(&here, own[i], i == 0);
		note_time(&all, load_final(l, tx) - tx->acked, i == 0);
	}
	qsort(own, l->ntx, sizeof(*own), by_value);
	print_span("latency", &here, l->ntx);
	printf("latency-median %.4f\nlatency-99 %.4f\n", own[l->ntx / 2],
	    own[l->ntx * 99 / 100]);
	print_span("latency-all", &all, l->ntx);
	free(own);
}

static double
last_final(const struct load *l)
{
	double last = 0;

	for (size_t i = 0; i < l->ntx; i++)
		if (load_final(l, &l->tx[i]) > last)
			last = load_final(l, &l->tx[i]);
	return last;
}

static void
print_rate(const struct load *l, double verify)
{
	double s = last_final(l) - l->began;
	double limit = verify / l->n / SIGNATURES;

	printf("transactions %zu\nseconds %.3f\nper-second %.1f\n", l->ntx, s,
	    (double)l->ntx / s);
	printf("blocks %zu\n", l->node[0].nseen);
	printf("verify-per-second %.0f\nlimit %.1f\nof-limit %.3f\n", verify,
	    limit, (double)l->ntx / s / limit);
}

/* For each block; its processor time as a part of one core. */
static void
print_usage(const struct load *l, const struct load_usage *before,
    const struct load_usage *after, double s)
{
	double blocks = (double)l->node[0].nseen;

	printf("cpu %.3f\n", (after->cpu_s - before->cpu_s) / s);
	printf("fsyncs %.1f\n", (double)(after->fsyncs - before->fsyncs) /
	    blocks);
	printf("messages %.1f\n", (double)(after->messages -
	    before->messages) / blocks);
	printf("kib %.1f\n", (double)(after->bytes - before->bytes) / 1024 /
	    blocks);
	printf("processes %u\npeak-kib %lu\nsum-kib %lu\n",
	    after->processes, after->peak_kib, after->sum_kib);
}

/* --- the program ---------------------------------------------------------- */

struct options {
	const char *admin, *pids, *counters;
};

static void
usage(void)
{
	fprintf(stderr, "usage: load -a KEY [-n COUNT] [-r RATE] [-b BACKLOG] "
	    "[-c FILE]\n            [-p PID,...] [-w SECONDS] DIR ...\n");
	exit(2);
}

static void
parse(struct load *l, struct options *o, int argc, char **argv)
{
	struct err e;
	int c;

	while ((c = getopt(argc, argv, "a:n:r:b:c:p:w:")) != -1)
		switch (c) {
		case 'a': o->admin = optarg; break;
		case 'n': l->ntx = strtoul(optarg, NULL, 10); break;
		case 'r': l->rate = strtod(optarg, NULL); break;
		case 'b': l->backlog = strtoul(optarg, NULL, 10); break;
		case 'c': o->counters = optarg; break;
		case 'p': o->pids = optarg; break;
		case 'w': l->give_up_s = strtod(optarg, NULL); break;
		default: usage();
		}
	l->n = (unsigned)(argc - optind);
	if (o->admin == NULL || l->n == 0 || l->n > LOAD_NODES_MAX ||
	    l->ntx == 0)
		usage();
	for (unsigned i = 0; i < l->n; i++) {
		l->node[i].dir = argv[optind + (int)i];
		if (repo_open(&l->node[i].repo, l->node[i].dir, &e) != 0)
			load_die(l->node[i].dir, &e);
	}
}

int
main(int argc, char **argv)
{
	static struct load l = { .ntx = 1000, .backlog = 1000,
	    .give_up_s = 120 };
	struct options o = { NULL, "", NULL };
	struct load_usage before, after;
	double verify, cpu, s;
	bool all;

	heap_keep();
	parse(&l, &o, argc, argv);
	load_people(&l, o.admin);
	load_make(&l);
	load_watch_begin(&l);
	verify = load_verify_rate();
	load_usage(&before, o.pids, o.counters);
	cpu = own_cpu();
	load_submit_start(&l);
	all = load_watch(&l);
	s = clock_s() - l.began;
	cpu = own_cpu() - cpu;
	load_usage(&after, o.pids, o.counters);
	load_submit_end(&l);
	if (!all) {
		fprintf(stderr, "load: %zu of %zu are final\n", l.final, l.ntx);
		return 1;
	}
	verify = (verify + load_verify_rate()) / 2;
	print_rate(&l, verify);
	print_latencies(&l);
	print_usage(&l, &before, &after, s);
	printf("cpu-load %.3f\n", cpu / s);
	return 0;
}
