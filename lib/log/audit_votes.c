#define _GNU_SOURCE	/* faccessat */
#include "log/audit_votes.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "dbft/core.h"
#include "net/entry.h"
#include "net/judge.h"
#include "store/bodies.h"
#include "store/lookup.h"
#include "store/signer.h"
#include "store/votes.h"

/* The journal, as far as it has been read. */
struct journal {
	struct audit *a;
	struct db *db;
	const char *us;
	struct votes *v;
	uint64_t floor;
	uint64_t height;	/* of the votes that are read */
	bool judged;		/* what follows is of that height */
	int me;
	struct delegates set;
	struct dbft core;
	bool voted;		/* the vote for a->voted was there */
};

static bool
is_there(const struct audit *a, const char *path)
{
	return faccessat(a->repo->dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Were all blocks that there are found right? */
static bool
is_whole(const struct audit *a)
{
	const struct audit_count *n = &a->count[AUDIT_BLOCKS];

	return n->failed == 0 && n->absent == 0;
}

/* --- the journal ---------------------------------------------------------- */

/* What others had signed when this node voted. */
static int
take_other(struct journal *j, enum entry_kind kind, struct span note,
    struct err *e)
{
	const struct hash *ledger = repo_ledger(j->a->repo);
	struct dbft_signed v;
	struct dbft_cert c = { .height = j->height };

	if (kind == ENTRY_CERTIFICATE) {
		if (judge_cert(&c, DBFT_PREPARE, note, ledger, &j->set, false,
		    e) != 0)
			return -1;
		dbft_replay_cert(&j->core, &c);
	} else {
		if (judge_vote(&v, note, ledger, &j->set, false, e) != 0)
			return -1;
		if (v.msg.kind != DBFT_PREPARE || (int)v.signer == j->me)
			return err_set(e, ERR_BAD, "a proposal that is none, "
			    "or this node's own");
		c.height = v.msg.height;
		dbft_replay_vote(&j->core, &v);
	}
	return c.height == j->height ? 0 : err_set(e, ERR_BAD, "what others "
	    "signed is of another height");
}

/* All of that kind, from entry i on, that are of the height. */
static int
take_others(struct journal *j, size_t i, struct err *e)
{
	struct buf note = BUF_INIT(BLOCK_CERT_MAX);
	int ret = 0;

	for (; i < votes_count(j->v) && ret == 0; i++) {
		struct votes_entry x = votes_get(j->v, i);
		enum entry_kind kind;
		struct dbft_record r;

		buf_reset(&note);
		ret = entry_parse(&kind, &r, &note, &x, e);
		if (ret != 0 || kind == ENTRY_FLOOR)
			continue;
		if (x.height != j->height)
			break;
		if (kind != ENTRY_RECORD)
			ret = take_other(j, kind, buf_span(&note), e);
	}
	buf_free(&note);
	return ret;
}

/* Votes above what was audited: have these blocks come since, or gone? */
static int
check_ahead(const struct journal *j, struct err *e)
{
	char path[CHAIN_PATH_LEN];

	chain_path(path, j->height - 1);
	if (!is_whole(j->a) || is_there(j->a, path))
		return 0;
	return err_set(e, ERR_NO, "this node has voted at height %llu, and "
	    "the blocks here end at %llu", (unsigned long long)j->height,
	    (unsigned long long)j->a->head.height);
}

/* Entry i is the first of that height. */
static int
begin(struct journal *j, size_t i, uint64_t height, struct err *e)
{
	struct dbft_config c = { 0 };

	if (height < j->height)
		return err_set(e, ERR_BAD, "an entry of height %llu after one "
		    "of height %llu", (unsigned long long)height,
		    (unsigned long long)j->height);
	j->height = height;
	j->judged = false;
	if (height > j->a->head.height + 1)
		return check_ahead(j, e);
	if (state_delegates(&j->set, j->db, height, e) != 0)
		return -1;
	j->me = delegates_find(&j->set, span_str(j->us));
	if (j->me < 0)
		return err_set(e, ERR_NO, "a vote at height %llu, where %s is "
		    "no delegate", (unsigned long long)height, j->us);
	c.n = (unsigned)j->set.n;
	c.me = (unsigned)j->me;
	c.timeout_ms = c.timeout_max_ms = 1;	/* time stands still */
	c.resend_ms = c.again_ms = 1;
	dbft_init(&j->core, &c, height, 0, 0);
	j->judged = true;
	return take_others(j, i, e);
}

/* A block that it has voted for, and that is not final, must be here. */
static int
check_body(struct journal *j, const struct dbft_msg *m, struct err *e)
{
	char path[CHAIN_PATH_LEN], body[BODIES_PATH_LEN];

	if (m->height <= j->a->head.height ||
	    (m->kind != DBFT_PREPARE && m->kind != DBFT_COMMIT) ||
	    bodies_has(j->a->repo, m->height, &m->block))
		return 0;
	/* Final, meanwhile? */
	chain_path(path, m->height);
	if (is_there(j->a, path))
		return 0;
	bodies_path(body, m->height, &m->block);
	return audit_report(j->a, AUDIT_NODE, true, body, "this node has "
	    "voted for this block, and it is not here", e);
}

static int
take_record(struct journal *j, const struct dbft_record *r, struct err *e)
{
	const struct audit_voted *voted = &j->a->voted;
	const struct dbft_msg *m = &r->msg;

	if (m->kind != DBFT_NONE && m->height <= j->floor)
		return err_set(e, ERR_BAD, "a vote at height %llu, after it "
		    "was written that nothing is signed up to %llu",
		    (unsigned long long)m->height,
		    (unsigned long long)j->floor);
	if (!j->judged)
		return 0;
	if (dbft_replay(&j->core, r) != 0)
		return err_set(e, ERR_BAD, "the votes of height %llu "
		    "contradict each other, or lack what they were made on",
		    (unsigned long long)m->height);
	if (m->kind == DBFT_COMMIT && m->height == voted->height &&
	    hash_eq(&m->block, &voted->id))
		j->voted = true;
	return check_body(j, m, e);
}

static int
take_entries(struct journal *j, struct err *e)
{
	struct buf note = BUF_INIT(BLOCK_CERT_MAX);
	int ret = 0;

	for (size_t i = 0; i < votes_count(j->v) && ret == 0; i++) {
		struct votes_entry x = votes_get(j->v, i);
		enum entry_kind kind;
		struct dbft_record r;

		buf_reset(&note);
		ret = entry_parse(&kind, &r, &note, &x, e);
		if (ret == 0 && kind == ENTRY_FLOOR) {
			if (x.height > j->floor)
				j->floor = x.height;
			continue;
		}
		if (ret == 0 && x.height == 0)
			ret = err_set(e, ERR_BAD, "a vote at height 0");
		if (ret == 0 && x.height != j->height)
			ret = begin(j, i, x.height, e);
		if (ret == 0 && kind == ENTRY_RECORD)
			ret = take_record(j, &r, e);
	}
	buf_free(&note);
	return ret;
}

/* A block that this node has signed shows that the journal was longer once. */
static int
check_voted(struct journal *j, struct err *e)
{
	const struct audit_voted *voted = &j->a->voted;

	if (j->voted || voted->height <= j->floor)
		return 0;
	if (votes_count(j->v) == 0) {
		j->a->gaps |= 1u << AUDIT_GAP_JOURNAL;
		return 0;
	}
	return err_set(e, ERR_NO, "this node has signed block %llu, and that "
	    "vote is not in it: it was cut, or is an old copy",
	    (unsigned long long)voted->height);
}

static int
check_journal(struct audit *a, struct db *db, const char *us, struct err *e)
{
	struct journal j = { .a = a, .db = db, .us = us };
	size_t torn;
	int ret;

	a->count[AUDIT_NODE].checked++;
	if (votes_open(&j.v, a->repo, e) != 0)
		return -1;
	ret = votes_look(j.v, &torn, e);
	if (ret == 0 && torn > 0)
		a->gaps |= 1u << AUDIT_GAP_TORN;
	if (ret == 0)
		ret = take_entries(&j, e);
	if (ret == 0)
		ret = check_voted(&j, e);
	votes_close(j.v);
	if (ret == 0)
		return 0;
	return !is_there(a, VOTES_PATH) ? audit_report(a, AUDIT_NODE, true,
	    VOTES_PATH, "what this node has voted is lost", e) :
	    audit_failed(a, AUDIT_NODE, VOTES_PATH, e, e);
}

/* --- the tree ------------------------------------------------------------- */

/* Is it what the blocks say, and as much as the checkpoints show? */
static int
check_head(struct audit *a, struct db *db, const struct signed_head *h,
    const char *us, struct err *e)
{
	char path[CHAIN_PATH_LEN];
	struct lookup_node n;
	int got;

	if (!is_whole(a))
		return 0;
	if ((got = lookup_node(&n, db, span_str(us), e)) < 0)
		return -1;
	/* One that is malformed has been found by now. */
	if (got == 1 && signer_knows(a->repo, h, &n.sign, e) != 0 &&
	    e->kind != ERR_BAD)
		return -1;
	chain_path(path, a->head.height + 1);
	if (signer_fits(a->repo, db, &a->head, h->size, &h->root, e) == 0 ||
	    (e->kind == ERR_AGAIN && is_there(a, path)))
		return 0;
	return -1;
}

static int
check_signed(struct audit *a, struct db *db, const char *us, struct err *e)
{
	struct signed_head h;
	bool copy, lost = !is_there(a, SIGNED_PATH);
	int ret;

	if (lost)
		signed_none(&h, 0);
	else {
		a->count[AUDIT_NODE].checked++;
		ret = signed_read(&h, &copy, a->repo->dirfd,
		    repo_ledger(a->repo), e);
		if (ret != 0 && !copy)
			return audit_failed(a, AUDIT_NODE, SIGNED_PATH, e, e);
	}
	if (lost || copy)
		a->gaps |= 1u << AUDIT_GAP_SIGNED;
	if (check_head(a, db, &h, us, e) == 0)
		return 0;
	return lost && e->kind != ERR_SYS ? audit_report(a, AUDIT_NODE, true,
	    SIGNED_PATH, e->msg, e) :
	    audit_failed(a, AUDIT_NODE, SIGNED_PATH, e, e);
}

/* --- the folder ----------------------------------------------------------- */

static bool
is_known(const char *name)
{
	static const char *const known[] = { "journal", "journal.failed",
	    "lock", "active", "called", "heard", "seen", "signed",
	    "signed.lock" };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(name, known[i]) == 0)
			return true;
	return strncmp(name, "evidence-", 9) == 0;
}

static int
check_name(struct audit *a, const char *name, struct err *e)
{
	char path[FS_NAME_MAX];
	struct hash id;
	uint64_t height;

	snprintf(path, sizeof(path), VOTES_DIR "/%s", name);
	if (!bodies_name(&height, &id, name))
		return is_known(name) ? 0 : audit_report(a, AUDIT_NODE, false,
		    path, "does not belong there", e);
	a->count[AUDIT_NODE].checked++;
	/* It may be removed while we look. */
	return bodies_check(a->repo, height, &id, e) == 0 ||
	    e->kind == ERR_NO ? 0 : audit_failed(a, AUDIT_NODE, path, e, e);
}

int
audit_votes(struct audit *a, struct db *db, const char *us, struct err *e)
{
	struct fs_names list;
	int ret = 0;

	if (fs_list(&list, a->repo->dirfd, VOTES_DIR, e) != 0)
		return -1;
	for (size_t i = 0; i < list.n && ret == 0; i++)
		ret = check_name(a, list.name[i], e);
	fs_names_free(&list);
	if (ret != 0 || us == NULL)
		return ret;
	return check_journal(a, db, us, e) != 0 ||
	    check_signed(a, db, us, e) != 0 ? -1 : 0;
}
