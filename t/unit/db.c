/* db: state.db is made, and made again, whatever is in its place. */
#define _GNU_SOURCE
#include "scratch.h"
#include "store/db.h"

#define FILE "A/.ehr/state.db"

static struct err e;

/* How many segments the table has; -1: it does not work. */
static int
rows(struct db *db)
{
	sqlite3_stmt *s;
	int n = -1;

	if (db_stmt(&s, db, "SELECT count(*) FROM segment", &e) == 0 &&
	    db_step(db, s, &e) == 1)
		n = sqlite3_column_int(s, 0);
	sqlite3_reset(s);
	return n;
}

/* Is there a database of so many rows, to write to? */
static bool
has(int n)
{
	struct repo *r;
	struct db *db;
	bool ok;

	CHECK(repo_open(&r, "A", &e) == 0);
	ok = db_of(&db, r, &e) == 0 && rows(db) == n &&
	    db_exec(db, "INSERT INTO segment VALUES('x')", &e) == 0;
	repo_close(r);
	return ok;
}

/* What a process that was killed leaves: the file with its log. */
static void
leave(void *arg, int fd)
{
	struct repo *r;
	struct db *db;

	(void)arg;
	if (repo_open(&r, "A", &e) != 0 || db_of(&db, r, &e) != 0 ||
	    db_exec(db, "INSERT INTO segment VALUES('y')", &e) != 0)
		_exit(1);
	fs_write_all(fd, "x", 1);
	raise(SIGKILL);
}

static void
making(void)
{
	struct buf said = BUF_INIT(10);
	struct stat st;
	struct repo *r;
	struct db *db;

	CHECK(has(0) && stat(FILE, &st) == 0 && (st.st_mode & 0777) == 0600);
	CHECK(unlink(FILE) == 0 && has(0));
	scratch_text(FILE, "");
	CHECK(has(0));
	scratch_text(FILE, "this is not a database, but a text of some length");
	CHECK(has(0));
	CHECK(repo_open(&r, "A", &e) == 0 && db_of(&db, r, &e) == 0);
	CHECK(db_exec(db, "PRAGMA user_version=9999", &e) == 0);
	repo_close(r);
	CHECK(has(0));
	/* The log of a file that is gone is none of the new one's. */
	for (int i = 0; i < 20 && said.len == 0; i++)
		scratch_kill_in(leave, NULL, 1, 0, &said);
	CHECK(access(FILE "-wal", F_OK) == 0 && unlink(FILE) == 0);
	CHECK(has(0));
	CHECK(scratch_entries("A/.ehr/tmp") == 0);
	buf_free(&said);
}

/* All who come at once when there is none get the same. */
static void
racing(void)
{
	int status;

	for (int round = 0; round < 5; round++) {
		unlink(FILE);
		fflush(stdout);
		for (int child = 0; child < 8; child++) {
			struct repo *r;
			struct db *db;
			char sql[64];

			if (fork() != 0)
				continue;
			snprintf(sql, sizeof(sql),
			    "INSERT INTO segment VALUES('%d')", child);
			_exit(repo_open(&r, "A", &e) != 0 ||
			    db_of(&db, r, &e) != 0 ||
			    db_exec(db, sql, &e) != 0);
		}
		for (int child = 0; child < 8; child++)
			CHECK(wait(&status) > 0 && status == 0);
		/* Nobody wrote to a file that was replaced. */
		CHECK(has(8));
	}
}

static void
refused(void)
{
	struct repo *r;
	struct db *db;

	CHECK(unlink(FILE) == 0 && mkdir(FILE, 0700) == 0);
	CHECK(repo_open(&r, "A", &e) == 0);
	CHECK(db_of(&db, r, &e) == -1 && e.kind == ERR_SYS);
	CHECK(db_of(&db, r, &e) == -1);
	repo_close(r);
}

int
main(void)
{
	scratch_open();
	scratch_ledger("A");
	making();
	racing();
	refused();
	scratch_close();
	return check_done("db");
}
