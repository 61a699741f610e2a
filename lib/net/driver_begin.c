#define _GNU_SOURCE	/* fstatat */
#include "net/driver.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "net/driver_inner.h"
#include "net/entry.h"
#include "net/judge.h"
#include "net/turns.h"
#include "store/blocks.h"
#include "store/bodies.h"
#include "store/chain.h"

#define RESEND_MAX_MS 5000
#define RESEND_MIN_MS 50
#define TIMEOUT_GROWTH 64	/* to which the doubling goes */
#define SKIP_MS 20		/* for a speaker that does not answer */
#define AGAIN_MS 20		/* until a change-view is repeated first */

/* When the last block became final here: the age of its file. */
static int64_t
arrived(const struct driver *d)
{
	char path[CHAIN_PATH_LEN] = "genesis";
	struct stat st;

	if (d->head.height > 0)
		chain_path(path, d->head.height);
	if (fstatat(d->repo->dirfd, path, &st, 0) != 0)
		return clock_now_ms();
	return (int64_t)st.st_mtim.tv_sec * 1000 +
	    st.st_mtim.tv_nsec / 1000000;
}

static void
configure(struct dbft_config *c, const struct driver *d)
{
	int64_t timeout = d->repo->genesis->settings.timeout_ms;
	int64_t resend = timeout / 4;

	c->n = (unsigned)d->set.n;
	c->me = (unsigned)d->me;
	c->passive = d->passive;
	c->all_to_all = d->heard != NULL;
	c->timeout_ms = timeout;
	c->timeout_max_ms = timeout * TIMEOUT_GROWTH;
	c->resend_ms = resend > RESEND_MAX_MS ? RESEND_MAX_MS :
	    resend < RESEND_MIN_MS ? RESEND_MIN_MS : resend;
	c->late_ms = timeout / 10;
	c->skip_ms = c->late_ms < SKIP_MS ? c->late_ms : SKIP_MS;
	c->again_ms = AGAIN_MS;
}

/* Our place among the delegates, if it is our key that is there. */
static int
find_me(const struct driver *d)
{
	struct sign_pub mine;
	int me = delegates_find(&d->set, span_str(d->key.name));

	sign_public(&mine, d->key.sign);
	if (me >= 0 && !sign_pub_eq(&mine, &d->set.d[me].sign))
		return -1;
	return me;
}

/* --- the journal ---------------------------------------------------------- */

static int
take_certificate(struct driver *d, struct span note, struct err *e)
{
	struct keep_cert *kc;
	struct dbft_cert c;

	if (judge_cert(&c, DBFT_PREPARE, note, repo_ledger(d->repo), &d->set,
	    true, e) != 0)
		return err_wrap(e, VOTES_PATH);
	if (!keep_has_body(&d->keep, &c.block))
		return err_set(e, ERR_BAD, "the block that this node has "
		    "voted for is gone from %s/", VOTES_DIR);
	if ((kc = keep_cert(&d->keep, &c, note)) == NULL)
		return err_set(e, ERR_BAD, "%s: too many certificates",
		    VOTES_PATH);
	kc->durable = true;
	keep_votes(&d->keep, &c, DBFT_PREPARE, note, &d->set);
	dbft_replay_cert(&d->core, &c);
	return 0;
}

/* What the speaker proposed when we voted for it. */
static int
take_proposal(struct driver *d, struct span note, struct err *e)
{
	struct dbft_signed v;

	if (judge_vote(&v, note, repo_ledger(d->repo), &d->set, true, e) != 0)
		return err_wrap(e, VOTES_PATH);
	if (v.msg.kind != DBFT_PREPARE)
		return err_set(e, ERR_BAD, "%s: a proposal that is none",
		    VOTES_PATH);
	keep_vote(&d->keep, v.signer, &v.msg, note);
	dbft_replay_vote(&d->core, &v);
	return 0;
}

/* One entry, in the pass over what others said or in that over records. */
static int
take_entry(struct driver *d, const struct votes_entry *x, bool others,
    struct err *e)
{
	struct buf note = BUF_INIT(BLOCK_CERT_MAX);
	enum entry_kind kind;
	struct dbft_record r;
	int ret;

