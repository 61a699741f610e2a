#include "net/peers.h"

#include <stdio.h>
#include <stdlib.h>

/* All are meant when none is named; but nobody is his own peer. */
static bool
is_named(struct span name, char *const *names, const char *us)
{
	if (names == NULL || *names == NULL)
		return us == NULL || !span_is(name, us);
	for (; *names != NULL; names++)
		if (span_is(name, *names))
			return true;
	return false;
}

static int
add(struct peers *p, struct span name, const char *command, struct err *e)
{
	struct peer *more;

	if (name.n > NAME_MAX_LEN)
		return err_set(e, ERR_BAD, "config: peer \"%.*s\": a name of "
		    "over %d bytes", SPAN_FMT(name), NAME_MAX_LEN);
	more = realloc(p->v, (p->n + 1) * sizeof(*more));
	if (more == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	p->v = more;
	memset(&p->v[p->n], 0, sizeof(*more));
	snprintf(p->v[p->n].name, sizeof(more->name), "%.*s",
	    SPAN_FMT(name));
	p->v[p->n++].command = command;
	return 0;
}

static int
check_names(const struct peers *p, char *const *names, struct err *e)
{
	for (; names != NULL && *names != NULL; names++) {
		size_t i = 0;

		while (i < p->n && strcmp(p->v[i].name, *names) != 0)
			i++;
		if (i == p->n)
			return err_set(e, ERR_NO, "there is no peer %s; "
			    "ehr-node peer makes one", *names);
	}
	return p->n > 0 ? 0 : err_set(e, ERR_NO, "no peers; ehr-node peer "
	    "says how to reach one");
}

int
peers_of(struct peers *out, const struct repo *r, char *const *names,
    struct err *e)
{
	const char *command;
	struct span name;
	size_t at = 0;

	*out = (struct peers){ NULL, 0 };
	while (config_next(&r->config, "peer", "command", &at, &name,
	    &command))
		if (is_named(name, names, repo_node_name(r)) &&
		    add(out, name, command, e) != 0) {
			peers_free(out);
			return -1;
		}
	if (check_names(out, names, e) == 0)
		return 0;
	peers_free(out);
	return -1;
}

void
peers_free(struct peers *p)
{
	for (size_t i = 0; i < p->n; i++)
		session_close(p->v[i].s);
	free(p->v);
	*p = (struct peers){ NULL, 0 };
}

static void
open_one(struct peer *p, struct repo *r)
{
	struct err e;

	if (session_open(&p->s, r, p->name, p->command, &e) != 0) {
		p->s = NULL;
		p->e = e;
	}
}

void
peers_open(struct peers *p, struct repo *r)
{
	for (size_t i = 0; i < p->n; i++)
		open_one(&p->v[i], r);
}

/* -1 only when it is our own failure. */
static int
sync_one(struct peer *p, struct repo *r, int flags, struct err *e)
{
	struct err own = { .kind = ERR_NONE };

	if (p->s == NULL || p->e.kind != ERR_NONE ||
	    sync_with(r, p->s, flags, &p->res, &own) == 0)
		return 0;
	p->e = own;
	*e = own;
	return own.kind == ERR_SYS ? -1 : 0;
}

int
peers_sync(struct peers *p, struct repo *r, int flags, struct err *e)
{
	for (size_t i = 0; i < p->n; i++) {
		open_one(&p->v[i], r);
		if ((flags & SYNC_PULL) && sync_one(&p->v[i], r,
		    flags & ~SYNC_PUSH, e) != 0)
			return -1;
	}
	for (size_t i = 0; (flags & SYNC_PUSH) && i < p->n; i++)
		if (sync_one(&p->v[i], r, flags & ~SYNC_PULL, e) != 0)
			return -1;
	return 0;
}
