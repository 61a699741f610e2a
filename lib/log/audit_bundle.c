#define _GNU_SOURCE	/* AT_FDCWD */
#include "log/audit_bundle.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int
begin(void *arg, const struct bundle_head *h, struct err *e)
{
	(void)arg;
	return h->since == 0 ? 0 : err_set(e, ERR_NO, "bundle: it begins after "
	    "block %llu: apply it to a copy that has this one, and audit that",
	    (unsigned long long)h->since);
}

int
audit_bundle_open(struct audit_bundle *b, struct repo **r, int fd,
    const char *tmp, struct err *e)
{
	int dir, ret;

	b->in.begin = begin;
	b->damage = (struct err){ .kind = ERR_NONE };
	b->dir[0] = '\0';
	if (bundle_dir(&dir, b->dir, AT_FDCWD, tmp, e) != 0) {
		b->dir[0] = '\0';
		return -1;
	}
	ret = bundle_unpack(&b->in, fd, dir, e);
	close(dir);
	if (ret != 0 && e->kind == ERR_BAD && b->in.genesis) {
		b->damage = *e;
		ret = 0;
	}
	return ret == 0 ? repo_open(r, b->dir, e) : -1;
}

int
audit_bundle_check(struct audit_bundle *b, struct audit *a, struct err *e)
{
	const struct bundle_head *h = &b->in.head;
	char what[120];

	a->count[AUDIT_BUNDLE].checked++;
	if (b->damage.kind != ERR_NONE && audit_report(a, AUDIT_BUNDLE, false,
	    "bundle", b->damage.msg, e) != 0)
		return -1;
	if (h->height == a->head.height && hash_eq(&h->head, &a->head.id))
		return 0;
	snprintf(what, sizeof(what), "it says that its last block is %llu; %s "
	    "%llu", (unsigned long long)h->height, h->height ==
	    a->head.height ? "it has another block" : "its blocks hold up to",
	    (unsigned long long)a->head.height);
	return audit_report(a, AUDIT_BUNDLE, false, "bundle", what, e);
}

int
audit_bundle_close(struct audit_bundle *b, struct err *e)
{
	return b->dir[0] == '\0' ? 0 : bundle_dir_remove(AT_FDCWD, b->dir, e);
}
