/* driver: hospitals that agree on blocks, in one process, by messages that the
 * test carries, loses and delays as it likes. */
#define _GNU_SOURCE
#include "four.h"
#include "net/consensus.h"
#include "net/driver.h"
#include "net/final.h"
#include "net/renew.h"
#include "store/bodies.h"
#include "store/propose.h"

static struct four f;
static unsigned dead;			/* mask: reached by nobody */
static bool deaf;			/* no commit comes back */
static unsigned messages;
static bool (*lost)(enum wire_kind kind, unsigned to);	/* or NULL */

static struct settings
quick(void)
{
	struct settings s;

	settings_default(&s);
	s.interval_ms = 0;
	s.timeout_ms = 200;
	return s;
}

/* Give hospital `to` the blocks that it lacks, as link.c does. */
static void
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
	push_blocks(from, to);
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
				    (dead >> to & 1) == 0 && (lost == NULL ||
				    !lost(post[i].kind, to)))
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

/* The ledger that is the same in all tests from here on. */
static void
open_four(void)
{
	struct settings s = quick();

	four_open(&f, 4, &s);
	four_enroll(&f, 15);
}

/* --- what a delegate answers ---------------------------------------------- */

/* A message with one note, by hospital `from`, and a block unless empty. */
static void
make_vote(struct buf *out, enum wire_kind kind, unsigned from,
    const struct dbft_msg *m, struct span block)
{
	struct buf text = BUF_INIT(DBFT_MSG_MAX), note = BUF_INIT(4096);
	struct wire_msg w;
	struct err e;

	dbft_msg_format(&text, repo_ledger(f.r[0]), m);
	CHECK(identity_sign(&note, buf_span(&text), &f.node[from], &e) == 0);
	wire_start(&w, kind);
	wire_part(&w, WIRE_NOTE, buf_span(&note));
	if (block.n > 0)
		wire_part(&w, WIRE_BLOCK, block);
	wire_add(out, &w);
	buf_free(&text);
	buf_free(&note);
}

/* A proposal by hospital-b, of the first block, as that hospital makes it for
 * this proposer. */
static void
make_proposal(struct buf *out, struct hash *id, const char *proposer,
    int64_t now_ms)
{
	struct buf content = BUF_INIT(BLOCK_CONTENT_MAX);
	struct dbft_msg m = { .kind = DBFT_PREPARE, .height = 1 };
	struct block b;
	struct err e;

	CHECK(propose_block(&content, f.r[1], proposer, now_ms, NULL,
	    &e) == 0);
	CHECK(block_parse(&b, buf_span(&content), false, repo_ledger(f.r[1]),
	    &e) == 0);
	*id = m.block = b.h.id;
	make_vote(out, WIRE_PROPOSAL, 1, &m, buf_span(&content));
	buf_free(&content);
}

static int
ask(unsigned from, unsigned to, struct span payload, struct buf *answer,
    struct err *e)
{
	struct buf status = BUF_INIT(100);
	int r;

	buf_reset(answer);
	r = consensus_answer(f.r[to], span_str(f.node[from].name),
	    span_str("consensus"), payload, &status, answer, e);
	if (r == 0)
		CHECK(span_is(buf_span(&status), "ok 0"));
	buf_free(&status);
	return r;
}

/* The same bytes each time; and one vote only, whatever is proposed next. */
static void
test_repeats(void)
{
	struct buf x = BUF_INIT(WIRE_PAYLOAD_MAX), a = x, b = x, y = x;
	struct hash first, second;
	struct wire_msg m;
	struct span rest;
	struct err e;

	open_four();
	make_proposal(&x, &first, "hospital-b", clock_now_ms());
	make_proposal(&y, &second, "hospital-b", clock_now_ms() + 5);
	CHECK(!hash_eq(&first, &second));
	CHECK(ask(1, 0, buf_span(&x), &a, &e) == 0 && a.len > 0);
	CHECK(ask(1, 0, buf_span(&x), &b, &e) == 0);
	CHECK(span_eq(buf_span(&a), buf_span(&b)));
	rest = buf_span(&a);
	CHECK(wire_next(&m, &rest, &e) == 1 && m.kind == WIRE_PREPARE);
	CHECK(ask(1, 0, buf_span(&y), &b, &e) == 0 && b.len == 0);
	CHECK(ask(1, 0, buf_span(&x), &b, &e) == 0);
	CHECK(span_eq(buf_span(&a), buf_span(&b)));
	buf_free(&x);
	buf_free(&y);
	buf_free(&a);
	buf_free(&b);
	four_close(&f);
}

