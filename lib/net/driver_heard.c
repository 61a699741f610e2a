#include "net/driver.h"

#include "net/driver_inner.h"
#include "net/judge.h"

/* The next vote that is of use: 1, 0 or -1.  note holds it. */
static int
next(struct dbft_signed *v, struct buf *note, struct driver *d, struct err *e)
{
	struct err ignored;
	int got;

	while ((got = heard_next(d->heard, note, e)) == 1)
		if (judge_vote(v, buf_span(note), repo_ledger(d->repo),
		    &d->set, true, &ignored) == 0 && (int)v->signer != d->me &&
		    (v->msg.kind == DBFT_PREPARE || v->msg.kind == DBFT_COMMIT))
			return 1;
	return got;
}

/* Begin to read; the first time for this state of the core, all of it. */
static int
look(struct driver *d, struct err *e)
{
	bool anew = d->unheard;

	d->unheard = false;
	return heard_look(d->heard, driver_height(d), anew, e);
}

int
driver_replay_heard(struct driver *d, struct err *e)
{
	struct buf note = BUF_INIT(HEARD_NOTE_MAX);
	struct dbft_signed v;
	int got;

	if (d->heard == NULL || !d->passive || d->me < 0)
		return 0;
	if (look(d, e) != 0)
		return -1;
	while ((got = next(&v, &note, d, e)) == 1) {
		dbft_replay_vote(&d->core, &v);
		if (dbft_msg_eq(&v.msg, &d->core.seen[v.signer][v.msg.kind]))
			keep_vote(&d->keep, v.signer, &v.msg,
			    buf_span(&note));
	}
	buf_free(&note);
	return got;
}

int
driver_hear(struct driver *d, struct err *e)
{
	struct dbft_input in = { .peer = DBFT_NOBODY };
	struct buf note = BUF_INIT(HEARD_NOTE_MAX);
	int ret = 0;

	if (d->heard == NULL || d->passive || d->me < 0)
		return 0;
	if (look(d, e) != 0)
		return -1;
	while (d->live && ret == 0 &&
	    (ret = next(&in.vote, &note, d, e)) == 1) {
		in.kind = in.vote.msg.kind == DBFT_PREPARE ? DBFT_IN_PREPARE :
		    DBFT_IN_COMMIT;
		d->given[0] = (struct driver_given){ in.vote, buf_span(&note) };
		d->ngiven = 1;
		ret = driver_step(d, &in, e);
		d->ngiven = 0;
	}
	buf_free(&note);
	return ret;
}

int
driver_keep_heard(struct driver *d, const struct driver_given *g,
    struct err *e)
{
	const struct dbft_signed *v = &g->vote;

	if (d->heard == NULL || !d->passive || (int)v->signer == d->me ||
	    v->msg.kind == DBFT_CHANGE || g->note.n > HEARD_NOTE_MAX ||
	    keep_find_vote(&d->keep, v->signer, &v->msg).n > 0)
		return 0;
	return heard_add(d->heard, g->note, e);
}
