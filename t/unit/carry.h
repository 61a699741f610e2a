/*
 * carry: hospitals of one process (four.h) that send each other messages of
 * the consensus, which the test carries, loses and delays as it likes.
 */
#ifndef UNIT_CARRY_H
#define UNIT_CARRY_H

#include "four.h"
#include "net/consensus.h"
#include "net/driver.h"
#include "net/final.h"

static struct four f;
static unsigned dead;			/* mask: reached by nobody */
static bool deaf;			/* no commit comes back */
static unsigned messages;
static bool (*lost)(enum wire_kind kind, unsigned to);	/* or NULL */

static inline struct settings
quick(void)
{
	struct settings s;

	settings_default(&s);
	s.interval_ms = 0;
	s.timeout_ms = 600;	/* more than a slow disk takes */
	return s;
}

/* Give hospital `to` the blocks that it lacks, as link.c does. */
static inline void
push_blocks(unsigned from, unsigned to)
{
	struct buf status = BUF_INIT(100), block = BUF_INIT(WIRE_PAYLOAD_MAX);
	struct buf answer = BUF_INIT(100);
	struct err e;

	while (four_height(&f, to) < four_height(&f, from)) {
		buf_reset(&block);
		CHECK(final_add(&block, f.r[from], four_height(&f, to) + 1,
		    &e) == 0);
		CHECK(consensus_answer(f.r[to], span_str(f.node[from].name),
		    span_str("consensus"), buf_span(&block), &status, &answer,
		    &e) == 0);
	}
	buf_free(&status);
	buf_free(&block);
	buf_free(&answer);
}

/* Carry a post of hospital from to hospital to, and the answer back.  False:
 * the answer made the block final, or showed that it was. */
static inline bool
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
	push_blocks(from, to);
	buf_free(&status);
	buf_free(&answer);
	return more;
}

/* Send all posts, and what follows from the answers. */
static inline void
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
				    (dead >> to & 1) == 0 && (lost == NULL ||
				    !lost(post[i].kind, to)))
					carry(d, from, to,
					    buf_span(&post[i].bytes));
			buf_free(&post[i].bytes);
		}
	}
}

/* Let hospital i act for so long, or until it has a block more. */
static inline void
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

/* The ledger that is the same in all tests from here on. */
static inline void
open_four(void)
{
	struct settings s = quick();

	four_open(&f, 4, &s);
	four_enroll(&f, 15);
}

#endif
