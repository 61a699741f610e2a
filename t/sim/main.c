/*
 * sim [--nodes N] [--engine E] [--no-schedules] --seeds [FROM] COUNT
 * sim [--nodes N] [--engine E] --seed N
 * sim [--engine E] --schedules
 *
 * Runs the schedules that have broken others, then COUNT seeds from FROM (1).
 * A seed decides everything, also the engine, dbft or pbft: every fifth is for
 * pbft, unless E is for all.
 * --seed and --schedules print everything that happens.  Exit status 1, and
 * the seed, when a promise was broken.
 */
#define _GNU_SOURCE	/* signal, write */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "t/sim/sim.h"

static struct world world;

static int
usage(void)
{
	fprintf(stderr, "usage: sim [--nodes N] [--engine E] "
	    "[--no-schedules] --seeds [FROM] COUNT\n"
	    "       sim [--nodes N] [--engine E] --seed N\n"
	    "       sim [--engine E] --schedules\n");
	return 2;
}

static int
one(uint64_t seed)
{
	world.trace = true;
	if (!world_run(&world, seed)) {
		printf("seed %llu: %s\n", (unsigned long long)seed,
		    world.failure);
		return 1;
	}
	printf("seed %llu: all is well after %llu events\n",
	    (unsigned long long)seed, (unsigned long long)world.events);
	return 0;
}

static int
many(uint64_t from, uint64_t count)
{
	uint64_t events = 0, blocks = 0, live = 0;
	double longest = 0;

	for (uint64_t i = 0; i < count; i++) {
		if (!world_run(&world, from + i)) {
			printf("seed %llu: %s\n"
			    "all of it: t/sim --engine %s --seed %llu\n",
			    (unsigned long long)(from + i), world.failure,
			    world.pbft ? "pbft" : "dbft",
			    (unsigned long long)(from + i));
			return 1;
		}
		events += world.events;
		blocks += world.top;
		live += world.took_ms >= 0;
		if (world.took_ms >= 0 && world.share > longest)
			longest = world.share;
	}
	printf("%llu seeds, %llu events, %llu blocks; %llu went on to calm, "
	    "at most in %.0f %% of their time\n", (unsigned long long)count,
	    (unsigned long long)events, (unsigned long long)blocks,
	    (unsigned long long)live, 100 * longest);
	return 0;
}

static int
schedules(bool traced)
{
	world.trace = traced;
	if (schedules_run(&world))
		return 0;
	printf("%s\n", world.failure);
	return 1;
}

/* An assertion of the core has failed: say in which run. */
static void
aborted(int signo)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "aborted in seed %llu\n",
	    (unsigned long long)world.seed);

	(void)signo;
	if (n > 0 && write(STDOUT_FILENO, text, (size_t)n) < 0)
		_exit(1);
	_exit(1);
}

int
main(int argc, char **argv)
{
	uint64_t from = 1, count;
	bool first = true;

	signal(SIGABRT, aborted);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (argc--, argv++; argc > 1; argc--, argv++)
		if (strcmp(argv[0], "--no-schedules") == 0)
			first = false;
		else if (argc > 2 && strcmp(argv[0], "--nodes") == 0) {
			world.only_n = (unsigned)strtoul(argv[1], NULL, 10);
			if (world.only_n < 1 || world.only_n > N_MAX)
				return usage();
			argc--, argv++;
		} else if (argc > 2 && strcmp(argv[0], "--engine") == 0) {
			world.only_engine = argv[1];
			if (strcmp(argv[1], "dbft") != 0 &&
			    strcmp(argv[1], "pbft") != 0)
				return usage();
			argc--, argv++;
		} else
			break;
	if (argc == 1 && strcmp(argv[0], "--schedules") == 0)
		return schedules(true);
	if (argc == 2 && strcmp(argv[0], "--seed") == 0)
		return one(strtoull(argv[1], NULL, 10));
	if (argc < 2 || argc > 3 || strcmp(argv[0], "--seeds") != 0)
		return usage();
	count = strtoull(argv[argc - 1], NULL, 10);
	if (argc == 3)
		from = strtoull(argv[1], NULL, 10);
	if (count == 0)
		return usage();
	if (first && schedules(false) != 0)
		return 1;
	return many(from, count);
}
