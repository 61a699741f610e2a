/*
 * checkpoints: what a node signs at the end of an hour, and what it does not,
 * when its record of what it has signed is lost, old, or of something else.
 */
#include "past.h"
#include "proven.h"

#include "crypto/cosign.h"
#include "log/checkpoints.h"
#include "log/tiles.h"
#include "store/signer.h"

#define RECORD ".ehr/consensus/signed"

static struct past p;
static struct err e;

static void
at(struct head *head, struct db **db)
{
	CHECK(chain_head(head, p.r[0], &e) == 0);
	CHECK(db_of(db, p.r[0], &e) == 0);
}

/* 1 one was signed, 0 none was due, -1. */
static int
roll(void)
{
	struct head head;
	struct db *db;
	bool made;

	at(&head, &db);
	if (checkpoints_roll(p.r[0], db, &head, &made, &e) != 0)
		return -1;
	return made;
}

/* What is refused, for a reason with these words. */
static bool
refused(enum err_kind kind, const char *why)
{
	if (roll() != -1)
		return false;
	if (strstr(e.msg, why) == NULL)
		CHECK_STR(e.msg, why);
	return e.kind == kind;
}

static uint64_t
recorded(void)
{
	struct signed_head h = { .size = UINT64_MAX };
	bool copy;

	CHECK(signed_read(&h, &copy, p.r[0]->dirfd, &p.l.id, &e) == 0);
	return h.size;
}

/* Is that hour's file the checkpoint of the tree of so many transactions? */
static bool
is_checkpoint(const char *hour, uint64_t size, const struct hash *root)
{
	struct buf text = BUF_INIT(CHECKPOINT_MAX);
	struct checkpoint c;
	struct sign_pub pub;
	char path[100];
	uint64_t time_s = 0;
	bool yes;

	snprintf(path, sizeof(path), ".ehr/checkpoints/%s", hour);
	sign_public(&pub, p.l.node[0].sign);
	yes = fs_read(&text, AT_FDCWD, path, &e) == 0 &&
	    checkpoint_parse(&c, buf_span(&text), &p.l.id, &e) == 0 &&
	    c.size == size && hash_eq(&c.root, root) && c.note.nsigs == 2 &&
	    checkpoint_is_log(&c, 0, &p.l.id) &&
	    checkpoint_verify(&c, 0, &p.l.id, span_str("hospital-a"), &pub,
	    &time_s, &e) == 0 &&
	    cosign_verify(&c.note, 1, span_str("hospital-a"), &pub, &time_s,
	    &e) == 0;
	CHECK(scratch_holds(".ehr/tiles/checkpoint", buf_span(&text)));
	buf_free(&text);
	return yes && (int64_t)time_s > little_time(0) / 1000;
}

static void
hours(void)
{
	struct hash root1, root3;

	/* Not of a tree without leaves, nor of an hour that is not over. */
	CHECK(roll() == 0);
	past_begin(&p);
	CHECK(roll() == 0 && recorded() == 0);
	past_accesses(&p, 10, PAST_HOUR(1) + 120000);
	merkle_root(&root1, &p.all);
	CHECK(roll() == 0);
	past_accesses(&p, 10, PAST_HOUR(2) + 120000);
	CHECK(roll() == 1 && recorded() == 15);
	CHECK(is_checkpoint("2026-03-02_09", 15, &root1));
	CHECK(roll() == 0);
	merkle_root(&root3, &p.all);
	/* Hour 10 is passed over: it was not rolled then. */
	past_accesses(&p, 10, PAST_HOUR(4) + 120000);
	CHECK(roll() == 1 && recorded() == 25);
	CHECK(is_checkpoint("2026-03-02_11", 25, &root3));
	CHECK(scratch_entries(".ehr/checkpoints") == 2);
	/* The copy beside the tiles comes back, too. */
	CHECK(unlink(".ehr/tiles/checkpoint") == 0);
	CHECK(roll() == 0);
	CHECK(is_checkpoint("2026-03-02_11", 25, &root3));
}

/* --- the check ------------------------------------------------------------ */

static int found;

static int
bad(void *arg, const char *path, const char *why, struct err *unused)
{
	(void)arg;
	(void)path;
	(void)why;
	(void)unused;
	found++;
	return 0;
}

static int
check(void)
{
	uint64_t checked;
	struct head head;
	struct db *db;

	found = 0;
	at(&head, &db);
	CHECK(checkpoints_check(p.r[0], db, &head, &checked, bad, NULL,
	    &e) == 0);
	return found;
}

