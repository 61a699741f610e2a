#define _GNU_SOURCE	/* fstatat */
#include "log/audit_chain.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/*
 * So many signatures are judged together, and then forgotten.  All cores verify
 * them while the blocks that they are in are replayed.
 */
#define BATCH 4096

/* Blocks in one transaction of the scratch database. */
#define COMMIT_EVERY 1000

struct replay {
	struct audit *a;
	struct db *db;
	struct head head;
	struct delegates set;
	struct verify_batch *batch;
	bool open;		/* a database transaction is open */
	bool bad;		/* a signature did not verify */
};

static int
flush(struct replay *p, struct err *e)
{
	size_t n = verify_count(p->batch);

	p->a->count[AUDIT_SIGNATURES].checked += n;
	if (verify_all(p->batch, e) == 0) {
		if (!p->bad)
			p->a->verified = p->head.height;
		return 0;
	}
	/* Whatever follows a false statement may follow from it. */
	if (!p->bad && e->kind == ERR_NO)
		p->a->verified = verify_bad_height(p->batch) - 1;
	p->bad = true;
	return audit_failed(p->a, AUDIT_SIGNATURES, "blocks", e, e);
}

/* Has this node signed it? */
static void
note_own(struct replay *p, const struct block_header *h, uint64_t signers)
{
	const char *us = repo_node_name(p->a->repo);
	int me = us == NULL ? -1 : delegates_find(&p->set, span_str(us));

	if (me >= 0 && (signers >> me & 1) != 0)
		p->a->voted = (struct audit_voted){ h->height, h->id };
}

/* 1: the block holds, 0: it does not (reported), -1. */
static int
replay_block(struct replay *p, uint64_t height, struct err *e)
{
	struct buf text = BUF_INIT(CHAIN_FILE_MAX);
	char path[CHAIN_PATH_LEN];
	uint64_t signers;
	struct block b;
	int ret = 0;

	chain_path(path, height);
	if (chain_read(&text, p->a->repo, height, e) != 0 ||
	    block_parse(&b, buf_span(&text), true, repo_ledger(p->a->repo),
	    e) != 0 ||
	    certificate_check(b.certificate, &b.h, &p->set,
	    repo_ledger(p->a->repo), &signers, e) != 0 ||
	    chain_advance(p->a->repo, p->db, &p->head, &b, &p->set, CHAIN_ALL,
	    p->batch, e) != 0)
		ret = audit_failed(p->a, AUDIT_BLOCKS, path, e, e);
	else {
		p->a->count[AUDIT_TRANSACTIONS].checked += b.h.txs;
		p->a->count[AUDIT_SIGNATURES].checked +=
		    (uint64_t)__builtin_popcountll(signers);
		note_own(p, &b.h, signers);
		if (p->a->block != NULL)
			p->a->block(p->a->arg, &b.h, &p->set, signers);
		ret = 1;
	}
	p->a->count[AUDIT_BLOCKS].checked++;
	buf_free(&text);
	return ret;
}

static int
begin(struct replay *p, struct err *e)
{
	struct genesis *g = p->a->repo->genesis;
	int ret;

	if (db_exec(p->db, "BEGIN", e) != 0)
		return -1;
	p->open = true;
	ret = state_head(&p->head, p->db, e);
	if (ret == 0 && state_genesis(p->db, g, e) == 0)
		ret = state_head(&p->head, p->db, e);
	return ret == 1 ? 0 : -1;
}

static int
commit(struct replay *p, struct err *e)
{
	p->open = false;
	return db_exec(p->db, "COMMIT", e);
}

/* A FIFO in a block's place is no block, and reading it might never end. */
static bool
is_there(struct repo *r, uint64_t height)
{
	char path[CHAIN_PATH_LEN];
	struct stat st;

	chain_path(path, height);
	return fstatat(r->dirfd, path, &st, 0) == 0 && S_ISREG(st.st_mode);
}

/*
 * The greatest height that any file is named after, so that a hole shows;
 * and files that are not named as blocks are.
 */
static int
highest(struct audit *a, uint64_t *height, struct err *e)
{
	struct fs_names dirs, files;
	int ret = 0;

	*height = 0;
	if (fs_list(&dirs, a->repo->dirfd, "blocks", e) != 0)
		return -1;
	for (size_t i = 0; i < dirs.n && ret == 0; i++) {
		char path[FS_NAME_MAX], want[CHAIN_PATH_LEN];

		snprintf(path, sizeof(path), "blocks/%s", dirs.name[i]);
		if (fs_list(&files, a->repo->dirfd, path, e) != 0) {
			ret = audit_report(a, AUDIT_BLOCKS, false, path,
			    "is not a folder that can be read", e);
			continue;
		}
		for (size_t k = 0; k < files.n && ret == 0; k++) {
			unsigned long long h = 0;

			snprintf(path, sizeof(path), "blocks/%s/%s",
			    dirs.name[i], files.name[k]);
			if (sscanf(files.name[k], "%9llu", &h) == 1 && h > 0)
				chain_path(want, h);
			else
				want[0] = '\0';
			if (strcmp(path, want) != 0)
				ret = audit_report(a, AUDIT_BLOCKS, false,
				    path, "is not named as a block is", e);
			else if (h > *height)
				*height = h;
		}
		fs_names_free(&files);
	}
	fs_names_free(&dirs);
	return ret;
}

/* Blocks from height on cannot be judged: what is before them is broken. */
static int
give_up(struct audit *a, uint64_t height, uint64_t last, struct err *e)
{
	char what[100];

	if (height > last)
		return 0;
	a->gaps |= 1u << AUDIT_GAP_AFTER;
	snprintf(what, sizeof(what), "blocks %llu to %llu could not be "
	    "checked: what they follow is broken",
	    (unsigned long long)height, (unsigned long long)last);
	return audit_report(a, AUDIT_BLOCKS, false, "blocks", what, e);
}

static int
replay_all(struct replay *p, uint64_t last, struct err *e)
{
	for (uint64_t h = p->head.height + 1; h <= last; h++) {
		char path[CHAIN_PATH_LEN];
		int ret;

		if (!is_there(p->a->repo, h)) {
			chain_path(path, h);
			if (audit_report(p->a, AUDIT_BLOCKS, true, path,
			    "the block is not there", e) != 0)
				return -1;
			return give_up(p->a, h + 1, last, e);
		}
		if (state_delegates(&p->set, p->db, h, e) != 0)
			return -1;
		if ((ret = replay_block(p, h, e)) < 0)
			return -1;
		if (ret == 0)
			return give_up(p->a, h + 1, last, e);
		if (verify_count(p->batch) >= BATCH && flush(p, e) != 0)
			return -1;
		if (h % COMMIT_EVERY == 0 && (commit(p, e) != 0 ||
		    begin(p, e) != 0))
			return -1;
		if (p->a->progress != NULL)
			p->a->progress(p->a->arg, h, last);
	}
	return 0;
}

int
audit_chain(struct audit *a, struct db *db, struct err *e)
{
	struct replay p = { .a = a, .db = db };
	struct err ignored;
	uint64_t last;
	int ret = -1;

	if (highest(a, &last, e) != 0 || verify_open(&p.batch, e) != 0)
		return -1;
	verify_begin(p.batch);
	if (begin(&p, e) == 0 && replay_all(&p, last, e) == 0)
		ret = flush(&p, e);
	/*
	 * After a broken block, the state holds parts of it; what it says of
	 * objects before that still guides the rest of the audit.
	 */
	if (p.open)
		db_exec(db, "COMMIT", &ignored);
	a->head = p.head;
	verify_free(p.batch);
	return ret;
}
