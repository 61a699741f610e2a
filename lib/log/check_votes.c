/* The part of a check that compares with peers: heads and roots. */
#include "log/check_part.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/gz.h"
#include "base/stamp.h"
#include "store/blocks.h"

#define HOURS 24		/* of which roots are compared */

/* What a peer has, compared with what is here. */
struct vote {
	bool answered, differs;
	uint64_t height;	/* where the blocks were compared */
	struct hash id;		/* its block there */
	struct proto_root root[HOURS];
	size_t nroots;
};

struct voting {
	struct check *k;
	struct vote *v;		/* of each peer */
	struct vote ours;	/* only its roots */
	size_t answered;
};

static void
silent(struct check *k, size_t i, const struct err *why)
{
	check_note(k, "%s", why->msg);
	session_close(k->peers.v[i].s);
	k->peers.v[i].s = NULL;
	k->silent[i] = true;
}

/* --- asking --------------------------------------------------------------- */

/* Our block of a height: 0 the genesis.  -1: there is none. */
static int
our_id(struct hash *id, struct check *k, uint64_t height, struct err *e)
{
	struct blocks_item b;

	*id = *repo_ledger(k->repo);
	if (height == 0)
		return 0;
	if (blocks_get(&b, k->db, height, e) != 1)
		return -1;
	*id = b.id;
	return 0;
}

/* The peer's block where both have one: at its head or at ours. */
static int
ask_head(struct vote *v, struct check *k, struct session *s, struct err *e)
{
	struct hash ours;
	int got = 1;

	v->height = s->height < k->head.height ? s->height : k->head.height;
	v->id = s->head;
	if (v->height != s->height)
		got = v->height == 0 ? (v->id = *repo_ledger(k->repo), 1) :
		    ask_block_id(&v->id, s, v->height, e);
	if (got == 0)
		return err_set(e, ERR_NO, "%s: has no block %llu, below its "
		    "head", s->peer, (unsigned long long)v->height);
	if (got < 0 || our_id(&ours, k, v->height, e) != 0)
		return -1;
	v->differs = !hash_eq(&ours, &v->id);
	return 0;
}

static int
add_root(void *arg, const struct proto_root *root, struct err *e)
{
	struct vote *v = arg;

	if (v->nroots == HOURS)
		return err_set(e, ERR_BAD, "more roots than were asked for");
	v->root[v->nroots++] = *root;
	return 0;
}

/* Has it shown to be a node of the ledger, and none that voted already? */
static bool
is_voter(const struct voting *w, size_t i)
{
	const char *node = w->k->peers.v[i].s->node;

	for (size_t j = 0; j < i; j++)
		if (w->v[j].answered &&
		    strcmp(w->k->peers.v[j].s->node, node) == 0)
			return false;
	return node[0] != '\0';
}

static void
ask_peer(struct voting *w, size_t i, int64_t hour_ms)
{
	struct check *k = w->k;
	struct peer *p = &k->peers.v[i];
	struct vote *v = &w->v[i];
	struct err why;

	k->res->asked++;
	if (k->silent[i])
		return;
	if ((p->s == NULL && session_open(&p->s, k->repo, p->name, p->command,
	    &why) != 0) || ask_head(v, k, p->s, &why) != 0 ||
	    (hour_ms >= 0 && ask_roots(p->s, hour_ms, HOURS, add_root, v,
	    &why) != 0)) {
		silent(k, i, &why);
		return;
	}
	if (!is_voter(w, i)) {
		check_note(k, "%s: has not shown to be a node, or another "
		    "command reaches it, too: it has no vote", p->name);
		return;
	}
	v->answered = true;
	w->answered++;
	k->res->answered++;
}

/* --- blocks --------------------------------------------------------------- */

