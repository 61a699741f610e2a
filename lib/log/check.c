#define _GNU_SOURCE	/* faccessat */
#include "log/check_part.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/settle.h"

/* --- what is said --------------------------------------------------------- */

int
check_found(struct check *k, const char *path, const char *why,
    struct err *e)
{
	if (!k->o->look)
		return event_add(k->repo, k->o->now_ms, EVENT_DAMAGED, path,
		    why, e);
	k->res->bad++;
	k->o->event(k->o->arg, EVENT_DAMAGED, path, why);
	return 0;
}

int
check_event(struct check *k, struct err *e, enum event_kind kind,
    const char *path, const char *fmt, ...)
{
	struct err text, why;
	va_list ap;
	char line[EVENT_TEXT_MAX];

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	err_set(&text, ERR_NO, "%s", line);	/* one line, printable */
	k->res->repaired += kind == EVENT_REPAIRED;
	k->res->outvoted += kind == EVENT_OUTVOTED;
	k->res->alarms += kind == EVENT_ALARM;
	k->o->event(k->o->arg, kind, path, text.msg);
	if (event_add(k->repo, k->o->now_ms, kind, path, text.msg, e) != 0)
		return -1;
	if (event_tell(k->repo, kind, path, text.msg, &why) != 0)
		check_note(k, "%s", why.msg);
	return 0;
}

void
check_note(struct check *k, const char *fmt, ...)
{
	char line[EVENT_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	k->o->note(k->o->arg, line);
}

/* --- what the parts share ------------------------------------------------- */

int
check_quarantine(struct check *k, char to[FS_NAME_MAX], const char *path,
    bool keep, struct err *e)
{
	snprintf(to, FS_NAME_MAX, "nowhere");
	if (faccessat(k->repo->dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	return settle_quarantine_as(to, k->repo, path, keep, e);
}

int
check_peers_list(struct check *k, struct err *e)
{
	if (k->listed)
		return 0;
	k->listed = true;
	if (peers_of(&k->peers, k->repo, NULL, k->o->now_ms, e) != 0)
		return e->kind == ERR_NO ? 0 : -1;
	k->silent = calloc(k->peers.n, sizeof(*k->silent));
	return k->silent != NULL ? 0 : err_set(e, ERR_SYS, "out of memory");
}

/* -------------------------------------------------------------------------- */

static int
check_all(struct check *k, struct err *e)
{
	if (check_chain(k, e) != 0)
		return -1;
	if (k->broken || k->doubt)
		return 0;
	if (check_state(k, e) != 0)
		return -1;
	if (k->doubt)
		return 0;
	if (check_files(k, e) != 0 || check_objects(k, e) != 0)
		return -1;
	if (k->o->look)
		return 0;
	return check_votes(k, e) == 0 ? check_remember(k, e) : -1;
}

/* All, with or without what the last check has found. */
static int
attempt(struct check *k, bool quick, struct err *e)
{
	struct check_result *res = k->res;
	int got = quick ? check_recall(k, e) : 0;

	res->blocks = res->verified = res->objects = res->hashed = 0;
	k->quick = got == 1;
	k->doubt = false;
	if (got == 0)
		got = db_scratch(&k->db, e);
	if (got >= 0)
		got = check_all(k, e);
	db_close(k->db);
	k->db = NULL;
	checked_free(&k->was);
	checked_free(&k->now);
	free(k->same.v);
	k->same = (struct checked_groups){ NULL, 0 };
	return got;
}

int
check_run(struct check_result *res, struct repo *r,
    const struct check_options *o, struct err *e)
{
	struct check k = { .repo = r, .o = o, .res = res };
	int lock = fs_lock(r->dirfd, "check.lock", 0, e), ret = -1;

	*res = (struct check_result){ .blocks = 0 };
	if (lock < 0)
		return -1;
	if (verify_open(&k.batch, e) == 0)
		ret = attempt(&k, !o->full, e);
	if (ret == 0 && k.doubt)
		ret = attempt(&k, false, e);
	peers_free(&k.peers);
	free(k.silent);
	verify_free(k.batch);
	close(lock);
	return ret;
}
