#include "net/driver.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/clock.h"
#include "net/driver_inner.h"
#include "net/entry.h"
#include "net/final.h"
#include "store/chain.h"

#define VOTE_MAX 4096		/* bytes of a note with one signature */

/* Blocks that go along with others' change-views, bytes: the sender's own
 * comes first, and all must fit into a payload. */
#define ALONG_MAX (WIRE_PAYLOAD_MAX - (4u << 20))

/* --- our votes ------------------------------------------------------------ */

/* Sign an own vote, or find the note; the same bytes each time. */
static int
own_note(struct span *out, struct driver *d, const struct dbft_msg *m,
    struct err *e)
{
	struct buf text = BUF_INIT(DBFT_MSG_MAX), note = BUF_INIT(VOTE_MAX);
	unsigned me = (unsigned)d->me;
	int ret = 0;

	*out = keep_find_vote(&d->keep, me, m);
	if (out->n > 0)
		return 0;
	dbft_msg_format(&text, repo_ledger(d->repo), m);
	ret = identity_sign(&note, buf_span(&text), &d->key, e);
	if (ret == 0) {
		keep_vote(&d->keep, me, m, buf_span(&note));
		*out = keep_find_vote(&d->keep, me, m);
	}
	buf_free(&text);
	buf_free(&note);
	return ret;
}

/* A certificate from the votes that are here; after a restart our own is not
 * among them until it is signed again. */
static int
join_votes(struct buf *out, struct driver *d, enum dbft_kind kind,
    const struct dbft_cert *c, struct err *e)
{
	const struct dbft_msg *own = &d->core.seen[d->me][kind];
	struct span note;

	if ((c->signers >> d->me & 1) != 0 && own_note(&note, d, own, e) != 0)
		return -1;
	return keep_join(out, &d->keep, kind, c, repo_ledger(d->repo), e);
}

/* The prepare certificate: as it came, or joined from its votes. */
static int
cert_of(struct keep_cert **out, struct driver *d, const struct dbft_cert *c,
    struct err *e)
{
	struct buf note = BUF_INIT(BLOCK_CERT_MAX);
	int ret = 0;

	*out = keep_find_cert(&d->keep, c->view, &c->block);
	if (*out == NULL)
		ret = join_votes(&note, d, DBFT_PREPARE, c, e);
	if (*out == NULL && ret == 0 &&
	    (*out = keep_cert(&d->keep, c, buf_span(&note))) == NULL)
		ret = err_set(e, ERR_NO, "consensus: too many certificates");
	buf_free(&note);
	return ret;
}

/* Write the certificate and its block down, unless they are. */
static int
write_cert(struct driver *d, const struct dbft_cert *c, struct err *e)
{
	struct buf text = BUF_INIT(VOTES_TEXT_MAX);
	struct keep_cert *kc;
	int ret;

	if (cert_of(&kc, d, c, e) != 0)
		return -1;
	if (kc->durable)
		return 0;
	/* Who has voted for the block has it on disk. */
	if (!hash_eq(&d->core.seen[d->me][DBFT_PREPARE].block, &c->block) &&
	    keep_body_durable(&d->keep, &c->block, e) != 0)
		return -1;
	entry_certificate(&text, buf_span(&kc->note));
	ret = votes_append(d->votes, driver_height(d), buf_span(&text), e);
	buf_free(&text);
	kc->durable = ret == 0;
	return ret;
}

/* What we vote for, in the speaker's words: should it say something else, too,
 * in the same view, there is proof of it. */
static int
write_proposal(struct driver *d, const struct dbft_msg *m, struct err *e)
{
	unsigned speaker = dbft_speaker(m->height, m->view,
	    (unsigned)d->set.n);
	struct buf text = BUF_INIT(VOTES_TEXT_MAX);
	struct span note = keep_find_vote(&d->keep, speaker, m);
	int ret = 0;

	if ((int)speaker != d->me && note.n > 0) {
		entry_proposal(&text, note);
		ret = votes_append(d->votes, m->height, buf_span(&text), e);
	}
	buf_free(&text);
	return ret;
}

static int
write_record(struct driver *d, const struct dbft_msg *m, struct err *e)
{
	struct dbft_record r = { *m, clock_now_ms() };
	struct buf text = BUF_INIT(512);
	int ret;

	entry_format(&text, &r);
	ret = votes_append(d->votes, m->height, buf_span(&text), e);
	buf_free(&text);
	d->last = votes_last(d->votes);
	return ret;
}

/* Persist before you speak. */
static int
write_vote(struct driver *d, const struct dbft_action *a, struct err *e)
{
	int ret = 0;

	if (a->msg.kind == DBFT_PREPARE) {
		ret = keep_body_durable(&d->keep, &a->msg.block, e);
		if (ret == 0)
			ret = write_proposal(d, &a->msg, e);
	} else if (a->cert.signers != 0)
		ret = write_cert(d, &a->cert, e);
	if (ret != 0 || write_record(d, &a->msg, e) != 0)
		return -1;
	return votes_sync(d->votes, e);
}

