#include <stdio.h>

#include "net/evidence.h"
#include "net/round_inner.h"

#define LINE_MAX_BYTES 600

/* A delegate that is away may be back soon; one that refuses needs somebody. */
static bool
is_refused(const struct link_info *info)
{
	return info->state == LINK_AWAY &&
	    (info->e.kind == ERR_NO || info->e.kind == ERR_BAD);
}

void
round_tell_refused(struct round *rd, struct round_told *t)
{
	const struct driver *d = rd->d;

	for (unsigned i = 0; d->live && d->me >= 0 && i < d->set.n; i++) {
		uint64_t bit = UINT64_C(1) << i;
		struct link_info info;

		if ((int)i == d->me)
			continue;
		info = links_info(&rd->links, &d->set, i);
		if (info.state == LINK_READY)
			t->refused &= ~bit;
		else if (is_refused(&info) && (t->refused & bit) == 0) {
			t->refused |= bit;
			rd->say(rd->arg, info.e.msg);
		}
	}
}

static bool
is_known(const struct fs_names *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->name[i], name) == 0)
			return true;
	return false;
}

void
round_tell_evidence(struct round *rd, struct round_told *t)
{
	char line[LINE_MAX_BYTES];
	struct fs_names now;
	struct err ignored;

	if (evidence_list(&now, rd->repo, &ignored) != 0)
		return;
	for (size_t i = 0; i < now.n; i++)
		if (!is_known(&t->evidence, now.name[i])) {
			snprintf(line, sizeof(line), "a delegate has signed "
			    "two things that contradict each other: "
			    VOTES_DIR "/%s", now.name[i]);
			rd->say(rd->arg, line);
		}
	fs_names_free(&t->evidence);
	t->evidence = now;
}

void
round_told_free(struct round_told *t)
{
	fs_names_free(&t->evidence);
}