static void
checks(void)
{
	static const char file[] = ".ehr/checkpoints/2026-03-02_09";
	struct buf text = BUF_INIT(CHECKPOINT_MAX);
	struct buf other = BUF_INIT(CHECKPOINT_MAX);

	CHECK(check() == 0);
	CHECK(fs_read(&text, AT_FDCWD, file, &e) == 0);
	for (size_t i = 0; i < text.len; i++) {
		scratch_flip(file, (long)i, (int)(i % 8));
		CHECK(check() == 1);
		scratch_flip(file, (long)i, (int)(i % 8));
	}
	/* Of another hour, of a node that is none, and the wrong copy. */
	scratch_write(".ehr/checkpoints/2026-03-02_10", text.p, text.len);
	CHECK(check() == 1);
	CHECK(unlink(".ehr/checkpoints/2026-03-02_10") == 0);
	scratch_write(".ehr/checkpoints/notes", text.p, text.len);
	CHECK(check() >= 1);
	CHECK(unlink(".ehr/checkpoints/notes") == 0);
	buf_add(&other, text.p, text.len);
	CHECK(cosign_line(&other, span_of(text.p,
	    (size_t)((unsigned char *)memmem(text.p, text.len, "\n\n", 2) + 1 -
	    text.p)), span_str("hospital-x"), p.l.other.sign, 5, &e) == 0);
	scratch_write(file, other.p, other.len);
	CHECK(check() == 1);
	scratch_write(file, text.p, text.len);
	scratch_write(".ehr/tiles/checkpoint", text.p, text.len);
	CHECK(check() == 1);
	CHECK(unlink(".ehr/tiles/checkpoint") == 0);
	CHECK(check() == 0 && roll() == 0 && check() == 0);
	buf_free(&text);
	buf_free(&other);
}

/* --- the record ----------------------------------------------------------- */

/* One more hour that is over; roll() has something to do. */
static void
next_hour(void)
{
	static int hour = 5;

	past_accesses(&p, 3, PAST_HOUR(hour++) + 120000);
}

static void
write_record(uint64_t size, const struct hash *root)
{
	struct signed_head h = { .size = size, .root = *root,
	    .time_ms = little_time(0) };

	CHECK(signed_write(p.r[0]->dirfd, &p.l.id, &h, &e) == 0);
}

/* The head of so many transactions, which a block has. */
static void
head_of(struct hash *root, uint64_t size)
{
	struct head head;
	struct db *db;

	at(&head, &db);
	CHECK(signer_root(root, p.r[0], db, &head, size, &e) == 1);
}

static void
copies(void)
{
	struct buf record = BUF_INIT(4096);
	struct signed_head h;
	bool copy;

	/* A copy: also one that lies where the file lay. */
	CHECK(system("cp -p " RECORD " kept && cp -p kept " RECORD ".x && "
	    "mv " RECORD ".x " RECORD) == 0);
	CHECK(signed_read(&h, &copy, p.r[0]->dirfd, &p.l.id, &e) == -1);
	CHECK(copy && e.kind == ERR_NO);
	next_hour();
	CHECK(refused(ERR_NO, "is a copy"));
	/* Written into the file that is there: that is another still. */
	write_record(25, &(struct hash){ { 0 } });
	CHECK(fs_read(&record, AT_FDCWD, "kept", &e) == 0);
	{
		int fd = open(RECORD, O_WRONLY | O_TRUNC);

		CHECK(fs_write_all(fd, record.p, record.len) == 0);
		close(fd);
	}
	CHECK(refused(ERR_NO, "is a copy"));
	buf_free(&record);
}

static void
damaged(void)
{
	struct hash root;
	struct stat st;

	head_of(&root, 25);
	write_record(25, &root);
	CHECK(stat(RECORD, &st) == 0);
	for (long i = 0; i < st.st_size; i++) {
		scratch_flip(RECORD, i, (int)(i % 8));
		CHECK(refused(ERR_BAD, "is not known"));
		scratch_flip(RECORD, i, (int)(i % 8));
	}
	CHECK(truncate(RECORD, st.st_size - 1) == 0);
	CHECK(refused(ERR_BAD, "is not known"));
	CHECK(truncate(RECORD, 0) == 0);
	CHECK(refused(ERR_BAD, "is not known"));
}

