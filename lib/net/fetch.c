#include "net/fetch.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/fetch_part.h"

#define TURN (1u << 20)		/* bytes that a peer may send in one turn */

/* --- peers come and go ---------------------------------------------------- */

void
fetch_leave(struct fetch *f, unsigned i, const struct err *why)
{
	struct peer *p = &f->peers->v[i];
	size_t n = strlen(p->name);

	if (f->plan.peer[i].state == PLAN_GONE)
		return;
	p->e = *why;
	/* Errors of a session name it already. */
	if (strncmp(why->msg, p->name, n) != 0 || why->msg[n] != ':')
		err_wrap(&p->e, "%s", p->name);
	plan_gone(&f->plan, i);
	if (p->s != NULL)
		p->s->broken = true;
	if (p->s != NULL && p->s->stage != SESSION_OPEN) {
		session_give_up(p->s, &p->e);
		p->s = NULL;
	}
}

void
fetch_leave_why(struct fetch *f, unsigned i, const char *why)
{
	struct err e;

	err_set(&e, ERR_AGAIN, "%s", why);
	f->peers->v[i].slow = true;
	fetch_leave(f, i, &e);
}

void
fetch_begin(struct fetch *f, unsigned i)
{
	struct peer *p = &f->peers->v[i];
	struct err e;

	f->heard_ms[i] = clock_mono_ms();
	if (session_begin(&p->s, f->repo, &f->me, p->name, p->command,
	    f->timeout_ms, &e) != 0 || pkt_drain(&p->s->pkt, &e) != 0)
		fetch_leave(f, i, &e);
}

/* Its head, if it is not above ours, must be one of our blocks. */
static int
check_fork(struct fetch *f, const struct session *s, struct err *e)
{
	struct hash ours = *repo_ledger(f->repo);
	sqlite3_stmt *q;
	struct db *db;
	int got;

	if (s->height > f->spine.base)
		return 0;
	if (db_of(&db, f->repo, e) != 0 || db_stmt(&q, db,
	    "SELECT id FROM block WHERE height=?", e) != 0)
		return -1;
	db_bind_int(q, 1, (int64_t)s->height);
	if ((got = db_step(db, q, e)) < 0)
		return -1;
	if (got == 1) {
		got = db_column_hash(q, 0, &ours);
		sqlite3_reset(q);
	}
	if (got == 0 && hash_eq(&ours, &s->head))
		return 0;
	return err_set(e, ERR_BAD, "%s: its block %llu is another one than "
	    "ours: the ledger has forked, or this peer is wrong", s->peer,
	    (unsigned long long)s->height);
}

int
fetch_met(struct fetch *f, unsigned i, struct err *e)
{
	struct session *s = f->peers->v[i].s;

	if (f->o->chain && check_fork(f, s, e) != 0)
		return -1;
	plan_met(&f->plan, i, f->o->chain ? s->height : 0, clock_mono_ms());
	fetch_compare(f);
	return 0;
}

void
fetch_moved(struct fetch *f, enum plan_kind what)
{
	uint64_t base = f->spine.base, claim = plan_claim(&f->plan);

	if (what == PLAN_BLOCK)
		tally_moved(f->o->res, "blocks", f->plan.applied - base,
		    f->plan.spine - base);
	else
		tally_moved(f->o->res, "headers", f->spine.height - base,
		    claim > f->spine.height ? claim - base :
		    f->spine.height - base);
}

/* --- the pump ------------------------------------------------------------- */

/* What was read of peer i. */
static int
listen(struct fetch *f, unsigned i, struct err *e)
{
	struct session *s = f->peers->v[i].s;
	const struct plan_ask *a;
	int got;

	if (f->plan.peer[i].state == PLAN_OPENING) {
		if ((got = session_step(s, e)) <= 0)
			return got;
		if (session_adopt(s, f->repo, e) != 0 ||
		    fetch_met(f, i, e) != 0)
			return -1;
	}
	while (f->plan.peer[i].state == PLAN_READY &&
	    (a = plan_oldest(&f->plan, i)) != NULL) {
		s->in.body.max = fetch_most(a);
		got = message_gather(&s->in, &s->pkt, e);
		if (got <= 0 || fetch_take(f, i, e) != 0)
			return got == 0 ? 0 : -1;
	}
	return 0;
}