/* Where does the peer's chain leave ours, at or below that height? */
static int
find_fork(uint64_t *height, struct check *k, struct session *s,
    uint64_t at_most, struct err *e)
{
	uint64_t low = 1, high = at_most;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;
		struct hash ours, theirs;

		if (our_id(&ours, k, mid, e) != 0 ||
		    ask_block_id(&theirs, s, mid, e) != 1)
			return -1;
		if (hash_eq(&ours, &theirs))
			low = mid + 1;
		else
			high = mid;
	}
	*height = low;
	return 0;
}

/* Is its block there certified by those who could?  0, or *why it is not. */
static int
verify(struct check *k, struct session *s, uint64_t height, struct err *why)
{
	struct buf packed = BUF_INIT(CHAIN_FILE_MAX);
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);
	struct delegates set;
	uint64_t signers;
	struct block b;
	int got = ask_block(&packed, s, height, why), ret = -1;

	if (got == 0)
		err_set(why, ERR_NO, "it does not give it");
	else if (got == 1 && gz_unpack(&text, buf_span(&packed), "block",
	    why) == 0 && block_parse(&b, buf_span(&text), true,
	    repo_ledger(k->repo), why) == 0 &&
	    state_delegates(&set, k->db, height, why) == 0)
		ret = b.h.height != height ? err_set(why, ERR_BAD, "it is of "
		    "another height") : certificate_check(b.certificate, &b.h,
		    &set, repo_ledger(k->repo), &signers, why);
	buf_free(&packed);
	buf_free(&text);
	return ret;
}

/* How many answer with this block at that height? */
static size_t
agree(const struct voting *w, const struct vote *with)
{
	size_t n = 0;

	for (size_t i = 0; i < w->k->peers.n; i++) {
		struct session *s = w->k->peers.v[i].s;
		const struct vote *v = &w->v[i];
		struct hash id = v->id;
		struct err ignored;

		if (!v->answered || !v->differs || v->height < with->height)
			continue;
		n += (v->height == with->height || ask_block_id(&id, s,
		    with->height, &ignored) == 1) && hash_eq(&id, &with->id);
	}
	return n;
}

/* A peer's blocks are others than ours, which are certified. */
static int
differs(struct voting *w, size_t i, struct err *e)
{
	struct check *k = w->k;
	struct peer *p = &k->peers.v[i];
	const struct vote *v = &w->v[i];
	size_t n = agree(w, v);
	char path[CHAIN_PATH_LEN];
	uint64_t height;
	struct err why;
	int ok;

	if (find_fork(&height, k, p->s, v->height, &why) != 0) {
		check_note(k, "%s", why.msg);
		return 0;
	}
	chain_path(path, height);
	ok = verify(k, p->s, height, &why) == 0;
	if (ok)
		return check_event(k, e, EVENT_ALARM, path, "%s has another "
		    "one, and both are certified: the ledger has forked",
		    p->name);
	if (2 * n > w->answered)
		return check_event(k, e, EVENT_ALARM, path, "%zu of %zu peers, "
		    "one is %s, have another one, which does not verify (%s): "
		    "it was not taken", n, w->answered, p->name, why.msg);
	check_note(k, "%s: has another block %llu than we, which does not "
	    "verify: %s", p->name, (unsigned long long)height, why.msg);
	return 0;
}

/* Each kind of difference once. */
static int
judge_blocks(struct voting *w, struct err *e)
{
	for (size_t i = 0; i < w->k->peers.n; i++) {
		bool seen = false;

		if (!w->v[i].answered || !w->v[i].differs)
			continue;
		for (size_t j = 0; j < i; j++)
			seen = seen || (w->v[j].answered && w->v[j].differs &&
			    w->v[j].height == w->v[i].height &&
			    hash_eq(&w->v[j].id, &w->v[i].id));
		if (!seen && differs(w, i, e) != 0)
			return -1;
	}
	return 0;
}

/* --- roots of hours ------------------------------------------------------- */

