/*
 * world: a state in memory for the rules to look at: the little ledger, a
 * while later.  Tests write into it as they like.
 */
#ifndef UNIT_WORLD_H
#define UNIT_WORLD_H

#include "check.h"
#include "ledger/rules.h"
#include "little.h"

#define WORLD_MAX 80

struct world_role {
	const char *name;
	unsigned perms;
	uint64_t generation, changes;
	struct seal_pub seal;
};

struct world_user {
	const struct identity *id;
	const char *roles;		/* "doctor patient " */
};

struct world_node {
	const struct identity *id;
	bool removed;
};

struct world_record {
	struct hash id;
	struct rules_record r;
	const char *readers;		/* "role:doctor u0123456789abcdef " */
	const char *before;		/* those of before, or NULL */
};

struct world {
	struct little l;
	struct identity clerk, engineer;	/* half an administrator each */
	struct identity gone;			/* hospital-x, removed */
	struct rules_view v;
	struct world_role role[WORLD_MAX];
	struct world_user user[WORLD_MAX];
	struct world_node node[WORLD_MAX];
	struct world_record record[WORLD_MAX];
	size_t nroles, nusers, nnodes, nrecords;
	struct hash email, tx, object;		/* one of each is known */
	struct sign_pub old_key;		/* of somebody, once */
	int calls, fail_at;			/* that call fails */
};

/* Each question begins with this: -1 when it is the one that fails. */
static inline int
world_ask(void *arg, struct err *e)
{
	struct world *w = arg;

	if (++w->calls != w->fail_at)
		return 0;
	return err_set(e, ERR_SYS, "the disk is gone");
}

/* Is word among the words of list, each followed by a blank? */
static inline bool
world_has(const char *list, struct span word)
{
	while (*list != '\0') {
		size_t n = strcspn(list, " ");

		if (span_eq(span_of(list, n), word))
			return true;
		list += n + 1;
	}
	return false;
}

static inline struct world_role *
world_role(struct world *w, struct span name)
{
	for (size_t i = 0; i < w->nroles; i++)
		if (span_is(name, w->role[i].name))
			return &w->role[i];
	return NULL;
}

static inline struct world_user *
world_user(struct world *w, struct span handle)
{
	for (size_t i = 0; i < w->nusers; i++)
		if (span_is(handle, w->user[i].id->name))
			return &w->user[i];
	return NULL;
}

static inline struct world_node *
world_node(struct world *w, struct span name)
{
	for (size_t i = 0; i < w->nnodes; i++)
		if (span_is(name, w->node[i].id->name))
			return &w->node[i];
	return NULL;
}

static inline struct world_record *
world_record(struct world *w, const struct hash *id)
{
	for (size_t i = 0; i < w->nrecords; i++)
		if (hash_eq(id, &w->record[i].id))
			return &w->record[i];
	return NULL;
}

static inline int
world_v_key(void *arg, struct span name, struct sign_pub *out, struct err *e)
{
	struct world_user *u = world_user(arg, name);
	struct world_node *n = world_node(arg, name);

	if (world_ask(arg, e) < 0)
		return -1;
	if (out != NULL && (u != NULL || n != NULL))
		sign_public(out, u != NULL ? u->id->sign : n->id->sign);
	return u != NULL || n != NULL;
}

static inline int
world_v_key_used(void *arg, const struct sign_pub *pub, struct err *e)
{
	struct world *w = arg;
	struct sign_pub one;

	if (world_ask(arg, e) < 0)
		return -1;
	for (size_t i = 0; i < w->nusers; i++) {
		sign_public(&one, w->user[i].id->sign);
		if (sign_pub_eq(pub, &one))
			return 1;
	}
	for (size_t i = 0; i < w->nnodes; i++) {
		sign_public(&one, w->node[i].id->sign);
		if (sign_pub_eq(pub, &one))
			return 1;
	}
	return sign_pub_eq(pub, &w->old_key);
}

static inline int
world_v_perms(void *arg, struct span handle, unsigned *perms, struct err *e)
{
	struct world *w = arg;
	struct world_user *u = world_user(w, handle);

	if (world_ask(arg, e) < 0)
		return -1;
	if (u == NULL || perms == NULL)
		return u != NULL;
	*perms = 0;
	for (size_t i = 0; i < w->nroles; i++)
		if (world_has(u->roles, span_str(w->role[i].name)))
			*perms |= w->role[i].perms;
	return 1;
}

static inline int
world_v_node(void *arg, struct span name, struct err *e)
{
	struct world_node *n = world_node(arg, name);

	return world_ask(arg, e) < 0 ? -1 : n != NULL && !n->removed;
}

