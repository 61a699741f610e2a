#define _GNU_SOURCE	/* lstat */
#include "net/clone.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SOURCE "source"		/* a peer that is no node; any, at first */

static int
check(const struct clone *c, struct err *e)
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

static int
create(const struct clone *c, struct span genesis, bool late, struct err *e)
{
	struct repo_new n = {
		.genesis = genesis,
		.key_file = c->key_file,
		.node_name = c->key == NULL ? NULL : c->key->name,
		.late = late
	};

	return repo_create(c->dir, &n, e);
}

/* The directory is there: fill it. */
static int
fill(const struct clone *c, struct session *s, struct sync_result *res,
    struct err *e)
{
	struct repo *r;
	char key[64];
	int ret;

	if (repo_open(&r, c->dir, e) != 0)
		return -1;
	if (s->claim[0] != '\0')
		memcpy(s->peer, s->claim, sizeof(s->peer));
	snprintf(key, sizeof(key), "peer.%s.command", s->peer);
	ret = config_set(r->dirfd, key, c->command, e);
	if (ret == 0)
		ret = session_adopt(s, r, e);
	if (ret == 0)
		ret = sync_with(r, s, SYNC_ALL | SYNC_PULL, res, e);
	s->repo = NULL;
	repo_close(r);
	return ret;
}

int
clone_run(const struct clone *c, struct hash *id, bool *made,
    struct sync_result *res, struct err *e)
{
	struct buf genesis = BUF_INIT(GENESIS_MAX);
	struct session *s = NULL;
	struct hello me;
	int ret = -1;

	*made = false;
	if (check(c, e) != 0)
		return -1;
	introduce(&me, c);
	if (session_connect(&s, &me, SOURCE, c->command, e) == 0 &&
	    fetch_genesis(&genesis, s, e) == 0 &&
	    create(c, buf_span(&genesis), s->height > 0, e) == 0) {
		*made = true;
		*id = s->ledger;
		ret = fill(c, s, res, e);
	}
	session_close(s);
	buf_free(&genesis);
	return ret;
}