static const struct proto_root *
root_of(const struct vote *v, int64_t hour_ms, bool *closed)
{
	for (size_t i = 0; i < v->nroots; i++)
		if (v->root[i].hour_ms == hour_ms) {
			*closed = i + 1 < v->nroots;
			return &v->root[i];
		}
	return NULL;
}

/* Has the peer another log of that hour than is here?  One that may still
 * grow is compared at the same size only. */
static const struct proto_root *
other_root(const struct vote *v, const struct proto_root *ours, bool closed)
{
	bool theirs_closed = false;
	const struct proto_root *r = root_of(v, ours->hour_ms,
	    &theirs_closed);

	if (r == NULL || (r->size != ours->size && !(closed && theirs_closed)))
		return NULL;
	return r->size == ours->size && hash_eq(&r->root, &ours->root) ? NULL :
	    r;
}

/*
 * Blocks agree, and logs do not: the logs here follow from the blocks, as was
 * checked; so theirs do not.
 */
static int
judge_hour(struct voting *w, const struct proto_root *ours, bool closed,
    struct err *e)
{
	const struct proto_root *r, *q;
	char path[HOURLY_PATH_LEN];
	size_t most = 0;

	hourly_path(path, ours->hour_ms);
	for (size_t i = 0; i < w->k->peers.n; i++) {
		size_t n = 0;

		if (!w->v[i].answered || w->v[i].differs ||
		    (r = other_root(&w->v[i], ours, closed)) == NULL)
			continue;
		for (size_t j = 0; j < w->k->peers.n; j++)
			n += w->v[j].answered && !w->v[j].differs &&
			    (q = other_root(&w->v[j], ours, closed)) != NULL &&
			    q->size == r->size && hash_eq(&q->root, &r->root);
		most = n > most ? n : most;
		check_note(w->k, "%s: has another %s than we",
		    w->k->peers.v[i].name, path);
	}
	if (2 * most <= w->answered)
		return 0;
	return check_event(w->k, e, EVENT_ALARM, path, "%zu of %zu peers have "
	    "another one, which does not follow from the certified blocks: it "
	    "was not taken", most, w->answered);
}

/* Our logs of the last hours. */
static int
our_roots(struct voting *w, int64_t *from_ms, struct err *e)
{
	struct proto_root r;
	struct err why;
	int64_t newest;

	*from_ms = -1;
	if (hourly_newest(&newest, w->k->repo, &w->k->head, e) != 0)
		return -1;
	if (newest < 0)
		return 0;
	*from_ms = newest - (HOURS - 1) * STAMP_HOUR_MS;
	if (*from_ms < 0)
		*from_ms = 0;
	for (r.hour_ms = *from_ms; r.hour_ms <= newest;
	    r.hour_ms += STAMP_HOUR_MS) {
		if (hourly_root(&r.root, &r.size, w->k->repo, r.hour_ms,
		    &why) == 0)
			add_root(&w->ours, &r, e);
		else if (why.kind == ERR_SYS) {
			*e = why;
			return -1;
		}
	}
	return 0;
}

/* -------------------------------------------------------------------------- */

static int
vote(struct voting *w, struct err *e)
{
	int64_t from_ms;

	if (our_roots(w, &from_ms, e) != 0)
		return -1;
	for (size_t i = 0; i < w->k->peers.n; i++)
		ask_peer(w, i, from_ms);
	if (judge_blocks(w, e) != 0)
		return -1;
	for (size_t i = 0; i < w->ours.nroots; i++)
		if (judge_hour(w, &w->ours.root[i], i + 1 < w->ours.nroots,
		    e) != 0)
			return -1;
	return 0;
}

int
check_votes(struct check *k, struct err *e)
{
	struct voting w = { .k = k };
	int ret;

	if (check_peers_list(k, e) != 0)
		return -1;
	if (k->peers.n == 0)
		return 0;
	w.v = calloc(k->peers.n, sizeof(*w.v));
	if (w.v == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	ret = vote(&w, e);
	free(w.v);
	return ret;
}