static void
ask(struct fetch *f, const struct plan_step *step)
{
	const struct plan_ask *a = &step->ask;
	struct session *s = f->peers->v[step->peer].s;
	struct proto_request rq = { .from = a->from, .count = a->count };
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	struct err e;

	if (f->plan.peer[step->peer].nasks == 1)
		f->heard_ms[step->peer] = clock_mono_ms();
	if (a->kind == PLAN_HEADER || a->kind == PLAN_BLOCK)
		fetch_moved(f, a->kind);
	rq.verb = a->kind == PLAN_ADDR ? PROTO_ADDR :
	    a->kind == PLAN_HEADER ? PROTO_HEADERS :
	    a->kind == PLAN_DELEGATES ? PROTO_DELEGATES : PROTO_BLOCKS;
	proto_request_format(&line, &rq);
	if (pkt_line(&s->pkt, &e, "%.*s", SPAN_FMT(buf_span(&line))) != 0 ||
	    pkt_end(&s->pkt, &e) != 0 || pkt_drain(&s->pkt, &e) != 0)
		fetch_leave(f, step->peer, &e);
	/* Its answer may be here, if it knew what is asked. */
	else if (listen(f, step->peer, &e) != 0)
		fetch_leave(f, step->peer, &e);
	buf_free(&line);
}

/* Is something to come from peer i? */
static bool
owes(const struct fetch *f, unsigned i)
{
	const struct plan_peer *q = &f->plan.peer[i];

	return q->state == PLAN_OPENING ||
	    (q->state == PLAN_READY && q->nasks > 0);
}

/* Read from peer i, and send it what it takes. */
static void
talk(struct fetch *f, unsigned i)
{
	struct pkt *p = &f->peers->v[i].s->pkt;
	uint64_t before = p->bytes_read;
	struct err e, why;
	int got = 1;

	while (got == 1 && owes(f, i) && p->bytes_read - before < TURN) {
		got = pkt_fill(p, &e);
		if (p->bytes_read > f->read[i]) {
			plan_heard(&f->plan, i, p->bytes_read - f->read[i],
			    clock_mono_ms());
			tally_bytes(f->o->res, p->bytes_read - f->read[i]);
			f->read[i] = p->bytes_read;
			f->heard_ms[i] = clock_mono_ms();
		}
		/* What came before the end counts. */
		if (listen(f, i, &why) != 0) {
			fetch_leave(f, i, &why);
			return;
		}
		if (f->plan.peer[i].state == PLAN_GONE)
			return;
	}
	if (got < 0 && !owes(f, i))
		return;
	if (got >= 0 && pkt_drain(p, &e) == 0)
		return;
	session_failed(f->peers->v[i].s, &e);
	fetch_leave(f, i, &e);
}

/* Is all of it here that peer i has? */
static bool
has_all(const struct fetch *f, unsigned i)
{
	const struct plan_peer *q = &f->plan.peer[i];

	return q->state == PLAN_READY && q->claim <= f->plan.applied;
}

/* Tell of peers that nothing more is to come from. */
static void
tell_done(struct fetch *f)
{
	for (unsigned i = 0; f->o->done != NULL && i < f->plan.npeers; i++) {
		if (f->done[i] || (f->plan.peer[i].state != PLAN_GONE &&
		    !has_all(f, i)))
			continue;
		f->done[i] = true;
		f->o->done(f->o->arg, &f->peers->v[i]);
	}
}

/* Wait until a peer says something, blocks are applied, or up to ms (-1: for
 * ever). */
