#include "net/round.h"

#include <stdio.h>

#include "base/clock.h"
#include "net/round_inner.h"
#include "store/chain.h"

#define PATIENCE_MIN_MS 3000	/* with a round that does not come off */
#define PATIENCE_MAX_MS 60000
#define SETTLE_MS 5000		/* to connect, and exchange what waits; */
#define SETTLE_MORE_MS 300	/* for those who are slower than a quorum */
#define DELIVER_MS 5000		/* for the others to take a new block */
#define EARLY_MS 5000		/* that are waited for a block's time */

/* --- whose turn ----------------------------------------------------------- */

/*
 * Is there something for this node to do?  It speaks; or it has left a view,
 * and waits for others; or the view has timed out and it speaks in the next
 * one, or in a later one, but those before it had their time too.  In PBFT,
 * each has to vote and count.
 */
static bool
is_our_turn(const struct round *rd)
{
	const struct driver *d = rd->d;
	const struct dbft *s = &d->core;
	int64_t late, now = clock_now_ms();
	uint32_t ahead = 1;

	if (!driver_may_vote(d))
		return false;
	if (s->c.all_to_all)
		return true;
	late = dbft_deadline(s);
	if (round_speaker(rd, s->view) == (unsigned)d->me || !s->entered)
		return true;
	if (late > now)
		return false;
	while (round_speaker(rd, s->view + ahead) != (unsigned)d->me)
		ahead++;
	return now - late >= (int64_t)(ahead - 1) * s->c.timeout_ms;
}

static int
end_with(struct round_result *res, enum round_end end, const char *why)
{
	res->end = end;
	snprintf(res->why, sizeof(res->why), "%s", why);
	return 1;
}

static int
end_not_ours(struct round_result *res, const struct round *rd)
{
	const struct driver *d = rd->d;
	unsigned long long height = driver_height(d);
	char why[512];

	if (d->me < 0)
		snprintf(why, sizeof(why), "this node is no delegate at "
		    "height %llu", height);
	else if (!driver_may_vote(d))
		snprintf(why, sizeof(why), "%s", d->mute.msg);
	else
		snprintf(why, sizeof(why), "%s speaks at height %llu, view %u",
		    d->set.d[round_speaker(rd, d->core.view)].name, height,
		    (unsigned)d->core.view);
	return end_with(res, ROUND_NOT_OURS, why);
}

/* Name those that gave no answer, or a refusal. */
static int
end_no_quorum(struct round_result *res, struct round *rd)
{
	const struct driver *d = rd->d;
	char why[512];
	size_t at;

	seen_keep(&rd->seen, d, true);
	at = (size_t)snprintf(why, sizeof(why), "no quorum at height %llu, "
	    "view %u", (unsigned long long)driver_height(d),
	    (unsigned)d->core.view);
	for (unsigned i = 0; i < d->set.n && at < sizeof(why); i++) {
		struct link_info info;

		if ((int)i == d->me)
			continue;
		info = links_info(&rd->links, &d->set, i);
		if (info.e.kind != ERR_NONE)
			at += (size_t)snprintf(why + at, sizeof(why) - at,
			    "; %s", info.e.msg);
	}
	return end_with(res, ROUND_NO_QUORUM, why);
}

/* --- before --------------------------------------------------------------- */

/* What is there to do, as far as we know?  1: nothing, see *res. */
static int
look(struct round *rd, struct round_result *res, struct err *e)
{
	struct driver *d = rd->d;
	int ret = 0;

	if (driver_lock(d, ROUND_LOCK_MS, e) != 0 || round_join(rd, e) != 0)
		return -1;
	/* A speaker first sees what waits at the others. */
	if (driver_may_vote(d) &&
	    round_speaker(rd, d->core.view) != (unsigned)d->me)
		ret = driver_work(d, NULL, e);
	driver_unlock(d);
	if (ret != 0)
		return -1;
	return is_our_turn(rd) ? 0 : end_not_ours(res, rd);
}

