#include "store/lookup.h"

#include <stdio.h>

static void
copy(char *to, size_t size, struct span from)
{
	size_t n = from.n < size ? from.n : size - 1;

	if (n > 0)
		memcpy(to, from.p, n);
	to[n] = '\0';
}

/* A statement for one text or hash parameter; NULLs for none. */
static int
start(sqlite3_stmt **s, struct db *db, const char *sql,
    const struct span *text, const struct hash *h, struct err *e)
{
	if (db_stmt(s, db, sql, e) != 0)
		return -1;
	if (text != NULL)
		db_bind_span(*s, 1, *text);
	if (h != NULL)
		db_bind_hash(*s, 1, h);
	return 0;
}

/* A callback ended the walk. */
static int
stop(sqlite3_stmt *s, int ret)
{
	sqlite3_reset(s);
	return ret < 0 ? -1 : 0;
}

/* --- users ---------------------------------------------------------------- */

#define USER_COLUMNS "SELECT handle, seal, profile, " \
    "(SELECT group_concat(role) FROM (SELECT role FROM member" \
    " WHERE member.handle=user.handle ORDER BY role))," \
    " (SELECT group_concat(perms) FROM member JOIN role ON" \
    " role.name=member.role WHERE member.handle=user.handle) FROM user "

/* The union of the numbers in "1,2,4". */
static unsigned
union_of(struct span list)
{
	unsigned set = 0, v = 0;

	for (size_t i = 0; i < list.n; i++) {
		if (list.p[i] == ',') {
			set |= v;
			v = 0;
		} else
			v = v * 10 + (list.p[i] - '0');
	}
	return set | v;
}

static int
read_user(struct lookup_user *u, sqlite3_stmt *s, struct err *e)
{
	copy(u->handle, sizeof(u->handle), db_column_span(s, 0));
	if (seal_pub_parse(&u->seal, db_column_span(s, 1), e) != 0)
		return -1;
	u->has_profile = db_column_hash(s, 2, &u->profile) == 0;
	copy(u->roles, sizeof(u->roles), db_column_span(s, 3));
	u->perms = union_of(db_column_span(s, 4));
	return 0;
}

/* Give each row to fn. */
static int
each_user(struct db *db, sqlite3_stmt *s, int (*fn)(void *arg,
    const struct lookup_user *u, struct err *e), void *arg, struct err *e)
{
	struct lookup_user u;
	int ret;

	while ((ret = db_step(db, s, e)) == 1) {
		ret = read_user(&u, s, e);
		if (ret == 0)
			ret = fn(arg, &u, e);
		if (ret != 0)
			return stop(s, ret);
	}
	return ret;
}

int
lookup_user(struct lookup_user *u, struct db *db, struct span handle,
    struct err *e)
{
	sqlite3_stmt *s;
	int ret;

	if (start(&s, db, USER_COLUMNS "WHERE handle=?", &handle, NULL,
	    e) != 0 || (ret = db_step(db, s, e)) < 0)
		return -1;
	if (ret == 0)
		return 0;
	ret = read_user(u, s, e) == 0 ? 1 : -1;
	sqlite3_reset(s);
	return ret;
}

int
lookup_users(struct db *db, int (*fn)(void *arg, const struct lookup_user *u,
    struct err *e), void *arg, struct err *e)
{
	sqlite3_stmt *s;

	if (start(&s, db, USER_COLUMNS "ORDER BY handle", NULL, NULL, e) != 0)
		return -1;
	return each_user(db, s, fn, arg, e);
}

int
lookup_members(struct db *db, struct span role, int (*fn)(void *arg,
    const struct lookup_user *u, struct err *e), void *arg, struct err *e)
{
	sqlite3_stmt *s;

	if (start(&s, db, USER_COLUMNS "WHERE handle IN (SELECT handle FROM "
	    "member WHERE role=?) ORDER BY handle", &role, NULL, e) != 0)
		return -1;
	return each_user(db, s, fn, arg, e);
}

static int
by_email(char handle[HANDLE_LEN + 1], struct repo *r, struct db *db,
    struct span email, struct err *e)
{
	struct hash secret, digest;
	sqlite3_stmt *s;
	int ret;

	if (repo_secret(r, &secret, e) != 0)
		return -1;
	name_email_digest(&digest, &secret, email);
	hash_wipe(&secret, sizeof(secret));
	if (start(&s, db, "SELECT handle FROM user WHERE email=?", NULL,
	    &digest, e) != 0 || (ret = db_step(db, s, e)) < 0)
		return -1;
	if (ret == 0)
		return 0;
	copy(handle, HANDLE_LEN + 1, db_column_span(s, 0));
	sqlite3_reset(s);
	return 1;
}