/* Blocks that the rules refuse, and messages that nobody signed, get nothing;
 * and nothing is written down. */
static void
test_refused(void)
{
	struct buf x = BUF_INIT(WIRE_PAYLOAD_MAX), a = x, before = x;
	struct dbft_msg m = { .kind = DBFT_PREPARE, .height = 1 };
	struct hash id;
	struct err e;

	open_four();
	make_proposal(&x, &id, "hospital-b", clock_now_ms());
	CHECK(ask(1, 0, buf_span(&x), &a, &e) == 0 && a.len > 0);
	CHECK(fs_read(&before, AT_FDCWD, "h0/.ehr/consensus/journal",
	    &e) == 0);
	buf_free(&before);
	/* By nobody who may; from the future; the last byte altered. */
	for (int i = 0; i < 3; i++) {
		buf_reset(&x);
		make_proposal(&x, &id, i == 0 ? "hospital-x" : "hospital-b",
		    clock_now_ms() + (i == 1 ? 120000 : 0));
		if (i == 2)
			x.p[x.len - 3] ^= 1;
		CHECK(ask(1, 2, buf_span(&x), &a, &e) == 0 && a.len == 0);
	}
	/* Not the speaker; another kind than it says; a signature of none. */
	buf_reset(&x);
	make_vote(&x, WIRE_PROPOSAL, 3, &m, span_str("x"));
	CHECK(ask(1, 2, buf_span(&x), &a, &e) == 0 && a.len == 0);
	buf_reset(&x);
	make_vote(&x, WIRE_COMMIT, 1, &m, span_of(NULL, 0));
	CHECK(ask(1, 2, buf_span(&x), &a, &e) == -1 && e.kind == ERR_BAD);
	buf_reset(&x);
	make_vote(&x, WIRE_PREPARE, 1, &m, span_of(NULL, 0));
	x.p[x.len - 10] ^= 1;
	CHECK(ask(1, 2, buf_span(&x), &a, &e) == -1);
	CHECK(ask(1, 2, span_str("message prepare 1\n"), &a, &e) == -1 &&
	    e.kind == ERR_BAD);
	CHECK(fs_read(&before, AT_FDCWD, "h2/.ehr/consensus/journal",
	    &e) == 0);
	CHECK(before.len > 0 && memmem(before.p, before.len, " prepare ",
	    9) == NULL);
	buf_free(&before);
	buf_free(&x);
	buf_free(&a);
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

/* --- two things by one ---------------------------------------------------- */

static void
give(struct driver *d, enum wire_kind kind, unsigned from,
    const struct dbft_msg *m)
{
	struct buf x = BUF_INIT(8192);
	struct wire_msg w;
	struct span rest;
	struct err e;

	make_vote(&x, kind, from, m, span_of(NULL, 0));
	rest = buf_span(&x);
	CHECK(wire_next(&w, &rest, &e) == 1);
	CHECK(driver_lock(d, 0, &e) == 0);
	CHECK(driver_message(d, &w, DBFT_NOBODY, &e) == 0);
	driver_unlock(d);
	buf_free(&x);
}

static void
test_evidence(void)
{
	const char *path = "h1/.ehr/consensus/evidence-000000001-hospital-c";
	struct dbft_msg m = { .kind = DBFT_PREPARE, .height = 1 };
	struct buf proof = BUF_INIT(65536);
	struct driver *d;
	struct err e;

	open_four();
	CHECK(driver_open(&d, f.r[1], false, &e) == 0);
	give(d, WIRE_PREPARE, 2, &m);
	CHECK(d->said.len == 0 && access(path, F_OK) != 0);
	m.block.b[0] = 1;
	give(d, WIRE_PREPARE, 2, &m);
	CHECK(d->said.len > 0 && driver_may_vote(d));
	CHECK(fs_read(&proof, AT_FDCWD, path, &e) == 0 &&
	    memmem(proof.p, proof.len, "block 00", 8) != NULL &&
	    memmem(proof.p, proof.len, "block 01", 8) != NULL);
	/* Our own key: silence, at this height and after a restart. */
	give(d, WIRE_PREPARE, 1, &m);
	CHECK(!driver_may_vote(d) && d->mute.kind == ERR_NO);
	driver_close(d);
	CHECK(driver_open(&d, f.r[1], false, &e) == 0);
	CHECK(driver_lock(d, 0, &e) == 0 && !driver_may_vote(d));
	driver_close(d);
	act(0, 5000);
	CHECK(four_agree(&f, 15, 1));
	/* At the next height it votes again. */
	CHECK(driver_open(&d, f.r[1], false, &e) == 0);
	CHECK(driver_lock(d, 0, &e) == 0 && driver_may_vote(d));
	driver_close(d);
	buf_free(&proof);
	four_close(&f);
}

/* --- journals ------------------------------------------------------------- */

#define JOURNAL "h2/.ehr/consensus/journal"

static bool
refuses(unsigned i, const char *why)
{
	struct buf x = BUF_INIT(WIRE_PAYLOAD_MAX), a = x;
	struct dbft_msg m = { .kind = DBFT_PREPARE };
	struct err e = { .kind = ERR_NONE };
	int r;

	m.height = four_height(&f, i) + 1;
	make_vote(&x, WIRE_PREPARE, 0, &m, span_of(NULL, 0));
	r = ask(0, i, buf_span(&x), &a, &e);
	if (r == -1 && strstr(e.msg, why) == NULL)
		CHECK_STR(e.msg, why);
	buf_free(&x);
	buf_free(&a);
	return r == -1 && e.kind == ERR_BAD;
}

/* Lost: no votes, but blocks; renewed: votes from two heights on. */
static void
test_lost(void)
{
	struct driver *d;
	struct err e;

	open_four();
	act(1, 0);
	CHECK(four_agree(&f, 15, 1));
	CHECK(renew_with_floor(f.r[2], 9, &e) == -1 && e.kind == ERR_NO);
	CHECK(unlink(JOURNAL) == 0);
	CHECK(refuses(2, "missing: this node does not vote until"));
	CHECK(driver_open(&d, f.r[2], false, &e) == 0);
	CHECK(driver_lock(d, 0, &e) == -1 && e.kind == ERR_BAD);
	driver_close(d);
	four_enroll(&f, 15);
	CHECK(renew_with_floor(f.r[2], 3, &e) == 0);
	CHECK(driver_open(&d, f.r[2], false, &e) == 0);
	CHECK(driver_lock(d, 0, &e) == 0 && !driver_may_vote(d));
	CHECK(strstr(d->mute.msg, "votes from height 4 on") != NULL);
	driver_close(d);
	act(1, 5000);
	CHECK(four_agree(&f, 15, 2));
	four_enroll(&f, 15);
	act(3, 5000);
	CHECK(four_agree(&f, 15, 3));
	CHECK(driver_open(&d, f.r[2], false, &e) == 0);
	CHECK(driver_lock(d, 0, &e) == 0 && driver_may_vote(d));
	driver_close(d);
	four_close(&f);
}

/* A new journal in a delegate that had a say before: its old one is missing,
 * whether it used it or not. */
static void
test_late(void)
{
	struct driver *d;
	struct err e;

	open_four();
	act(1, 0);
	CHECK(four_agree(&f, 15, 1));
	CHECK(unlink(JOURNAL) == 0);
	CHECK(votes_create(f.r[2]->dirfd, repo_ledger(f.r[2]), NULL,
	    &e) == 0);
	CHECK(driver_open(&d, f.r[2], false, &e) == 0);
	CHECK(driver_lock(d, 0, &e) == 0 && d->late && !driver_may_vote(d));
	CHECK(votes_count(d->votes) == 0);
	driver_unlock(d);
	CHECK(renew_with_floor(f.r[2], 3, &e) == 0);
	CHECK(driver_lock(d, 0, &e) == 0 && !d->late && !driver_may_vote(d));
	driver_unlock(d);
	/* While there are no votes in it, it may be renewed again. */
	CHECK(renew_with_floor(f.r[2], 1, &e) == 0);
	CHECK(driver_lock(d, 0, &e) == 0 && driver_may_vote(d));
	driver_close(d);
	four_close(&f);
}

int
main(void)
{
	scratch_open();
	test_restart();
	test_one_dead();
	test_no_quorum();
	test_repeats();
	test_refused();
	test_proposed_again(only_d_prepared);
	test_proposed_again(all_prepared);
	test_body_lost();
	test_evidence();
	test_lost();
	test_late();
	test_alone();
	test_in_turn();
	scratch_close();
	return check_done("driver");
}
