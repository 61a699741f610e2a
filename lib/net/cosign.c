#include "net/cosign.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "crypto/cosign.h"
#include "store/lookup.h"

/* --- being asked ---------------------------------------------------------- */

struct request {
	struct proof proof;
	struct checkpoint c;
	bool has_seen;
	struct checkpoint seen;
};

static int
parse(struct request *q, struct span body, const struct hash *ledger,
    struct err *e)
{
	struct span first, second;
	int got = proto_item_next(&body, &first, PROOF_MAX, e);

	if (got < 1)
		return got < 0 ? -1 : err_set(e, ERR_BAD, "cosign: empty");
	if (proof_parse(&q->proof, PROOF_CONSISTENCY, first, e) != 0 ||
	    checkpoint_parse(&q->c, q->proof.checkpoint, ledger, e) != 0)
		return -1;
	got = proto_item_next(&body, &second, CHECKPOINT_MAX, e);
	q->has_seen = got == 1;
	if (got == 1 && checkpoint_parse(&q->seen, second, ledger, e) != 0)
		return -1;
	if (got < 0 || body.n > 0)
		return err_set(e, ERR_BAD, "cosign: more than a checkpoint and "
		    "one that was cosigned");
	if (q->proof.number > q->c.size)
		return err_set(e, ERR_BAD, "cosign: the old tree is larger "
		    "than the new one");
	return 0;
}

/* It must be the caller's own checkpoint. */
static int
check_caller(const struct request *q, struct db *db, const char *from,
    const struct hash *ledger, struct err *e)
{
	struct lookup_node n;
	struct err ignored;
	uint64_t time_s;
	int got = lookup_node(&n, db, span_str(from), e);

	if (got < 0)
		return -1;
	for (size_t i = 0; got == 1 && i < q->c.note.nsigs; i++)
		if (checkpoint_is_log(&q->c, i, ledger) &&
		    checkpoint_verify(&q->c, i, ledger, span_str(from),
		    &n.sign, &time_s, &ignored) == 0)
			return 0;
	return err_set(e, ERR_NO, "the checkpoint is not signed by %s", from);
}

/*
 * Does the caller hold something of ours that our own record lacks?  Then that
 * is an old copy, and nobody knows what else it lacks: it is dropped.
 */
static int
check_seen(const struct request *q, struct signer *s,
    const struct sign_pub *pub, struct span name, struct err *e)
{
	struct err ignored;
	uint64_t time_s;

	if (!q->has_seen || q->seen.size <= s->last.size)
		return 0;
	for (size_t i = 0; i < q->seen.note.nsigs; i++)
		if (cosign_verify(&q->seen.note, i, name, pub, &time_s,
		    &ignored) == 0)
			return signer_drop(s, e) != 0 ? -1 : err_set(e, ERR_NO,
			    "you hold my signature over %llu transactions, and "
			    "my record ends at %llu: it was an old copy; I "
			    "sign again when the others have said how far "
			    "they are", (unsigned long long)q->seen.size,
			    (unsigned long long)s->last.size);
	return 0;
}

static int
check_proof(const struct request *q, const struct signer *s, struct err *e)
{
	const struct proof *p = &q->proof;
	bool ok = p->number == 0 ? p->n == 0 :
	    merkle_consistency_ok(&s->last.root, p->number, &q->c.root,
	    q->c.size, p->path, p->n);

	return ok ? 0 : err_set(e, ERR_NO, "the checkpoint is not shown to "
	    "contain the tree of %llu transactions that I signed last",
	    (unsigned long long)p->number);
}

/* The signer is open. */
static int
answer_open(struct signer *s, const struct request *q,
    const struct identity *key, const struct sign_pub *pub,
    struct buf *status, struct buf *answer, struct err *e)
{
	struct span name = span_str(key->name);
	int64_t now_ms = clock_now_ms();

	if (check_seen(q, s, pub, name, e) != 0)
		return -1;
	if (q->proof.number != s->last.size) {
		buf_addf(status, " old %llu",
		    (unsigned long long)s->last.size);
		return buf_check(status, "answer", e);
	}
	if (check_proof(q, s, e) != 0 ||
	    signer_advance(s, q->c.size, &q->c.root, now_ms, e) != 0)
		return -1;
	return cosign_line(answer, q->c.note.text, name, key->sign,
	    (uint64_t)now_ms / 1000, e);
}

int
cosign_answer(struct repo *r, const struct identity *key, const char *from,
    struct span body, struct buf *status, struct buf *answer, struct err *e)
{
	struct request *q = malloc(sizeof(*q));
	struct sign_pub pub;
	struct signer s;
	struct db *db;
	bool lost;
	int ret = -1;