int
lookup_person(char handle[HANDLE_LEN + 1], struct repo *r, struct db *db,
    const char *who, struct err *e)
{
	struct span s = span_str(who);
	struct lookup_user u;
	int ret;

	if (name_is_handle(s)) {
		ret = lookup_user(&u, db, s, e);
		if (ret == 1)
			copy(handle, HANDLE_LEN + 1, s);
	} else if (name_is_email(s))
		ret = by_email(handle, r, db, s, e);
	else
		return err_set(e, ERR_NO,
		    "%s: neither a handle nor an e-mail address", who);
	if (ret < 0)
		return -1;
	return ret == 1 ? 0 : err_set(e, ERR_NO, "%s: no such user on the "
	    "ledger (a new one waits for a block)", who);
}

/* --- roles and nodes ------------------------------------------------------ */

#define ROLE_COLUMNS "SELECT name, perms, generation, seal, object, changes," \
    " sealed, left FROM role "

static int
read_role(struct lookup_role *r, sqlite3_stmt *s, struct err *e)
{
	memset(r, 0, sizeof(*r));
	copy(r->name, sizeof(r->name), db_column_span(s, 0));
	r->perms = (unsigned)sqlite3_column_int(s, 1);
	r->generation = (uint64_t)sqlite3_column_int64(s, 2);
	r->changes = (uint64_t)sqlite3_column_int64(s, 5);
	if (r->generation == 0)
		return 0;
	r->unsealed = sqlite3_column_int64(s, 6) < sqlite3_column_int64(s, 5);
	r->left = sqlite3_column_int64(s, 6) < sqlite3_column_int64(s, 7);
	if (db_column_hash(s, 4, &r->object) != 0)
		return err_set(e, ERR_BAD, "state.db: damaged; remove it");
	return seal_pub_parse(&r->seal, db_column_span(s, 3), e);
}

int
lookup_role(struct lookup_role *r, struct db *db, struct span name,
    struct err *e)
{
	sqlite3_stmt *s;
	int ret;

	if (start(&s, db, ROLE_COLUMNS "WHERE name=?", &name, NULL, e) != 0 ||
	    (ret = db_step(db, s, e)) < 0)
		return -1;
	if (ret == 0)
		return 0;
	ret = read_role(r, s, e) == 0 ? 1 : -1;
	sqlite3_reset(s);
	return ret;
}

int
lookup_roles(struct db *db, int (*fn)(void *arg, const struct lookup_role *r,
    struct err *e), void *arg, struct err *e)
{
	struct lookup_role r;
	sqlite3_stmt *s;
	int ret;

	if (start(&s, db, ROLE_COLUMNS "ORDER BY name", NULL, NULL, e) != 0)
		return -1;
	while ((ret = db_step(db, s, e)) == 1) {
		ret = read_role(&r, s, e) != 0 ? -1 : fn(arg, &r, e);
		if (ret != 0)
			return stop(s, ret);
	}
	return ret;
}

static int
read_node(struct lookup_node *n, sqlite3_stmt *s, struct err *e)
{
	copy(n->name, sizeof(n->name), db_column_span(s, 0));
	n->active = sqlite3_column_int(s, 3) != 0;
	if (sign_pub_parse(&n->sign, db_column_span(s, 1), e) != 0)
		return -1;
	return seal_pub_parse(&n->seal, db_column_span(s, 2), e);
}

int
lookup_node(struct lookup_node *n, struct db *db, struct span name,
    struct err *e)
{
	sqlite3_stmt *s;
	int ret;

	if (start(&s, db, "SELECT name, sign, seal, active FROM node "
	    "WHERE name=?", &name, NULL, e) != 0 ||
	    (ret = db_step(db, s, e)) < 0)
		return -1;
	if (ret == 0)
		return 0;
	ret = read_node(n, s, e) == 0 ? 1 : -1;
	sqlite3_reset(s);
	return ret;
}

int
lookup_nodes(struct db *db, int (*fn)(void *arg, const struct lookup_node *n,
    struct err *e), void *arg, struct err *e)
{
	struct lookup_node n;
	sqlite3_stmt *s;
	int ret;

	if (start(&s, db, "SELECT name, sign, seal, active FROM node "
	    "ORDER BY name", NULL, NULL, e) != 0)
		return -1;
	while ((ret = db_step(db, s, e)) == 1) {
		ret = read_node(&n, s, e) != 0 ? -1 : fn(arg, &n, e);
		if (ret != 0)
			return stop(s, ret);
	}
	return ret;
}

