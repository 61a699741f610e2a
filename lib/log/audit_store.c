#include "log/audit_store.h"

#include <stdio.h>

#include "log/checkpoints.h"
#include "log/tiles.h"
#include "net/waiting.h"
#include "store/pool.h"
#include "store/staging.h"

struct waiting {
	struct audit *a;
	struct db *db;
	enum audit_class class;
	const char *path;
	bool header;		/* the next item is a staged record's header */
	struct hash expect;
};

/* Who is not on the ledger yet may be enrolled by what waits. */
static int
check_signature(struct waiting *w, const struct note *n, struct err *e)
{
	int ret = lookup_verify(w->db, n, 0, e);

	if (ret == 0)
		return 0;
	w->a->count[AUDIT_SIGNATURES].checked++;
	return ret == 1 ? 0 : audit_failed(w->a, w->class, w->path, e, e);
}

/* What waits must not be without the objects that it names. */
static int
check_objects(struct waiting *w, const struct ids *names, struct err *e)
{
	char hex[HASH_HEX], what[FS_NAME_MAX + 40];
	sqlite3_stmt *s;
	int got;

	for (size_t i = 0; i < names->n; i++) {
		if (db_stmt(&s, w->db, "SELECT 1 FROM have WHERE object=?1 "
		    "UNION SELECT 1 FROM dismissed WHERE object=?1", e) != 0)
			return -1;
		db_bind_hash(s, 1, &names->id[i]);
		if ((got = db_step(w->db, s, e)) == 1)
			sqlite3_reset(s);
		hash_format(hex, &names->id[i]);
		snprintf(what, sizeof(what), "what waits in %s names it; it "
		    "is not here", w->path);
		if (got < 0 || (got == 0 && audit_report(w->a, AUDIT_OBJECTS,
		    true, hex, what, e) != 0))
			return -1;
	}
	return 0;
}

static int
check_pending(struct waiting *w, struct span data, struct err *e)
{
	struct ids names = IDS_INIT;
	struct tx tx;
	int ret;

	if (tx_parse(&tx, data, repo_ledger(w->a->repo), e) != 0)
		return audit_failed(w->a, w->class, w->path, e, e);
	ret = check_signature(w, &tx.note, e);
	if (ret == 0 && tx.kind == TX_AUTHORIZE)
		ret = check_signature(w, &tx.staged.note, e);
	if (ret == 0)
		ret = waiting_names(&names, &tx, e);
	if (ret == 0)
		ret = check_objects(w, &names, e);
	ids_free(&names);
	tx_free(&tx);
	return ret;
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
	if (check_signature(w, &s.note, e) != 0)
		return -1;
	return check_objects(w, &(struct ids){ &s.body, 1, 0 }, e);
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
check_dir(struct audit *a, struct db *db, enum audit_class class,
    const char *dir, struct err *e)
{
	struct fs_names list;
	char path[FS_NAME_MAX];
	int ret = 0;

	if (fs_list(&list, a->repo->dirfd, dir, e) != 0)
		return -1;
	for (size_t i = 0; i < list.n && ret == 0; i++) {
		struct waiting w = { .a = a, .db = db, .class = class,
		    .path = path };

		snprintf(path, sizeof(path), "%s/%s", dir, list.name[i]);
		if (segment_scan(a->repo->dirfd, path, dir, true, check_item,
		    &w, e) < 0 && e->kind != ERR_NO)
			ret = audit_failed(a, class, path, e, e);
		else if (w.header)
			ret = audit_report(a, class, false, path,
			    "a manifest without its header", e);
	}
	fs_names_free(&list);
	return ret;
}

int
audit_waiting(struct audit *a, struct db *db, struct err *e)
{
	if (check_dir(a, db, AUDIT_STAGED, STAGING_DIR, e) != 0 ||
	    check_dir(a, db, AUDIT_PENDING, POOL_DIR, e) != 0)
		return -1;
	if (a->count[AUDIT_STAGED].checked > 0 ||
	    a->count[AUDIT_PENDING].checked > 0)
		a->gaps |= 1u << AUDIT_GAP_WAITING;
	return 0;
}

struct derived {
	struct audit *a;
	enum audit_class class;
};

static int
bad_file(void *arg, const char *path, const char *why, struct err *e)
{
	struct derived *d = arg;

	return audit_report(d->a, d->class, false, path, why, e);
}

int
audit_logs(struct audit *a, struct db *db, struct err *e)
{
	static const struct {
		enum audit_class class;
		const char *where;
		int (*check)(struct repo *r, struct db *db,
		    const struct head *head, uint64_t *checked,
		    hourly_bad *bad, void *arg, struct err *e);
	} part[] = {
		{ AUDIT_LOGS, "logs", hourly_check },
		{ AUDIT_TILES, "tiles", tiles_check },
		{ AUDIT_CHECKPOINTS, "checkpoints", checkpoints_check }
	};

	if (a->count[AUDIT_BLOCKS].failed > 0 ||
	    a->count[AUDIT_BLOCKS].absent > 0) {
		/* There is nothing to hold them against. */
		a->gaps |= 1u << AUDIT_GAP_LOGS;
		return 0;
	}
	for (size_t i = 0; i < sizeof(part) / sizeof(*part); i++) {
		struct derived d = { a, part[i].class };

		if (part[i].check(a->repo, db, &a->head,
		    &a->count[d.class].checked, bad_file, &d, e) != 0 &&
		    audit_failed(a, d.class, part[i].where, e, e) != 0)
			return -1;
	}
	return 0;
}