static inline int
world_v_node_count(void *arg, size_t *n, struct err *e)
{
	struct world *w = arg;

	*n = 0;
	for (size_t i = 0; i < w->nnodes; i++)
		*n += !w->node[i].removed;
	return world_ask(arg, e) < 0 ? -1 : 1;
}

static inline int
world_v_role(void *arg, struct span name, unsigned *perms, struct err *e)
{
	struct world_role *r = world_role(arg, name);

	if (r != NULL && perms != NULL)
		*perms = r->perms;
	return world_ask(arg, e) < 0 ? -1 : r != NULL;
}

static inline int
world_v_member(void *arg, struct span handle, struct span role,
    struct err *e)
{
	struct world_user *u = world_user(arg, handle);

	if (world_ask(arg, e) < 0)
		return -1;
	return u != NULL && world_has(u->roles, role);
}

static inline int
world_v_holders(void *arg, enum perm perm, size_t *n, struct err *e)
{
	struct world *w = arg;

	*n = 0;
	for (size_t i = 0; i < w->nusers; i++)
		for (size_t k = 0; k < w->nroles; k++)
			*n += (w->role[k].perms & perm) != 0 &&
			    world_has(w->user[i].roles,
			    span_str(w->role[k].name));
	return world_ask(arg, e) < 0 ? -1 : 1;
}

static inline int
world_v_role_key(void *arg, struct span role, uint64_t *generation,
    struct seal_pub *pub, uint64_t *changes, struct err *e)
{
	struct world_role *r = world_role(arg, role);

	*generation = r == NULL ? 0 : r->generation;
	*changes = r == NULL ? 0 : r->changes;
	if (*generation > 0)
		*pub = r->seal;
	return world_ask(arg, e) < 0 ? -1 : *generation > 0;
}

static inline int
world_v_email(void *arg, const struct hash *digest, struct err *e)
{
	struct world *w = arg;

	return world_ask(arg, e) < 0 ? -1 : hash_eq(digest, &w->email);
}

static inline int
world_v_tx(void *arg, const struct hash *id, struct err *e)
{
	struct world *w = arg;

	return world_ask(arg, e) < 0 ? -1 : hash_eq(id, &w->tx);
}

static inline int
world_v_object(void *arg, const struct hash *id, struct err *e)
{
	struct world *w = arg;

	return world_ask(arg, e) < 0 ? -1 : hash_eq(id, &w->object);
}

static inline int
world_v_record(void *arg, const struct hash *id, struct rules_record *out,
    struct err *e)
{
	struct world_record *r = world_record(arg, id);

	if (world_ask(arg, e) < 0)
		return -1;
	if (r != NULL)
		*out = r->r;
	return r != NULL;
}

static inline int
world_v_reader(void *arg, const struct hash *record, struct span reader,
    struct err *e)
{
	struct world_record *r = world_record(arg, record);

	if (world_ask(arg, e) < 0)
		return -1;
	return r != NULL && world_has(r->readers, reader);
}

static inline int
world_v_opens(void *arg, const struct hash *record, struct span handle,
    struct err *e)
{
	struct world *w = arg;
	struct world_record *r = world_record(arg, record);
	struct world_user *u = world_user(arg, handle);
	char name[64];

	if (world_ask(arg, e) < 0)
		return -1;
	if (r == NULL || u == NULL)
		return 0;
	for (size_t i = 0; i < w->nroles; i++) {
		snprintf(name, sizeof(name), "role:%s", w->role[i].name);
		if (world_has(r->readers, span_str(name)) &&
		    (w->role[i].perms & PERM_LIBRARY) != 0 &&
		    world_has(u->roles, span_str(w->role[i].name)))
			return 1;
	}
	return world_has(r->readers, handle);
}

static inline int
world_v_opened(void *arg, const struct hash *record, struct span handle,
    struct err *e)
{
	struct world_record *r = world_record(arg, record);
	const char *now = r == NULL ? NULL : r->readers;
	int ret = world_v_opens(arg, record, handle, e);

	if (ret != 0 || r == NULL || r->before == NULL)
		return ret;
	r->readers = r->before;
	ret = world_v_opens(arg, record, handle, e);
	r->readers = now;
	return ret;
}

static inline int
world_v_verify(void *arg, const struct note *n, struct span name,
    const struct sign_pub *pub, struct err *e)
{
	if (world_ask(arg, e) < 0)
		return -1;
	return rules_verify_now(NULL, n, name, pub, e);
}

static inline void
world_view(struct world *w)
{
	w->v = (struct rules_view){
		.arg = w, .ledger = &w->l.id, .skew_ms = 60000,
		.key = world_v_key, .key_used = world_v_key_used,
		.perms = world_v_perms, .node = world_v_node,
		.node_count = world_v_node_count, .role = world_v_role,
		.member = world_v_member, .holders = world_v_holders,
		.role_key = world_v_role_key, .email = world_v_email,
		.tx = world_v_tx, .record = world_v_record,
		.reader = world_v_reader, .opens = world_v_opens,
		.opened = world_v_opened,
		.object = world_v_object,
		.verify = world_v_verify
	};
}