/* --- transactions --------------------------------------------------------- */

#define TX_COLUMNS "SELECT id, height, seq, time, kind, author, user FROM tx "

static int
read_tx(struct lookup_tx *t, sqlite3_stmt *s, struct err *e)
{
	if (db_column_hash(s, 0, &t->id) != 0)
		return err_set(e, ERR_BAD, "state.db: damaged; remove it");
	t->height = (uint64_t)sqlite3_column_int64(s, 1);
	t->seq = (uint64_t)sqlite3_column_int64(s, 2);
	t->time_ms = sqlite3_column_int64(s, 3);
	copy(t->kind, sizeof(t->kind), db_column_span(s, 4));
	copy(t->author, sizeof(t->author), db_column_span(s, 5));
	copy(t->user, sizeof(t->user), db_column_span(s, 6));
	return 0;
}

int
lookup_tx(struct lookup_tx *t, struct db *db, const struct hash *id,
    struct err *e)
{
	sqlite3_stmt *s;
	int ret;

	if (start(&s, db, TX_COLUMNS "WHERE id=?", NULL, id, e) != 0 ||
	    (ret = db_step(db, s, e)) < 0)
		return -1;
	if (ret == 0)
		return 0;
	ret = read_tx(t, s, e) == 0 ? 1 : -1;
	sqlite3_reset(s);
	return ret;
}

int
lookup_accesses(struct db *db, const struct hash *record,
    int (*fn)(void *arg, const struct lookup_tx *t, struct err *e), void *arg,
    struct err *e)
{
	struct lookup_tx t;
	sqlite3_stmt *s;
	int ret;

	if (start(&s, db, TX_COLUMNS "WHERE record=? ORDER BY seq", NULL,
	    record, e) != 0)
		return -1;
	while ((ret = db_step(db, s, e)) == 1) {
		ret = read_tx(&t, s, e) != 0 ? -1 : fn(arg, &t, e);
		if (ret != 0)
			return stop(s, ret);
	}
	return ret;
}

/* --- signatures ----------------------------------------------------------- */

int
lookup_verify(struct db *db, const struct note *n, size_t i, struct err *e)
{
	struct sign_pub pub;
	sqlite3_stmt *s;
	bool known = false;
	int ret;

	if (start(&s, db, "SELECT sign FROM key WHERE name=?", &n->sig[i].name,
	    NULL, e) != 0)
		return -1;
	while ((ret = db_step(db, s, e)) == 1) {
		known = true;
		ret = sign_pub_parse(&pub, db_column_span(s, 0), e) != 0 ? -1 :
		    note_verify(n, i, n->sig[i].name, &pub, e) == 0;
		if (ret != 0) {
			sqlite3_reset(s);
			return ret;
		}
	}
	if (ret < 0 || !known)
		return ret;
	return err_set(e, ERR_NO, "the signature of %.*s does not verify with "
	    "any key it has on the ledger", SPAN_FMT(n->sig[i].name));
}

/* --- records -------------------------------------------------------------- */

#define RECORD_COLUMNS "SELECT record.id, status, patient, record.author, " \
    "label, record.time, body, header, body_size, record.height, record.seq "

static int
read_record(struct lookup_record *r, sqlite3_stmt *s, struct err *e)
{
	memset(r, 0, sizeof(*r));
	if (db_column_hash(s, 0, &r->id) != 0)
		return err_set(e, ERR_BAD, "state.db: damaged; remove it");
	r->status = (enum record_status)sqlite3_column_int(s, 1);
	if (r->status < RECORD_AUTHORIZED || r->status > RECORD_ERASED)
		return err_set(e, ERR_BAD, "state.db: damaged; remove it");
	copy(r->patient, sizeof(r->patient), db_column_span(s, 2));
	copy(r->author, sizeof(r->author), db_column_span(s, 3));
	copy(r->label, sizeof(r->label), db_column_span(s, 4));
	r->time_ms = sqlite3_column_int64(s, 5);
	r->body_size = (uint64_t)sqlite3_column_int64(s, 8);
	r->height = (uint64_t)sqlite3_column_int64(s, 9);
	r->seq = (uint64_t)sqlite3_column_int64(s, 10);
	if (r->status == RECORD_REJECTED)
		return 0;
	if (db_column_hash(s, 6, &r->body) != 0 ||
	    db_column_hash(s, 7, &r->header) != 0)
		return err_set(e, ERR_BAD, "state.db: damaged; remove it");
	return 0;
}

int
lookup_record(struct lookup_record *r, struct db *db, const struct hash *id,
    struct err *e)
{
	sqlite3_stmt *s;
	int ret;

