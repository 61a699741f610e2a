/* The part of a check that is about blocks. */
#define _GNU_SOURCE	/* faccessat */
#include "log/check_part.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/gz.h"
#include "base/stamp.h"
#include "log/checkpoints.h"
#include "store/blocks.h"

#define LOCK_MS 30000

/* --- taking blocks -------------------------------------------------------- */

static int
advance(struct check *k, struct head *h, const struct block *b,
    enum chain_trust trust, struct err *e)
{
	struct delegates set;
	uint64_t signers;

	if (b->h.height != h->height + 1)
		return err_set(e, ERR_BAD, "holds block %llu",
		    (unsigned long long)b->h.height);
	if (state_delegates(&set, k->db, b->h.height, e) != 0 ||
	    certificate_check(b->certificate, &b->h, &set,
	    repo_ledger(k->repo), &signers, e) != 0 ||
	    chain_advance(k->repo, k->db, h, b, &set, trust, k->batch,
	    e) != 0)
		return -1;
	return trust == CHAIN_ALL ? verify_all(k->batch, e) : 0;
}

int
check_take(struct check *k, struct span text, struct span packed,
    enum chain_trust trust, struct err *e)
{
	struct head h = k->head;
	struct err ignored;
	struct block b;

	/* The state of the last check is inside a transaction. */
	if (block_parse(&b, text, true, repo_ledger(k->repo), e) != 0 ||
	    db_exec(k->db, "SAVEPOINT block", e) != 0)
		return -1;
	if (advance(k, &h, &b, trust, e) == 0 &&
	    db_exec(k->db, "RELEASE block", e) == 0) {
		k->head = h;
		k->res->verified++;
		checked_bind(&k->now.blocks, packed);
		return 0;
	}
	db_exec(k->db, "ROLLBACK TO block; RELEASE block", &ignored);
	return -1;
}

/* The block file of that height, and what is in it. */
static int
read_block(struct buf *text, struct buf *packed, struct check *k,
    uint64_t height, struct err *e)
{
	char path[CHAIN_PATH_LEN];

	chain_path(path, height);
	buf_init(text, CHAIN_FILE_MAX);
	buf_init(packed, CHAIN_FILE_MAX);
	if (chain_read_packed(packed, k->repo, height, e) != 0)
		return -1;
	return gz_unpack(text, buf_span(packed), path, e);
}

static bool
have_file(const struct check *k, uint64_t height)
{
	char path[CHAIN_PATH_LEN];

	chain_path(path, height);
	return faccessat(k->repo->dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) ==
	    0;
}

int
check_go_on(struct check *k, uint64_t height, bool *there, struct err *e)
{
	*there = true;
	while (k->head.height < height && *there) {
		struct buf text, packed;
		int ret = read_block(&text, &packed, k, k->head.height + 1, e);

		if (ret == 0)
			ret = check_take(k, buf_span(&text),
			    buf_span(&packed), CHAIN_RULES, e);
		buf_free(&text);
		buf_free(&packed);
		if (ret != 0 && e->kind == ERR_SYS)
			return -1;
		*there = ret == 0;
		k->res->blocks += ret == 0;
	}
	return 0;
}

/* --- the right one, from peers -------------------------------------------- */

/* What a peer says of one height. */
struct answer {
	bool given;
	struct hash id;
};

struct mending {
	struct check *k;
	uint64_t height;
	bool other;		/* another block is here, not a damaged one */
	struct answer *answer;	/* of each peer */
	struct hash right;	/* the verified one, and who gave it */
	const char *from;
	struct buf packed;
	struct err lie;		/* why the last that was wrong, was */
};

static void
lost(struct check *k, size_t i, const struct err *why)
{
	struct peer *p = &k->peers.v[i];

	check_note(k, "%s", why->msg);
	session_close(p->s);
	p->s = NULL;
	k->silent[i] = true;
}