/* --- what goes out -------------------------------------------------------- */

static void
add_block(struct wire_msg *m, struct driver *d, const struct hash *id,
    size_t *room)
{
	struct keep_body *b;
	struct err ignored;

	for (size_t i = 0; i < m->n; i++) {
		struct block other;

		if (m->part[i].kind == WIRE_BLOCK && block_parse(&other,
		    m->part[i].data, false, repo_ledger(d->repo),
		    &ignored) == 0 && hash_eq(&other.h.id, id))
			return;
	}
	b = keep_find_body(&d->keep, id, &ignored);
	if (b == NULL || b->content.len > *room)
		return;
	*room -= b->content.len;
	wire_part(m, WIRE_BLOCK, buf_span(&b->content));
}

/* A change-view's note, and the certificate and block that it claims. */
static void
add_change(struct wire_msg *m, struct driver *d, const struct dbft_msg *msg,
    struct span note, size_t *room)
{
	struct keep_cert *kc;

	wire_part(m, WIRE_NOTE, note);
	if (!msg->prepared)
		return;
	kc = keep_find_cert(&d->keep, msg->prepared_view, &msg->block);
	if (kc == NULL)
		return;
	wire_part(m, WIRE_CERTIFICATE, buf_span(&kc->note));
	if (room != NULL)
		add_block(m, d, &msg->block, room);
}

/* The change-views of a mask, as they came. */
static void
add_changes(struct wire_msg *m, struct driver *d, uint64_t mask,
    size_t *room)
{
	for (unsigned i = 0; i < d->set.n; i++) {
		const struct dbft_msg *c = &d->core.seen[i][DBFT_CHANGE];
		struct span note = keep_find_vote(&d->keep, i, c);

		if ((mask >> i & 1) != 0 && (int)i != d->me && note.n > 0)
			add_change(m, d, c, note, room);
	}
}

static int
put_vote(struct driver *d, const struct dbft_action *a, struct err *e)
{
	struct wire_msg m;
	size_t room = ALONG_MAX;
	struct span note;

	if (own_note(&note, d, &a->msg, e) != 0)
		return -1;
	if (a->to == 0)
		return 0;
	wire_start(&m, a->msg.kind == DBFT_PREPARE ? WIRE_PREPARE :
	    a->msg.kind == DBFT_COMMIT ? WIRE_COMMIT : WIRE_CHANGE);
	if (a->msg.kind == DBFT_CHANGE) {
		add_change(&m, d, &a->msg, note, &room);
		add_changes(&m, d, a->changes, &room);
	} else
		wire_part(&m, WIRE_NOTE, note);
	return driver_put(d, a->to, &m, e);
}

static int
put_proposal(struct driver *d, const struct dbft_action *a, struct err *e)
{
	struct keep_body *b = keep_find_body(&d->keep, &a->msg.block, e);
	struct wire_msg m;
	struct span note;

	if (b == NULL || own_note(&note, d, &a->msg, e) != 0)
		return -1;
	wire_start(&m, WIRE_PROPOSAL);
	wire_part(&m, WIRE_NOTE, note);
	if ((a->changes >> d->me & 1) != 0) {
		const struct dbft_msg *own = d->core.seen[d->me];
		struct span mine;

		if (own_note(&mine, d, &own[DBFT_CHANGE], e) != 0)
			return -1;
		wire_part(&m, WIRE_NOTE, mine);
	}
	for (unsigned i = 0; i < d->set.n; i++)
		if ((a->changes >> i & 1) != 0 && (int)i != d->me)
			wire_part(&m, WIRE_NOTE, keep_find_vote(&d->keep, i,
			    &d->core.seen[i][DBFT_CHANGE]));
	if (a->cert.height != 0) {
		struct keep_cert *kc = keep_find_cert(&d->keep, a->cert.view,
		    &a->cert.block);

		if (kc == NULL)
			return err_set(e, ERR_BAD, "consensus: a certificate "
			    "is not here");
		wire_part(&m, WIRE_CERTIFICATE, buf_span(&kc->note));
	}
	wire_part(&m, WIRE_BLOCK, buf_span(&b->content));
	return driver_put(d, a->to, &m, e);
}

static int
put_prepared(struct driver *d, const struct dbft_action *a, struct err *e)
{
	struct keep_cert *kc;
	struct wire_msg m;

	if (cert_of(&kc, d, &a->cert, e) != 0)
		return -1;
	wire_start(&m, WIRE_PREPARED);
	wire_part(&m, WIRE_CERTIFICATE, buf_span(&kc->note));
	return driver_put(d, a->to, &m, e);
}

/* --- the end of a height -------------------------------------------------- */

