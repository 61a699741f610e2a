/* The rules' view of state.db. */
#include "ledger/name.h"
#include "ledger/rules_base.h"
#include "store/state.h"

/*
 * A query of one row for up to two text parameters; leaves the statement on
 * its row.  1 a row, 0 none, -1 error.
 */
static int
query(sqlite3_stmt **s, void *arg, const char *sql, struct span a,
    struct span b, struct err *e)
{
	struct state_view *v = arg;

	if (db_stmt(s, v->db, sql, e) != 0)
		return -1;
	db_bind_span(*s, 1, a);
	if (b.p != NULL)
		db_bind_span(*s, 2, b);
	return db_step(v->db, *s, e);
}

/* The same, for whether there is a row. */
static int
exists(void *arg, const char *sql, struct span a, struct span b,
    struct err *e)
{
	sqlite3_stmt *s;
	int r = query(&s, arg, sql, a, b, e);

	if (r > 0)
		sqlite3_reset(s);
	return r;
}

static const struct span none = { NULL, 0 };

static int
find_key(void *arg, struct span name, struct sign_pub *out, struct err *e)
{
	sqlite3_stmt *s;
	int r;

	/* A removed node has no key any more, but keeps its name. */
	r = query(&s, arg, "SELECT sign, 1 FROM user WHERE handle=?1 UNION ALL "
	    "SELECT sign, active FROM node WHERE name=?1", name, none, e);
	if (r <= 0)
		return r;
	if (out != NULL)
		r = sqlite3_column_int(s, 1) == 0 ? 0 :
		    sign_pub_parse(out, db_column_span(s, 0), e) == 0 ? 1 : -1;
	sqlite3_reset(s);
	return r;
}

static int
view_key(void *arg, struct span name, struct sign_pub *out, struct err *e)
{
	struct state_view *v = arg;
	struct state_memo_name *m;

	if (out == NULL || (m = state_memo_of(v->memo, name)) == NULL)
		return find_key(arg, name, out, e);
	if (!m->has_key) {
		m->key_got = find_key(arg, name, &m->key, e);
		m->has_key = m->key_got >= 0;
	}
	if (m->key_got == 1)
		*out = m->key;
	return m->key_got;
}

static int
view_key_used(void *arg, const struct sign_pub *pub, struct err *e)
{
	struct buf text = BUF_INIT(2048);
	int r;

	sign_pub_add(&text, pub);
	r = exists(arg, "SELECT 1 FROM key WHERE sign=?", buf_span(&text),
	    none, e);
	buf_free(&text);
	return r;
}

static int
find_perms(void *arg, struct span handle, unsigned *perms, struct err *e)
{
	struct state_view *v = arg;
	bool known = false;
	sqlite3_stmt *s;
	int r;

	/* One row for each role; for a user without any, one of NULL. */
	r = query(&s, arg, "SELECT perms FROM user LEFT JOIN member ON "
	    "member.handle=user.handle LEFT JOIN role ON "
	    "role.name=member.role WHERE user.handle=?", handle, none, e);
	for (; r == 1; r = db_step(v->db, s, e)) {
		known = true;
		*perms |= (unsigned)sqlite3_column_int(s, 0);
	}
	return r < 0 ? -1 : known;
}

static int
view_perms(void *arg, struct span handle, unsigned *perms, struct err *e)
{
	struct state_view *v = arg;
	struct state_memo_name *m = state_memo_of(v->memo, handle);
	struct state_memo_name alone;

	if (m == NULL)
		(m = &alone)->has_perms = false;
	if (!m->has_perms) {
		m->perms = 0;
		m->perms_got = find_perms(arg, handle, &m->perms, e);
		m->has_perms = m->perms_got >= 0;
	}
	if (m->has_perms && perms != NULL)
		*perms = m->perms;
	return m->perms_got;
}

static int
view_node(void *arg, struct span name, struct err *e)
{
	return exists(arg, "SELECT 1 FROM node WHERE name=? AND active", name,
	    none, e);
}

static int
view_node_count(void *arg, size_t *n, struct err *e)
{
	struct state_view *v = arg;
	sqlite3_stmt *s;

	if (db_stmt(&s, v->db, "SELECT count(*) FROM node WHERE active",
	    e) != 0 || db_step(v->db, s, e) != 1)
		return -1;
	*n = (size_t)sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return 1;
}

