#define _GNU_SOURCE	/* pipe2 */
#include "net/round.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/final.h"
#include "store/chain.h"

#define LOCK_WAIT_MS 10000
#define PATIENCE_MIN_MS 3000	/* with a round that does not come off */
#define PATIENCE_MAX_MS 60000
#define DELIVER_MS 10000	/* for the others to take a new block */
#define SETTLE_MS 5000		/* to connect, and pull what waits */
#define SETTLE_MORE_MS 300
#define EARLY_MS 5000		/* that are waited for a block's time */

struct round {
	struct repo *repo;
	struct driver *d;
	bool keep;
	int bell[2];
	void (*say)(void *arg, const char *line);
	void *arg;

	struct {
		char name[NAME_MAX_LEN + 1];
		struct link *link;
	} to[DBFT_MAX_NODES];
	size_t n;
};

int
round_open(struct round **out, struct repo *r, bool keep,
    void (*say)(void *arg, const char *line), void *arg, struct err *e)
{
	struct round *rd = calloc(1, sizeof(*rd));

	if (rd == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	rd->repo = r;
	rd->keep = keep;
	rd->say = say;
	rd->arg = arg;
	if (pipe2(rd->bell, O_CLOEXEC | O_NONBLOCK) != 0) {
		free(rd);
		return err_sys(e, "pipe");
	}
	if (driver_open(&rd->d, r, false, e) != 0) {
		round_close(rd, 0);
		return -1;
	}
	*out = rd;
	return 0;
}

bool
round_close(struct round *rd, int wait_ms)
{
	int64_t until = clock_mono_ms() + wait_ms;
	bool all = true;

	for (size_t i = 0; i < rd->n; i++)
		all = link_stop(rd->to[i].link, until) && all;
	driver_close(rd->d);
	if (!all)
		return false;
	close(rd->bell[0]);
	close(rd->bell[1]);
	free(rd);
	return true;
}

/* --- links ---------------------------------------------------------------- */

static struct link *
find_link(const struct round *rd, const char *name)
{
	for (size_t i = 0; i < rd->n; i++)
		if (strcmp(rd->to[i].name, name) == 0)
			return rd->to[i].link;
	return NULL;
}

/* A link to delegate i, if the config says how. */
static int
add_link(struct round *rd, unsigned i, struct err *e)
{
	const char *name = rd->d->set.d[i].name;
	int64_t timeout = rd->repo->genesis->settings.timeout_ms;
	struct link_config c = {
		.repo = rd->repo->path,
		.peer = name,
		.bell = rd->bell[1],
		.keep = rd->keep,
		.timeout_ms = timeout < PATIENCE_MIN_MS ? PATIENCE_MIN_MS :
		    timeout > PATIENCE_MAX_MS ? PATIENCE_MAX_MS : (int)timeout
	};
	char key[NAME_MAX_LEN + 16];

	snprintf(key, sizeof(key), "peer.%s.command", name);
	c.command = config_get(&rd->repo->config, key);
	if (c.command == NULL || find_link(rd, name) != NULL)
		return 0;
	if (rd->n == DBFT_MAX_NODES)
		return err_set(e, ERR_SYS, "too many peers");
	if (link_start(&rd->to[rd->n].link, &c, e) != 0)
		return -1;
	memcpy(rd->to[rd->n].name, name, strlen(name) + 1);
	rd->n++;
	return 0;
}

static int
add_links(struct round *rd, struct err *e)
{
	for (unsigned i = 0; i < rd->d->set.n; i++)
		if ((int)i != rd->d->me && add_link(rd, i, e) != 0)
			return -1;
	return 0;
}

/* Delegate i as its link sees it; without one it is away. */
static struct link_info
info_of(const struct round *rd, unsigned i)
{
	struct link *l = find_link(rd, rd->d->set.d[i].name);
	struct link_info info = { .state = LINK_AWAY };

	err_set(&info.e, ERR_NO, "%s: the config has no peer of that name",
	    rd->d->set.d[i].name);
	if (l != NULL)
		link_info(l, &info);
	return info;
}

/* Who is away, and does anybody keep us waiting? */
struct links_sum {
	uint64_t away;		/* mask */
	unsigned present;	/* we and those who are not away */
	unsigned ready;		/* we and those who wait for us */
	bool busy;
};

static struct links_sum
sum_links(const struct round *rd)
{
	struct links_sum sum = { .present = rd->d->me >= 0 };

	for (unsigned i = 0; i < rd->d->set.n; i++) {
		struct link_info info;

		if ((int)i == rd->d->me)
			continue;
		info = info_of(rd, i);
		if (info.state == LINK_AWAY) {
			sum.away |= UINT64_C(1) << i;
			continue;
		}
		sum.present++;
		sum.ready += info.state == LINK_READY && !info.busy;
		sum.busy = sum.busy || info.busy;
	}
	sum.ready += rd->d->me >= 0;
	return sum;
}

/* Give the posts to the links, and the lines to the operator. */
static void
send_posts(struct round *rd)
{
	struct driver *d = rd->d;
	struct span rest = buf_span(&d->said);

	for (size_t i = 0; i < d->nposts; i++) {
		const struct driver_post *p = &d->post[i];

		for (unsigned k = 0; k < d->set.n; k++) {
			struct link *l = find_link(rd, d->set.d[k].name);

			if ((p->to >> k & 1) == 0 || l == NULL)
				continue;
			/* A final block makes all before it useless. */
			if (p->kind == WIRE_FINAL)
				link_drop(l);
			link_send(l, p->height, p->kind, buf_span(&p->bytes));
		}
	}
	while (rest.n > 0) {
		const unsigned char *nl = memchr(rest.p, '\n', rest.n);
		char line[512];

		snprintf(line, sizeof(line), "%.*s", (int)(nl - rest.p),
		    (const char *)rest.p);
		rd->say(rd->arg, line);
		rest = span_of(nl + 1, rest.n - (size_t)(nl + 1 - rest.p));
	}
	driver_sent(d);
}

/* --- steps ---------------------------------------------------------------- */

/* One answer's messages.  What a delegate sends wrong is its own fault. */
static int
take_messages(struct round *rd, const char *from, struct span rest,
    struct err *e)
{
	struct wire_msg m;
	int got, ret;

	while ((got = wire_next(&m, &rest, e)) == 1) {
		if (m.kind == WIRE_FINAL)
			ret = final_take(rd->repo, &m, e);
		else if ((ret = driver_lock(rd->d, LOCK_WAIT_MS, e)) == 0) {
			ret = driver_message(rd->d, &m, DBFT_NOBODY, e);
			driver_unlock(rd->d);
			send_posts(rd);
		} else
			return -1;
		if (ret != 0 && e->kind == ERR_SYS)
			return -1;
		if (ret != 0 && e->kind != ERR_AGAIN)
			break;
	}
	if (got != 0) {
		char line[600];

		snprintf(line, sizeof(line), "%s: %s", from, e->msg);
		rd->say(rd->arg, line);
	}
	return 0;
}

static int
take_answers(struct round *rd, struct err *e)
{
	struct buf b = BUF_INIT(2 * WIRE_PAYLOAD_MAX);
	int ret = 0;

	for (size_t i = 0; i < rd->n && ret == 0; i++) {
		buf_reset(&b);
		if (link_answer(rd->to[i].link, &b))
			ret = take_messages(rd, rd->to[i].name, buf_span(&b),
			    e);
	}
	buf_free(&b);
	return ret;
}

/* Wait for news until the time (clock_now_ms), and take it. */
static int
wait_news(struct round *rd, int64_t until_ms, struct err *e)
{
	struct pollfd p = { .fd = rd->bell[0], .events = POLLIN };
	int64_t left = until_ms - clock_now_ms();
	char sink[256];

	if (left > 1000)
		left = 1000;
	if (poll(&p, 1, left < 0 ? 0 : (int)left) < 0 && errno != EINTR)
		return err_sys(e, "poll");
	while (read(rd->bell[0], sink, sizeof(sink)) > 0)
		;
	return take_answers(rd, e);
}

/* With the lock, look for work and let the core see the time. */
static int
step(struct round *rd, bool *waits, struct err *e)
{
	struct driver *d = rd->d;
	int ret;

	if (driver_lock(d, LOCK_WAIT_MS, e) != 0)
		return -1;
	driver_away(d, sum_links(rd).away);
	ret = driver_work(d, waits, e);
	if (ret == 0)
		ret = driver_tick(d, e);
	driver_unlock(d);
	send_posts(rd);
	return ret;
}

/* --- once ----------------------------------------------------------------- */

static unsigned
speaker_of(const struct driver *d, uint32_t view)
{
	return dbft_speaker(driver_height(d), view, (unsigned)d->set.n);
}

/*
 * Is there something for this node to do?  It speaks; or the view has timed
 * out, and it speaks in the next one, or later but nobody did anything for
 * as many time-outs more; or it has left a view, and waits for others.
 */
static bool
is_our_turn(const struct driver *d)
{
	const struct dbft *s = &d->core;
	int64_t late = dbft_deadline(s), now = clock_now_ms();
	uint32_t ahead = 1;

	if (!driver_may_vote(d))
		return false;
	if (speaker_of(d, s->view) == (unsigned)d->me || !s->entered)
		return true;
	if (late > now)
		return false;
	while (speaker_of(d, s->view + ahead) != (unsigned)d->me)
		ahead++;
	return now - late >= (int64_t)(ahead - 1) * s->c.timeout_ms;
}

static void
say_turn(struct round_result *res, const struct driver *d)
{
	const struct dbft *s = &d->core;

	if (!d->live)
		snprintf(res->why, sizeof(res->why), "a new block arrived");
	else if (d->me < 0)
		snprintf(res->why, sizeof(res->why), "this node is no "
		    "delegate at height %llu",
		    (unsigned long long)driver_height(d));
	else if (!driver_may_vote(d))
		snprintf(res->why, sizeof(res->why), "%s", d->mute.msg);
	else
		snprintf(res->why, sizeof(res->why), "%s speaks at height "
		    "%llu, view %u", d->set.d[speaker_of(d, s->view)].name,
		    (unsigned long long)driver_height(d), (unsigned)s->view);
}

static void
say_missing(struct round_result *res, const struct round *rd)
{
	size_t at = (size_t)snprintf(res->why, sizeof(res->why),
	    "no quorum at height %llu",
	    (unsigned long long)driver_height(rd->d));

	for (unsigned i = 0; i < rd->d->set.n; i++) {
		struct link_info info;

		if ((int)i == rd->d->me || at >= sizeof(res->why))
			continue;
		info = info_of(rd, i);
		if (info.e.kind != ERR_NONE)
			at += (size_t)snprintf(res->why + at,
			    sizeof(res->why) - at, "; %s", info.e.msg);
	}
}

static int
ends(struct round_result *res, enum round_end end, const char *why)
{
	res->end = end;
	if (why != NULL)
		snprintf(res->why, sizeof(res->why), "%s", why);
	return 1;
}

/* What is there to do, before anybody is asked?  1: nothing, see *res. */
static int
look(struct round *rd, struct round_result *res, struct err *e)
{
	struct driver *d = rd->d;
	int ret;

	if (driver_lock(d, LOCK_WAIT_MS, e) != 0)
		return -1;
	/* As the speaker, we first see what waits at the others. */
	ret = driver_may_vote(d) &&
	    speaker_of(d, d->core.view) != (unsigned)d->me ?
	    driver_work(d, NULL, e) : 0;
	driver_unlock(d);
	if (ret != 0 || is_our_turn(d))
		return ret;
	say_turn(res, d);
	return ends(res, ROUND_NOT_OURS, NULL);
}

/*
 * Give the links time to connect and to pull; once a quorum has, only a
 * little more.
 */
static int
settle(struct round *rd, struct err *e)
{
	unsigned quorum = dbft_quorum((unsigned)rd->d->set.n);
	int64_t until = clock_now_ms() + SETTLE_MS;

	for (;;) {
		struct links_sum sum = sum_links(rd);
		int64_t now = clock_now_ms();

		if (sum.ready >= quorum && until > now + SETTLE_MORE_MS)
			until = now + SETTLE_MORE_MS;
		if (!sum.busy || now >= until)
			return 0;
		if (wait_news(rd, until, e) != 0)
			return -1;
	}
}

/* Is there an end to it?  1, 0 or -1. */
static int
is_over(struct round *rd, uint64_t height, bool waits,
    struct round_result *res, struct err *e)
{
	struct driver *d = rd->d;
	struct head h;
	int64_t early;

	if (d->made == height) {
		res->height = height;
		res->id = d->made_id;
		return ends(res, ROUND_MADE, NULL);
	}
	if (chain_head(&h, rd->repo, e) != 0)
		return -1;
	if (h.height >= height)
		return ends(res, ROUND_OTHERS, "another delegate made a "
		    "block");
	if (!d->live)
		return 0;
	early = driver_earliest(d) - clock_now_ms();
	if (!waits && !d->core.work && d->core.view == 0 &&
	    (early <= 0 || early > EARLY_MS))
		return ends(res, ROUND_NOTHING, early <= 0 ?
		    "nothing waits for a block" :
		    "it is too early for another block");
	if (!is_our_turn(d)) {
		say_turn(res, d);
		return ends(res, ROUND_NOT_OURS, NULL);
	}
	if (sum_links(rd).present >= dbft_quorum((unsigned)d->set.n))
		return 0;
	say_missing(res, rd);
	return ends(res, ROUND_NO_QUORUM, NULL);
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
		int64_t wake;

		if (step(rd, &waits, e) != 0)
			return -1;
		ret = is_over(rd, height, waits, res, e);
		if (ret != 0)
			return ret < 0 ? -1 : 0;
		/* Every vote of ours is a step forward. */
		if (!hash_eq(&last, &rd->d->last))
			until = clock_now_ms() + patience;
		last = rd->d->last;
		if (clock_now_ms() >= until)
			break;
		wake = rd->d->wake_ms < until ? rd->d->wake_ms : until;
		if (driver_earliest(rd->d) > clock_now_ms() &&
		    driver_earliest(rd->d) < wake)
			wake = driver_earliest(rd->d);
		if (wait_news(rd, wake, e) != 0)
			return -1;
	}
	say_missing(res, rd);
	ends(res, ROUND_NO_QUORUM, NULL);
	return 0;
}

/* Wait until whoever is there has the new block. */
static int
deliver(struct round *rd, struct err *e)
{
	int64_t until = clock_now_ms() + DELIVER_MS;

	while (sum_links(rd).busy && clock_now_ms() < until)
		if (wait_news(rd, until, e) != 0)
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
	if (add_links(rd, e) != 0 || settle(rd, e) != 0)
		return -1;
	if ((ret = look(rd, res, e)) != 0)
		return ret < 0 ? -1 : 0;
	if (pursue(rd, res, e) != 0)
		return -1;
	return res->end == ROUND_MADE ? deliver(rd, e) : 0;
}
