#define _GNU_SOURCE	/* renameat2 */
#include "store/settle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define COPIES_MAX 100000	/* of one name in quarantine */

int
settle_tx(struct db *db, const struct hash *id, struct err *e)
{
	sqlite3_stmt *s;
	int ret;

	if (db_stmt(&s, db, "SELECT 1 FROM tx WHERE id=?", e) != 0)
		return -1;
	db_bind_hash(s, 1, id);
	ret = db_step(db, s, e);
	if (ret > 0)
		sqlite3_reset(s);
	return ret;
}

int
settle_staged(struct db *db, const struct staged *r, struct err *e)
{
	sqlite3_stmt *s;
	int ret;

	/* Somebody else's rejection does not count (rules_record.c). */
	if (db_stmt(&s, db, "SELECT 1 FROM record WHERE id=?1 AND "
	    "(status<>?2 OR patient=?3)", e) != 0)
		return -1;
	db_bind_hash(s, 1, &r->id);
	db_bind_int(s, 2, RECORD_REJECTED);
	db_bind_span(s, 3, r->patient);
	ret = db_step(db, s, e);
	if (ret > 0)
		sqlite3_reset(s);
	return ret;
}

int
settle_quarantine_as(char to[FS_NAME_MAX], struct repo *r, const char *path,
    bool keep, struct err *e)
{
	const char *slash = strrchr(path, '/');
	int got;

	for (int i = 0; i < COPIES_MAX; i++) {
		snprintf(to, FS_NAME_MAX, "quarantine/%s%.*d",
		    slash == NULL ? path : slash + 1, i == 0 ? 0 : 1, i);
		got = keep ? linkat(r->dirfd, path, r->dirfd, to, 0) :
		    renameat2(r->dirfd, path, r->dirfd, to, RENAME_NOREPLACE);
		if (got == 0)
			return fs_sync_dir(r->dirfd, "quarantine", e) != 0 ?
			    -1 : fs_sync_parent(r->dirfd, path, e);
		if (errno != EEXIST)
			break;
	}
	return err_sys(e, "%s: cannot be moved to quarantine", path);
}

int
settle_quarantine(struct repo *r, const char *path, struct err *e)
{
	char to[FS_NAME_MAX];

	return settle_quarantine_as(to, r, path, false, e);
}
