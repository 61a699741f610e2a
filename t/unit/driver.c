/* driver: hospitals that agree on blocks, in one process, by messages that the
 * test carries, loses and delays as it likes. */
#define _GNU_SOURCE
#include "four.h"
#include "net/consensus.h"
#include "net/driver.h"
#include "net/final.h"

static struct four f;
static unsigned dead;			/* mask: reached by nobody */
static bool deaf;			/* no commit comes back */
static unsigned messages;

static struct settings
quick(void)
{
	struct settings s;

	settings_default(&s);
	s.interval_ms = 0;
	s.timeout_ms = 200;
	return s;
}

/* Carry a post of hospital from to hospital to, and the answer back.  False:
 * the answer made the block final, or showed that it was. */
static bool
carry(struct driver *d, unsigned from, unsigned to, struct span post)
{
	struct buf status = BUF_INIT(100), answer = BUF_INIT(WIRE_PAYLOAD_MAX);
	struct span rest;
	struct wire_msg m;
	struct err e;
	bool more = true;
	int r;

	messages++;
	r = consensus_answer(f.r[to], span_str(f.node[from].name),
	    span_str("consensus"), post, &status, &answer, &e);
	if (r != 0)
		printf("%u: %s\n", to, e.msg);
	CHECK(r == 0);
	rest = buf_span(&answer);
	while (r == 0 && more && wire_next(&m, &rest, &e) == 1) {
		if (m.kind == WIRE_FINAL) {
			CHECK(final_take(f.r[from], &m, &e) == 0);
			more = false;
			break;
		}
		if (deaf && m.kind == WIRE_COMMIT)
			continue;
		r = driver_lock(d, 1000, &e);
		CHECK(r == 0);
		if (r != 0)
			break;
		r = driver_message(d, &m, DBFT_NOBODY, &e);
		if (r != 0)
			printf("%u: %s\n", from, e.msg);
		CHECK(r == 0);
		driver_unlock(d);
	}
	buf_free(&status);
	buf_free(&answer);
	return more;
}

/* Send all posts, and what follows from the answers. */
static void
carry_all(struct driver *d, unsigned from)
{
	while (d->nposts > 0) {
		struct driver_post post[DRIVER_POSTS];
		size_t n = d->nposts;

		memcpy(post, d->post, n * sizeof(*post));
		d->nposts = 0;
		for (size_t i = 0; i < n; i++) {
			for (unsigned to = 0; to < f.n; to++)
				if ((post[i].to >> to & 1) != 0 &&
				    (dead >> to & 1) == 0)
					carry(d, from, to,
					    buf_span(&post[i].bytes));
			buf_free(&post[i].bytes);
		}
	}
}

/* Let hospital i act for so long, or until it has a block more. */
static void
act(unsigned i, int ms)
{
	int64_t until = clock_now_ms() + ms;
	uint64_t height = four_height(&f, i);
	struct driver *d;
	struct err e;

	CHECK(driver_open(&d, f.r[i], false, &e) == 0);
	do {
		int r = driver_lock(d, 1000, &e);

		if (r != 0)
			printf("%u: %s\n", i, e.msg);
		CHECK(r == 0);
		if (r != 0)
			break;
		r = driver_work(d, NULL, &e) != 0 || driver_tick(d, &e) != 0;
		if (r != 0)
			printf("%u: %s\n", i, e.msg);
		CHECK(r == 0);
		driver_unlock(d);
		carry_all(d, i);
		if (four_height(&f, i) > height)
			break;
		usleep(10000);
	} while (clock_now_ms() < until);
	driver_close(d);
}

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

/* One of four is away: blocks go on, by a change of view where it speaks. */
static void
test_one_dead(void)
{
	struct settings s = quick();

	four_open(&f, 4, &s);
	dead = 1u << 1;
	for (unsigned h = 1; h <= 6; h++) {
		unsigned speaker = h % 4;

		four_enroll(&f, 15 & ~dead);
		if (speaker == 1) {
			/* The time of view 0 has to pass first. */
			act(0, 0);
			CHECK(four_agree(&f, 15 & ~dead, h - 1));
			act(0, 5000);
		} else
			act(speaker, 0);
		CHECK(four_agree(&f, 15 & ~dead, h));
	}
	CHECK(four_height(&f, 1) == 0);
	dead = 0;
	four_close(&f);
}

/* Two of four are away: no block. */
static void
test_no_quorum(void)
{
	struct settings s = quick();

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

int
main(void)
{
	scratch_open();
	test_restart();
	test_one_dead();
	test_no_quorum();
	test_alone();
	test_in_turn();
	scratch_close();
	return check_done("driver");
}
