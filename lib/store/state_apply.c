/* What each transaction changes in state.db. */
#include "ledger/name.h"
#include "store/state.h"

/* One statement, its parameters in the order that format tells: t span, h
 * hash, H hash or NULL, i int64_t. */
struct value {
	char type;
	struct span t;
	const struct hash *h;
	int64_t i;
};
#define T(span) { 't', (span), NULL, 0 }
#define H(hash) { 'h', { NULL, 0 }, (hash), 0 }
#define I(num) { 'i', { NULL, 0 }, NULL, (int64_t)(num) }

static int
run(struct db *db, const char *sql, const struct value *v, int n,
    struct err *e)
{
	sqlite3_stmt *s;

	if (db_stmt(&s, db, sql, e) != 0)
		return -1;
	for (int i = 0; i < n; i++) {
		if (v[i].type == 't' && v[i].t.p != NULL)
			db_bind_span(s, i + 1, v[i].t);
		else if (v[i].type == 'h' && v[i].h != NULL)
			db_bind_hash(s, i + 1, v[i].h);
		else if (v[i].type == 'i')
			db_bind_int(s, i + 1, v[i].i);
	}
	return db_run(db, s, e);
}
#define RUN(sql, ...) run(db, sql, (const struct value[]){ __VA_ARGS__ }, \
	(int)(sizeof((const struct value[]){ __VA_ARGS__ }) / \
	sizeof(struct value)), e)

/* Keys as text, kept while a transaction is applied. */
struct keys {
	struct buf sign, seal;
};

static void
keys_of(struct keys *k, const struct sign_pub *sign,
    const struct seal_pub *seal)
{
	buf_init(&k->sign, 2048);
	buf_init(&k->seal, 256);
	if (sign != NULL)
		sign_pub_add(&k->sign, sign);
	seal_pub_add(&k->seal, seal);
}

static void
keys_free(struct keys *k)
{
	buf_free(&k->sign);
	buf_free(&k->seal);
}

/* The ledger names an object, and needs it. */
static int
want(struct db *db, const struct hash *object, struct err *e)
{
	if (RUN("INSERT OR IGNORE INTO named(object) VALUES(?)",
	    H(object)) != 0)
		return -1;
	return RUN("INSERT OR IGNORE INTO want(object) VALUES(?)", H(object));
}

static int
add_key(struct db *db, const struct keys *k, struct span name, struct err *e)
{
	return RUN("INSERT INTO key(sign, name) VALUES(?, ?)",
	    T(buf_span(&k->sign)), T(name));
}

static int
add_user(struct db *db, struct span handle, struct span role,
    const struct keys *k, const struct hash *email,
    const struct hash *profile, uint64_t height, struct err *e)
{
	if (RUN("UPDATE role SET changes=changes+1 WHERE name=?",
	    T(role)) != 0 ||
	    RUN("INSERT INTO user(handle, sign, seal, email, profile, height)"
	    " VALUES(?, ?, ?, ?, ?, ?)", T(handle), T(buf_span(&k->sign)),
	    T(buf_span(&k->seal)), H(email), H(profile), I(height)) != 0 ||
	    add_key(db, k, handle, e) != 0 ||
	    RUN("INSERT INTO member(handle, role, since) VALUES(?, ?, ?)",
	    T(handle), T(role), I(height)) != 0)
		return -1;
	return profile == NULL ? 0 : want(db, profile, e);
}

static int
add_node(struct db *db, struct span name, const struct keys *k, struct err *e)
{
	if (RUN("INSERT INTO node(name, sign, seal, active) VALUES(?, ?, ?, 1)",
	    T(name), T(buf_span(&k->sign)), T(buf_span(&k->seal))) != 0)
		return -1;
	return add_key(db, k, name, e);
}

