#define _GNU_SOURCE	/* AT_FDCWD */
#include "cli/clone.h"

#include <fcntl.h>
#include <stdio.h>

#include "cli/ident.h"
#include "cli/moving.h"
#include "net/clone.h"

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

/* What the person sees of it: the exit status. */
static int
report(struct moving *m, const struct clone *cl, const struct peers *p,
    int ret, bool made, const struct hash *id, struct err *e)
{
	enum proto_access most = PROTO_CHAIN;
	struct err why = *e;
	char hex[HASH_HEX];

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
	hash_format(hex, id);
	if (cl->ledger == NULL)
		printf("%s\n", hex);
	return 0;
}

int
clone_command(struct cli *c, const struct clone_options *o)
{
	struct buf file = BUF_INIT(IDENTITY_FILE_MAX);
	struct identity key = { .sign = NULL };
	struct moving m = { .c = c };
	struct exchange x = { .flags = 0 };
	struct clone cl = { .key = NULL };
	struct peers p = { NULL, 0 };
	struct hash id;
	bool made = false;
	struct err e = { .kind = ERR_NONE };
	int ret;

	cl.command = cli_shift(c);
	cl.dir = cli_shift(c);
	if (cl.dir == NULL || c->argc > 0 || c->dir != NULL)
		return cli_usage(c, "clone takes a COMMAND and a DIR");
	if (o->ledger != NULL && hash_parse(&id, span_str(o->ledger)) != 0)
		return cli_usage(c, "%s: not the id of a ledger (64 hex "
		    "digits)", o->ledger);
	cl.ledger = o->ledger == NULL ? NULL : &id;
	moving_start(&m, &x);
	ret = read_key(c, o->node_key, &cl, &file, &key, &e);
	if (ret == 0)
		ret = clone_run(&cl, &x, &p, &id, &made, &e);
	moving_end(&m);
	ret = report(&m, &cl, &p, ret, made, &id, &e);
	peers_free(&p);
	identity_wipe(&key);
	buf_wipe(&file);
	return ret;
}
