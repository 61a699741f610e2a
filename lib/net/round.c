#include "net/round.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/final.h"
#include "net/renew.h"
#include "net/round_inner.h"

#define ACTIVE_WAIT_MS 10000	/* for another ehr-dbft --once to end, */
#define ACTIVE_KEEP_MS 1000	/* but a service is not there twice */
#define NAP_MS 1000

int
round_open(struct round **out, struct repo *r, bool keep,
    void (*say)(void *arg, const char *line), void *arg, struct err *e)
{
	struct round *rd = calloc(1, sizeof(*rd));

	if (rd == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	rd->repo = r;
	rd->say = say;
	rd->arg = arg;
	rd->active = -1;
	if (links_open(&rd->links, r, keep, keep ? LINK_PULL :
	    LINK_PULL | LINK_PUSH, e) != 0 ||
	    driver_open(&rd->d, r, false, e) != 0 ||
	    (rd->active = fs_lock(r->dirfd, VOTES_DIR "/active", keep ?
	    ACTIVE_KEEP_MS : ACTIVE_WAIT_MS, e)) < 0) {
		round_close(rd, 0);
		return -1;
	}
	*out = rd;
	return 0;
}

bool
round_close(struct round *rd, int wait_ms)
{
	bool all = links_close(&rd->links, wait_ms);

	driver_close(rd->d);
	rd->d = NULL;
	if (rd->active >= 0)
		close(rd->active);
	rd->active = -1;
	if (all)
		free(rd);
	return all;
}

void
round_stop(struct round *rd)
{
	int saved = errno;

	rd->stop = 1;
	if (write(rd->links.bell[1], "", 1) < 0)
		rd->stop = 1;	/* a full pipe is as good */
	errno = saved;
}

struct links_sum
round_sum(const struct round *rd)
{
	return links_sum(&rd->links, &rd->d->set, rd->d->me);
}

unsigned
round_speaker(const struct round *rd, uint32_t view)
{
	return dbft_speaker(driver_height(rd->d), view,
	    (unsigned)rd->d->set.n);
}

/* Send the driver's posts, and show its lines. */
static void
flush(struct round *rd)
{
	struct driver *d = rd->d;
	struct span rest = buf_span(&d->said);
	char line[512];

	links_send(&rd->links, d);
	while (rest.n > 0) {
		const unsigned char *nl = memchr(rest.p, '\n', rest.n);

		snprintf(line, sizeof(line), "%.*s", (int)(nl - rest.p),
		    (const char *)rest.p);
		rd->say(rd->arg, line);
		rest = span_of(nl + 1, rest.n - (size_t)(nl + 1 - rest.p));
	}
	driver_sent(d);
}

/* --- steps ---------------------------------------------------------------- */

int
round_join(struct round *rd, struct err *e)
{
	char line[128];
	uint64_t floor;

	if (!rd->d->late || rd->d->me < 0)
		return 0;
	driver_unlock(rd->d);
	if (renew_journal(&floor, rd->repo, e) != 0)
		return err_wrap(e, "this node came late, and does not vote "
		    "yet");
	snprintf(line, sizeof(line), "this node came late, and votes from "
	    "height %llu on", (unsigned long long)floor + 1);
	rd->say(rd->arg, line);
	return driver_lock(rd->d, ROUND_LOCK_MS, e);
}

int
round_step(struct round *rd, bool *waits, struct err *e)
{
	struct driver *d = rd->d;
	int ret;

	if (driver_lock(d, ROUND_LOCK_MS, e) != 0 || round_join(rd, e) != 0)
		return -1;
	driver_away(d, round_sum(rd).away);
	ret = driver_hear(d, e);
	if (ret == 0)
		ret = driver_work(d, waits, e);
	if (ret == 0)
		ret = driver_tick(d, e);
	driver_unlock(d);
	flush(rd);
	if (ret == 0)
		seen_keep(&rd->seen, d, false);
	return ret;
}

static int
take_vote(struct round *rd, const struct wire_msg *m, struct err *e)
{
	int ret;

	if (driver_lock(rd->d, ROUND_LOCK_MS, e) != 0) {
		/* Of a journal that is lost, round_step tells. */
		e->kind = e->kind == ERR_BAD ? ERR_AGAIN : e->kind;
		return -1;
	}
	ret = driver_message(rd->d, m, DBFT_NOBODY, e);
	driver_unlock(rd->d);
	flush(rd);
	return ret;
}

/* What a delegate sends wrong is its own fault, and ends no round. */
static int
take_messages(struct round *rd, const char *from, struct span rest,
    struct err *e)
{
	struct wire_msg m;
	char line[600];
	int got, ret;

	while ((got = wire_next(&m, &rest, e)) == 1) {
		ret = m.kind == WIRE_FINAL ? final_take(rd->repo, &m, e) :
		    take_vote(rd, &m, e);
		if (ret == 0 || e->kind == ERR_AGAIN)
			continue;
		if (e->kind == ERR_SYS)
			return -1;
		break;
	}
	if (got != 0) {
		snprintf(line, sizeof(line), "%s: %s", from, e->msg);
		rd->say(rd->arg, line);
	}
	return 0;
}

static int
take_answers(struct round *rd, struct err *e)
{
	struct buf b = BUF_INIT(2 * WIRE_PAYLOAD_MAX);
	const char *from;
	size_t at = 0;
	int ret = 0;

	while (ret == 0 && links_answer(&rd->links, &at, &from, &b)) {
		ret = take_messages(rd, from, buf_span(&b), e);
		buf_reset(&b);
	}
	buf_free(&b);
	return ret;
}

int
round_wait(struct round *rd, int64_t until_ms, int fd, struct err *e)
{
	struct pollfd p[2] = {
		{ .fd = rd->links.bell[0], .events = POLLIN },
		{ .fd = fd, .events = POLLIN }
	};
	int64_t left = until_ms - clock_now_ms();

	if (left > NAP_MS)
		left = NAP_MS;
	if (poll(p, 2, left < 0 ? 0 : (int)left) < 0 && errno != EINTR)
		return err_sys(e, "poll");
	links_hush(&rd->links);
	return take_answers(rd, e);
}
