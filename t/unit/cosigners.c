/*
 * cosigners: what hospital-b answers when others ask it to cosign: by the
 * rules of c2sp.org/tlog-witness, and only what its own blocks give.
 */
#include "past.h"

#include "crypto/cosign.h"
#include "log/tree.h"
#include "net/cosign.h"
#include "proven.h"

static struct past p;
static struct err e;
static struct buf status = BUF_INIT(4096), answer = BUF_INIT(65536);
static struct hash at[100];		/* roots by size, where blocks end */

/* A request: the checkpoint, what it was before, and what was seen. */
struct wish {
	uint64_t size, old;
	const struct identity *by;
	const struct hash *root;	/* or NULL: the right one */
	const struct hash *proof;	/* or NULL: its first hash */
	struct span seen;
	bool as_old;			/* the proof says another old size */
};

static void
body_of(struct buf *body, const struct wish *w)
{
	struct buf note = BUF_INIT(CHECKPOINT_MAX), text = BUF_INIT(PROOF_MAX);
	struct proof proof = { .number = w->old };
	struct tree *t;
	struct db *db;

	CHECK(db_of(&db, p.r[1], &e) == 0);
	CHECK(tree_open(&t, p.r[1], db, &e) == 0);
	if (w->old <= w->size && w->size <= p.all.size)
		CHECK(merkle_consistency(proof.path, &proof.n, w->old,
		    w->size, tree_node, t, &e) == 0);
	tree_close(t);
	if (w->proof != NULL) {
		proof.path[0] = *w->proof;
		proof.n += proof.n == 0;
	}
	proven_checkpoint(&note, &p.l, w->size,
	    w->root != NULL ? w->root : &at[w->size], w->by, w->by == NULL);
	proof.checkpoint = buf_span(&note);
	proof_text(&text, PROOF_CONSISTENCY, &proof);
	proto_item_add(body, buf_span(&text));
	if (w->seen.n > 0)
		proto_item_add(body, w->seen);
	buf_free(&note);
	buf_free(&text);
}

/* hospital-b answers hospital-a: 1 it cosigned, 0 it says "old", -1. */
static int
ask(const struct wish *w)
{
	struct buf body = BUF_INIT(PROTO_COSIGN_MAX);
	int ret;

	body_of(&body, w);
	buf_reset(&status);
	buf_reset(&answer);
	buf_adds(&status, "ok");
	ret = cosign_answer(p.r[1], &p.l.node[1], "hospital-a",
	    buf_span(&body), &status, &answer, &e);
	buf_free(&body);
	if (ret != 0) {
		CHECK(answer.len == 0);
		return -1;
	}
	return answer.len > 0;
}

static bool
says_old(uint64_t size)
{
	char want[64];

	snprintf(want, sizeof(want), "ok old %llu", (unsigned long long)size);
	return answer.len == 0 && span_is(buf_span(&status), want);
}

static bool
refused(const struct wish *w, enum err_kind kind, const char *why)
{
	if (ask(w) != -1)
		return false;
	if (strstr(e.msg, why) == NULL)
		CHECK_STR(e.msg, why);
	return e.kind == kind;
}

static uint64_t
recorded(void)
{
	struct signed_head h = { .size = UINT64_MAX };
	bool copy;

	CHECK(signed_read(&h, &copy, p.r[1]->dirfd, &p.l.id, &e) == 0);
	return h.size;
}

/* Is the answer hospital-b's cosignature of the tree of that size, now? */
static bool
is_cosigned(uint64_t size)
{
	struct buf note = BUF_INIT(CHECKPOINT_MAX);
	struct checkpoint c;
	struct sign_pub pub;
	uint64_t time_s = 0;
	bool yes;

	sign_public(&pub, p.l.node[1].sign);
	checkpoint_text(&note, &p.l.id, size, &at[size]);
	buf_addc(&note, '\n');
	buf_add(&note, answer.p, answer.len);
	yes = checkpoint_parse(&c, buf_span(&note), &p.l.id, &e) == 0 &&
	    c.note.nsigs == 1 && cosign_verify(&c.note, 0,
	    span_str("hospital-b"), &pub, &time_s, &e) == 0;
	buf_free(&note);
	return yes && time_s + 100 > (uint64_t)time(NULL) &&
	    time_s <= (uint64_t)time(NULL);
}

/* --- the rules ------------------------------------------------------------ */

static void
rules(void)
{
	struct wish w = { .size = 15, .by = &p.l.node[0] };
	struct hash other;

	little_object(&other, "something else");
	/* Refused before anything was signed, and nothing is written down. */
	w.by = &p.l.node[2];
	CHECK(refused(&w, ERR_NO, "not signed by hospital-a"));
	w.by = NULL;
	CHECK(refused(&w, ERR_NO, "not signed by hospital-a"));
	w.by = &p.l.node[0];
	w.root = &other;
	CHECK(refused(&w, ERR_NO, "no block here ends in this tree"));
	w.root = NULL;
	w.proof = &other;
	CHECK(refused(&w, ERR_NO, "not shown to contain"));
	w.proof = NULL;
	w.size = 14;			/* no block ends there */
	CHECK(refused(&w, ERR_NO, "no block here ends in this tree"));
	w.size = 1000;
	w.root = &other;
	CHECK(refused(&w, ERR_AGAIN, "not 1000 yet"));
	w.root = NULL;
	w.size = 15;
	w.old = 5;
	CHECK(ask(&w) == 0 && says_old(0));
	w.old = 20;
	CHECK(refused(&w, ERR_BAD, "larger than the new one"));
	CHECK(recorded() == 0);

	w.old = 0;
	CHECK(ask(&w) == 1 && is_cosigned(15) && recorded() == 15);
	/* The same once more, by whoever asks. */
	CHECK(ask(&w) == 0 && says_old(15));
	w.old = 15;
	CHECK(ask(&w) == 1 && is_cosigned(15));
	w.proof = &other;
	CHECK(refused(&w, ERR_NO, "not shown to contain"));
	w.proof = NULL;
	w.root = &other;
	CHECK(refused(&w, ERR_NO, "not shown to contain"));
	w.root = NULL;
	/* Smaller ones are not cosigned any more. */
	w.size = w.old = 5;
	CHECK(ask(&w) == 0 && says_old(15));
	w.old = 0;
	CHECK(ask(&w) == 0 && says_old(15));

	w.size = 25;
	w.old = 15;
	w.proof = &other;
	CHECK(refused(&w, ERR_NO, "not shown to contain"));
	CHECK(recorded() == 15);
	w.proof = NULL;
	CHECK(ask(&w) == 1 && is_cosigned(25) && recorded() == 25);
	w.size = 35;
	CHECK(ask(&w) == 0 && says_old(25));
	w.old = 25;
	CHECK(ask(&w) == 1 && is_cosigned(35) && recorded() == 35);
}