static int
finalise(struct driver *d, const struct dbft_action *a, struct err *e)
{
	struct keep_body *b = keep_find_body(&d->keep, &a->cert.block, e);
	struct buf note = BUF_INIT(BLOCK_CERT_MAX);
	struct wire_msg m;
	int ret;

	d->live = false;
	ret = b == NULL ? -1 : join_votes(&note, d, DBFT_COMMIT, &a->cert, e);
	if (ret == 0)
		ret = final_accept(d->repo, buf_span(&b->content),
		    buf_span(&note), true, e);
	/* Where all count, it is the speaker who has made it. */
	if (ret == 0 && (d->heard == NULL || (int)dbft_speaker(a->height,
	    a->cert.view, d->core.c.n) == d->me)) {
		d->made = a->height;
		d->made_id = a->cert.block;
	}
	if (ret == 0 && !d->passive) {
		/* Those who voted have the block; others ask for it. */
		wire_start(&m, WIRE_FINAL);
		wire_part(&m, WIRE_CERTIFICATE, buf_span(&note));
		ret = driver_put(d, a->to, &m, e);
	}
	buf_free(&note);
	return ret;
}

/* --- double votes --------------------------------------------------------- */

static void
add_proof(struct buf *out, struct driver *d, unsigned signer,
    const struct dbft_msg *m)
{
	struct span note = keep_find_vote(&d->keep, signer, m);

	if (m->kind == DBFT_NONE)
		return;
	for (size_t i = 0; i < d->ngiven && note.n == 0; i++)
		if (d->given[i].vote.signer == signer &&
		    dbft_msg_eq(&d->given[i].vote.msg, m))
			note = d->given[i].note;
	if (note.n > 0)
		buf_add(out, note.p, note.n);
	else
		dbft_msg_format(out, repo_ledger(d->repo), m);
	buf_addc(out, '\n');
}

/* Keep the pair, which convicts its signer, and tell the operator. */
static int
evidence(struct driver *d, const struct dbft_action *a, struct err *e)
{
	const char *who = d->set.d[a->signer].name;
	struct buf proof = BUF_INIT(65536);
	char path[FS_NAME_MAX];
	struct err ignored;

	snprintf(path, sizeof(path), VOTES_DIR "/evidence-%09llu-%s",
	    (unsigned long long)a->height, who);
	add_proof(&proof, d, a->signer, &a->other);
	add_proof(&proof, d, a->signer, &a->msg);
	fs_write(d->repo->dirfd, path, "tmp", buf_span(&proof), 0600, true,
	    &ignored);
	buf_free(&proof);
	if ((int)a->signer != d->me) {
		driver_say(d, "%s has signed two things that contradict each "
		    "other at height %llu: %s/%s", who,
		    (unsigned long long)a->height, d->repo->path, path);
		return 0;
	}
	driver_say(d, "a vote with this node's key is not in its journal: "
	    "the key is in use elsewhere, or %s/%s is an old copy",
	    d->repo->path, VOTES_PATH);
	err_set(&d->mute, ERR_NO, "a vote of height %llu with this node's key "
	    "is not in its journal", (unsigned long long)a->height);
	if (votes_append(d->votes, a->height, span_str("floor"), e) != 0)
		return -1;
	d->last = votes_last(d->votes);
	return votes_sync(d->votes, e);
}

/* --- all of them ---------------------------------------------------------- */

static int
act(struct driver *d, const struct dbft_action *a, struct err *e)
{
	struct dbft_msg entered = { .height = a->height, .view = a->view };

	switch (a->kind) {
	case DBFT_ACT_VOTE:
		return write_vote(d, a, e) != 0 ? -1 : put_vote(d, a, e);
	case DBFT_ACT_REPEAT:
		return votes_sync(d->votes, e) != 0 ? -1 : put_vote(d, a, e);
	case DBFT_ACT_ENTERED:
		return write_record(d, &entered, e);
	case DBFT_ACT_PROPOSE:
		return votes_sync(d->votes, e) != 0 ? -1 :
		    put_proposal(d, a, e);
	case DBFT_ACT_PREPARED:
		return votes_sync(d->votes, e) != 0 ? -1 :
		    put_prepared(d, a, e);
	case DBFT_ACT_FINALISE:
		return finalise(d, a, e);
	case DBFT_ACT_EVIDENCE:
		return evidence(d, a, e);
	case DBFT_ACT_CANDIDATE:	/* the caller's */
	case DBFT_ACT_BLOCK:		/* heights are compared before */
	case DBFT_ACT_CATCH_UP:
		break;
	}
	return 0;
}

int
driver_act(struct driver *d, const struct dbft_actions *out,
    int64_t *candidate, struct err *e)
{
	*candidate = -1;
	d->wake_ms = out->wake_ms;
	for (size_t i = 0; i < out->n; i++) {
		if (out->a[i].kind == DBFT_ACT_CANDIDATE)
			*candidate = out->a[i].view;
		if (act(d, &out->a[i], e) != 0) {
			/* Nothing more of this state may be used. */
			d->live = false;
			return -1;
		}
	}
	return 0;
}
