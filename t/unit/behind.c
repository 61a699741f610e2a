/*
 * behind: the state and its blocks, when one is not what the other says, when
 * several processes are at work, and when a reader of what waits gives up.
 */
#define _GNU_SOURCE
#include "post.h"

static struct err e;
static struct post p;

/* --- a state that is not that of the blocks ------------------------------- */

/* The kind of error with which h0's head is refused; its height if not. */
static enum err_kind
head_of(uint64_t *height)
{
	struct repo *r;
	struct head h;
	int ret;

	CHECK(repo_open(&r, "h0", &e) == 0);
	ret = chain_head(&h, r, &e);
	*height = h.height;
	repo_close(r);
	return ret == 0 ? ERR_NONE : e.kind;
}

static void
lost_block(void)
{
	uint64_t height;

	CHECK(rename("h0/.ehr/blocks/000000/000000002.gz", "kept") == 0);
	CHECK(head_of(&height) == ERR_BAD);
	CHECK(strstr(e.msg, "block 2, which is not in blocks:") != NULL);
	/* Put back, all is well; or one goes on from what is there. */
	CHECK(rename("kept", "h0/.ehr/blocks/000000/000000002.gz") == 0);
	CHECK(head_of(&height) == ERR_NONE && height == 2);
	CHECK(unlink("h0/.ehr/blocks/000000/000000002.gz") == 0);
	CHECK(head_of(&height) == ERR_BAD);
	CHECK(unlink("h0/.ehr/state.db") == 0);
	CHECK(head_of(&height) == ERR_NONE && height == 1);
}

static void
of_another_ledger(void)
{
	struct repo *r;
	uint64_t height;
	struct head h;

	scratch_ledger("B");
	CHECK(repo_open(&r, "B", &e) == 0 && chain_head(&h, r, &e) == 0);
	repo_close(r);
	unlink("h0/.ehr/state.db-wal");
	unlink("h0/.ehr/state.db-shm");
	CHECK(rename("B/.ehr/state.db", "h0/.ehr/state.db") == 0);
	CHECK(head_of(&height) == ERR_BAD);
	CHECK(strstr(e.msg, "another ledger") != NULL);
	CHECK(unlink("h0/.ehr/state.db") == 0);
	CHECK(head_of(&height) == ERR_NONE && height == 1);
}

/* --- another process changes it ------------------------------------------- */

/* Heads with trees of one and of three leaves, by turns. */
static void
change_heads(void)
{
	struct hash leaf;
	struct repo *r;
	struct head h;
	struct db *db;

	if (repo_open(&r, "h1", &e) != 0 || db_of(&db, r, &e) != 0 ||
	    state_head(&h, db, &e) != 1)
		_exit(1);
	little_object(&leaf, "a leaf");
	for (;;) {
		merkle_init(&h.tree);
		h.height = h.height == 1 ? 3 : 1;
		for (uint64_t i = 0; i < h.height; i++)
			merkle_add(&h.tree, &leaf);
		if (db_exec(db, "BEGIN IMMEDIATE", &e) != 0 ||
		    state_set_head(db, &h, &e) != 0 ||
		    db_exec(db, "COMMIT", &e) != 0)
			_exit(1);
	}
}

static void
one_moment(void)
{
	int64_t end = clock_now_ms() + 500;
	unsigned n = 0, bad = 0;
	struct head h = { .height = 0 };
	struct db *db;
	pid_t pid;

	CHECK(chain_head(&h, p.f.r[1], &e) == 0);
	CHECK(db_of(&db, p.f.r[1], &e) == 0);
	if ((pid = fork()) == 0)
		change_heads();
	for (; clock_now_ms() < end; n++)
		if (state_head(&h, db, &e) != 1 ||
		    (h.height != 0 && h.tree.size != h.height))
			bad++;
	CHECK(n > 100 && bad == 0 && h.height != 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* --- a reader that fails -------------------------------------------------- */

static int
refuse_tx(void *arg, const struct hash *id, struct span note, struct err *err)
{
	(void)id, (void)note;
	return err_set(err, *(enum err_kind *)arg, "not now");
}

static int
refuse_staged(void *arg, const struct staged *s, struct span header,
    struct err *err)
{
	(void)s, (void)header;
	return err_set(err, *(enum err_kind *)arg, "not now");
}

/* What a caller cannot use is not damaged, and waits still. */
static void
not_damaged(enum err_kind kind)
{
	CHECK(pool_each(p.f.r[0], refuse_tx, &kind, &e) == -1);
	CHECK(e.kind == kind && strcmp(e.msg, "not now") == 0);
	CHECK(staging_each(p.f.r[0], refuse_staged, &kind, &e) == -1);
	CHECK(e.kind == kind && strcmp(e.msg, "not now") == 0);
	CHECK(scratch_entries("h0/.ehr/quarantine") == 0);
	CHECK(scratch_entries("h0/.ehr/pending") == 1);
	CHECK(scratch_entries("h0/.ehr/staging") == 1);
}

/* --- what has waited for long --------------------------------------------- */

/* Make all that waits at h0 two days old. */
static void
grow_old(void)
{
	struct timespec t[2] = { { .tv_sec = time(NULL) - 2 * 24 * 3600 } };
	struct fs_names list;
	char path[512];

	t[1] = t[0];
	CHECK(fs_list(&list, AT_FDCWD, "h0/.ehr/pending", &e) == 0);
	for (size_t i = 0; i < list.n; i++) {
		snprintf(path, sizeof(path), "h0/.ehr/pending/%s",
		    list.name[i]);
		CHECK(utimensat(AT_FDCWD, path, t, 0) == 0);
	}
	fs_names_free(&list);
}

/* What needs another that waits is not given up; what nothing can help is. */
static void
old_ones(void)
{
	struct tx tx = { .kind = TX_ROLE_GRANT };
	struct identity anne;

	people_user(&anne, "Anne");
	post_enroll(&p, 0, &anne, "patient");
	tx.user = span_str(anne.name);
	tx.role = span_str("doctor");
	post_submit(&p, 0, &tx, &p.f.admin);
	grow_old();
	CHECK(accept_tidy(p.f.r[0], &e) == 0);
	CHECK(scratch_entries("h0/.ehr/pending") == 2);
	/* Without her enrolment, she cannot have a role. */
	CHECK(system("cd h0/.ehr/pending && rm $(ls | head -1)") == 0);
	CHECK(accept_tidy(p.f.r[0], &e) == 0);
	CHECK(scratch_entries("h0/.ehr/pending") == 0);
	CHECK(scratch_entries("h0/.ehr/quarantine") == 1);
	identity_wipe(&anne);
}

int
main(void)
{
	struct hash record, header;

	scratch_open();
	post_open(&p);
	post_block(&p, 0, NULL);
	post_stage(&p, 0, 10, 1, &record);
	post_authorize(&p, 0, &record, &header);
	not_damaged(ERR_BAD);
	not_damaged(ERR_NO);
	post_block(&p, 0, NULL);
	old_ones();
	lost_block();
	of_another_ledger();
	one_moment();
	post_close(&p);
	scratch_close();
	return check_done("behind");
}
