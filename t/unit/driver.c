/* driver: hospitals agree on blocks, also when some are dead or end. */
#define _GNU_SOURCE
#include "carry.h"
#include "net/turns.h"
#include "store/bodies.h"

static void
test_alone(void)
{
	struct settings s = quick();

	four_open(&f, 1, &s);
	four_enroll(&f, 1);
	act(0, 0);
	CHECK(four_agree(&f, 1, 1));
	act(0, 0);
	CHECK(four_agree(&f, 1, 1));
	four_close(&f);
}

static void
test_in_turn(void)
{
	struct settings s = quick();

	s.timeout_ms = 60000;
	four_open(&f, 4, &s);
	for (unsigned h = 1; h <= 5; h++) {
		four_enroll(&f, 15);
		messages = 0;
		act(h % 4, 0);
		CHECK(four_agree(&f, 15, h));
		/* Three round trips to three; who is late is told twice. */
		CHECK(messages >= 9 && messages <= 10);
	}
	four_close(&f);
}

/* Who let pass its last turn, as all hospitals of the mask see it? */
static uint64_t
missed(unsigned mask)
{
	struct delegates set;
	uint64_t all = 0, is;
	struct db *db;
	struct err e;

	for (unsigned i = 0; i < f.n; i++)
		if ((mask >> i & 1) != 0) {
			uint64_t height = four_height(&f, i) + 1;

			little_ok(db_of(&db, f.r[i], &e));
			little_ok(state_delegates(&set, db, height, &e));
			little_ok(turns_missed(&is, db, &set, height, &e));
			all |= is;
		}
	return all;
}

/* One of four is away: blocks go on, by a change of view where it speaks; and
 * that is remembered until it speaks again. */
static void
test_one_dead(void)
{
	struct settings s = quick();

	s.timeout_ms = 3000;	/* a slow machine changes no view by itself */
	four_open(&f, 4, &s);
	four_enroll(&f, 15);
	act(1, 0);
	dead = 1u << 1;
	for (unsigned h = 2; h <= 7; h++) {
		unsigned speaker = h % 4;

		four_enroll(&f, 15 & ~dead);
		if (speaker == 1) {
			/* The time of view 0 has to pass first. */
			act(0, 0);
			CHECK(four_agree(&f, 15 & ~dead, h - 1));
			act(0, 60000);
		} else
			act(speaker, 0);
		CHECK(four_agree(&f, 15 & ~dead, h));
		CHECK(missed(15 & ~dead) == (h < 5 ? 0 : 1u << 1));
	}
	CHECK(four_height(&f, 1) == 1);
	dead = 0;
	for (unsigned h = 8; h <= 9; h++) {
		CHECK(missed(1) == 1u << 1);
		four_enroll(&f, 15);
		act(h % 4, 0);
		CHECK(four_agree(&f, 15, h));
	}
	CHECK(missed(15) == 0);
	four_close(&f);
}

/* Two of four are away: no block. */
static void
test_no_quorum(void)
{
	struct settings s = quick();

	s.timeout_ms = 60000;	/* however slow the machine, not of this test */
	four_open(&f, 4, &s);
	dead = 3u << 2;
	four_enroll(&f, 15);
	act(1, 0);
	CHECK(four_agree(&f, 15, 0));
	dead = 0;
	act(1, 0);
	CHECK(four_agree(&f, 15, 1));
	four_close(&f);
}

/* The speaker ends after its commit; another process goes on with its votes. */
static void
test_restart(void)
{
	struct settings s = quick();

	s.timeout_ms = 5000;
	four_open(&f, 4, &s);
	four_enroll(&f, 15);
	deaf = true;
	act(1, 0);
	CHECK(four_agree(&f, 15, 0));
	deaf = false;
	act(1, 3000);
	CHECK(four_agree(&f, 15, 1));
	four_close(&f);
}

/* --- a block that some have prepared -------------------------------------- */

static bool
only_d_prepared(enum wire_kind kind, unsigned to)
{
	return kind == WIRE_PREPARED && to != 3;
}