static int
find_role(void *arg, struct span name, unsigned *perms, struct err *e)
{
	sqlite3_stmt *s;
	int r = query(&s, arg, "SELECT perms FROM role WHERE name=?", name,
	    none, e);

	if (r <= 0)
		return r;
	*perms = (unsigned)sqlite3_column_int(s, 0);
	sqlite3_reset(s);
	return 1;
}

static int
view_role(void *arg, struct span name, unsigned *perms, struct err *e)
{
	struct state_view *v = arg;
	struct state_memo_name *m = state_memo_of(v->memo, name);
	struct state_memo_name alone;

	if (m == NULL)
		(m = &alone)->has_role = false;
	if (!m->has_role) {
		m->role_got = find_role(arg, name, &m->role_perms, e);
		m->has_role = m->role_got >= 0;
	}
	if (m->role_got == 1 && perms != NULL)
		*perms = m->role_perms;
	return m->role_got;
}

static int
view_member(void *arg, struct span handle, struct span role, struct err *e)
{
	return exists(arg, "SELECT 1 FROM member WHERE handle=? AND role=?",
	    handle, role, e);
}

static int
view_holders(void *arg, enum perm perm, size_t *n, struct err *e)
{
	struct state_view *v = arg;
	sqlite3_stmt *s;

	/* (handle, role) pairs: losing one of several is no loss. */
	if (db_stmt(&s, v->db, "SELECT count(*) FROM role JOIN member ON "
	    "member.role=role.name WHERE perms & ?", e) != 0)
		return -1;
	db_bind_int(s, 1, (int64_t)perm);
	if (db_step(v->db, s, e) != 1)
		return -1;
	*n = (size_t)sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return 1;
}

static int
view_role_key(void *arg, struct span role, uint64_t *generation,
    struct seal_pub *pub, uint64_t *changes, struct err *e)
{
	sqlite3_stmt *s;
	int r = query(&s, arg, "SELECT generation, seal, changes FROM role "
	    "WHERE name=?", role, none, e);

	*generation = *changes = 0;
	if (r <= 0)
		return r;
	*generation = (uint64_t)sqlite3_column_int64(s, 0);
	*changes = (uint64_t)sqlite3_column_int64(s, 2);
	if (*generation > 0 && pub != NULL &&
	    seal_pub_parse(pub, db_column_span(s, 1), e) != 0)
		r = -1;
	sqlite3_reset(s);
	return r < 0 ? -1 : *generation > 0;
}

/* Whether a table has a hash. */
static int
has_hash(void *arg, const char *sql, const struct hash *h, struct err *e)
{
	struct state_view *v = arg;
	sqlite3_stmt *s;
	int r;

	if (db_stmt(&s, v->db, sql, e) != 0)
		return -1;
	db_bind_hash(s, 1, h);
	r = db_step(v->db, s, e);
	if (r > 0)
		sqlite3_reset(s);
	return r;
}

static int
view_email(void *arg, const struct hash *digest, struct err *e)
{
	return has_hash(arg, "SELECT 1 FROM user WHERE email=?", digest, e);
}

static int
view_tx(void *arg, const struct hash *id, struct err *e)
{
	return has_hash(arg, "SELECT 1 FROM tx WHERE id=?", id, e);
}

static int
view_object(void *arg, const struct hash *id, struct err *e)
{
	return has_hash(arg, "SELECT 1 FROM named WHERE object=?", id, e);
}

static void
copy_handle(char out[HANDLE_LEN + 1], struct span from)
{
	size_t n = from.n > HANDLE_LEN ? HANDLE_LEN : from.n;

	if (n > 0)
		memcpy(out, from.p, n);
	out[n] = '\0';
}

static int
view_record(void *arg, const struct hash *id, struct rules_record *out,
    struct err *e)
{
	struct state_view *v = arg;
	sqlite3_stmt *s;
	int r;

	if (db_stmt(&s, v->db, "SELECT status, patient, author FROM record "
	    "WHERE id=?", e) != 0)
		return -1;
	db_bind_hash(s, 1, id);
	if ((r = db_step(v->db, s, e)) != 1)
		return r;
	out->status = (enum record_status)sqlite3_column_int(s, 0);
	copy_handle(out->patient, db_column_span(s, 1));
	copy_handle(out->author, db_column_span(s, 2));
	sqlite3_reset(s);
	return 1;
}