/* What the machine forgot when it was set back, the checkpoints tell. */
static void
set_back(void)
{
	struct hash root;

	head_of(&root, 15);
	write_record(15, &root);
	CHECK(refused(ERR_NO, "it is an old copy"));
	/* And when these were set back as well, then only others. */
	CHECK(rename(".ehr/checkpoints/2026-03-02_11", "aside") == 0);
	CHECK(roll() == 1 && recorded() == 35);
	CHECK(rename("aside", ".ehr/checkpoints/2026-03-02_11") == 0);
	CHECK(check() == 0);
}

/* Another tree than that of the blocks, a larger one, and one between. */
static void
contradictions(void)
{
	struct hash root, other;

	next_hour();
	head_of(&root, 35);
	little_object(&other, "another tree");
	write_record(35, &other);
	CHECK(refused(ERR_NO, "not the one of its blocks"));
	write_record(36, &root);
	CHECK(refused(ERR_NO, "not the one of its blocks"));
	write_record(1000, &root);
	CHECK(refused(ERR_AGAIN, "ehr-sync"));
	/* Nor does that go away by asking others. */
	{
		struct head head;
		struct db *db;

		at(&head, &db);
		CHECK(signer_renew(p.r[0], &head, 0, &e) == -1 &&
		    e.kind == ERR_AGAIN);
		write_record(35, &other);
		CHECK(signer_renew(p.r[0], &head, 0, &e) == -1 &&
		    e.kind == ERR_NO);
		write_record(35, &root);
		CHECK(signer_renew(p.r[0], &head, 0, &e) == 0);
		CHECK(recorded() == head.tree.size);
	}
	/* After that, hours before are signed for the ledger, not cosigned. */
	CHECK(roll() == 1);
	CHECK(system("[ $(grep -c '^\xe2\x80\x94' .ehr/tiles/checkpoint) = 1 ]")
	    == 0);
	CHECK(recorded() == 41);
	next_hour();
	CHECK(roll() == 1);
	CHECK(system("[ $(grep -c '^\xe2\x80\x94' .ehr/tiles/checkpoint) = 2 ]")
	    == 0);
}

/* Nor may a checkpoint here be of another tree, when a record is begun. */
static void
other_checkpoint(void)
{
	static const char file[] = ".ehr/checkpoints/2026-03-02_23";
	struct buf note = BUF_INIT(CHECKPOINT_MAX);
	struct hash other;
	struct head head;
	struct db *db;

	little_object(&other, "another tree");
	proven_checkpoint(&note, &p.l, 41, &other, &p.l.node[0], 0);
	at(&head, &db);
	CHECK(unlink(RECORD) == 0);
	scratch_write(file, note.p, note.len);
	CHECK(signer_renew(p.r[0], &head, 0, &e) == -1 && e.kind == ERR_NO);
	CHECK(access(RECORD, F_OK) != 0 && unlink(file) == 0);
	CHECK(signer_renew(p.r[0], &head, 0, &e) == 0);
	buf_free(&note);
}

/* Without a record, one asks the others; here, nobody answers. */
static void
lost(void)
{
	next_hour();
	CHECK(unlink(RECORD) == 0);
	CHECK(refused(ERR_AGAIN, "0 of the other nodes answered: 3 have to"));
}

/* --- crashes -------------------------------------------------------------- */

static void
work(void *arg, int fd)
{
	(void)arg;
	(void)fd;
	roll();
}

/*
 * Killed at any moment: what a file shows as signed is never more than what
 * the record knows, and the next run goes on.
 */
static void
crashes(void)
{
	struct hash root;

	head_of(&root, 41);
	write_record(41, &root);
	for (int i = 0; i < 60; i++) {
		struct buf said = BUF_INIT(4096), text = BUF_INIT(65536);
		struct checkpoint c = { .size = 0 };

		next_hour();
		scratch_kill_in(work, NULL, 0, 30000, &said);
		CHECK(fs_read(&text, AT_FDCWD, ".ehr/tiles/checkpoint",
		    &e) == 0);
		CHECK(checkpoint_parse(&c, buf_span(&text), &p.l.id, &e) == 0);
		CHECK(c.size <= recorded());
		if (i % 3 == 0)
			CHECK(roll() >= 0);
		buf_free(&said);
		buf_free(&text);
	}
	CHECK(roll() >= 0 && check() == 0);
}

int
main(void)
{
	scratch_open();
	past_open(&p);
	past_add(&p, ".", 0);
	hours();
	checks();
	copies();
	damaged();
	set_back();
	contradictions();
	other_checkpoint();
	lost();
	crashes();
	past_close(&p);
	scratch_close();
	return check_done("checkpoints");
}