static int
enroll(struct db *db, const struct tx *tx, uint64_t height, struct err *e)
{
	struct keys k;
	int r;

	keys_of(&k, &tx->sign, &tx->seal);
	r = add_user(db, tx->user, tx->role, &k,
	    tx->has_email ? &tx->email : NULL,
	    tx->has_profile ? &tx->profile : NULL, height, e);
	keys_free(&k);
	return r;
}

static int
rekey(struct db *db, const struct tx *tx, struct err *e)
{
	struct keys k;
	int r;

	keys_of(&k, &tx->sign, &tx->seal);
	r = add_key(db, &k, tx->user, e);
	/* The old key may be known to others: as if a member had left. */
	if (r == 0)
		r = RUN("UPDATE role SET changes=changes+1, left=changes+1 "
		    "WHERE name IN (SELECT role FROM member WHERE handle=?)",
		    T(tx->user));
	if (r == 0 && name_is_handle(tx->user))
		r = RUN("UPDATE user SET sign=?2, seal=?3 WHERE handle=?1",
		    T(tx->user), T(buf_span(&k.sign)), T(buf_span(&k.seal)));
	else if (r == 0)
		r = RUN("UPDATE node SET sign=?2, seal=?3 WHERE name=?1",
		    T(tx->user), T(buf_span(&k.sign)), T(buf_span(&k.seal)));
	keys_free(&k);
	return r;
}

static int
role_grant(struct db *db, const struct tx *tx, uint64_t height, struct err *e)
{
	if (RUN("UPDATE role SET changes=changes+1 WHERE name=?",
	    T(tx->role)) != 0)
		return -1;
	return RUN("INSERT INTO member(handle, role, since) VALUES(?, ?, ?)",
	    T(tx->user), T(tx->role), I(height));
}

static int
role_revoke(struct db *db, const struct tx *tx, struct err *e)
{
	if (RUN("UPDATE role SET changes=changes+1, left=changes+1 "
	    "WHERE name=?", T(tx->role)) != 0)
		return -1;
	if (RUN("INSERT OR IGNORE INTO member_before(handle, role) "
	    "VALUES(?, ?)", T(tx->user), T(tx->role)) != 0)
		return -1;
	return RUN("DELETE FROM member WHERE handle=? AND role=?",
	    T(tx->user), T(tx->role));
}

static int
role_key(struct db *db, const struct tx *tx, struct err *e)
{
	struct keys k;
	int r;

	/* The new envelope holds all the earlier keys too. */
	if (RUN("INSERT OR IGNORE INTO dismissed(object) SELECT object FROM "
	    "role WHERE name=?1 AND object IS NOT NULL AND object<>?2",
	    T(tx->role), H(&tx->object)) != 0 ||
	    RUN("DELETE FROM want WHERE object=(SELECT object FROM role WHERE "
	    "name=?)", T(tx->role)) != 0)
		return -1;
	keys_of(&k, NULL, &tx->seal);
	r = RUN("UPDATE role SET generation=?2, seal=?3, object=?4, sealed=?5 "
	    "WHERE name=?1", T(tx->role), I(tx->generation),
	    T(buf_span(&k.seal)), H(&tx->object), I(tx->members));
	keys_free(&k);
	return r == 0 ? want(db, &tx->object, e) : -1;
}

static int
node_admit(struct db *db, const struct tx *tx, struct err *e)
{
	struct keys k;
	int r;

	keys_of(&k, &tx->sign, &tx->seal);
	r = add_node(db, tx->node, &k, e);
	keys_free(&k);
	return r;
}

static int
node_remove(struct db *db, const struct tx *tx, struct err *e)
{
	if (RUN("UPDATE node SET active=0 WHERE name=?", T(tx->node)) != 0)
		return -1;
	return RUN("DELETE FROM vote WHERE node=?1 OR choice=?1", T(tx->node));
}

static int
vote(struct db *db, const struct tx *tx, struct err *e)
{
	if (RUN("DELETE FROM vote WHERE node=?", T(tx->author)) != 0)
		return -1;
	for (size_t i = 0; i < tx->nreaders; i++)
		if (RUN("INSERT INTO vote(node, choice) VALUES(?, ?)",
		    T(tx->author), T(tx->reader[i])) != 0)
			return -1;
	return 0;
}