	if (start(&s, db, RECORD_COLUMNS "FROM record WHERE id=?", NULL,
	    id, e) != 0 ||
	    (ret = db_step(db, s, e)) < 0)
		return -1;
	if (ret == 0)
		return 0;
	ret = read_record(r, s, e) == 0 ? 1 : -1;
	sqlite3_reset(s);
	return ret;
}

int
lookup_readers(struct db *db, const struct hash *record,
    int (*fn)(void *arg, struct span reader, struct err *e), void *arg,
    struct err *e)
{
	sqlite3_stmt *s;
	int ret;

	if (start(&s, db, "SELECT reader FROM reader WHERE record=? ORDER BY "
	    "reader", NULL, record, e) != 0)
		return -1;
	while ((ret = db_step(db, s, e)) == 1) {
		ret = fn(arg, db_column_span(s, 0), e);
		if (ret != 0)
			return stop(s, ret);
	}
	return ret;
}

/* Bind a text or leave the parameter NULL, which does not restrict. */
static void
bind_or_null(sqlite3_stmt *s, int at, const char *text)
{
	if (text != NULL)
		db_bind_span(s, at, span_str(text));
}

/*
 * The columns that restrict most come with an index each; SQLite cannot
 * choose one behind "?1 IS NULL OR", so that there is a query for each.
 */
static const char *
query_for(const struct lookup_filter *f)
{
#define MATCH "record.time>=?4 AND record.time<?5 AND " \
    "(?1 IS NULL OR patient=?1) AND " \
    "(?2 IS NULL OR record.author=?2) AND (?3 IS NULL OR label=?3) AND " \
    "status=1 AND " \
    "(?6 IS NULL OR patient=?6 OR EXISTS (SELECT 1 FROM reader WHERE " \
    "record=record.id AND (reader=?6 OR reader IN (SELECT 'role:' || role " \
    "FROM member JOIN role ON role.name=member.role WHERE handle=?6 AND " \
    "perms & 4)))) ORDER BY "
	/* In the order of the indexes, whose last column is the id. */
#define REST "time<=?8 AND (time<?8 OR id<?9) AND " MATCH \
    "time DESC, id DESC LIMIT ?7"
	if (f->by_seq)
		return RECORD_COLUMNS "FROM tx CROSS JOIN record ON "
		    "record.id=tx.record AND record.seq=tx.seq WHERE "
		    "tx.seq>=?10 AND tx.seq<?11 AND " MATCH
		    "tx.seq DESC LIMIT ?7";
	if (f->patient != NULL)
		return RECORD_COLUMNS "FROM record INDEXED BY record_patient "
		    "WHERE patient=?1 AND " REST;
	if (f->author != NULL)
		return RECORD_COLUMNS "FROM record INDEXED BY record_author "
		    "WHERE author=?2 AND " REST;
	return RECORD_COLUMNS "FROM record INDEXED BY record_time WHERE " REST;
#undef REST
#undef MATCH
}

/* Where to begin and to end. */
static void
bind_range(sqlite3_stmt *s, const struct lookup_filter *f)
{
	const struct lookup_record *after = f->after;

	db_bind_int(s, 4, f->since_ms);
	db_bind_int(s, 5, f->until_ms);
	if (f->by_seq) {
		db_bind_int(s, 10, (int64_t)f->from_seq);
		db_bind_int(s, 11, (int64_t)(after == NULL ? f->until_seq :
		    after->seq));
		return;
	}
	db_bind_int(s, 8, after == NULL ? INT64_MAX : after->time_ms);
	if (after != NULL)
		db_bind_hash(s, 9, &after->id);
}

int
lookup_records(struct db *db, const struct lookup_filter *f,
    int (*fn)(void *arg, const struct lookup_record *r, struct err *e),
    void *arg, struct err *e)
{
	struct lookup_record r;
	sqlite3_stmt *s;
	int ret;

	_Static_assert(PERM_LIBRARY == 4 && RECORD_AUTHORIZED == 1,
	    "the query above names them");
	if (db_stmt(&s, db, query_for(f), e) != 0)
		return -1;
	bind_or_null(s, 1, f->patient);
	bind_or_null(s, 2, f->author);
	bind_or_null(s, 3, f->label);
	bind_or_null(s, 6, f->visible_to);
	db_bind_int(s, 7, f->limit == 0 ? -1 : (int64_t)f->limit);
	bind_range(s, f);
	while ((ret = db_step(db, s, e)) == 1) {
		ret = read_record(&r, s, e) != 0 ? -1 : fn(arg, &r, e);
		if (ret != 0)
			return stop(s, ret);
	}
	return ret;
}