	if (q == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	if (key == NULL)
		err_set(e, ERR_NO, "this copy has no key to cosign with");
	else if (db_of(&db, r, e) == 0 &&
	    parse(q, body, repo_ledger(r), e) == 0 &&
	    check_caller(q, db, from, repo_ledger(r), e) == 0) {
		sign_public(&pub, key->sign);
		ret = signer_open(&s, r, &pub, &lost, e);
		if (ret == 0) {
			ret = answer_open(&s, q, key, &pub, status, answer,
			    e);
			signer_close(&s);
		}
	}
	free(q);
	return ret;
}

/* --- asking --------------------------------------------------------------- */

static int
request(struct buf *body, const struct cosign_wish *w, uint64_t old,
    struct err *e)
{
	struct buf text = BUF_INIT(PROOF_MAX);
	struct proof p = { .number = old, .checkpoint = w->checkpoint };
	int ret = merkle_consistency(p.path, &p.n, old, w->size, w->node,
	    w->arg, e);

	if (ret == 0) {
		proof_text(&text, PROOF_CONSISTENCY, &p);
		ret = buf_check(&text, "proof", e);
	}
	if (ret == 0) {
		proto_item_add(body, buf_span(&text));
		if (w->seen.n > 0)
			proto_item_add(body, w->seen);
		ret = buf_check(body, "request", e);
	}
	buf_free(&text);
	return ret;
}

/* The line must be the peer's cosignature of this checkpoint, and nothing. */
static int
check_line(struct session *s, const struct cosign_wish *w, struct span line,
    struct err *e)
{
	struct buf both = BUF_INIT(CHECKPOINT_MAX);
	struct checkpoint c;
	struct lookup_node n;
	uint64_t time_s;
	struct db *db;
	int ret = -1;

	if (db_of(&db, s->repo, e) != 0)
		return -1;
	if (lookup_node(&n, db, span_str(s->node), e) != 1)
		return err_set(e, ERR_NO, "%s: is no node here", s->peer);
	if (checkpoint_parse(&c, w->checkpoint, repo_ledger(s->repo), e) == 0) {
		buf_add(&both, c.note.text.p, c.note.text.n);
		buf_addc(&both, '\n');
		buf_add(&both, line.p, line.n);
		if (buf_check(&both, "cosignature", e) == 0 &&
		    checkpoint_parse(&c, buf_span(&both),
		    repo_ledger(s->repo), e) == 0)
			ret = c.note.nsigs != 1 ? err_set(e, ERR_BAD,
			    "several lines") : cosign_verify(&c.note, 0,
			    span_str(s->node), &n.sign, &time_s, e);
	}
	buf_free(&both);
	return ret == 0 ? 0 : err_wrap(e, "%s", s->peer);
}

/* One exchange.  *old is what the peer has signed last, when that is why it
 * did not sign: 0. */
static int
ask(struct buf *line, struct session *s, const struct cosign_wish *w,
    uint64_t *old, struct err *e)
{
	struct buf body = BUF_INIT(PROTO_COSIGN_MAX);
	struct buf status = BUF_INIT(PROTO_LINE_MAX);
	struct buf answer = BUF_INIT(CHECKPOINT_MAX);
	struct span rest;
	int ret = request(&body, w, *old, e);

	if (ret == 0)
		ret = session_ask(s, "cosign", buf_span(&body), &status,
		    &answer, e);
	rest = buf_span(&status);
	if (ret == 0 && span_starts(rest, "ok old ") && answer.len == 0) {
		if (text_parse_u64(old, span_of(rest.p + 7, rest.n - 7),
		    INT64_MAX) != 0)
			ret = err_set(e, ERR_BAD, "%s: not the protocol",
			    s->peer);
	} else if (ret == 0 && check_line(s, w, buf_span(&answer), e) != 0)
		ret = -1;
	else if (ret == 0) {
		buf_add(line, answer.p, answer.len);
		ret = buf_check(line, "cosignature", e) == 0 ? 1 : -1;
	}
	buf_free(&body);
	buf_free(&status);
	buf_free(&answer);
	return ret;
}

int
cosign_ask(struct buf *line, struct session *s, const struct cosign_wish *w,
    struct err *e)
{
	uint64_t old = w->old;

	/* It may sign for another of us between two questions. */
	for (int i = 0; i < 4; i++) {
		int got = ask(line, s, w, &old, e);

		if (got != 0)
			return got;
		if (old < w->old)
			return err_set(e, ERR_NO, "%s: has cosigned %llu "
			    "transactions, and knows of only %llu: its record "
			    "is an old copy", s->peer,
			    (unsigned long long)w->old,
			    (unsigned long long)old);
		if (old > w->size)
			return 0;
	}
	return err_set(e, ERR_AGAIN, "%s: signs for others all the time",
	    s->peer);
}