static int
add_readers(struct db *db, const struct tx *tx, struct err *e)
{
	for (size_t i = 0; i < tx->nreaders; i++)
		if (RUN("INSERT OR IGNORE INTO reader(record, reader) "
		    "VALUES(?, ?)", H(&tx->record), T(tx->reader[i])) != 0)
			return -1;
	return 0;
}

static int
authorize(struct db *db, const struct tx *tx, uint64_t height, uint64_t seq,
    struct err *e)
{
	const struct staged *s = &tx->staged;

	if (RUN("INSERT OR REPLACE INTO record(id, status, patient, author, "
	    "label, time, body, body_size, header, height, seq) "
	    "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", H(&tx->record),
	    I(RECORD_AUTHORIZED), T(s->patient), T(s->author), T(s->label),
	    I(s->time_ms), H(&s->body), I(s->body_size), H(&tx->header),
	    I(height), I(seq)) != 0 || add_readers(db, tx, e) != 0 ||
	    want(db, &s->body, e) != 0)
		return -1;
	return want(db, &tx->header, e);
}

static int
reject(struct db *db, const struct tx *tx, uint64_t height, uint64_t seq,
    struct err *e)
{
	return RUN("INSERT OR REPLACE INTO record(id, status, patient, author,"
	    " label, time, body_size, height, seq) "
	    "VALUES(?, ?, ?, '', '', ?, 0, ?, ?)", H(&tx->record),
	    I(RECORD_REJECTED), T(tx->author), I(tx->time_ms), I(height),
	    I(seq));
}

/* Another header takes the place of the record's; the old one is deleted. */
static int
new_header(struct db *db, const struct tx *tx, struct err *e)
{
	if (RUN("INSERT OR IGNORE INTO dismissed(object) SELECT header FROM "
	    "record WHERE id=?1 AND header<>?2", H(&tx->record),
	    H(&tx->header)) != 0 ||
	    RUN("DELETE FROM want WHERE object=(SELECT header FROM record "
	    "WHERE id=?)", H(&tx->record)) != 0 ||
	    RUN("UPDATE record SET header=?2 WHERE id=?1", H(&tx->record),
	    H(&tx->header)) != 0)
		return -1;
	return want(db, &tx->header, e);
}

static int
withdraw(struct db *db, const struct tx *tx, struct err *e)
{
	for (size_t i = 0; i < tx->nreaders; i++)
		if (RUN("INSERT OR IGNORE INTO reader_before(record, reader) "
		    "VALUES(?, ?)", H(&tx->record), T(tx->reader[i])) != 0 ||
		    RUN("DELETE FROM reader WHERE record=? AND reader=?",
		    H(&tx->record), T(tx->reader[i])) != 0)
			return -1;
	return new_header(db, tx, e);
}

static int
erase(struct db *db, const struct tx *tx, struct err *e)
{
	if (RUN("INSERT OR IGNORE INTO dismissed(object) "
	    "SELECT body FROM record WHERE id=?1 UNION "
	    "SELECT header FROM record WHERE id=?1", H(&tx->record)) != 0 ||
	    RUN("DELETE FROM want WHERE object IN (SELECT body FROM record "
	    "WHERE id=?1 UNION SELECT header FROM record WHERE id=?1)",
	    H(&tx->record)) != 0)
		return -1;
	return RUN("UPDATE record SET status=?2 WHERE id=?1", H(&tx->record),
	    I(RECORD_ERASED));
}

