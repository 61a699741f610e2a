#include "record/keyring.h"

#include "crypto/age.h"
#include "ledger/perm.h"
#include "store/object.h"

#define ENVELOPE_MAX (AGE_HEADER_MAX + AGE_CHUNK)

/* The secrets of an envelope's text, one a line, after those in k. */
static int
read_secrets(struct keyring *k, struct span text, struct err *e)
{
	while (text.n > 0 && k->n < KEYRING_MAX) {
		const unsigned char *nl = memchr(text.p, '\n', text.n);
		size_t n = nl == NULL ? text.n : (size_t)(nl - text.p);

		if (seal_secret_parse(&k->secret[k->n], span_of(text.p, n),
		    e) != 0)
			return err_wrap(e, "envelope of a role key");
		k->n++;
		n += nl != NULL;
		text = span_of(text.p + n, text.n - n);
	}
	return 0;
}

/*
 * Open a role's envelope with the identity's own keys.  1 done, 0 it is not
 * here or not for us, -1.
 */
static int
open_envelope(struct keyring *k, struct repo *r, const struct lookup_role *role,
    const struct identity *id, struct err *e)
{
	struct buf file = BUF_INIT(ENVELOPE_MAX), text = BUF_INIT(AGE_CHUNK);
	int ret;

	ret = object_read(&file, r, &role->object, e);
	if (ret == 0)
		ret = age_open(&text, buf_span(&file), id->seal, id->nseals, e);
	if (ret == 0)
		ret = read_secrets(k, buf_span(&text), e) == 0 ? 1 : -1;
	else if (e->kind == ERR_NO)
		ret = 0;
	buf_free(&file);
	buf_wipe(&text);
	return ret;
}

/* --- each role that an identity has, with a library ----------------------- */

struct walk {
	struct repo *r;
	struct db *db;
	const struct identity *id;
	struct keyring *k;
	struct pool *p;
	int64_t now_ms;
	bool due;
	size_t n;
	struct lookup_role role[16];
};

/* Collected first: the callbacks of a walk must not start another. */
static int
collect(void *arg, const struct lookup_role *role, struct err *e)
{
	struct walk *w = arg;

	(void)e;
	if ((role->perms & PERM_LIBRARY) != 0 && w->n < 16)
		w->role[w->n++] = *role;
	return 0;
}

static int
is_member(struct walk *w, const struct lookup_role *role, struct err *e)
{
	sqlite3_stmt *s;
	int ret;

	if (db_stmt(&s, w->db, "SELECT 1 FROM member WHERE handle=? AND "
	    "role=?", e) != 0)
		return -1;
	db_bind_span(s, 1, span_str(w->id->name));
	db_bind_span(s, 2, span_str(role->name));
	ret = db_step(w->db, s, e);
	if (ret > 0)
		sqlite3_reset(s);
	return ret;
}

/* Call fn for each such role; fn returns 0 or -1. */
static int
each_role(struct walk *w, int (*fn)(struct walk *w,
    const struct lookup_role *role, struct err *e), struct err *e)
{
	if (lookup_roles(w->db, collect, w, e) != 0)
		return -1;
	for (size_t i = 0; i < w->n; i++) {
		int ret = is_member(w, &w->role[i], e);

		if (ret < 0 || (ret == 1 && fn(w, &w->role[i], e) != 0))
			return -1;
	}
	return 0;
}

static int
add_role(struct walk *w, const struct lookup_role *role, struct err *e)
{
	if (role->generation == 0)
		return 0;
	return open_envelope(w->k, w->r, role, w->id, e) < 0 ? -1 : 0;
}

int
keyring_open(struct keyring *k, struct repo *r, struct db *db,
    const struct identity *id, struct err *e)
{
	struct walk w = { .r = r, .db = db, .id = id, .k = k };
	struct lookup_user u;
	int ret;

	memset(k, 0, sizeof(*k));
	ret = lookup_user(&u, db, span_str(id->name), e);
	if (ret < 0)
		return -1;
	if (ret == 0)
		return err_set(e, ERR_NO, "%s is not a user of this ledger",
		    id->name);
	memcpy(k->handle, u.handle, sizeof(k->handle));
	k->perms = u.perms;
	memcpy(k->secret, id->seal, id->nseals * sizeof(id->seal[0]));
	k->n = id->nseals;
	if (each_role(&w, add_role, e) != 0) {
		keyring_wipe(k);
		return -1;
	}
	return 0;
}

void
keyring_wipe(struct keyring *k)
{
	hash_wipe(k, sizeof(*k));
}

/* --- keeping role keys up to date ----------------------------------------- */

static int
note_due(struct walk *w, const struct lookup_role *role, struct err *e)
{
	(void)e;
	if (role->generation == 0 || role->unsealed || role->left)
		w->due = true;
	return 0;
}