/* The block of peer i, which is taken if it is right.  -1: ours. */
static int
try(struct mending *m, size_t i, struct err *e)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);
	struct buf packed = BUF_INIT(CHAIN_FILE_MAX);
	struct check *k = m->k;
	struct block b;
	struct err why;
	int got = ask_block(&packed, k->peers.v[i].s, m->height, &why), ret = 0;

	if (got < 0)
		lost(k, i, &why);
	else if (got == 1 && gz_unpack(&text, buf_span(&packed), "block",
	    &m->lie) == 0 && block_parse(&b, buf_span(&text), true,
	    repo_ledger(k->repo), &m->lie) == 0) {
		m->answer[i] = (struct answer){ true, b.h.id };
		ret = check_take(k, buf_span(&text), buf_span(&packed),
		    CHAIN_ALL, &m->lie);
		if (ret == 0) {
			m->right = b.h.id;
			m->from = k->peers.v[i].name;
			m->packed = packed;
			buf_init(&packed, 0);
		} else if (m->lie.kind == ERR_SYS)
			*e = m->lie;
		else
			ret = 0;
	} else if (got == 1)
		check_note(k, "%s: block %llu: %s", k->peers.v[i].name,
		    (unsigned long long)m->height, m->lie.msg);
	buf_free(&text);
	buf_free(&packed);
	return ret;
}

/* Ask peer i, for a vote if the right one is here. */
static int
ask(struct mending *m, size_t i, struct err *e)
{
	struct check *k = m->k;
	struct peer *p = &k->peers.v[i];
	struct answer *a = &m->answer[i];
	struct err why;
	int got;

	if (!k->silent[i] && p->s == NULL &&
	    ask_connect(&p->s, k->repo, p, &why) != 0)
		lost(k, i, &why);
	if (k->silent[i])
		return 0;
	if (m->from == NULL)
		return try(m, i, e);
	got = ask_block_id(&a->id, p->s, m->height, &why);
	a->given = got == 1;
	if (got < 0)
		lost(k, i, &why);
	return 0;
}

/* How many gave this one?  *all is how many gave one. */
static size_t
votes(const struct mending *m, const struct hash *id, size_t *all)
{
	size_t n = 0;

	*all = 0;
	for (size_t i = 0; i < m->k->peers.n; i++) {
		*all += m->answer[i].given;
		n += m->answer[i].given && hash_eq(&m->answer[i].id, id);
	}
	return n;
}

/* Does more than half of those that gave one agree on another than this? */
static bool
most_lie(const struct mending *m)
{
	size_t all;

	for (size_t i = 0; i < m->k->peers.n; i++)
		if (m->answer[i].given && (m->from == NULL ||
		    !hash_eq(&m->answer[i].id, &m->right)) &&
		    votes(m, &m->answer[i].id, &all) * 2 > all)
			return true;
	return false;
}

/* The block that was taken, in the place of what is there. */
static int
put(struct mending *m, const char *path, const char *why, struct err *e)
{
	struct check *k = m->k;
	char dir[CHAIN_PATH_LEN], to[FS_NAME_MAX];
	int lock = repo_lock(k->repo, LOCK_MS, e), ret;
	size_t all, for_it = votes(m, &m->right, &all);

	if (lock < 0)
		return -1;
	memcpy(dir, path, CHAIN_PATH_LEN);
	*strrchr(dir, '/') = '\0';
	ret = check_quarantine(k, to, path, true, e);
	if (ret == 0)
		ret = fs_mkdir(k->repo->dirfd, dir, 0700, e);
	if (ret == 0)
		ret = fs_write(k->repo->dirfd, path, "tmp",
		    buf_span(&m->packed), 0600, false, e);
	close(lock);
	if (ret != 0)
		return -1;
	return check_event(k, e, m->other && for_it * 2 > all ?
	    EVENT_OUTVOTED : EVENT_REPAIRED, path, "%s; taken from %s; the "
	    "old one is %s", why, m->from, to);
}

/* Ask all until one gives the right block; and the others how they vote, if
 * that matters. */
static int
mend_with(struct mending *m, const char *path, const char *why,
    struct err *e)
{
	struct check *k = m->k;
	bool vote = m->other;

	for (size_t i = 0; i < k->peers.n; i++) {
		if (m->from != NULL && !vote)
			break;
		if (ask(m, i, e) != 0)
			return -1;
		vote = vote || (m->answer[i].given && m->from == NULL);
	}
	if (most_lie(m) && check_event(k, e, EVENT_ALARM, path, "most peers "
	    "have a block %llu that does not verify (%s): it was not taken",
	    (unsigned long long)m->height, m->lie.msg) != 0)
		return -1;
	if (m->from == NULL)
		return 0;
	return put(m, path, why, e) == 0 ? 1 : -1;
}

