#define _GNU_SOURCE	/* lstat */
#include "net/clone.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SOURCE "source"		/* a peer that is no node; any, at first */

int
clone_check(const struct clone *c, struct err *e)
{
	char path[FS_NAME_MAX];
	struct stat st;

	if (c->key != NULL && !name_is_node(span_str(c->key->name)))
		return err_set(e, ERR_NO, "the key is that of %s, which is "
		    "not a node", c->key->name);
	if ((size_t)snprintf(path, sizeof(path), "%s/.ehr", c->dir) >=
	    sizeof(path))
		return err_set(e, ERR_USAGE, "%s: too long a path", c->dir);
	if (lstat(path, &st) == 0)
		return err_set(e, ERR_NO, "%s: exists already", path);
	return 0;
}

static void
introduce(struct hello *me, const struct clone *c)
{
	memset(me, 0, sizeof(*me));
	if (c->ledger != NULL) {
		me->has_ledger = true;
		me->ledger = *c->ledger;
	}
	if (c->key != NULL) {
		snprintf(me->node, sizeof(me->node), "%.*s", NAME_MAX_LEN,
		    c->key->name);
		me->key = c->key;
	}
	hash_random(me->nonce, sizeof(me->nonce));
}

/* The genesis: that of the ledger that the peer said, and our clock agrees. */
static int
fetch_genesis(struct buf *file, struct session *s, struct err *e)
{
	struct buf status = BUF_INIT(PROTO_LINE_MAX);
	struct genesis *g = malloc(sizeof(*g));
	int ret = g == NULL ? err_set(e, ERR_SYS, "out of memory") : 0;

	if (ret == 0)
		ret = session_ask(s, "genesis", span_of(NULL, 0), &status,
		    file, e);
	buf_free(&status);
	if (ret == 0) {
		ret = genesis_parse(g, buf_span(file), e);
		if (ret == 0 && !hash_eq(&g->id, &s->ledger))
			ret = err_set(e, ERR_BAD, "its genesis is that of "
			    "another ledger than it says");
		if (ret == 0)
			ret = hello_check_clock(s->time_ms, s->met_ms,
			    g->settings.skew_ms, e);
		if (ret != 0)
			err_wrap(e, "%s", s->peer);
	}
	free(g);
	return ret;
}

int
clone_create(const struct clone *c, const char *dir, struct span genesis,
    bool late, struct err *e)
{
	struct repo_new n = {
		.genesis = genesis,
		.key_file = c->key_file,
		.node_name = c->key == NULL ? NULL : c->key->name,
		.late = late
	};

	return repo_create(dir, &n, e);
}

/* The worst that happened with peers; none, if one had everything. */
static int
outcome(const struct peers *p, struct err *e)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].e.kind == ERR_NONE)
			return 0;
	*e = p->v[0].e;
	return -1;
}

/* The directory is there: fill it. */
static int
fill(const struct clone *c, struct exchange *x, struct peers *p,
    struct err *e)
{
	struct peer *seed = &p->v[0];
	struct repo *r;
	char key[64];
	int ret;

	if (repo_open(&r, c->dir, e) != 0)
		return -1;
	if (seed->s->claim[0] != '\0') {
		memcpy(seed->s->peer, seed->s->claim, sizeof(seed->s->peer));
		memcpy(seed->name, seed->s->claim, sizeof(seed->name));
	}
	snprintf(key, sizeof(key), "peer.%s.command", seed->name);
	ret = config_set(r->dirfd, key, c->command, e);
	if (ret == 0)
		ret = session_adopt(seed->s, r, e);
	x->flags = SYNC_ALL | SYNC_PULL;
	x->learn = true;
	x->key = c->key;
	if (ret == 0)
		ret = exchange_run(x, p, r, e);
	if (ret == 0)
		ret = outcome(p, e);
	/* They know the directory, which is closed now. */
	for (size_t i = 0; i < p->n; i++) {
		session_close(p->v[i].s);
		p->v[i].s = NULL;
	}
	repo_close(r);
	return ret;
}

int
clone_run(const struct clone *c, struct exchange *x, struct peers *p,
    struct hash *id, bool *made, struct err *e)
{
	struct buf genesis = BUF_INIT(GENESIS_MAX);
	struct hello me;
	int ret = -1;

	*made = false;
	*p = (struct peers){ NULL, 0 };
	if (clone_check(c, e) != 0 || peers_add(p, SOURCE, c->command, e) != 0)
		return -1;
	introduce(&me, c);
	if (session_connect(&p->v[0].s, &me, SOURCE, c->command, e) == 0 &&
	    fetch_genesis(&genesis, p->v[0].s, e) == 0 &&
	    clone_create(c, c->dir, buf_span(&genesis),
	    p->v[0].s->height > 0, e) == 0) {
		*made = true;
		*id = p->v[0].s->ledger;
		ret = fill(c, x, p, e);
	}
	buf_free(&genesis);
	return ret;
}
