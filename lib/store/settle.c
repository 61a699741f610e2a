#define _GNU_SOURCE	/* renameat2 */
#include "store/settle.h"

#include <fcntl.h>
#include <stdio.h>

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
settle_quarantine(struct repo *r, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char to[FS_NAME_MAX];

	for (int i = 0; i < 100; i++) {
		snprintf(to, sizeof(to), "quarantine/%s%.*d",
		    slash == NULL ? path : slash + 1, i == 0 ? 0 : 1, i);
		if (renameat2(r->dirfd, path, r->dirfd, to,
		    RENAME_NOREPLACE) == 0)
			return fs_sync_dir(r->dirfd, "quarantine", e);
	}
	return err_sys(e, "%s: cannot be moved to quarantine", path);
}
