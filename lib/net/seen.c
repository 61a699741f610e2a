#define _POSIX_C_SOURCE 200809L	/* openat */
#include "net/seen.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "ledger/head.h"

static const char *const name_of[] = {
	[DBFT_CHANGE] = "change-view",
	[DBFT_PREPARE] = "prepare",
	[DBFT_COMMIT] = "commit"
};

/* --- the text ------------------------------------------------------------- */

static void
add_names(struct buf *out, const char *key, uint64_t mask,
    const struct delegates *set)
{
	buf_adds(out, key);
	for (size_t i = 0; i < set->n; i++)
		if ((mask >> i & 1) != 0)
			buf_addf(out, " %s", set->d[i].name);
	buf_adds(out, mask == 0 ? " -\n" : "\n");
}

void
seen_format(struct buf *out, const struct seen *s, const struct hash *ledger,
    const struct delegates *set)
{
	head_add(out, "seen", ledger);
	buf_addf(out, "height %llu\nview %u\n", (unsigned long long)s->height,
	    (unsigned)s->view);
	for (int k = DBFT_CHANGE; k <= DBFT_COMMIT; k++)
		if (k == DBFT_CHANGE || s->speaks)
			add_names(out, name_of[k], s->have[k], set);
}

static int
take_names(uint64_t *mask, struct text *t, const char *key,
    const struct delegates *set, struct err *e)
{
	struct span rest;

	*mask = 0;
	if (text_key(t, key, &rest, e) != 0)
		return -1;
	if (span_is(rest, "-"))
		return 0;
	while (rest.n > 0) {
		int i = delegates_find(set, text_word(&rest));

		if (i < 0)
			return text_bad(t, e, "a name that is no delegate's");
		*mask |= UINT64_C(1) << i;
	}
	return 0;
}

int
seen_parse(struct seen *s, struct span text, const struct hash *ledger,
    const struct delegates *set, struct err *e)
{
	struct text t;
	uint64_t view;

	memset(s, 0, sizeof(*s));
	text_init(&t, text, SEEN_PATH);
	if (head_expect(&t, "seen", ledger, e) != 0 ||
	    text_u64(&t, "height", VOTES_HEIGHT_MAX, &s->height, e) != 0 ||
	    text_u64(&t, "view", DBFT_VIEW_MAX, &view, e) != 0)
		return -1;
	s->view = (uint32_t)view;
	s->speaks = false;
	for (int k = DBFT_CHANGE; k <= DBFT_COMMIT; k++) {
		if (k == DBFT_PREPARE && text_end(&t))
			break;
		s->speaks = k > DBFT_CHANGE;
		if (take_names(&s->have[k], &t, name_of[k], set, e) != 0)
			return -1;
	}
	return text_done(&t, e);
}

/* --- the file ------------------------------------------------------------- */

static bool
is_slow(const struct dbft *c)
{
	return c->view > 0 ||
	    (c->work && clock_now_ms() >= c->clock_ms + c->c.resend_ms);
}

static void
look(struct seen *s, const struct dbft *c)
{
	const struct dbft_msg *own = &c->seen[c->c.me][DBFT_PREPARE];

	/* To be compared as bytes. */
	memset(s, 0, sizeof(*s));
	s->height = c->height;
	s->view = c->view;
	s->have[DBFT_CHANGE] = dbft_have(c, DBFT_CHANGE, NULL);
	s->speaks = own->kind != DBFT_NONE && own->view == c->view &&
	    (c->c.all_to_all ||
	    dbft_speaker(c->height, c->view, c->c.n) == c->c.me);
	for (int k = DBFT_PREPARE; s->speaks && k <= DBFT_COMMIT; k++)
		s->have[k] = dbft_have(c, (enum dbft_kind)k, &own->block);
}

/* Not synced, nor at one blow: what is malformed is as if it were not there. */
static int
put(const struct repo *r, struct span text)
{
	int fd = openat(r->dirfd, SEEN_PATH, O_WRONLY | O_CREAT | O_TRUNC |
	    O_CLOEXEC | O_NOFOLLOW, 0600), ret;

	if (fd < 0)
		return -1;
	ret = fs_write_all(fd, text.p, text.n);
	close(fd);
	return ret;
}

void
seen_keep(struct seen *last, const struct driver *d, bool at_once)
{
	struct buf text = BUF_INIT(SEEN_MAX);
	struct seen now;

	if (!driver_may_vote(d) || (!at_once && !is_slow(&d->core)))
		return;
	look(&now, &d->core);
	if (memcmp(&now, last, sizeof(now)) == 0)
		return;
	seen_format(&text, &now, repo_ledger(d->repo), &d->set);
	if (!text.failed && put(d->repo, buf_span(&text)) == 0)
		*last = now;
	buf_free(&text);
}

int
seen_read(struct seen *s, const struct repo *r, const struct delegates *set,
    struct err *e)
{
	struct buf text = BUF_INIT(SEEN_MAX);
	int ret = fs_read(&text, r->dirfd, SEEN_PATH, e);

	if (ret == 0)
		ret = seen_parse(s, buf_span(&text), repo_ledger(r), set, e);
	buf_free(&text);
	return ret;
}