	ret = entry_parse(&kind, &r, &note, x, e);
	if (ret == 0 && others && x->height == driver_height(d)) {
		if (kind == ENTRY_CERTIFICATE)
			ret = take_certificate(d, buf_span(&note), e);
		else if (kind == ENTRY_PROPOSAL)
			ret = take_proposal(d, buf_span(&note), e);
	}
	if (ret == 0 && kind == ENTRY_RECORD && !others &&
	    dbft_replay(&d->core, &r) != 0)
		ret = err_set(e, ERR_BAD, "%s: the votes of height %llu "
		    "contradict each other", VOTES_PATH,
		    (unsigned long long)x->height);
	buf_free(&note);
	return ret;
}

static int
take_entries(struct driver *d, size_t from, struct err *e)
{
	size_t n = votes_count(d->votes);

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = from; i < n; i++) {
			struct votes_entry x = votes_get(d->votes, i);

			if (take_entry(d, &x, pass == 0, e) != 0)
				return -1;
		}
	d->last = votes_last(d->votes);
	return 0;
}

/* --- a journal that nothing was written to -------------------------------- */

/*
 * The journal is new.  If this node was no delegate of any block so far, it
 * begins here.  If it was, it may be one that lost its disk, and what it has
 * signed is not known here: *late is set.
 */
static int
first_time(struct driver *d, bool *late, struct err *e)
{
	uint64_t head = d->head.height;
	int was = blocks_had_delegate(d->db, d->key.name, head, e);

	*late = was == 1;
	if (was != 0)
		return was < 0 ? -1 : 0;
	if (votes_append(d->votes, head, span_str("floor"), e) != 0)
		return -1;
	return votes_sync(d->votes, e);
}

/* --- a height ------------------------------------------------------------- */

int
driver_begin(struct driver *d, struct err *e)
{
	struct dbft_config c = { 0 };

	d->live = false;
	d->late = false;
	d->mute.kind = ERR_NONE;
	d->wake_ms = DBFT_NEVER;
	d->unheard = true;
	keep_begin(&d->keep, d->repo, driver_height(d));
	if (state_delegates(&d->set, d->db, driver_height(d), e) != 0 ||
	    votes_trim(d->votes, d->head.height, e) != 0 ||
	    bodies_sweep(d->repo, d->head.height, e) != 0)
		return -1;
	if (votes_count(d->votes) == 0 && first_time(d, &d->late, e) != 0)
		return -1;
	d->me = find_me(d);
	d->last = votes_last(d->votes);
	d->live = true;
	if (d->me < 0)
		return 0;
	if (turns_missed(&d->missed, d->db, &d->set, driver_height(d), e) != 0)
		return -1;
	/* We know that we are here. */
	d->missed &= ~(UINT64_C(1) << d->me);
	configure(&c, d);
	dbft_init(&d->core, &c, driver_height(d), votes_floor(d->votes),
	    arrived(d));
	if (take_entries(d, 0, e) != 0) {
		/* Others will decide this height, and then we go on. */
		if (e->kind != ERR_BAD && e->kind != ERR_NO)
			return -1;
		d->mute = *e;
	} else if (d->late)
		err_set(&d->mute, ERR_AGAIN, "this node came late, or anew: "
		    "it votes once ehr-dbft has asked the others how far "
		    "they are");
	else if (!dbft_may_vote(&d->core))
		err_set(&d->mute, ERR_NO, "this node votes from height %llu "
		    "on: its journal was renewed",
		    (unsigned long long)d->core.floor + 1);
	dbft_away(&d->core, d->away);
	dbft_missed(&d->core, d->missed);
	return 0;
}

int
driver_refresh(struct driver *d, struct err *e)
{
	struct hash last = votes_last(d->votes);
	size_t from = votes_count(d->votes);

	if (hash_eq(&last, &d->last))
		return 0;
	if (d->me < 0) {
		d->last = last;
		return 0;
	}
	/* Begin with the entry after those that the core has read. */
	while (from > 0) {
		struct hash at = votes_hash(d->votes, from - 1);

		if (hash_eq(&at, &d->last))
			break;
		from--;
	}
	if (from == 0)
		return driver_begin(d, e);
	return take_entries(d, from, e);
}
