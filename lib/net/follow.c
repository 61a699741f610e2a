#define _GNU_SOURCE	/* pipe2 */
#include "net/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "net/exchange.h"
#include "net/follow_part.h"
#include "net/known_file.h"
#include "net/plan.h"
#include "store/chain.h"
#include "store/watch.h"

#define POLL_S 300
#define KEEPALIVE_S 1800
#define MISSES 3
#define FORGIVE_S 3600

static int
settings(struct follow *f, struct err *e)
{
	const struct config *c = &f->repo->config;
	uint64_t every, keepalive, misses, forgive;

	if (config_number(c, "net.poll", POLL_S, 86400, &every, e) != 0 ||
	    config_number(c, "net.keepalive", KEEPALIVE_S, 86400, &keepalive,
	    e) != 0 ||
	    config_number(c, "net.misses", MISSES, 100, &misses, e) != 0 ||
	    config_number(c, "net.forgive", FORGIVE_S, 31536000, &forgive,
	    e) != 0)
		return -1;
	if (keepalive == 0 || misses == 0)
		return err_set(e, ERR_BAD, "config: net.keepalive and "
		    "net.misses are at least 1");
	f->poll_ms = every == 0 ? -1 : (int)every * 1000;
	f->keepalive_ms = (int)keepalive * 1000;
	f->misses = (unsigned)misses;
	f->forgive_ms = (int64_t)forgive * 1000;
	return 0;
}

/* When is the first of those forgiven that are not followed now? */
static int64_t
forgiven_at(const struct follow *f)
{
	int64_t now_ms = clock_now_ms(), first = INT64_MAX;
	struct known *k = malloc(sizeof(*k));

	if (k == NULL)
		return first;
	known_load(k, f->repo);
	for (size_t i = 0; i < k->n; i++)
		if (k->p[i].bad_ms > now_ms && k->p[i].bad_ms - now_ms < first)
			first = k->p[i].bad_ms - now_ms;
	free(k);
	return first == INT64_MAX ? first : clock_mono_ms() + first + 1;
}

/* --- threads -------------------------------------------------------------- */

/* A byte for somebody; full means that one is there to be seen. */
static void
ring(int fd)
{
	if (write(fd, "", 1) < 0)
		return;
}

static int
begin(struct follow *f, struct follower *w, const struct peer *p,
    struct err *e)
{
	w->of = f;
	w->name = strdup(p->name);
	w->command = strdup(p->command);
	if (w->name == NULL || w->command == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	if (pipe2(w->wake, O_CLOEXEC | O_NONBLOCK) != 0)
		return err_sys(e, "pipe");
	if (thread_start(&w->thread, follower_run, w) == 0)
		return 0;
	close(w->wake[0]);
	close(w->wake[1]);
	return err_set(e, ERR_SYS, "a thread for %s", p->name);
}

static void
forget(struct follower *w)
{
	free(w->name);
	free(w->command);
}

static bool
is_followed(const struct follow *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].name, name) == 0)
			return true;
	return false;
}

int
follow_add(struct follow *f, const struct peer *p, struct err *e)
{
	int ret = 0;

	pthread_mutex_lock(&f->lock);
	if (!f->ended && f->n < f->room && !is_followed(f, p->name)) {
		ret = begin(f, &f->v[f->n], p, e);
		if (ret == 0)
			f->n++;
		else
			forget(&f->v[f->n]);
	}
	pthread_mutex_unlock(&f->lock);
	return ret;
}