static void
requests(void)
{
	struct wish w = { .size = 35, .old = 35, .by = &p.l.node[0] };
	struct buf body = BUF_INIT(PROTO_COSIGN_MAX);
	size_t whole;

	body_of(&body, &w);
	whole = body.len;
	for (size_t n = 0; n < whole; n++) {
		buf_reset(&status);
		buf_reset(&answer);
		CHECK(cosign_answer(p.r[1], &p.l.node[1], "hospital-a",
		    span_of(body.p, n), &status, &answer, &e) == -1 &&
		    e.kind == ERR_BAD);
	}
	CHECK(cosign_answer(p.r[1], NULL, "hospital-a", buf_span(&body),
	    &status, &answer, &e) == -1 && e.kind == ERR_NO);
	CHECK(cosign_answer(p.r[1], &p.l.node[1], "hospital-c",
	    buf_span(&body), &status, &answer, &e) == -1 && e.kind == ERR_NO);
	CHECK(cosign_answer(p.r[1], &p.l.node[1], "hospital-z",
	    buf_span(&body), &status, &answer, &e) == -1 && e.kind == ERR_NO);
	proto_item_add(&body, span_str("x"));
	CHECK(cosign_answer(p.r[1], &p.l.node[1], "hospital-a",
	    buf_span(&body), &status, &answer, &e) == -1 && e.kind == ERR_BAD);
	buf_free(&body);
}

/* --- what others have seen ------------------------------------------------ */

static void
set_back_to(uint64_t size)
{
	struct signed_head h = { .size = size, .root = at[size] };

	if (size == 0)
		signed_none(&h, 0);
	CHECK(signed_write(p.r[1]->dirfd, &p.l.id, &h, &e) == 0);
}

/*
 * hospital-b was set back as a whole, with nothing there that would tell; but
 * hospital-a has its cosignature.
 */
static void
seen(void)
{
	struct buf note = BUF_INIT(CHECKPOINT_MAX);
	struct wish w = { .size = 35, .old = 15, .by = &p.l.node[0] };

	set_back_to(15);
	/* No more than is known, or not b's signature: no matter. */
	proven_checkpoint(&note, &p.l, 15, &at[15], NULL, 2);
	w.seen = buf_span(&note);
	CHECK(ask(&w) == 1 && is_cosigned(35));
	set_back_to(15);
	buf_reset(&note);
	proven_checkpoint(&note, &p.l, 25, &at[25], &p.l.node[0], 13);
	w.seen = buf_span(&note);
	CHECK(ask(&w) == 1);
	set_back_to(15);
	buf_reset(&note);
	proven_checkpoint(&note, &p.l, 25, &at[25], &p.l.node[0], 2);
	w.seen = buf_span(&note);
	CHECK(refused(&w, ERR_NO, "it was an old copy"));
	/* From now on it signs nothing, whoever asks, and however. */
	w.seen = span_of(NULL, 0);
	CHECK(refused(&w, ERR_NO, "is not known"));
	CHECK(access("b/.ehr/consensus/signed", F_OK) != 0);
	buf_free(&note);
}

/* --- asking --------------------------------------------------------------- */

/* Two who ask at the same time: the record never goes back. */
static void
together(void)
{
	struct wish w = { .by = &p.l.node[0] };

	for (int round = 0; round < 20; round++) {
		pid_t pid[3];
		int got;

		set_back_to(15);
		for (int i = 0; i < 3; i++) {
			w.size = 15 + 10 * (uint64_t)i;
			w.old = 15;
			fflush(stdout);
			if ((pid[i] = fork()) == 0) {
				/* A connection to SQLite is not inherited. */
				if (repo_open(&p.r[1], "b", &e) != 0)
					_exit(9);
				_exit(ask(&w) + 1);
			}
		}
		for (int i = 0; i < 3; i++) {
			CHECK(waitpid(pid[i], &got, 0) == pid[i]);
			CHECK(WIFEXITED(got) && WEXITSTATUS(got) < 3);
		}
		CHECK(recorded() >= 25);
	}
}

int
main(void)
{
	scratch_open();
	past_open(&p);
	past_add(&p, "a", 0);
	past_add(&p, "b", 1);
	past_begin(&p);
	merkle_root(&at[5], &p.all);
	for (int i = 15; i <= 35; i += 10) {
		past_accesses(&p, 10, PAST_HOUR(i / 10) + 120000);
		merkle_root(&at[i], &p.all);
	}
	memset(&at[14], 7, sizeof(at[14]));
	rules();
	requests();
	seen();
	together();
	past_close(&p);
	scratch_close();
	buf_free(&status);
	buf_free(&answer);
	return check_done("cosigners");
}