static int
change(struct db *db, const struct tx *tx, uint64_t height, uint64_t seq,
    struct err *e)
{
	switch (tx->kind) {
	case TX_ENROLL:
		return enroll(db, tx, height, e);
	case TX_REKEY:
		return rekey(db, tx, e);
	case TX_ROLE_DEFINE:
		return RUN("INSERT INTO role(name, perms) VALUES(?1, ?2) ON "
		    "CONFLICT(name) DO UPDATE SET perms=?2", T(tx->role),
		    I(tx->perms));
	case TX_ROLE_GRANT:
		return role_grant(db, tx, height, e);
	case TX_ROLE_REVOKE:
		return role_revoke(db, tx, e);
	case TX_ROLE_KEY:
		return role_key(db, tx, e);
	case TX_NODE_ADMIT:
		return node_admit(db, tx, e);
	case TX_NODE_REMOVE:
		return node_remove(db, tx, e);
	case TX_VOTE:
		return vote(db, tx, e);
	case TX_AUTHORIZE:
		return authorize(db, tx, height, seq, e);
	case TX_REJECT:
		return reject(db, tx, height, seq, e);
	case TX_GRANT:
		return add_readers(db, tx, e) != 0 ? -1 :
		    new_header(db, tx, e);
	case TX_WITHDRAW:
		return withdraw(db, tx, e);
	case TX_ERASE:
		return erase(db, tx, e);
	case TX_ACCESS:
	case TX_KINDS:
		break;
	}
	return 0;
}

int
state_apply(struct db *db, const struct tx *tx, uint64_t height, uint64_t seq,
    struct err *e)
{
	struct span kind = span_str(tx_kind_name(tx->kind));
	struct span about = tx->user.n > 0 ? tx->user : tx->node;

	if (change(db, tx, height, seq, e) != 0)
		return -1;
	/* Of a record's transactions, the user is the record's patient, who
	 * alone authorizes it. */
	if (tx->kind == TX_AUTHORIZE)
		return RUN("INSERT INTO tx(seq, id, height, kind, time, author,"
		    " user, record) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)",
		    I(seq), H(&tx->id), I(height), T(kind), I(tx->time_ms),
		    T(tx->author), H(&tx->record));
	return RUN("INSERT INTO tx(seq, id, height, kind, time, author, user, "
	    "record) VALUES(?1, ?2, ?3, ?4, ?5, ?6, coalesce((SELECT patient "
	    "FROM record WHERE id=?8), ?7), ?8)", I(seq), H(&tx->id),
	    I(height), T(kind), I(tx->time_ms), T(tx->author), T(about),
	    H(tx_names_record(tx->kind) ? &tx->record : NULL));
}

static int
genesis_users(struct db *db, const struct genesis *g, struct err *e)
{
	for (size_t i = 0; i < g->nadmins; i++) {
		const struct genesis_admin *a = &g->admin[i];
		struct keys k;
		int r;

		keys_of(&k, &a->sign, &a->seal);
		r = add_user(db, a->handle, span_str("administrator"), &k,
		    a->has_email ? &a->email : NULL,
		    a->has_profile ? &a->profile : NULL, 0, e);
		keys_free(&k);
		if (r != 0)
			return -1;
	}
	return 0;
}

int
state_genesis(struct db *db, const struct genesis *g, struct err *e)
{
	struct delegates set;
	struct head h = { .height = 0, .id = g->id, .time_ms = g->time_ms };

	for (size_t i = 0; i < g->nroles; i++)
		if (RUN("INSERT INTO role(name, perms) VALUES(?, ?)",
		    T(g->role[i].name), I(g->role[i].perms)) != 0)
			return -1;
	for (size_t i = 0; i < g->nnodes; i++) {
		struct keys k;
		int r;

		keys_of(&k, &g->node[i].sign, &g->node[i].seal);
		r = add_node(db, g->node[i].name, &k, e);
		keys_free(&k);
		if (r != 0)
			return -1;
	}
	merkle_init(&h.tree);
	if (genesis_users(db, g, e) != 0 ||
	    state_set_ledger(db, &g->id, e) != 0 ||
	    state_elect(&set, db, g->settings.delegates, e) != 0 ||
	    state_set_delegates(db, &set, 1, e) != 0)
		return -1;
	return state_set_head(db, &h, e);
}