/* 1: the block is right again, and taken; 0: nobody has it; -1. */
static int
mend(struct check *k, const char *path, const char *why, bool other,
    struct err *e)
{
	struct mending m = { .k = k, .height = k->head.height + 1,
	    .other = other };
	int ret;

	if (check_peers_list(k, e) != 0)
		return -1;
	if (k->peers.n == 0)
		return 0;
	m.answer = calloc(k->peers.n, sizeof(*m.answer));
	if (m.answer == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	ret = mend_with(&m, path, why, e);
	buf_free(&m.packed);
	free(m.answer);
	return ret;
}

/* --- the blocks here ------------------------------------------------------ */

/* Is what is there a block of this ledger and height, if not the right one? */
static bool
is_block(const struct check *k, struct span text)
{
	struct err ignored;
	struct block b;

	return text.n > 0 && block_parse(&b, text, true,
	    repo_ledger(k->repo), &ignored) == 0 &&
	    b.h.height == k->head.height + 1;
}

/*
 * Block k->head.height + 1 is not right.  1: it is now; 0: it is not, and
 * the chain ends before it; -1.
 */
static int
wrong(struct check *k, struct span text, const char *why, struct err *e)
{
	uint64_t height = k->head.height + 1;
	char path[CHAIN_PATH_LEN], to[FS_NAME_MAX];
	int got;

	chain_path(path, height);
	if (check_found(k, path, why, e) != 0)
		return -1;
	k->broken = k->o->look;
	if (k->o->look)
		return 0;
	if ((got = mend(k, path, why, is_block(k, text), e)) != 0)
		return got;
	/* Nothing was built on what the state does not know. */
	if (height > k->known && have_file(k, height)) {
		if (check_quarantine(k, to, path, false, e) != 0)
			return -1;
		return check_event(k, e, EVENT_REPAIRED, path, "%s; it is now "
		    "%s", why, to);
	}
	k->broken = height <= k->known;
	return !k->broken ? 0 : check_event(k, e, EVENT_ALARM, path, "%s, and "
	    "no peer that answers has the right one", why);
}

/* 1: one was taken; 0: there are no more; -1. */
static int
next(struct check *k, struct err *e)
{
	struct buf text, packed;
	uint64_t height = k->head.height + 1;
	struct err why;
	int ret;

	ret = read_block(&text, &packed, k, height, &why);
	if (ret == 0)
		ret = check_take(k, buf_span(&text), buf_span(&packed),
		    CHAIN_RULES, &why);
	if (ret == 0)
		ret = 1;
	else if (why.kind == ERR_SYS) {
		*e = why;
		ret = -1;
	} else if (!have_file(k, height))
		ret = height > k->known ? 0 : wrong(k, span_of(NULL, 0),
		    "is missing", e);
	else
		ret = wrong(k, buf_span(&text), why.msg, e);
	buf_free(&text);
	buf_free(&packed);
	k->res->blocks += ret == 1;
	return ret;
}

/* --- what is too short, or too much --------------------------------------- */

/*
 * The newest checkpoint, if a node has signed it: of how many transactions it
 * speaks, and when the hour ends that it is named by.
 */
static int
read_newest(uint64_t *size, int64_t *end_ms, struct check *k, struct err *e)
{
	struct buf text = BUF_INIT(CHECKPOINT_MAX);
	struct checkpoint c;
	struct fs_names list;
	struct err ignored;
	int got = 0;

	*size = 0;
	*end_ms = 0;
	if (fs_list(&list, k->repo->dirfd, CHECKPOINT_DIR, e) != 0)
		return -1;
	if (list.n > 0 && checkpoints_read(&c, &text, k->repo,
	    list.name[list.n - 1], &ignored) == 0)
		got = checkpoints_signed(k->db, &c, repo_ledger(k->repo), e);
	if (got == 1) {
		*size = c.size;
		if (stamp_hour_parse(end_ms,
		    span_str(list.name[list.n - 1])) == 0)
			*end_ms += STAMP_HOUR_MS;
	}
	buf_free(&text);
	fs_names_free(&list);
	return got < 0 ? -1 : 0;
}

/*
 * A checkpoint that a node has signed of more than is here shows that blocks
 * were lost, when the state was lost with them.  So does one of an hour that
 * no block here ends; but nobody has signed its name: when no peer has such a
 * block, it is the name that is wrong.
 */
static int
check_end(struct check *k, struct err *e)
{
	uint64_t size;
	int64_t end_ms;
	int got = 1;

	if (read_newest(&size, &end_ms, k, e) != 0)
		return -1;
	while (got == 1 && !k->broken && k->head.tree.size < size) {
		k->known = k->head.height + 1;
		got = next(k, e);
	}
	while (got == 1 && !k->broken && !k->o->look &&
	    k->head.time_ms < end_ms) {
		char path[CHAIN_PATH_LEN];

		chain_path(path, k->head.height + 1);
		got = mend(k, path, "is missing", false, e);
		k->res->blocks += got == 1;
	}
	return got < 0 ? -1 : 0;
}

/* A file below blocks/ that no height of the chain accounts for. */
static int
surplus(struct check *k, const char *path, uint64_t end, struct err *e)
{
	char want[CHAIN_PATH_LEN], to[FS_NAME_MAX];
	unsigned long long height = 0;

	if (sscanf(path, "blocks/%*6[0-9]/%9llu.gz", &height) == 1 &&
	    height > 0 && height <= end) {
		chain_path(want, height);
		if (strcmp(want, path) == 0)
			return 0;
	}
	if (check_found(k, path, "is not a block of this chain", e) != 0)
		return -1;
	if (k->o->look)
		return 0;
	if (check_quarantine(k, to, path, false, e) != 0)
		return -1;
	return check_event(k, e, EVENT_REPAIRED, path, "is not a block of "
	    "this chain; it is now %s", to);
}

static int
check_surplus(struct check *k, struct err *e)
{
	struct fs_names dirs, files;
	uint64_t end = k->head.height;
	int ret = 0;

	if (fs_list(&dirs, k->repo->dirfd, "blocks", e) != 0)
		return -1;
	for (size_t i = 0; i < dirs.n && ret == 0; i++) {
		char dir[FS_NAME_MAX], path[FS_NAME_MAX + 256];

		snprintf(dir, sizeof(dir), "blocks/%.255s", dirs.name[i]);
		if (fs_list(&files, k->repo->dirfd, dir, e) != 0) {
			ret = surplus(k, dir, 0, e);
			continue;
		}
		/* Blocks that came meanwhile follow each other. */
		while (have_file(k, end + 1))
			end++;
		for (size_t j = 0; j < files.n && ret == 0; j++) {
			snprintf(path, sizeof(path), "%s/%.255s", dir,
			    files.name[j]);
			ret = surplus(k, path, end, e);
		}
		fs_names_free(&files);
	}
	fs_names_free(&dirs);
	return ret;
}

/* -------------------------------------------------------------------------- */

static int
begin(struct check *k, struct err *e)
{
	struct blocks_item b;
	struct err ignored;
	struct db *state;
	struct head h;

	if (db_of(&state, k->repo, e) != 0)
		return -1;
	/* What the state alone says of itself is to be made again, not to be
	 * looked for. */
	if (state_head(&h, state, &ignored) == 1 &&
	    blocks_get(&b, state, h.height, &ignored) == 1 &&
	    hash_eq(&b.id, &h.id))
		k->known = h.height;
	if (k->quick)
		return check_recall_blocks(k, e);
	if (db_exec(k->db, "BEGIN", e) != 0 ||
	    state_genesis(k->db, k->repo->genesis, e) != 0 ||
	    db_exec(k->db, "COMMIT", e) != 0)
		return -1;
	return state_head(&k->head, k->db, e) == 1 ? 0 : -1;
}

int
check_chain(struct check *k, struct err *e)
{
	int got;

	if (begin(k, e) != 0)
		return -1;
	if (k->doubt)
		return 0;
	while ((got = next(k, e)) == 1)
		;
	if (got == 0 && !k->broken)
		got = check_end(k, e);
	if (got == 0 && !k->broken)
		got = check_surplus(k, e);
	/* The others are connected otherwise from here on. */
	for (size_t i = 0; i < k->peers.n; i++) {
		session_close(k->peers.v[i].s);
		k->peers.v[i].s = NULL;
	}
	return got;
}
