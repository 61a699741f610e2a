#include "net/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/evidence.h"
#include "net/links.h"
#include "net/seen.h"
#include "store/chain.h"
#include "store/pool.h"

#define LOCK_WAIT_MS 5000
#define ASK_MS 5000

/* --- the last block ------------------------------------------------------- */

static void
set_certified(struct status *st, const struct note *n)
{
	for (size_t i = 0; i < st->n; i++)
		st->delegate[i].certified =
		    note_find(n, span_str(st->delegate[i].name)) >= 0;
}

static int
read_certificate(struct status *st, struct repo *r, struct err *e)
{
	struct buf text = BUF_INIT(BLOCK_FILE_MAX);
	struct dbft_msg m;
	struct block b;
	struct note n;
	int ret = -1;

	if (st->head.height == 0)
		return 0;
	if (chain_read(&text, r, st->head.height, e) == 0 &&
	    block_parse(&b, buf_span(&text), true, repo_ledger(r), e) == 0 &&
	    note_parse(&n, b.certificate, "certificate", e) == 0 &&
	    dbft_msg_parse(&m, repo_ledger(r), n.text, e) == 0) {
		st->cert_view = m.view;
		st->cert_n = n.nsigs;
		set_certified(st, &n);
		ret = 0;
	}
	buf_free(&text);
	return ret;
}

/* --- the height being decided --------------------------------------------- */

/* Of which kind do votes lack, if what was seen is of this view? */
static enum dbft_kind
lacking(const struct dbft *s, const struct seen *seen)
{
	unsigned quorum = dbft_quorum(s->c.n);

	if (seen->height != s->height || seen->view != s->view)
		return DBFT_NONE;
	if (!s->entered)
		return DBFT_CHANGE;
	for (int k = DBFT_PREPARE; seen->speaks && k <= DBFT_COMMIT; k++)
		if ((unsigned)__builtin_popcountll(seen->have[k]) < quorum)
			return (enum dbft_kind)k;
	return DBFT_NONE;
}

static void
find_missing(struct status *st, const struct driver *d)
{
	struct err ignored;
	struct seen seen;

	if (seen_read(&seen, d->repo, &d->set, &ignored) != 0)
		return;
	st->lack = lacking(&d->core, &seen);
	for (size_t i = 0; i < st->n; i++)
		st->delegate[i].missing = st->lack != DBFT_NONE &&
		    (seen.have[st->lack] >> i & 1) == 0;
}

static void
take_core(struct status *st, const struct driver *d)
{
	const struct dbft *s = &d->core;
	const struct dbft_msg *own = s->seen[d->me];
	int64_t late = dbft_deadline(s);

	st->live = true;
	st->view = s->view;
	st->entered = s->entered;
	st->speaker = dbft_speaker(s->height, s->view, (unsigned)d->set.n);
	st->work = s->work;
	st->left_ms = late == DBFT_NEVER ? late : late - clock_now_ms();
	st->high = s->high;
	for (int k = DBFT_CHANGE; k <= DBFT_COMMIT; k++)
		if (own[k].kind != DBFT_NONE && own[k].view >= st->last.view)
			st->last = own[k];
	for (size_t i = 0; i < st->n; i++)
		st->delegate[i].prepared = (s->high.signers >> i & 1) != 0;
	for (size_t i = 0; i < st->n; i++)
		st->delegate[i].missed = (d->missed >> i & 1) != 0;
	find_missing(st, d);
}

static int
look_locked(struct status *st, struct driver *d, struct err *e)
{
	if (driver_work(d, NULL, e) != 0)
		return -1;
	if (d->me < 0)
		snprintf(st->why, sizeof(st->why), "it is no delegate");
	else if (!driver_may_vote(d))
		snprintf(st->why, sizeof(st->why), "%s", d->mute.msg);
	else
		st->voting = true;
	if (d->me >= 0)
		take_core(st, d);
	return 0;
}

/* What the journal and the core say, if this is a node and they can. */
static int
look(struct status *st, struct repo *r, struct err *e)
{
	struct driver *d;
	int ret;

	if (driver_open(&d, r, true, e) != 0) {
		if (e->kind == ERR_SYS)
			return -1;
		snprintf(st->why, sizeof(st->why), "%s", e->msg);
		return 0;
	}
	ret = driver_lock(d, LOCK_WAIT_MS, e);
	if (ret == 0) {
		ret = look_locked(st, d, e);
		driver_unlock(d);
	} else if (e->kind != ERR_SYS) {
		snprintf(st->why, sizeof(st->why), "%s", e->msg);
		ret = 0;
	}
	driver_close(d);
	return ret;
}

/* --- the others ----------------------------------------------------------- */

static int
ask(struct status *st, struct repo *r, const struct delegates *set, int me,
    struct err *e)
{
	int64_t until = clock_mono_ms() + ASK_MS;
	struct links ls;
	int ret;

	if (links_open(&ls, r, false, 0, e) != 0)
		return -1;
	ret = links_want(&ls, set, me, e);
	while (ret == 0 && links_sum(&ls, set, me).busy &&
	    clock_mono_ms() < until)
		links_wait(&ls, 200);
	for (unsigned i = 0; ret == 0 && i < set->n; i++) {
		struct status_delegate *sd = &st->delegate[i];
		struct link_info info = links_info(&ls, set, i);

		if (sd->me)
			continue;
		sd->answers = info.state == LINK_READY;
		sd->height = info.height;
		sd->e = info.e;
		if (info.state == LINK_OPENING)
			err_set(&sd->e, ERR_AGAIN, "%s: no answer yet",
			    sd->name);
	}
	links_close(&ls, 500);
	return ret;
}

static void
list_delegates(struct status *st, const struct delegates *set, int me)
{
	st->n = set->n;
	st->quorum = delegates_quorum(set->n);
	for (size_t i = 0; i < set->n; i++) {
		struct status_delegate *sd = &st->delegate[i];

		snprintf(sd->name, sizeof(sd->name), "%s", set->d[i].name);
		sd->me = (int)i == me;
	}
}

static bool
is_running(struct repo *r)
{
	struct err ignored;
	int lock = fs_lock(r->dirfd, VOTES_DIR "/active", 0, &ignored);

	if (lock >= 0)
		close(lock);
	return lock < 0;
}

int
status_get(struct status *st, struct repo *r, bool local, struct err *e)
{
	struct delegates *set = malloc(sizeof(*set));
	const char *name = repo_node_name(r);
	struct db *db;
	int me = -1, ret = -1;
	size_t waiting;

	memset(st, 0, sizeof(*st));
	if (set == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	if (chain_head(&st->head, r, e) == 0 && db_of(&db, r, e) == 0 &&
	    state_delegates(set, db, st->head.height + 1, e) == 0 &&
	    pool_count(r, &waiting, e) == 0) {
		st->pbft = genesis_all_to_all(r->genesis);
		st->pending = waiting;
		st->height = st->head.height + 1;
		if (name != NULL)
			me = delegates_find(set, span_str(name));
		list_delegates(st, set, me);
		st->running = is_running(r);
		ret = evidence_list(&st->evidence, r, e);
		if (ret == 0)
			ret = read_certificate(st, r, e);
	}
	if (ret == 0)
		ret = look(st, r, e);
	if (ret == 0 && !local)
		ret = ask(st, r, set, me, e);
	free(set);
	if (ret != 0)
		status_free(st);
	return ret;
}

void
status_free(struct status *st)
{
	fs_names_free(&st->evidence);
}
