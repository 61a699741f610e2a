#include "net/driver.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/driver_inner.h"
#include "store/chain.h"

#define LINE_MAX_BYTES 512

int
driver_open(struct driver **out, struct repo *r, bool passive, struct err *e)
{
	struct driver *d;

	if (repo_node_name(r) == NULL)
		return err_set(e, ERR_NO, "this copy of the ledger is no "
		    "node: its config has no node.name");
	if ((d = calloc(1, sizeof(*d))) == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	d->repo = r;
	d->passive = passive;
	d->me = -1;
	d->wake_ms = DBFT_NEVER;
	buf_init(&d->said, DRIVER_SAID_MAX);
	if (repo_node_key(r, &d->key, e) != 0 || db_of(&d->db, r, e) != 0 ||
	    votes_open(&d->votes, r, e) != 0) {
		driver_close(d);
		return -1;
	}
	if (genesis_all_to_all(r->genesis) &&
	    (d->heard = heard_open(r)) == NULL) {
		driver_close(d);
		return err_set(e, ERR_SYS, "out of memory");
	}
	*out = d;
	return 0;
}

void
driver_close(struct driver *d)
{
	if (d == NULL)
		return;
	driver_sent(d);
	buf_free(&d->said);
	keep_free(&d->keep);
	votes_close(d->votes);
	heard_close(d->heard);
	identity_wipe(&d->key);
	free(d);
}

/* A journal that is gone or damaged: the votes in it may come back. */
static int
lost(struct err *e)
{
	struct err why = *e;

	if (e->kind != ERR_NO && e->kind != ERR_BAD)
		return -1;
	return err_set(e, ERR_BAD, "%.200s: this node does not vote until "
	    "\"ehr-dbft renew\"; see ehr-consensus(7)", why.msg);
}

int
driver_lock(struct driver *d, int wait_ms, struct err *e)
{
	struct head h;
	int ret;

	if (votes_lock(d->votes, wait_ms, e) != 0) {
		d->live = d->live && e->kind == ERR_AGAIN;
		return lost(e);
	}
	ret = chain_head(&h, d->repo, e);
	if (ret == 0 && (!d->live || h.height != d->head.height)) {
		d->head = h;
		ret = driver_begin(d, e);
	} else if (ret == 0)
		ret = driver_refresh(d, e);
	if (ret == 0)
		ret = driver_replay_heard(d, e);
	if (ret != 0) {
		d->live = false;
		driver_unlock(d);
	}
	return ret;
}

void
driver_unlock(struct driver *d)
{
	votes_unlock(d->votes);
	if (d->heard != NULL)
		heard_ring(d->heard);
}

bool
driver_may_vote(const struct driver *d)
{
	return d->live && d->me >= 0 && d->mute.kind == ERR_NONE &&
	    dbft_may_vote(&d->core);
}

void
driver_away(struct driver *d, uint64_t mask)
{
	d->away = mask;
	if (d->live && d->me >= 0)
		dbft_away(&d->core, mask);
}

void
driver_sent(struct driver *d)
{
	for (size_t i = 0; i < d->nposts; i++)
		buf_free(&d->post[i].bytes);
	d->nposts = 0;
	buf_reset(&d->said);
}

int
driver_put(struct driver *d, uint64_t to, const struct wire_msg *m,
    struct err *e)
{
	struct driver_post *p;

	if (to == 0)
		return 0;
	if (d->nposts == DRIVER_POSTS)
		return err_set(e, ERR_SYS, "consensus: too much to send");
	p = &d->post[d->nposts++];
	p->to = to;
	p->height = driver_height(d);
	p->kind = m->kind;
	buf_init(&p->bytes, WIRE_PAYLOAD_MAX);
	wire_add(&p->bytes, m);
	return buf_check(&p->bytes, "consensus message", e);
}

void
driver_say(struct driver *d, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	buf_addf(&d->said, "%s\n", line);
	d->said.failed = 0;	/* what finds no room is not worth an error */
}
