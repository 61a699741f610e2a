/* One connection of follow, and its thread. */
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/follow_part.h"
#include "net/sync.h"

#define BACKOFF_MIN_MS 500
#define BACKOFF_MAX_MS 60000

/* The peer is away or refuses something, for that reason; NULL: it is back. */
static void
tell(struct follower *w, const struct err *e)
{
	pthread_mutex_lock(&w->of->lock);
	if (!w->of->ended)
		w->of->o.tell(w->of->o.arg, w->name, e);
	pthread_mutex_unlock(&w->of->lock);
}

/*
 * Wait for a task, for what the peer says (fd, or -1), or until a time: the
 * descriptor that is ready; -1 the time has come; -2 it is all over.
 */
static int
wait_for(struct follower *w, int fd, int64_t until_ms)
{
	struct pollfd pfd[2] = { { w->wake[0], POLLIN, 0 },
	    { fd, POLLIN, 0 } };
	int64_t left = until_ms - clock_mono_ms();
	char sink[64];
	int n;

	n = poll(pfd, 2, left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left);
	if (w->of->ended)
		return -2;
	if (n > 0 && pfd[0].revents != 0) {
		while (read(w->wake[0], sink, sizeof(sink)) > 0)
			;
		return w->wake[0];
	}
	return n > 0 ? fd : -1;
}

/* --- is it still there? --------------------------------------------------- */

/* Read the answers that have come; with wait, all that are to come. */
static int
hear_keepalives(struct follower *w, bool wait, struct err *e)
{
	struct session *s = w->s;
	struct span rest;
	int got;

	s->in.body.max = 0;
	while (w->unanswered > 0) {
		got = message_gather(&s->in, &s->pkt, e);
		if (got == 1 && session_answer(s, buf_span(&s->in.line),
		    &rest, e) == 0)
			w->unanswered--;
		else if (got != 0)
			return -1;
		else if (wait && pkt_wait_more(&s->pkt, s->pkt.timeout_ms,
		    e) != 0)
			return -1;
		else if (!wait && (got = pkt_fill(&s->pkt, e)) <= 0)
			return got;
	}
	return 0;
}

static int
ask_keepalive(struct follower *w, struct err *e)
{
	w->slow = w->unanswered >= w->of->misses;
	if (w->slow)
		return err_set(e, ERR_AGAIN, "%s: it has not answered for %u "
		    "times %d s", w->name, w->of->misses,
		    w->of->keepalive_ms / 1000);
	w->unanswered++;
	w->said_ms = clock_mono_ms();
	if (pkt_line(&w->s->pkt, e, "keepalive") != 0)
		return -1;
	return pkt_flush(&w->s->pkt, e);
}

/* --- exchanging ----------------------------------------------------------- */

static int
exchange(struct follower *w, int flags, struct err *e)
{
	struct sync_result res = { .wanted = 0 };

	if (hear_keepalives(w, true, e) != 0)
		return -1;
	if (sync_with(w->r, w->s, SYNC_ALL | flags, &res, e) != 0)
		return -1;
	w->said_ms = clock_mono_ms();
	if ((flags & SYNC_PULL) != 0)
		w->full_ms = w->of->poll_ms < 0 ? INT64_MAX :
		    w->said_ms + w->of->poll_ms;
	/* Staged records are offered again and again. */
	if (res.refused > 0 && res.refused != w->refused) {
		err_set(e, ERR_NO, "%s: refuses %llu of ours: %s", w->name,
		    (unsigned long long)res.refused, res.reason);
		tell(w, e);
	}
	w->refused = res.refused;
	return 0;
}

/* One connection, to its end: -1, or 0 when it is all over. */
static int
keep(struct follower *w, struct err *e)
{
	int64_t until, ask_ms;
	int got;

	while (!w->of->ended) {
		ask_ms = w->said_ms + w->of->keepalive_ms;
		until = w->full_ms < ask_ms ? w->full_ms : ask_ms;
		got = wait_for(w, w->s->pkt.in, until);
		if (got == -2)
			return 0;
		if (got == w->wake[0])
			got = exchange(w, SYNC_PUSH | SYNC_LATER, e);
		else if (got >= 0 && w->unanswered == 0)
			/* It says something though nothing was asked. */
			return err_set(e, ERR_AGAIN, "%s: it has hung up",
			    w->name);
		else if (got >= 0)
			got = hear_keepalives(w, false, e);
		else if (clock_mono_ms() >= w->full_ms)
			got = exchange(w, SYNC_PULL | SYNC_PUSH | SYNC_LATER,
			    e);
		else
			got = ask_keepalive(w, e);
		/* What it refuses is no reason to leave. */
		if (got < 0 && (w->s->broken || e->kind != ERR_NO))
			return -1;
		if (got < 0)
			tell(w, e);
	}
	return 0;
}

static int
connect_peer(struct follower *w, struct err *e)
{
	w->unanswered = 0;
	if (repo_open(&w->r, w->of->path, e) != 0)
		return -1;
	if (session_open(&w->s, w->r, w->name, w->command, e) != 0) {
		w->s = NULL;
		return -1;
	}
	return exchange(w, SYNC_PULL | SYNC_PUSH, e);
}

static void
hang_up(struct follower *w)
{
	session_close(w->s);
	repo_close(w->r);
	w->s = NULL;
	w->r = NULL;
}

void *
follower_run(void *arg)
{
	int64_t backoff = BACKOFF_MIN_MS, until;
	struct follower *w = arg;
	struct err e = { .kind = ERR_NONE };
	static const struct err well = { .kind = ERR_NONE };
	int ret;

	while (!w->of->ended) {
		w->slow = false;
		ret = connect_peer(w, &e);
		if (ret == 0) {
			follow_judge(w, &well);
			backoff = BACKOFF_MIN_MS;
			if (w->away)
				tell(w, NULL);
			w->away = false;
			ret = keep(w, &e);
		}
		if (ret != 0 && w->s != NULL)
			w->s->broken = true;
		if (ret != 0 && w->r != NULL && e.kind != ERR_SYS)
			follow_judge(w, &e);
		hang_up(w);
		if (ret != 0 && e.kind == ERR_SYS) {
			follow_fail(w->of, &e);
			break;
		}
		if (ret != 0 && !w->away)
			tell(w, &e);
		w->away = ret != 0;
		if (ret != 0 && e.kind == ERR_BAD &&
		    backoff < w->of->forgive_ms)
			backoff = w->of->forgive_ms;
		/* A task waits until it is there again: then it gets all. */
		until = clock_mono_ms() + backoff;
		while (!w->of->ended && clock_mono_ms() < until)
			wait_for(w, -1, until);
		backoff = 2 * backoff > BACKOFF_MAX_MS ? BACKOFF_MAX_MS :
		    2 * backoff;
	}
	return NULL;
}
