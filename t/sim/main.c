/*
 * sim [--nodes N] [--schedules] [--seed N | --seeds [FROM] COUNT]
 *
 * Runs the schedules that have broken others, then COUNT seeds from FROM (1).
 * --seed prints everything that happens in one.  Exit status 1, and the seed,
 * when a promise was broken.
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
	fprintf(stderr, "usage: sim [--nodes N] [--schedules] "
	    "[--seed N | --seeds [FROM] COUNT]\n");
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
	int64_t longest = 0;

	for (uint64_t i = 0; i < count; i++) {
		if (!world_run(&world, from + i)) {
			printf("seed %llu: %s\n"
			    "all of it: t/sim --seed %llu\n",
			    (unsigned long long)(from + i), world.failure,
			    (unsigned long long)(from + i));
			return 1;
		}
		events += world.events;
		blocks += world.top;
		live += world.took_ms >= 0;
		if (world.took_ms > longest)
			longest = world.took_ms;
	}
	printf("%llu seeds, %llu events, %llu blocks; %llu went on to calm, "
	    "the slowest in %lld time-outs\n", (unsigned long long)count,
	    (unsigned long long)events, (unsigned long long)blocks,
	    (unsigned long long)live, (long long)(longest / BASE_MS));
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
	uint64_t v[2] = { 1, 0 };
	int i = 1;

	signal(SIGABRT, aborted);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (i + 1 < argc && strcmp(argv[i], "--nodes") == 0) {
		world.only_n = (unsigned)strtoul(argv[i + 1], NULL, 10);
		i += 2;
		if (world.only_n < 1 || world.only_n > N_MAX)
			return usage();
	}
	if (i + 1 == argc && strcmp(argv[i], "--schedules") == 0)
		return schedules(true);
	if (i + 2 == argc && strcmp(argv[i], "--seed") == 0)
		return one(strtoull(argv[i + 1], NULL, 10));
	if (i >= argc || strcmp(argv[i], "--seeds") != 0 ||
	    argc - i < 2 || argc - i > 3)
		return usage();
	v[1] = strtoull(argv[argc - 1], NULL, 10);
	if (argc - i == 3)
		v[0] = strtoull(argv[i + 1], NULL, 10);
	if (schedules(false) != 0)
		return 1;
	world.trace = false;
	return many(v[0], v[1]);
}