static inline void
world_add_user(struct world *w, const struct identity *id, const char *roles)
{
	w->user[w->nusers++] = (struct world_user){ id, roles };
}

static inline void
world_add_role(struct world *w, const char *name, unsigned perms)
{
	w->role[w->nroles++] = (struct world_role){ .name = name,
	    .perms = perms };
}

/* A record of the little ledger's manifest, authorized by Bill for doctors. */
static inline struct world_record *
world_add_record(struct world *w)
{
	struct world_record *r = &w->record[w->nrecords++];

	memset(r, 0, sizeof(*r));
	hash_bytes(&r->id, w->l.manifest.p, w->l.manifest.len);
	r->r.status = RECORD_AUTHORIZED;
	strcpy(r->r.patient, w->l.bill.name);
	strcpy(r->r.author, w->l.kun.name);
	r->readers = "role:doctor ";
	return r;
}

static inline void
world_open(struct world *w)
{
	memset(w, 0, sizeof(*w));
	little_open(&w->l);
	people_user(&w->clerk, "the clerk");
	people_user(&w->engineer, "the engineer");
	people_node(&w->gone, "hospital-x", "hospital-x");
	world_view(w);
	world_add_role(w, "administrator", PERM_SYSTEM | PERM_USERS);
	world_add_role(w, "doctor", PERM_FILL | PERM_LIBRARY);
	world_add_role(w, "patient", PERM_AUTHORIZE | PERM_VIEW_OWN);
	world_add_role(w, "clerk", PERM_USERS);
	world_add_role(w, "engineer", PERM_SYSTEM);
	world_add_user(w, &w->l.ruth, "administrator ");
	world_add_user(w, &w->l.kun, "doctor ");
	world_add_user(w, &w->l.bill, "patient ");
	world_add_user(w, &w->l.anne, "patient ");
	world_add_user(w, &w->clerk, "clerk ");
	world_add_user(w, &w->engineer, "engineer ");
	for (; w->nnodes < LITTLE_NODES; w->nnodes++)
		w->node[w->nnodes].id = &w->l.node[w->nnodes];
	w->node[w->nnodes++] = (struct world_node){ &w->gone, true };
	memset(&w->old_key, 1, sizeof(w->old_key));
	memset(&w->object, 1, sizeof(w->object));
}

static inline void
world_close(struct world *w)
{
	little_close(&w->l);
	identity_wipe(&w->clerk);
	identity_wipe(&w->engineer);
	identity_wipe(&w->gone);
}

/*
 * Ask the rules about tx, signed by author, at now_ms.  Also, when any one of
 * the questions that they ask cannot be answered, they must say that.
 */
static inline int
world_check_at(struct world *w, struct tx *tx, const struct identity *author,
    int64_t now_ms, struct err *e)
{
	struct buf note = BUF_INIT(TX_MAX);
	struct err other;
	struct tx back;
	int r, calls;

	little_sign(&note, &w->l, tx, author);
	if (tx_parse(&back, buf_span(&note), &w->l.id, e) != 0) {
		buf_free(&note);
		return -1;
	}
	w->calls = w->fail_at = 0;
	r = rules_check(&w->v, &back, now_ms, e);
	calls = w->calls;
	for (w->fail_at = 1; w->fail_at <= calls; w->fail_at++) {
		w->calls = 0;
		CHECK(rules_check(&w->v, &back, now_ms, &other) == -1 &&
		    other.kind == ERR_SYS);
	}
	w->fail_at = 0;
	tx_free(&back);
	buf_free(&note);
	return r;
}

static inline int
world_check(struct world *w, struct tx *tx, const struct identity *author,
    struct err *e)
{
	return world_check_at(w, tx, author, little_time(4000), e);
}

#define ALLOWED(w, tx, author) do { \
	struct err world_e; \
	bool world_ok = world_check(w, tx, author, &world_e) == 0; \
	CHECK(world_ok); \
	if (!world_ok) \
		printf("\t%s\n", world_e.msg); \
} while (0)

/* Refused, for a reason with these words. */
#define REFUSED(w, tx, author, why) do { \
	struct err world_e; \
	bool world_no = world_check(w, tx, author, &world_e) == -1; \
	CHECK(world_no && world_e.kind == ERR_NO); \
	if (world_no && strstr(world_e.msg, why) == NULL) \
		CHECK_STR(world_e.msg, why); \
} while (0)

#endif