/* A query on a record and a name. */
static int
has_reader(void *arg, const char *sql, const struct hash *record,
    struct span name, struct err *e)
{
	struct state_view *v = arg;
	sqlite3_stmt *s;
	int r;

	if (db_stmt(&s, v->db, sql, e) != 0)
		return -1;
	db_bind_hash(s, 1, record);
	db_bind_span(s, 2, name);
	r = db_step(v->db, s, e);
	if (r > 0)
		sqlite3_reset(s);
	return r;
}

static int
view_reader(void *arg, const struct hash *record, struct span reader,
    struct err *e)
{
	return has_reader(arg, "SELECT 1 FROM reader WHERE record=? AND "
	    "reader=?", record, reader, e);
}

static int
view_opens(void *arg, const struct hash *record, struct span handle,
    struct err *e)
{
	_Static_assert(PERM_LIBRARY == 4, "the query below names it");

	return has_reader(arg, "SELECT 1 FROM reader WHERE record=?1 AND "
	    "reader=?2 UNION ALL SELECT 1 FROM reader JOIN member ON "
	    "reader.reader='role:' || member.role JOIN role ON "
	    "role.name=member.role WHERE record=?1 AND handle=?2 AND "
	    "perms & 4 LIMIT 1", record, handle, e);
}

static int
view_opened(void *arg, const struct hash *record, struct span handle,
    struct err *e)
{
	/* Those who may now could then; to ask for all who ever could is slow,
	 * as SQLite builds tables for it. */
	int now = view_opens(arg, record, handle, e);

	if (now != 0)
		return now;
#define EVER_READER "(SELECT reader FROM reader WHERE record=?1 UNION ALL " \
    "SELECT reader FROM reader_before WHERE record=?1)"
#define EVER_ROLE "(SELECT role FROM member WHERE handle=?2 UNION ALL " \
    "SELECT role FROM member_before WHERE handle=?2)"
	return has_reader(arg, "SELECT 1 FROM " EVER_READER " WHERE reader=?2 "
	    "UNION ALL SELECT 1 FROM " EVER_READER " AS r JOIN " EVER_ROLE
	    " AS m ON r.reader='role:' || m.role JOIN role ON "
	    "role.name=m.role WHERE perms & 4 LIMIT 1", record, handle, e);
#undef EVER_READER
#undef EVER_ROLE
}

static int
view_verify(void *arg, const struct note *n, struct span name,
    const struct sign_pub *pub, struct err *e)
{
	struct state_view *v = arg;

	return v->verify(v->verify_arg, n, name, pub, e);
}

/* Did or will a transaction of that height or above give name new keys? */
static int
has_rekey(struct db *db, struct span name, int64_t height, struct err *e)
{
	sqlite3_stmt *s;
	int r;

	if (db_stmt(&s, db, "SELECT 1 FROM tx WHERE kind='rekey' AND user=? "
	    "AND height>=?", e) != 0)
		return -1;
	db_bind_span(s, 1, name);
	db_bind_int(s, 2, height);
	if ((r = db_step(db, s, e)) > 0)
		sqlite3_reset(s);
	return r;
}

int
state_verify_came(void *db, const struct note *n, struct span name,
    const struct sign_pub *pub, struct err *e)
{
	int r = has_rekey(db, name, 0, e);

	if (r < 0)
		return -1;
	return r == 0 ? 1 : rules_verify_now(NULL, n, name, pub, e);
}

int
state_rekey_waits(struct db *db, struct span name, struct err *e)
{
	return has_rekey(db, name, STATE_WAITING, e);
}

void
state_view_init(struct state_view *v, struct repo *r, struct db *db)
{
	*v = (struct state_view){
		.v = {
			.arg = v,
			.ledger = repo_ledger(r),
			.skew_ms = r->genesis->settings.skew_ms,
			.key = view_key,
			.key_used = view_key_used,
			.perms = view_perms,
			.node = view_node,
			.node_count = view_node_count,
			.role = view_role,
			.member = view_member,
			.holders = view_holders,
			.role_key = view_role_key,
			.email = view_email,
			.object = view_object,
			.tx = view_tx,
			.record = view_record,
			.reader = view_reader,
			.opens = view_opens,
			.opened = view_opened,
			.verify = view_verify
		},
		.db = db,
		.verify = rules_verify_now
	};
}
