#define _GNU_SOURCE	/* AT_FDCWD */
#include "cli/clone.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/bundle.h"
#include "cli/ident.h"
#include "cli/moving.h"
#include "net/bundle.h"

static int
read_key(struct cli *c, const char *path, struct clone *cl, struct buf *file,
    struct identity *key, struct err *e)
{
	if (path == NULL)
		return 0;
	if (ident_read(key, c, path, e) != 0 ||
	    fs_read(file, AT_FDCWD, path, e) != 0)
		return -1;
	cl->key_file = buf_span(file);
	cl->key = key;
	return 0;
}

/* Who did not say which ledger it must be is told which it is. */
static void
show_id(const struct clone *cl, const struct hash *id)
{
	char hex[HASH_HEX];

	hash_format(hex, id);
	if (cl->ledger == NULL)
		printf("%s\n", hex);
}

/* What the person sees of it: the exit status. */
static int
report(struct moving *m, const struct clone *cl, const struct peers *p,
    int ret, bool made, const struct hash *id, struct err *e)
{
	enum proto_access most = PROTO_CHAIN;
	struct err why = *e;

	for (size_t i = 0; i < p->n; i++) {
		moving_narrate(m, p->v[i].name, "pulled", &p->v[i].res.pulled);
		if (p->v[i].res.access > most)
			most = p->v[i].res.access;
		if (ret == 0 && p->v[i].e.kind != ERR_NONE)
			cli_note(m->c, "%s", p->v[i].e.msg);
	}
	if (ret != 0 && made)
		err_set(&why, e->kind, "%.400s; ehr-sync -C %.80s goes on from "
		    "here", e->msg, cl->dir);
	if (ret != 0)
		return cli_fail(m->c, &why);
	if (cl->key != NULL && most < PROTO_READER)
		cli_note(m->c, "%s is not known as a node there: only what "
		    "anybody may have was copied", cl->key->name);
	show_id(cl, id);
	return 0;
}

static int
from_peer(struct moving *m, const struct clone *cl, struct err *e)
{
	struct exchange x = { .flags = 0 };
	struct peers p = { NULL, 0 };
	struct hash id;
	bool made = false;
	int ret;

	moving_start(m, &x);
	ret = clone_run(cl, &x, &p, &id, &made, e);
	moving_end(m);
	ret = report(m, cl, &p, ret, made, &id, e);
	peers_free(&p);
	return ret;
}

static int
from_bundle(struct moving *m, const struct clone *cl, const char *file,
    struct err *e)
{
	struct sync_result res = { .watch = moving_watch, .arg = m };
	struct hash id;
	const char *name;
	int fd = bundle_open(file, &name, e), ret;

	if (fd < 0)
		return cli_fail(m->c, e);
	ret = bundle_clone(cl, fd, &id, &res, e);
	moving_end(m);
	if (fd != STDIN_FILENO)
		close(fd);
	if (ret != 0)
		return cli_fail(m->c, e);
	bundle_narrate(m->c, &res);
	show_id(cl, &id);
	return bundle_check(name, &res, e) == 0 ? 0 : cli_fail(m->c, e);
}

/* Only with a bundle, the source is no argument. */
static bool
take_arguments(struct cli *c, struct clone *cl, bool bundle)
{
	if (!bundle)
		cl->command = cli_shift(c);
	cl->dir = cli_shift(c);
	return cl->dir != NULL && c->argc == 0 && c->dir == NULL;
}

int
clone_command(struct cli *c, const struct clone_options *o)
{
	struct buf file = BUF_INIT(IDENTITY_FILE_MAX);
	struct identity key = { .sign = NULL };
	struct moving m = { .c = c };
	struct clone cl = { .key = NULL };
	struct hash ledger;
	struct err e = { .kind = ERR_NONE };
	int ret;

	if (!take_arguments(c, &cl, o->bundle != NULL))
		return cli_usage(c, "clone takes a COMMAND and a DIR, or "
		    "--bundle FILE and a DIR");
	if (o->ledger != NULL && hash_parse(&ledger, span_str(o->ledger)) != 0)
		return cli_usage(c, "%s: not the id of a ledger (64 hex "
		    "digits)", o->ledger);
	cl.ledger = o->ledger == NULL ? NULL : &ledger;
	if (read_key(c, o->node_key, &cl, &file, &key, &e) != 0)
		ret = cli_fail(c, &e);
	else if (o->bundle != NULL)
		ret = from_bundle(&m, &cl, o->bundle, &e);
	else
		ret = from_peer(&m, &cl, &e);
	identity_wipe(&key);
	buf_wipe(&file);
	return ret;
}