static bool
all_prepared(enum wire_kind kind, unsigned to)
{
	return kind == WIRE_PREPARED && to != 0;
}

/* The speaker goes after M prepared a block and one or two know: the next one
 * has to propose the same block, which somebody may have made final. */
static void
test_proposed_again(bool (*what)(enum wire_kind, unsigned))
{
	struct hash id;
	struct head h;
	struct driver *d;
	struct err e;

	open_four();
	lost = what;
	CHECK(driver_open(&d, f.r[1], false, &e) == 0);
	CHECK(driver_lock(d, 0, &e) == 0 && driver_work(d, NULL, &e) == 0);
	driver_unlock(d);
	carry_all(d, 1);
	CHECK(d->core.high.signers != 0 && four_agree(&f, 15, 0));
	id = d->core.high.block;
	driver_close(d);
	lost = NULL;
	dead = 1u << 1;
	/* What waits is not what was prepared. */
	four_enroll(&f, 15);
	act(0, 5000);
	CHECK(four_agree(&f, 15 & ~dead, 1));
	CHECK(chain_head(&h, f.r[0], &e) == 0 && hash_eq(&h.id, &id));
	dead = 0;
	four_close(&f);
}

/* The body of a block that we have committed to is gone: not our vote. */
static void
test_body_lost(void)
{
	struct driver *d;
	struct err e;

	open_four();
	lost = all_prepared;
	CHECK(driver_open(&d, f.r[1], false, &e) == 0);
	CHECK(driver_lock(d, 0, &e) == 0 && driver_work(d, NULL, &e) == 0);
	driver_unlock(d);
	carry_all(d, 1);
	driver_close(d);
	lost = NULL;
	CHECK(bodies_sweep(f.r[1], 1, &e) == 0);
	CHECK(driver_open(&d, f.r[1], false, &e) == 0);
	CHECK(driver_lock(d, 0, &e) == 0 && !driver_may_vote(d));
	CHECK(d->mute.kind == ERR_BAD);
	driver_close(d);
	/* The others get on, and then so does it. */
	act(0, 5000);
	CHECK(four_agree(&f, 13, 1));
	four_close(&f);
}

/* --- PBFT ----------------------------------------------------------------- */

/* Each in its turn, as ehr-dbft --once does, until these have the block. */
static bool
round_robin(unsigned mask, uint64_t height, int ms)
{
	bool all = false;

	for (unsigned n = 0; n < 6 * f.n && !all; n++) {
		if ((mask >> n % f.n & 1) != 0)
			act(n % f.n, ms);
		all = true;
		for (unsigned i = 0; i < f.n; i++)
			all = all && ((mask >> i & 1) == 0 ||
			    four_height(&f, i) == height);
	}
	return all && four_agree(&f, mask, height);
}

/* All vote, and a quorum of three goes on without the fourth. */
static void
test_pbft(void)
{
	struct settings s = quick();

	s.timeout_ms = 60000;
	s.delegates = GENESIS_NODES_MAX;
	four_open_engine(&f, 4, &s, "pbft");
	for (uint64_t h = 1; h <= 3; h++) {
		four_enroll(&f, 15);
		CHECK(round_robin(15, h, 0));
	}
	dead = 1u << 3;		/* speaks next at height 7 */
	four_enroll(&f, 7);
	CHECK(round_robin(7, 4, 0) && four_height(&f, 3) == 3);
	dead = 3u << 2;
	four_enroll(&f, 3);
	CHECK(!round_robin(3, 5, 0) && four_agree(&f, 3, 4));
	dead = 0;
	/* Who starts again says again what it has said. */
	CHECK(round_robin(15, 5, 0));
	four_close(&f);
}

int
main(void)
{
	scratch_open();
	test_alone();
	test_in_turn();
	test_restart();
	test_one_dead();
	test_no_quorum();
	test_proposed_again(only_d_prepared);
	test_proposed_again(all_prepared);
	test_body_lost();
	test_pbft();
	scratch_close();
	return check_done("driver");
}