static int
begin_scout(struct follow *f, struct peers *p, struct err *e)
{
	f->room = p->n + PLAN_PEERS;
	f->v = calloc(f->room, sizeof(*f->v));
	if (f->v == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	f->peers = *p;
	f->scouting = thread_start(&f->scout, follow_scout, f) == 0;
	if (!f->scouting)
		return err_set(e, ERR_SYS, "there is no thread to be had");
	*p = (struct peers){ NULL, 0 };
	return 0;
}

int
follow_open(struct follow **out, struct repo *r, struct peers *p,
    const struct follow_options *o, struct err *e)
{
	struct follow *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	f->repo = r;
	f->o = *o;
	f->stop[0] = f->stop[1] = -1;
	pthread_mutex_init(&f->lock, NULL);
	f->watch = watch_open(r, e);
	if (f->watch < 0 || settings(f, e) != 0)
		goto fail;
	if ((f->path = strdup(r->path)) == NULL) {
		err_set(e, ERR_SYS, "out of memory");
		goto fail;
	}
	watch_staging(f->watch, r);
	f->look_ms = forgiven_at(f);
	if (pipe2(f->stop, O_CLOEXEC | O_NONBLOCK) != 0) {
		f->stop[0] = f->stop[1] = -1;
		err_sys(e, "pipe");
		goto fail;
	}
	if (begin_scout(f, p, e) != 0)
		goto fail;
	*out = f;
	return 0;
fail:
	/* No thread has anything to hang on yet. */
	follow_close(f, 10000);
	return -1;
}

/* --- what is kept of peers ------------------------------------------------ */

/* With the lock. */
static void
keep_judgement(struct follower *w, struct repo *r)
{
	struct err ignored;

	/* Nothing hangs on it: each peer is judged again. */
	if (w->judged)
		(void)exchange_judge(r, w->name, &w->why, w->judged_slow,
		    w->of->forgive_ms, &ignored);
	w->judged = false;
}

void
follow_judge(struct follower *w, const struct err *why)
{
	pthread_mutex_lock(&w->of->lock);
	w->why = *why;
	w->judged_slow = w->slow;
	w->judged = true;
	if (w->of->scouted)
		keep_judgement(w, w->r);
	pthread_mutex_unlock(&w->of->lock);
}

void
follow_scouted(struct follow *f, struct repo *r)
{
	pthread_mutex_lock(&f->lock);
	f->scouted = true;
	for (size_t i = 0; i < f->n; i++)
		keep_judgement(&f->v[i], r);
	pthread_mutex_unlock(&f->lock);
}

/* --- what arrives --------------------------------------------------------- */

void
follow_stop(struct follow *f)
{
	f->ended = true;
	ring(f->stop[1]);
}

void
follow_fail(struct follow *f, const struct err *e)
{
	pthread_mutex_lock(&f->lock);
	if (f->failure.kind == ERR_NONE)
		f->failure = *e;
	pthread_mutex_unlock(&f->lock);
	follow_stop(f);
}

static bool
has_failed(struct follow *f, struct err *e)
{
	bool yes;

	pthread_mutex_lock(&f->lock);
	yes = f->failure.kind != ERR_NONE;
	if (yes)
		*e = f->failure;
	pthread_mutex_unlock(&f->lock);
	return yes;
}

static void
ring_all(struct follow *f)
{
	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < f->n; i++)
		ring(f->v[i].wake[1]);
	pthread_mutex_unlock(&f->lock);
}

static int
watch_blocks(struct follow *f, struct err *e)
{
	struct head h;

	if (chain_head(&h, f->repo, e) != 0)
		return -1;
	watch_height(f->watch, f->repo, h.height);
	watch_height(f->watch, f->repo, h.height + 1);
	return 0;
}

int
follow_run(struct follow *f, struct err *e)
{
	struct pollfd fd[2] = { { f->watch, POLLIN, 0 },
	    { f->stop[0], POLLIN, 0 } };
	int64_t until = clock_mono_ms() + (f->forgive_ms > 0 ?
	    f->forgive_ms : FORGIVE_S * 1000), left;

	if (f->look_ms < until)
		until = f->look_ms;
	if (watch_blocks(f, e) != 0)
		return -1;
	while (!f->ended && (left = until - clock_mono_ms()) > 0) {
		if (poll(fd, 2, left > INT_MAX ? INT_MAX : (int)left) < 0 &&
		    errno != EINTR)
			return err_sys(e, "poll");
		if (f->ended || (watch_take(f->watch) & WATCH_ARRIVED) == 0)
			continue;
		if (watch_blocks(f, e) != 0 && e->kind != ERR_AGAIN)
			return -1;
		ring_all(f);
	}
	return has_failed(f, e) ? -1 : 0;
}

/* --- the end -------------------------------------------------------------- */

static bool
join(struct follower *w, int64_t until_mono_ms)
{
	if (!thread_join(w->thread, until_mono_ms))
		return false;
	close(w->wake[0]);
	close(w->wake[1]);
	forget(w);
	return true;
}

bool
follow_close(struct follow *f, int wait_ms)
{
	int64_t until = clock_mono_ms() + wait_ms;
	bool all;

	pthread_mutex_lock(&f->lock);
	f->ended = true;
	pthread_mutex_unlock(&f->lock);
	ring(f->stop[1]);
	ring_all(f);
	all = !f->scouting || thread_join(f->scout, until);
	for (size_t i = 0; i < f->n; i++)
		all = join(&f->v[i], until) && all;
	if (!all)
		return false;
	if (f->watch >= 0)
		close(f->watch);
	if (f->stop[0] >= 0) {
		close(f->stop[0]);
		close(f->stop[1]);
	}
	pthread_mutex_destroy(&f->lock);
	free(f->v);
	free(f->path);
	free(f);
	return true;
}
