#define _GNU_SOURCE	/* pipe2 */
#include "net/links.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

#define ANSWER_MIN_MS 3000	/* that a delegate has for an answer, */
#define ANSWER_MAX_MS 60000	/* whatever the ledger's time-out is */

int
links_open(struct links *ls, struct repo *r, bool keep, int sync,
    struct err *e)
{
	memset(ls, 0, sizeof(*ls));
	ls->repo = r;
	ls->keep = keep;
	ls->sync = sync;
	if (pipe2(ls->bell, O_CLOEXEC | O_NONBLOCK) != 0) {
		ls->bell[0] = ls->bell[1] = -1;
		return err_sys(e, "pipe");
	}
	return 0;
}

bool
links_close(struct links *ls, int wait_ms)
{
	int64_t until = clock_mono_ms() + wait_ms;
	bool all = true;

	for (size_t i = 0; i < ls->n; i++)
		link_end(ls->to[i].link);
	for (size_t i = 0; i < ls->n; i++)
		all = link_join(ls->to[i].link, until) && all;
	ls->n = 0;
	/* A thread that hangs may ring still. */
	if (!all || ls->bell[0] < 0)
		return all;
	close(ls->bell[0]);
	close(ls->bell[1]);
	return true;
}

static struct link *
find(const struct links *ls, const char *name)
{
	for (size_t i = 0; i < ls->n; i++)
		if (strcmp(ls->to[i].name, name) == 0)
			return ls->to[i].link;
	return NULL;
}

static int
add(struct links *ls, const char *name, struct err *e)
{
	int64_t timeout = ls->repo->genesis->settings.timeout_ms;
	struct link_config c = {
		.repo = ls->repo->path,
		.peer = name,
		.bell = ls->bell[1],
		.keep = ls->keep,
		.sync = ls->sync,
		.timeout_ms = timeout < ANSWER_MIN_MS ? ANSWER_MIN_MS :
		    timeout > ANSWER_MAX_MS ? ANSWER_MAX_MS : (int)timeout
	};
	char key[NAME_MAX_LEN + 16];

	snprintf(key, sizeof(key), "peer.%s.command", name);
	c.command = config_get(&ls->repo->config, key);
	if (c.command == NULL || find(ls, name) != NULL)
		return 0;
	if (ls->n == DBFT_MAX_NODES)
		return err_set(e, ERR_SYS, "too many peers");
	if (link_start(&ls->to[ls->n].link, &c, e) != 0)
		return -1;
	memcpy(ls->to[ls->n].name, name, strlen(name) + 1);
	ls->n++;
	return 0;
}

/* End the links that are not wanted any more; one that hangs stays a while. */
static void
remove_others(struct links *ls, const struct delegates *set, int me)
{
	for (size_t i = 0; i < ls->n;) {
		int at = delegates_find(set, span_str(ls->to[i].name));
		struct link_info info;

		link_info(ls->to[i].link, &info);
		if (at >= 0 && at != me && info.state != LINK_ENDED) {
			i++;
			continue;
		}
		link_end(ls->to[i].link);
		if (link_join(ls->to[i].link, clock_mono_ms()))
			ls->to[i] = ls->to[--ls->n];
		else
			i++;
	}
}

int
links_want(struct links *ls, const struct delegates *set, int me,
    struct err *e)
{
	remove_others(ls, set, me);
	for (size_t i = 0; i < set->n; i++)
		if ((int)i != me && add(ls, set->d[i].name, e) != 0)
			return -1;
	return 0;
}

struct link_info
links_info(const struct links *ls, const struct delegates *set, unsigned i)
{
	struct link *l = find(ls, set->d[i].name);
	struct link_info info = { .state = LINK_AWAY };

	if (l != NULL)
		link_info(l, &info);
	else
		err_set(&info.e, ERR_NO, "%s: no such peer in the config",
		    set->d[i].name);
	return info;
}

struct links_sum
links_sum(const struct links *ls, const struct delegates *set, int me)
{
	struct links_sum sum = { 0, me >= 0, me >= 0, false, false };

	for (unsigned i = 0; i < set->n; i++) {
		struct link_info info;

		if ((int)i == me)
			continue;
		info = links_info(ls, set, i);
		if (info.state == LINK_AWAY || info.state == LINK_ENDED) {
			sum.away |= UINT64_C(1) << i;
			continue;
		}
		sum.present++;
		sum.ready += info.state == LINK_READY && !info.busy;
		sum.busy = sum.busy || info.busy;
		sum.taking = sum.taking || (info.busy &&
		    info.state == LINK_READY);
	}
	return sum;
}

void
links_send(struct links *ls, const struct driver *d)
{
	for (size_t i = 0; i < d->nposts; i++) {
		const struct driver_post *p = &d->post[i];

		for (unsigned k = 0; k < d->set.n; k++) {
			struct link *l = find(ls, d->set.d[k].name);

			if ((p->to >> k & 1) != 0 && l != NULL)
				link_send(l, p->height, p->kind,
				    buf_span(&p->bytes));
		}
	}
}

void
links_sync(struct links *ls, const char *name, int what)
{
	for (size_t i = 0; i < ls->n; i++)
		if (name == NULL || strcmp(ls->to[i].name, name) == 0)
			link_sync(ls->to[i].link, what);
}

void
links_retry(struct links *ls)
{
	for (size_t i = 0; i < ls->n; i++)
		link_retry(ls->to[i].link);
}

bool
links_answer(struct links *ls, size_t *at, const char **name,
    struct buf *out)
{
	for (; *at < ls->n; ++*at)
		if (link_answer(ls->to[*at].link, out)) {
			*name = ls->to[*at].name;
			return true;
		}
	return false;
}

void
links_hush(struct links *ls)
{
	char sink[256];

	while (read(ls->bell[0], sink, sizeof(sink)) > 0)
		;
}

void
links_wait(struct links *ls, int ms)
{
	struct pollfd p = { .fd = ls->bell[0], .events = POLLIN };

	poll(&p, 1, ms);
	links_hush(ls);
}