static int
wait_for_peers(struct fetch *f, int ms, struct err *e)
{
	struct pollfd fd[2 * PLAN_PEERS + 2];
	unsigned who[2 * PLAN_PEERS];
	nfds_t n = 0;

	for (unsigned i = 0; i < f->plan.npeers; i++) {
		const struct pkt *p;

		if (!owes(f, i))
			continue;
		p = &f->peers->v[i].s->pkt;
		who[n] = i;
		fd[n++] = (struct pollfd){ .fd = p->in, .events = POLLIN };
		if (p->pending.len == 0)
			continue;
		who[n] = i;
		fd[n++] = (struct pollfd){ .fd = p->out, .events = POLLOUT };
	}
	fd[n] = (struct pollfd){ .fd = f->work.busy ? f->work.bell[0] : -1,
	    .events = POLLIN };
	fd[n + 1] = (struct pollfd){ .fd = f->o->stop > 0 ? f->o->stop : -1,
	    .events = POLLIN };
	if (poll(fd, n + 2, ms) < 0) {
		if (errno != EINTR)
			return err_sys(e, "poll");
		return 0;
	}
	if (fd[n + 1].revents != 0)
		return err_set(e, ERR_AGAIN, "it was to end");
	for (nfds_t k = 0; k < n; k++)
		if (fd[k].revents != 0 && owes(f, who[k]))
			talk(f, who[k]);
	return fd[n].revents != 0 ? fetch_applied(f, e) : 0;
}

/*
 * When will only peers have been waited for that are silent, while others are
 * done?  INT64_MAX: not until something else happens.
 */
static int64_t
silent_at(const struct fetch *f)
{
	int64_t last = INT64_MIN;
	bool done = false;

	if (f->o->meanwhile == NULL || *f->paused || f->work.busy)
		return INT64_MAX;
	for (unsigned i = 0; i < f->plan.npeers; i++) {
		if (owes(f, i)) {
			if (f->heard_ms[i] > last)
				last = f->heard_ms[i];
		} else if (has_all(f, i))
			done = true;
		else if (f->plan.peer[i].state != PLAN_GONE)
			return INT64_MAX;
	}
	return done && last != INT64_MIN ? last + f->plan.stall_ms :
	    INT64_MAX;
}

/* Others have work to do while nobody says anything. */
static int
pause_for_others(struct fetch *f, struct err *e)
{
	int64_t began_ms = clock_mono_ms();

	*f->paused = true;
	for (unsigned i = 0; i < f->plan.npeers; i++)
		f->peers->v[i].idle = has_all(f, i) && !owes(f, i);
	if (f->o->meanwhile(f->o->arg, e) != 0)
		return -1;
	for (unsigned i = 0; i < f->plan.npeers; i++) {
		const struct peer *p = &f->peers->v[i];

		if (p->e.kind != ERR_NONE)
			plan_gone(&f->plan, i);
		/* They are counted. */
		if (p->s != NULL && !owes(f, i))
			f->read[i] = p->s->pkt.bytes_read;
	}
	plan_skip(&f->plan, clock_mono_ms() - began_ms);
	return 0;
}

/* Nothing is to be asked: apply what is here, or wait.  1 it is done. */
static int
rest(struct fetch *f, const struct plan_step *step, struct err *e)
{
	int64_t now = clock_mono_ms(), wait, until;

	if (fetch_ripe(f, now, &wait))
		return fetch_apply(f, e);
	if (step->what == PLAN_DONE && !f->work.busy)
		return 1;
	if ((until = silent_at(f)) <= now)
		return pause_for_others(f, e);
	if (step->until_ms < until)
		until = step->until_ms;
	until = until == INT64_MAX ? -1 : until < now ? 0 : until - now;
	if (wait >= 0 && (until < 0 || wait < until))
		until = wait;
	return wait_for_peers(f, until > INT_MAX ? INT_MAX : (int)until, e);
}

static int
pump(struct fetch *f, struct err *e)
{
	struct plan_step step;
	int ret = 0;

	while (ret == 0) {
		tell_done(f);
		plan_next(&f->plan, clock_mono_ms(), &step);
		if (step.what == PLAN_ASK)
			ask(f, &step);
		else if (step.what == PLAN_LEAVE)
			fetch_leave_why(f, step.peer, step.why);
		else
			ret = rest(f, &step, e);
	}
	return ret < 0 ? -1 : 0;
}

