#define _GNU_SOURCE	/* openat */
#include "log/audit_objects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/segment.h"

/* One audit: db is the state that the blocks gave. */
struct objects {
	struct audit *a;
	struct db *db;
	const char *path;	/* of the file that is read */
	int fd;			/* of a segment; and room for an item */
	unsigned char *item;
};

/* --- what the ledger knows of an object ----------------------------------- */

/* Run a query on one object: 1 a row (left for the caller), 0, -1. */
static int
ask(sqlite3_stmt **s, struct objects *o, const char *sql,
    const struct hash *id, struct err *e)
{
	if (db_stmt(s, o->db, sql, e) != 0)
		return -1;
	db_bind_hash(*s, 1, id);
	return db_step(o->db, *s, e);
}

/* Put before what is wrong which record the object is a part of. */
static int
name_record(struct objects *o, const struct hash *id, struct err *what,
    struct err *e)
{
	sqlite3_stmt *s;
	struct hash record;
	char hex[HASH_HEX];
	bool body;
	int ret;

	ret = ask(&s, o, "SELECT id, body=?1 FROM record WHERE body=?1 OR "
	    "header=?1", id, e);
	if (ret != 1)
		return ret;
	body = sqlite3_column_int(s, 1) != 0;
	ret = db_column_hash(s, 0, &record);
	sqlite3_reset(s);
	if (ret == 0) {
		hash_format(hex, &record);
		err_wrap(what, "%s of record %s", body ? "body" : "header",
		    hex);
	}
	return 0;
}

static int
wrong(struct objects *o, const struct hash *id, bool absent, const char *msg,
    struct err *e)
{
	char hex[HASH_HEX];
	struct err what;

	err_set(&what, ERR_BAD, "%s", msg);
	if (name_record(o, id, &what, e) != 0)
		return -1;
	hash_format(hex, id);
	return audit_report(o->a, AUDIT_OBJECTS, absent,
	    o->path == NULL ? hex : o->path, what.msg, e);
}

/* It is here, whole or not: it was judged. */
static int
found(struct objects *o, const struct hash *id, struct err *e)
{
	sqlite3_stmt *s;

	return ask(&s, o, "INSERT OR IGNORE INTO have(object) VALUES(?)", id,
	    e);
}

/* --- reading them --------------------------------------------------------- */

static int
hash_file(struct hash *out, int dirfd, const char *path, struct err *e)
{
	struct hash_stream *h;
	char part[65536];
	ssize_t n;
	/* Of a FIFO, nothing is read: that is not what its name says. */
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);

	if (fd < 0)
		return err_sys(e, "%s", path);
	h = hash_open();
	while ((n = read(fd, part, sizeof(part))) > 0 ||
	    (n < 0 && errno == EINTR))
		if (n > 0)
			hash_add(h, part, (size_t)n);
	hash_finish(h, out);
	if (n < 0)
		err_sys(e, "%s", path);
	close(fd);
	return n < 0 ? -1 : 0;
}

/* A file objects/xx/HEX. */
static int
check_file(struct objects *o, const char *dir, const char *name,
    struct err *e)
{
	struct hash id, is;

	o->a->count[AUDIT_OBJECTS].checked++;
	if (hash_parse(&id, span_str(name)) != 0 || strlen(dir) != 2 ||
	    strncmp(name, dir, 2) != 0)
		return audit_report(o->a, AUDIT_OBJECTS, false, o->path,
		    "is not named as an object is", e);
	if (hash_file(&is, o->a->repo->dirfd, o->path, e) != 0)
		return audit_report(o->a, AUDIT_OBJECTS, false, o->path,
		    e->msg, e);
	if (!hash_eq(&is, &id) && wrong(o, &id, false, "does not hold what "
	    "its name says", e) != 0)
		return -1;
	return found(o, &id, e);
}

/* Are these bytes of a segment all zero? */
static bool
erased(struct span data)
{
	for (size_t i = 0; i < data.n; i++)
		if (data.p[i] != 0)
			return false;
	return data.n > 0;
}

/*
 * An item of a segment, of which only the size was read yet: so that one that
 * is damaged does not hide those after it.
 */
static int
check_item(void *arg, const struct hash *id, uint64_t at, struct span size,
    struct err *e)
{
	struct objects *o = arg;
	struct span data;
	sqlite3_stmt *s;
	struct hash is;
	int ret;

