#include "log/audit_store.h"

#include <stdio.h>

#include "store/object.h"
#include "store/pool.h"
#include "store/staging.h"

static int
check_object(void *arg, const struct hash *id, uint64_t size, struct err *e)
{
	struct audit *a = arg;
	char hex[HASH_HEX];

	(void)size;
	a->count[AUDIT_OBJECTS].checked++;
	if (object_check(a->repo, id, e) == 0)
		return 0;
	hash_format(hex, id);
	if (e->kind == ERR_NO)
		return 0;	/* zeroed in its segment: see below */
	return audit_failed(a, AUDIT_OBJECTS, hex, e, e);
}

/* Is the object here, as wanted or not? */
static int
check_place(struct audit *a, const struct hash *id, bool wanted,
    struct err *e)
{
	char hex[HASH_HEX];
	int ret = object_check(a->repo, id, e);

	hash_format(hex, id);
	if (!wanted)
		a->count[AUDIT_OBJECTS].erased++;
	if (ret != 0 && e->kind == ERR_SYS)
		return -1;
	if (wanted && ret != 0 && e->kind == ERR_NO)
		return audit_report(a, AUDIT_OBJECTS, true, hex,
		    "the ledger names this object; it is not here", e);
	if (!wanted && ret == 0)
		return audit_report(a, AUDIT_OBJECTS, false, hex,
		    "was dismissed by its patient or by authority, and is "
		    "still here", e);
	return 0;
}

static int
check_places(struct audit *a, struct db *db, const char *sql, bool wanted,
    struct err *e)
{
	sqlite3_stmt *s;
	struct hash id;
	int ret;

	if (db_stmt(&s, db, sql, e) != 0)
		return -1;
	while ((ret = db_step(db, s, e)) == 1) {
		ret = db_column_hash(s, 0, &id) != 0 ? 0 :
		    check_place(a, &id, wanted, e);
		if (ret != 0) {
			sqlite3_reset(s);
			return -1;
		}
	}
	return ret;
}

int
audit_objects(struct audit *a, struct db *db, struct err *e)
{
	if (object_each(a->repo, check_object, a, e) != 0 && e->kind == ERR_SYS)
		return -1;
	if (check_places(a, db, "SELECT object FROM want", true, e) != 0)
		return -1;
	return check_places(a, db, "SELECT object FROM dismissed WHERE object "
	    "NOT IN (SELECT object FROM want)", false, e);
}

struct waiting {
	struct audit *a;
	enum audit_class class;
	const char *path;
	bool header;		/* the next item is a staged record's header */
	struct hash expect;
};

static int
check_pending(struct waiting *w, struct span data, struct err *e)
{
	struct tx tx;

	if (tx_parse(&tx, data, repo_ledger(w->a->repo), e) != 0)
		return audit_failed(w->a, w->class, w->path, e, e);
	tx_free(&tx);
	return 0;
}

/* Manifests and headers take turns, and belong together. */
static int
check_staged(struct waiting *w, const struct hash *id, struct span data,
    struct err *e)
{
	struct staged s;

	w->header = !w->header;
	if (!w->header)
		return hash_eq(id, &w->expect) ? 0 : audit_report(w->a,
		    w->class, false, w->path, "a manifest without its header",
		    e);
	if (staged_parse(&s, data, repo_ledger(w->a->repo), e) != 0)
		return audit_failed(w->a, w->class, w->path, e, e);
	w->expect = s.header;
	return 0;
}

static int
check_item(void *arg, const struct hash *id, uint64_t at, struct span data,
    struct err *e)
{
	struct waiting *w = arg;

	(void)at;
	w->a->count[w->class].checked++;
	if (data.p == NULL)
		return audit_report(w->a, w->class, false, w->path,
		    "an item was overwritten with zeros", e);
	return w->class == AUDIT_PENDING ? check_pending(w, data, e) :
	    check_staged(w, id, data, e);
}

static int
check_dir(struct audit *a, enum audit_class class, const char *dir,
    struct err *e)
{
	struct fs_names list;
	char path[FS_NAME_MAX];
	int ret = 0;

	if (fs_list(&list, a->repo->dirfd, dir, e) != 0)
		return -1;
	for (size_t i = 0; i < list.n && ret == 0; i++) {
		struct waiting w = { .a = a, .class = class, .path = path };

		snprintf(path, sizeof(path), "%s/%s", dir, list.name[i]);
		if (segment_scan(a->repo->dirfd, path, dir, true, check_item,
		    &w, e) < 0 && e->kind != ERR_NO)
			ret = audit_failed(a, class, path, e, e);
	}
	fs_names_free(&list);
	return ret;
}

int
audit_waiting(struct audit *a, struct err *e)
{
	if (check_dir(a, AUDIT_STAGED, STAGING_DIR, e) != 0)
		return -1;
	return check_dir(a, AUDIT_PENDING, POOL_DIR, e);
}

static int
bad_log(void *arg, const char *path, const char *why, struct err *e)
{
	return audit_report(arg, AUDIT_LOGS, false, path, why, e);
}

int
audit_logs(struct audit *a, struct err *e)
{
	if (a->count[AUDIT_BLOCKS].failed > 0 ||
	    a->count[AUDIT_BLOCKS].absent > 0 ||
	    a->count[AUDIT_STATE].failed > 0)
		return 0;	/* there is nothing to hold them against */
	if (hourly_check(a->repo, &a->count[AUDIT_LOGS].checked, bad_log, a,
	    e) != 0)
		return audit_failed(a, AUDIT_LOGS, "logs", e, e);
	return 0;
}