static int
settle(struct round *rd, struct err *e)
{
	unsigned quorum = dbft_quorum((unsigned)rd->d->set.n);
	int64_t until = clock_now_ms() + SETTLE_MS;

	for (;;) {
		struct links_sum sum = round_sum(rd);
		int64_t now = clock_now_ms();

		if (sum.ready >= quorum && until > now + SETTLE_MORE_MS)
			until = now + SETTLE_MORE_MS;
		if (!sum.busy || now >= until)
			return 0;
		if (round_wait(rd, until, -1, e) != 0)
			return -1;
	}
}

/* --- the round ------------------------------------------------------------ */

/* Is there an end to it?  1 and *res, 0, or -1. */
static int
is_over(struct round *rd, uint64_t height, bool waits,
    struct round_result *res, struct err *e)
{
	struct driver *d = rd->d;
	int64_t early;
	struct head h;

	if (d->made == height) {
		res->height = height;
		res->id = d->made_id;
		return end_with(res, ROUND_MADE, "");
	}
	if (chain_head(&h, rd->repo, e) != 0)
		return -1;
	if (h.height >= height)
		return end_with(res, ROUND_OTHERS, "another delegate made a "
		    "block");
	if (!d->live)
		return 0;
	early = driver_earliest(d) - clock_now_ms();
	if (!waits && !d->core.work && d->core.view == 0 &&
	    (early <= 0 || early > EARLY_MS))
		return end_with(res, ROUND_NOTHING, early <= 0 ?
		    "nothing waits for a block" :
		    "it is too early for another block");
	if (!is_our_turn(rd))
		return end_not_ours(res, rd);
	if (round_sum(rd).present < dbft_quorum((unsigned)d->set.n))
		return end_no_quorum(res, rd);
	return 0;
}

/* When must we look again, if there are no news? */
static int64_t
wake(const struct round *rd, int64_t until)
{
	int64_t earliest = driver_earliest(rd->d);

	if (rd->d->wake_ms < until)
		until = rd->d->wake_ms;
	if (earliest > clock_now_ms() && earliest < until)
		until = earliest;
	return until;
}

/* Go on until there is a block, or no hope for one. */
static int
pursue(struct round *rd, struct round_result *res, struct err *e)
{
	int64_t patience = rd->repo->genesis->settings.timeout_ms, until;
	uint64_t height = driver_height(rd->d);
	struct hash last = rd->d->last;
	bool waits;
	int ret;

	if (patience < PATIENCE_MIN_MS)
		patience = PATIENCE_MIN_MS;
	if (patience > PATIENCE_MAX_MS)
		patience = PATIENCE_MAX_MS;
	until = clock_now_ms() + patience;
	for (;;) {
		waits = false;
		if (rd->d->made != height && round_step(rd, &waits, e) != 0)
			return -1;
		ret = is_over(rd, height, waits, res, e);
		if (ret != 0)
			return ret < 0 ? -1 : 0;
		/* Each vote of ours is a step forward. */
		if (!hash_eq(&last, &rd->d->last))
			until = clock_now_ms() + patience;
		last = rd->d->last;
		if (clock_now_ms() >= until)
			break;
		if (round_wait(rd, wake(rd, until), -1, e) != 0)
			return -1;
	}
	end_no_quorum(res, rd);
	return 0;
}

/* Wait until whoever is there has the new block. */
static int
deliver(struct round *rd, struct err *e)
{
	int64_t until = clock_now_ms() + DELIVER_MS;

	while (round_sum(rd).taking && clock_now_ms() < until)
		if (round_wait(rd, until, -1, e) != 0)
			return -1;
	return 0;
}

int
round_once(struct round *rd, struct round_result *res, struct err *e)
{
	int ret;

	memset(res, 0, sizeof(*res));
	if ((ret = look(rd, res, e)) != 0)
		return ret < 0 ? -1 : 0;
	if (links_want(&rd->links, &rd->d->set, rd->d->me, e) != 0 ||
	    settle(rd, e) != 0)
		return -1;
	/* Blocks may have come, and changed whose turn it is. */
	if ((ret = look(rd, res, e)) != 0)
		return ret < 0 ? -1 : 0;
	if (pursue(rd, res, e) != 0)
		return -1;
	return res->end == ROUND_MADE ? deliver(rd, e) : 0;
}