	o->a->count[AUDIT_OBJECTS].checked++;
	if (pread(o->fd, o->item, size.n, (off_t)at) != (ssize_t)size.n)
		return wrong(o, id, false, "cannot be read", e);
	data = span_of(o->item, size.n);
	hash_bytes(&is, data.p, data.n);
	if (hash_eq(&is, id))
		return found(o, id, e);
	if (!erased(data)) {
		if (wrong(o, id, false, "its bytes are not those that its "
		    "name says", e) != 0)
			return -1;
		return found(o, id, e);
	}
	ret = ask(&s, o, "SELECT 1 FROM dismissed WHERE object=?", id, e);
	if (ret > 0)
		sqlite3_reset(s);
	return ret < 0 ? -1 : ret == 1 ? 0 : wrong(o, id, false,
	    "was overwritten with zeros, and the ledger did not dismiss it",
	    e);
}

static int
check_segment(struct objects *o, struct err *e)
{
	int ret;

	o->fd = openat(o->a->repo->dirfd, o->path, O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK);
	if (o->fd < 0)
		return audit_report(o->a, AUDIT_OBJECTS, false, o->path,
		    "cannot be opened", e);
	o->item = malloc(SEGMENT_ITEM_MAX);
	ret = o->item == NULL ? err_set(e, ERR_SYS, "out of memory") :
	    segment_scan(o->a->repo->dirfd, o->path, "objects", false,
	    check_item, o, e);
	if (ret < 0)
		ret = audit_failed(o->a, AUDIT_OBJECTS, o->path, e, e);
	free(o->item);
	close(o->fd);
	return ret;
}

static int
check_dir(struct objects *o, const char *dir, struct err *e)
{
	bool segments = strcmp(dir, "seg") == 0;
	char path[FS_NAME_MAX];
	struct fs_names list;
	int ret = 0;

	snprintf(path, sizeof(path), "objects/%s", dir);
	if (fs_list(&list, o->a->repo->dirfd, path, e) != 0)
		return audit_report(o->a, AUDIT_OBJECTS, false, path,
		    "is not a folder that can be read", e);
	for (size_t i = 0; i < list.n && ret == 0; i++) {
		snprintf(path, sizeof(path), "objects/%s/%s", dir,
		    list.name[i]);
		o->path = path;
		ret = segments ? check_segment(o, e) :
		    check_file(o, dir, list.name[i], e);
	}
	o->path = NULL;
	fs_names_free(&list);
	return ret;
}

/* --- what should be here, and what should not ----------------------------- */

static int
each_id(struct objects *o, const char *sql, bool absent, const char *what,
    struct err *e)
{
	sqlite3_stmt *s;
	struct hash id;
	int ret;

	if (db_stmt(&s, o->db, sql, e) != 0)
		return -1;
	while ((ret = db_step(o->db, s, e)) == 1)
		if (db_column_hash(s, 0, &id) == 0 &&
		    wrong(o, &id, absent, what, e) != 0) {
			sqlite3_reset(s);
			return -1;
		}
	return ret;
}

static int
count_erased(struct objects *o, struct err *e)
{
	sqlite3_stmt *s;

	if (db_stmt(&s, o->db, "SELECT count(*) FROM dismissed", e) != 0 ||
	    db_step(o->db, s, e) != 1)
		return -1;
	o->a->count[AUDIT_OBJECTS].erased =
	    (uint64_t)sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return 0;
}

int
audit_objects(struct audit *a, struct db *db, struct err *e)
{
	struct objects o = { .a = a, .db = db };
	struct fs_names dirs;
	int ret;

	if (db_exec(db, "CREATE TABLE have(object BLOB PRIMARY KEY) "
	    "WITHOUT ROWID", e) != 0 ||
	    fs_list(&dirs, a->repo->dirfd, "objects", e) != 0)
		return -1;
	ret = db_exec(db, "BEGIN", e);
	for (size_t i = 0; i < dirs.n && ret == 0; i++)
		ret = check_dir(&o, dirs.name[i], e);
	fs_names_free(&dirs);
	if (ret == 0)
		ret = db_exec(db, "COMMIT", e);
	if (ret != 0 || count_erased(&o, e) != 0 ||
	    each_id(&o, "SELECT object FROM want WHERE object NOT IN "
	    "(SELECT object FROM have)", true,
	    "the ledger names this object; it is not here", e) != 0)
		return -1;
	return each_id(&o, "SELECT object FROM dismissed WHERE object NOT IN "
	    "(SELECT object FROM want) AND object IN (SELECT object FROM have)",
	    false, "was dismissed by its patient or by authority, and is "
	    "still here", e);
}
