#include "net/round.h"

#include <unistd.h>

#include "base/clock.h"
#include "net/round_inner.h"
#include "store/watch.h"

#define PULL_MS 1000		/* between looks at what waits elsewhere */
#define LOCKED_MS 200		/* before the lock is tried again, */
#define LATE_MS 10000		/* or the others are asked again */

struct following {
	struct round *rd;
	const struct round_events *ev;
	int watch;
	uint64_t made;		/* the last block that was told of */
	uint64_t height;	/* that is being decided, for links and watch */
	bool unpushed;		/* something arrived here */
	int64_t pull_ms;	/* when to pull again */
	int64_t rest_ms;	/* until then, nothing is tried */
	struct round_told told;
};

/* A new height: other delegates, perhaps, and another folder. */
static int
new_height(struct following *f, struct err *e)
{
	const struct driver *d = f->rd->d;
	static const struct delegates nobody;

	f->height = driver_height(d);
	watch_height(f->watch, f->rd->repo, f->height);
	return links_want(&f->rd->links, d->me < 0 ? &nobody : &d->set, d->me,
	    e);
}

/*
 * Give what waits here to who will speak next: not to who is known to be away,
 * but also to those before that missed their last turn.  Without it they would
 * miss the next one, too.
 */
static void
push(struct following *f)
{
	const struct driver *d = f->rd->d;
	const struct dbft *s = &d->core;

	for (uint32_t ahead = 0; ahead < s->c.n; ahead++) {
		unsigned speaker = round_speaker(f->rd, s->view + ahead);

		if (speaker != (unsigned)d->me && (s->away >> speaker & 1) == 0)
			links_sync(&f->rd->links, d->set.d[speaker].name,
			    LINK_PUSH);
		if (((s->away | s->missed) >> speaker & 1) == 0)
			break;
	}
}

/*
 * Transactions must come to the speaker: the others give it theirs as soon as
 * they have some, and all look now and then what the others have.
 */
static void
gather(struct following *f)
{
	struct round *rd = f->rd;
	const struct driver *d = rd->d;
	int64_t now = clock_now_ms();
	bool part = d->live && d->me >= 0;

	if (part && f->unpushed && d->core.work) {
		f->unpushed = false;
		push(f);
	}
	if (now < f->pull_ms && f->pull_ms - now <= PULL_MS)
		return;
	f->pull_ms = now + PULL_MS;	/* wake() counts on it */
	if (!part)
		return;
	round_tell_refused(rd, &f->told);
	round_tell_evidence(rd, &f->told);
	if (!d->core.work && !round_sum(rd).busy)
		links_sync(&rd->links, NULL, LINK_PULL);
}

static int64_t
wake(const struct following *f)
{
	const struct driver *d = f->rd->d;
	int64_t at = f->pull_ms, earliest = driver_earliest(d);

	if (d->live && d->me >= 0 && d->wake_ms < at)
		at = d->wake_ms;
	if (earliest > clock_now_ms() && earliest < at)
		at = earliest;
	return at;
}

/* One look at everything.  A lock that is taken costs a short wait. */
static int
turn(struct following *f, struct err *e)
{
	struct round *rd = f->rd;
	bool waits;
	int news;

	if (clock_mono_ms() < f->rest_ms)
		return round_wait(rd, clock_now_ms() + LOCKED_MS, -1, e);
	news = watch_take(f->watch);
	f->unpushed |= (news & WATCH_ARRIVED) != 0;
	if ((news & WATCH_CALLED) != 0)
		links_retry(&rd->links);
	if (round_step(rd, &waits, e) != 0) {
		if (e->kind != ERR_AGAIN)
			return -1;
		if (rd->d->late)
			rd->say(rd->arg, e->msg);
		f->rest_ms = clock_mono_ms() + (rd->d->late ? LATE_MS :
		    LOCKED_MS);
		return 0;
	}
	if (rd->d->made != f->made) {
		f->made = rd->d->made;
		f->ev->made(f->ev->arg, f->made, &rd->d->made_id);
	}
	/* After a block, the next one begins at once. */
	if (!rd->d->live)
		return 0;
	if (driver_height(rd->d) != f->height && new_height(f, e) != 0)
		return -1;
	gather(f);
	return round_wait(rd, wake(f), f->watch, e);
}

int
round_follow(struct round *rd, const struct round_events *ev, struct err *e)
{
	struct following f = { .rd = rd, .ev = ev, .watch = -1 };
	bool started = false;
	int ret = 0;

	if ((f.watch = watch_open(rd->repo, e)) < 0)
		return -1;
	while (ret == 0 && !rd->stop) {
		ret = turn(&f, e);
		if (ret == 0 && !started && f.height != 0) {
			started = true;
			ev->started(ev->arg);
		}
	}
	close(f.watch);
	round_told_free(&f.told);
	return ret;
}
