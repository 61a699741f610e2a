/* delegate: what one answers and refuses, whom it accuses, and what it does
 * when its journal is lost. */
#define _GNU_SOURCE
#include "carry.h"
#include "net/renew.h"
#include "store/propose.h"

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
	test_repeats();
	test_refused();
	test_evidence();
	test_lost();
	test_late();
	scratch_close();
	return check_done("delegate");
}