int
keyring_due(struct repo *r, struct db *db, const struct identity *id,
    struct err *e)
{
	struct walk w = { .r = r, .db = db, .id = id };

	return each_role(&w, note_due, e) != 0 ? -1 : w.due;
}

struct members {
	struct seal_pub pub[AGE_RECIPIENTS_MAX];
	size_t n;
};

static int
add_member(void *arg, const struct lookup_user *u, struct err *e)
{
	struct members *m = arg;

	if (m->n == AGE_RECIPIENTS_MAX)
		return err_set(e, ERR_NO, "a role of over %d members",
		    AGE_RECIPIENTS_MAX);
	m->pub[m->n++] = u->seal;
	return 0;
}

/* Append the keys in k, sealed to the role's members. */
static int
make_envelope(struct buf *file, struct walk *w, const struct keyring *k,
    const char *role, struct err *e)
{
	struct buf text = BUF_INIT(AGE_CHUNK);
	struct members m = { .n = 0 };
	int ret = lookup_members(w->db, span_str(role), add_member, &m, e);

	for (size_t i = 0; i < k->n; i++) {
		seal_secret_add(&text, &k->secret[i]);
		buf_addc(&text, '\n');
	}
	if (ret == 0)
		ret = buf_check(&text, "role key", e);
	if (ret == 0)
		ret = age_seal(file, buf_span(&text), m.pub, m.n, e);
	buf_wipe(&text);
	return ret;
}

/* Put a new key in front of the others. */
static int
push_key(struct keyring *k, struct err *e)
{
	if (k->n == KEYRING_MAX)
		return err_set(e, ERR_NO, "a role key of over %d generations",
		    KEYRING_MAX);
	memmove(k->secret + 1, k->secret, k->n * sizeof(k->secret[0]));
	seal_generate(&k->secret[0]);
	k->n++;
	return 0;
}

static int
refresh(struct walk *w, const struct lookup_role *role, bool renew,
    struct keyring *k, struct err *e)
{
	struct tx tx = {
		.kind = TX_ROLE_KEY,
		.role = span_str(role->name),
		.generation = role->generation + renew,
		.members = role->changes
	};

	struct buf file = BUF_INIT(ENVELOPE_MAX);
	int ret = 0;

	if (renew)
		ret = push_key(k, e);
	if (ret == 0)
		ret = make_envelope(&file, w, k, role->name, e);
	if (ret == 0)
		ret = seal_public(&tx.seal, &k->secret[0], e);
	hash_bytes(&tx.object, file.p, file.len);
	/* Stored after the rules agreed, and before the pool's commit. */
	if (ret == 0)
		ret = submit_tx(w->p, w->id, &tx, w->now_ms, NULL, e);
	if (ret == 0)
		ret = object_put(w->r, buf_span(&file), NULL, e);
	buf_free(&file);
	return ret;
}

/*
 * Is the present key lost: its envelope here, not for us, and no other member
 * who could open it?
 */
static int
is_lost(struct walk *w, const struct lookup_role *role, struct err *e)
{
	struct members m = { .n = 0 };
	int ret = object_has(w->r, &role->object, e);

	if (ret == 1 && lookup_members(w->db, span_str(role->name), add_member,
	    &m, e) != 0)
		return -1;
	return ret == 1 ? m.n == 1 : ret;
}

static int
refresh_if_due(struct walk *w, const struct lookup_role *role, struct err *e)
{
	bool renew = role->generation == 0 || role->left;
	struct keyring k = { .n = 0 };
	int ret = 1;

	if (role->generation > 0 && !role->unsealed && !role->left)
		return 0;
	if (role->generation > 0)
		ret = open_envelope(&k, w->r, role, w->id, e);
	if (ret == 0) {
		ret = is_lost(w, role, e);
		renew = true;
	}
	if (ret == 1)
		ret = refresh(w, role, renew, &k, e);
	keyring_wipe(&k);
	return ret;
}

int
keyring_refresh(struct repo *r, struct pool *p, const struct identity *id,
    int64_t now_ms, struct err *e)
{
	struct walk w = { .r = r, .db = pool_db(p), .id = id, .p = p,
	    .now_ms = now_ms };

	return each_role(&w, refresh_if_due, e);
}

int
keyring_keep(struct repo *r, const struct identity *id, int64_t now_ms,
    struct err *e)
{
	struct head h;
	struct pool *p;
	struct db *db;
	int ret;

	if (chain_head(&h, r, e) != 0 || db_of(&db, r, e) != 0)
		return -1;
	if ((ret = keyring_due(r, db, id, e)) <= 0)
		return ret;
	if (pool_open(&p, r, now_ms, e) != 0)
		return -1;
	if (keyring_refresh(r, p, id, now_ms, e) != 0) {
		pool_abort(p);
		/* What is due is left to others; it must not stop us. */
		return e->kind == ERR_NO ? 0 : -1;
	}
	return pool_commit(p, e);
}
