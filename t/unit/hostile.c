/*
 * hostile: a whole exchange between two hospitals with one bit of it flipped,
 * or cut at some byte.  It ends in time, in success or in an error, and a
 * good one afterwards finds everything that was there before.
 */
#define _GNU_SOURCE
#include "wire.h"

#define TIMEOUT_MS 150		/* that both ends wait for */
#define FLAGS (SYNC_ALL | SYNC_PULL | SYNC_PUSH)
#define RUN_MS 8000		/* that a spoilt exchange may take */

static int flips = 20, cuts = 12;	/* of each direction; or HOSTILE */

/* --- the ledgers ---------------------------------------------------------- */

static void
shell(const char *command)
{
	if (system(command) != 0)
		abort();
}

static void
close_both(void)
{
	for (unsigned i = 0; i < 2; i++) {
		repo_close(p.f.r[i]);
		p.f.r[i] = NULL;
	}
}

static void
open_both(void)
{
	little_ok(repo_open(&p.f.r[0], "h0", &e));
	little_ok(repo_open(&p.f.r[1], "h1", &e));
}

/* What each has to give: blocks, records, transactions, large and small. */
static void
prepare(void)
{
	struct sync_result res = { .wanted = 0 };
	struct hash record, header;

	post_open(&p);
	post_block(&p, 0, NULL);
	CHECK(post_sync(&p, 1, 0, SYNC_ALL | SYNC_PULL, NULL, &res, &e) == 0);
	post_stage(&p, 0, 2u << 20, 'a', &record);
	post_authorize(&p, 0, &record, &header);
	post_block(&p, 0, NULL);
	post_stage(&p, 0, 700, 'b', &record);
	post_authorize(&p, 0, &record, &header);
	post_stage(&p, 0, 70000, 'c', &record);
	post_stage(&p, 1, 900, 'd', &record);
	post_authorize(&p, 1, &record, &header);
	post_stage(&p, 1, 3u << 19, 'e', &record);
	close_both();
	shell("mv h0 o0 && mv h1 o1");
}

static int
check_one(void *arg, const struct hash *id, uint64_t size, struct err *err)
{
	struct repo *r = arg;

	(void)size;
	return object_check(r, id, err);
}

static int
count_one(void *arg, const struct staged *s, struct span header,
    struct err *err)
{
	(void)s, (void)header, (void)err;
	++*(size_t *)arg;
	return 0;
}

/* After a good exchange both have all there is, and no bit is wrong. */
static void
check_whole(const char *after)
{
	struct sync_result res = { .wanted = 0 };
	int failed = checks_failed;

	CHECK(post_sync(&p, 1, 0, FLAGS, NULL, &res, &e) == 0);
	CHECK(res.wanted == 0 && res.refused == 0);
	CHECK(four_agree(&p.f, 3, 2));
	for (unsigned i = 0; i < 2; i++) {
		size_t pending = 0, staged = 0;

		CHECK(pool_count(p.f.r[i], &pending, &e) == 0);
		CHECK(staging_each(p.f.r[i], count_one, &staged, &e) == 0);
		CHECK(pending == 2 && staged == 4);
		CHECK(object_each(p.f.r[i], check_one, p.f.r[i], &e) == 0);
	}
	CHECK(scratch_entries("h0/.ehr/tmp") == 0);
	CHECK(scratch_entries("h1/.ehr/tmp") == 0);
	CHECK(scratch_entries("h0/.ehr/quarantine") == 0);
	CHECK(scratch_entries("h1/.ehr/quarantine") == 0);
	if (failed != checks_failed)
		printf("after %s: %s\n", after, e.msg);
}

/* --- one exchange --------------------------------------------------------- */

/* Spoil one; returns whether it failed. */
static bool
spoil(int what, int way, uint64_t at)
{
	struct wire w = { .what = what, .way = way, .at = at };
	int64_t start = clock_mono_ms(), took;
	char name[80];
	int ret;

	snprintf(name, sizeof(name), "%s of byte %llu to the %s",
	    what == FLIP ? "a flip" : "a cut", (unsigned long long)at,
	    way == 0 ? "server" : "caller");
	shell("rm -rf h0 h1 && cp -a o0 h0 && cp -a o1 h1");
	open_both();
	ret = wire_exchange(&w, FLAGS, TIMEOUT_MS, NULL);
	took = clock_mono_ms() - start;
	CHECK(took < RUN_MS);
	if (took >= RUN_MS)
		printf("%s: %lld ms\n", name, (long long)took);
	CHECK(ret == 0 || (e.kind != ERR_NONE && e.kind != ERR_SYS &&
	    e.msg[0] != '\0'));
	if (ret != 0 && e.kind == ERR_SYS)
		printf("%s: %s\n", name, e.msg);
	check_whole(name);
	close_both();
	return ret != 0;
}

int
main(void)
{
	struct wire w = { .what = KEEP };
	int failed = 0;

	if (getenv("HOSTILE") != NULL)
		flips = cuts = atoi(getenv("HOSTILE"));
	srandom(20261122);
	scratch_open();
	prepare();
	shell("cp -a o0 h0 && cp -a o1 h1");
	open_both();
	CHECK(wire_exchange(&w, FLAGS, 10000, NULL) == 0);
	CHECK(w.n[0] > 1500000 && w.n[1] > 2000000);
	check_whole("nothing");
	close_both();
	for (int way = 0; way < 2; way++) {
		/* Most of the bytes are those of large bodies: also the
		 * first, where the greeting is and the lists. */
		for (int i = 0; i < flips; i++)
			failed += spoil(FLIP, way, (uint64_t)random() %
			    (i % 2 == 0 ? 8192 : w.n[way]));
		for (int i = 0; i < cuts; i++)
			failed += spoil(CUT, way, (uint64_t)random() %
			    (i % 2 == 0 ? 8192 : w.n[way]));
	}
	/* Else the wire spoils nothing. */
	CHECK(failed > flips + cuts);
	shell("rm -rf h0 h1 && cp -a o0 h0 && cp -a o1 h1");
	open_both();
	post_close(&p);
	scratch_close();
	return check_done("hostile");
}