/* --- beginning and end ---------------------------------------------------- */

/* What we say of ourselves to those who are not connected yet. */
static int
introduce(struct fetch *f, struct err *e)
{
	const struct identity *key = f->o->key;
	bool all = true;

	for (size_t i = 0; i < f->peers->n; i++)
		all = all && f->peers->v[i].s != NULL;
	if (key == NULL && repo_node_name(f->repo) != NULL &&
	    (!all || f->o->learn != NULL)) {
		if (repo_node_key(f->repo, &f->key, e) != 0)
			return -1;
		key = &f->key;
	}
	return hello_of(&f->me, f->repo, key, e);
}

static int
start(struct fetch *f, struct err *e)
{
	struct delegates set;
	uint64_t seconds;
	struct head h;
	struct db *db;

	if (config_number(&f->repo->config, "net.timeout",
	    SESSION_TIMEOUT_MS / 1000, 86400, &seconds, e) != 0 ||
	    introduce(f, e) != 0)
		return -1;
	f->timeout_ms = seconds == 0 ? -1 : (int)seconds * 1000;
	if (chain_head(&h, f->repo, e) != 0 || db_of(&db, f->repo, e) != 0 ||
	    state_delegates(&set, db, h.height + 1, e) != 0)
		return -1;
	spine_init(&f->spine, repo_ledger(f->repo), h.height, &h.id,
	    h.time_ms, &set);
	plan_init(&f->plan, 0, h.height, f->timeout_ms, f->o->learn != NULL,
	    clock_mono_ms());
	return 0;
}

static void
open_all(struct fetch *f)
{
	size_t n = f->peers->n < PLAN_PEERS ? f->peers->n : PLAN_PEERS;
	struct err e;

	for (unsigned i = 0; i < n; i++) {
		struct peer *p = &f->peers->v[i];

		plan_add(&f->plan, clock_mono_ms());
		if (p->e.kind != ERR_NONE)
			plan_gone(&f->plan, i);
		else if (p->s == NULL)
			fetch_begin(f, i);
		else if (fetch_met(f, i, &e) != 0)
			fetch_leave(f, i, &e);
	}
}

static void
finish(struct fetch *f)
{
	struct err ignored = { .kind = ERR_NONE };

	fetch_apply_end(f);
	for (size_t i = 0; i < PLAN_WINDOW; i++)
		fetch_block_free(f, &f->block[i]);
	for (size_t i = 0; i < f->peers->n; i++) {
		struct peer *p = &f->peers->v[i];

		/* What is left of an exchange that ended early. */
		if (p->s != NULL && (i >= f->plan.npeers ||
		    f->plan.peer[i].nasks > 0))
			p->s->broken = true;
		if (p->s != NULL && p->s->stage != SESSION_OPEN) {
			session_give_up(p->s, &ignored);
			p->s = NULL;
		}
		p->idle = p->s != NULL && !p->s->broken;
	}
	spine_free(&f->spine);
	identity_wipe(&f->key);
	free(f);
}

int
fetch_run(struct peers *p, struct repo *r, const struct fetch_options *o,
    struct err *e)
{
	bool more, paused = false;
	uint64_t before;
	int ret;

	/* Again, if there are more headers than are taken at once. */
	do {
		struct fetch *f = calloc(1, sizeof(*f));

		if (f == NULL)
			return err_set(e, ERR_SYS, "out of memory");
		f->repo = r;
		f->peers = p;
		f->o = o;
		f->paused = &paused;
		ret = start(f, e);
		before = f->plan.applied;
		if (ret == 0) {
			open_all(f);
			ret = pump(f, e);
		}
		more = ret == 0 && f->plan.applied > before &&
		    plan_claim(&f->plan) > f->plan.applied;
		finish(f);
	} while (more);
	return ret;
}
