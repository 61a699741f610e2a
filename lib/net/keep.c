#include "net/keep.h"

#include <assert.h>

#include "crypto/note.h"
#include "ledger/block.h"
#include "store/bodies.h"

#define VOTE_MAX 4096		/* bytes of a note with one signature */

void
keep_free(struct keep *k)
{
	for (unsigned i = 0; i < DBFT_MAX_NODES; i++)
		for (int kind = 0; kind <= DBFT_COMMIT; kind++)
			buf_free(&k->vote[i][kind].note);
	for (size_t i = 0; i < k->ncerts; i++)
		buf_free(&k->cert[i].note);
	for (size_t i = 0; i < k->nbodies; i++)
		buf_free(&k->body[i].content);
	k->ncerts = k->nbodies = 0;
}

void
keep_begin(struct keep *k, struct repo *r, uint64_t height)
{
	keep_free(k);
	memset(k, 0, sizeof(*k));
	k->repo = r;
	k->height = height;
}

/* --- votes ---------------------------------------------------------------- */

void
keep_vote(struct keep *k, unsigned signer, const struct dbft_msg *m,
    struct span note)
{
	struct keep_vote *v = &k->vote[signer][m->kind];

	if (v->note.len > 0 && dbft_msg_eq(&v->msg, m))
		return;
	buf_free(&v->note);
	buf_init(&v->note, VOTE_MAX);
	buf_add(&v->note, note.p, note.n);
	v->msg = *m;
	if (v->note.failed)
		buf_free(&v->note);
}

void
keep_votes(struct keep *k, const struct dbft_cert *c, enum dbft_kind kind,
    struct span whole, const struct delegates *set)
{
	struct dbft_msg m = { .kind = kind, .height = c->height,
	    .view = c->view, .block = c->block };
	struct buf one = BUF_INIT(VOTE_MAX);
	struct note n;
	struct err e;

	if (note_parse(&n, whole, "certificate", &e) != 0)
		return;
	for (size_t i = 0; i < n.nsigs; i++) {
		int who = delegates_find(set, n.sig[i].name);
		const struct keep_vote *had;

		if (who < 0)
			continue;
		/* As the core: a later vote is not forgotten for this one. */
		had = &k->vote[who][kind];
		if (had->note.len > 0 && had->msg.view >= c->view)
			continue;
		buf_reset(&one);
		buf_add(&one, n.text.p, n.text.n);
		buf_addc(&one, '\n');
		buf_add(&one, n.sig[i].line.p, n.sig[i].line.n);
		if (!one.failed)
			keep_vote(k, (unsigned)who, &m, buf_span(&one));
	}
	buf_free(&one);
}

struct span
keep_find_vote(const struct keep *k, unsigned signer,
    const struct dbft_msg *m)
{
	const struct keep_vote *v = &k->vote[signer][m->kind];

	if (v->note.len == 0 || !dbft_msg_eq(&v->msg, m))
		return span_of(NULL, 0);
	return buf_span(&v->note);
}

int
keep_join(struct buf *out, const struct keep *k, enum dbft_kind kind,
    const struct dbft_cert *c, const struct hash *ledger, struct err *e)
{
	struct dbft_msg m = { .kind = kind, .height = c->height,
	    .view = c->view, .block = c->block };
	struct note n;

	dbft_msg_format(out, ledger, &m);
	buf_addc(out, '\n');
	for (unsigned i = 0; i < DBFT_MAX_NODES; i++) {
		struct span vote;

		if ((c->signers >> i & 1) == 0)
			continue;
		vote = keep_find_vote(k, i, &m);
		if (vote.n == 0)
			return err_set(e, ERR_BAD, "consensus: the vote of "
			    "delegate %u is not here", i);
		if (note_parse(&n, vote, "vote", e) != 0)
			return -1;
		buf_add(out, n.sig[0].line.p, n.sig[0].line.n);
	}
	return buf_check(out, "certificate", e);
}

/* --- certificates --------------------------------------------------------- */

struct keep_cert *
keep_find_cert(struct keep *k, uint32_t view, const struct hash *block)
{
	for (size_t i = 0; i < k->ncerts; i++)
		if (k->cert[i].c.view == view &&
		    hash_eq(&k->cert[i].c.block, block))
			return &k->cert[i];
	return NULL;
}

struct keep_cert *
keep_cert(struct keep *k, const struct dbft_cert *c, struct span note)
{
	struct keep_cert *kc = keep_find_cert(k, c->view, &c->block);

	if (kc != NULL || k->ncerts == KEEP_CERTS)
		return kc;
	kc = &k->cert[k->ncerts];
	kc->c = *c;
	kc->durable = false;
	buf_init(&kc->note, BLOCK_CERT_MAX);
	buf_add(&kc->note, note.p, note.n);
	if (kc->note.failed) {
		buf_free(&kc->note);
		return NULL;
	}
	k->ncerts++;
	return kc;
}

/* --- blocks --------------------------------------------------------------- */

static struct keep_body *
in_memory(const struct keep *k, const struct hash *id)
{
	for (size_t i = 0; i < k->nbodies; i++)
		if (hash_eq(&k->body[i].id, id))
			return (struct keep_body *)&k->body[i];
	return NULL;
}

bool
keep_has_body(const struct keep *k, const struct hash *id)
{
	return in_memory(k, id) != NULL ||
	    bodies_has(k->repo, k->height, id);
}

/* Room for one more; those that are on disk need not be in memory. */
static struct keep_body *
new_body(struct keep *k, const struct hash *id, struct err *e)
{
	struct keep_body *b = NULL;

	if (k->nbodies < KEEP_BODIES)
		b = &k->body[k->nbodies++];
	for (size_t i = 0; i < k->nbodies && b == NULL; i++)
		if (k->body[i].durable) {
			b = &k->body[i];
			buf_free(&b->content);
		}
	if (b == NULL) {
		err_set(e, ERR_NO, "consensus: too many blocks are proposed");
		return NULL;
	}
	b->id = *id;
	b->durable = false;
	buf_init(&b->content, BLOCK_CONTENT_MAX);
	return b;
}

static void
drop_body(struct keep *k, struct keep_body *b)
{
	buf_free(&b->content);
	*b = k->body[--k->nbodies];
}

struct keep_body *
keep_find_body(struct keep *k, const struct hash *id, struct err *e)
{
	struct keep_body *b = in_memory(k, id);

	if (b != NULL || (b = new_body(k, id, e)) == NULL)
		return b;
	if (bodies_get(&b->content, k->repo, k->height, id, e) != 0) {
		drop_body(k, b);
		return NULL;
	}
	b->durable = true;
	return b;
}

int
keep_body(struct keep *k, const struct hash *id, struct span content,
    struct err *e)
{
	struct keep_body *b;

	if (keep_has_body(k, id))
		return 0;
	if ((b = new_body(k, id, e)) == NULL)
		return -1;
	buf_add(&b->content, content.p, content.n);
	if (buf_check(&b->content, "block", e) != 0) {
		drop_body(k, b);
		return -1;
	}
	return 0;
}

int
keep_body_durable(struct keep *k, const struct hash *id, struct err *e)
{
	struct keep_body *b = keep_find_body(k, id, e);

	if (b == NULL)
		return -1;
	if (bodies_put(k->repo, k->height, id, buf_span(&b->content), e) != 0)
		return -1;
	b->durable = true;
	return 0;
}
