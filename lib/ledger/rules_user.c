#include "ledger/rules_user.h"

#include "ledger/genesis.h"
#include "ledger/name.h"

/* The keys must be new to the ledger: one key, one owner, once. */
static int
check_new_key(const struct rules_view *v, const struct tx *tx, struct err *e)
{
	int r = v->key_used(v->arg, &tx->sign, e);

	if (r < 0)
		return -1;
	return r == 0 ? 0 : rules_refuse(e,
	    "the signature key is on the ledger already");
}

static int
check_role(const struct rules_view *v, struct span role, unsigned *perms,
    struct err *e)
{
	int r = v->role(v->arg, role, perms, e);

	if (r < 0)
		return -1;
	return r == 1 ? 0 : err_set(e, ERR_NO, "there is no role \"%.*s\"",
	    SPAN_FMT(role));
}

/*
 * Nobody hands out, takes away or takes over more power over the ledger than
 * he has: else whoever may enrol users could make himself an administrator.
 */
static int
need_managing(const struct rules_view *v, const struct tx *tx, unsigned perms,
    struct err *e)
{
	static const enum perm managing[] = { PERM_SYSTEM, PERM_USERS };

	for (size_t i = 0; i < 2; i++)
		if ((perms & managing[i]) != 0 &&
		    rules_need(v, tx->author, managing[i], e) != 0)
			return -1;
	return 0;
}

int
rules_enroll(const struct rules_view *v, const struct tx *tx, struct err *e)
{
	char handle[HANDLE_LEN + 1];
	unsigned perms;
	int r;

	if (rules_need(v, tx->author, PERM_USERS, e) != 0)
		return -1;
	name_handle(handle, &tx->sign);
	if (!span_is(tx->user, handle))
		return rules_refuse(e, "the handle is not that of the key");
	r = v->perms(v->arg, tx->user, NULL, e);
	if (r < 0)
		return -1;
	if (r > 0)
		return err_set(e, ERR_NO, "%.*s is enrolled already",
		    SPAN_FMT(tx->user));
	if (check_new_key(v, tx, e) != 0 ||
	    check_role(v, tx->role, &perms, e) != 0 ||
	    need_managing(v, tx, perms, e) != 0)
		return -1;
	if (tx->has_profile && rules_new_object(v, &tx->profile, e) != 0)
		return -1;
	if (!tx->has_email)
		return 0;
	r = v->email(v->arg, &tx->email, e);
	if (r < 0)
		return -1;
	return r == 0 ? 0 : rules_refuse(e, "the e-mail address is taken");
}

/* May the author give this other user or node new keys? */
static int
rekey_other(const struct rules_view *v, const struct tx *tx, struct err *e)
{
	unsigned perms = 0;

	if (!name_is_handle(tx->user))
		return rules_need(v, tx->author, PERM_SYSTEM, e);
	if (rules_need(v, tx->author, PERM_USERS, e) != 0)
		return -1;
	if (v->perms(v->arg, tx->user, &perms, e) < 0)
		return -1;
	return need_managing(v, tx, perms, e);
}

int
rules_rekey(const struct rules_view *v, const struct tx *tx, struct err *e)
{
	/* A removed node has keys still, and no business with them. */
	int r = name_is_handle(tx->user) ?
	    v->perms(v->arg, tx->user, NULL, e) :
	    v->node(v->arg, tx->user, e);

	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_NO, "%.*s is not known to this ledger",
		    SPAN_FMT(tx->user));
	if (!span_eq(tx->author, tx->user) && rekey_other(v, tx, e) != 0)
		return -1;
	return check_new_key(v, tx, e);
}

/*
 * A ledger that nobody can manage any more is lost: refuse to take the last
 * holder of a managing permission away.
 */
static int
keep_managers(const struct rules_view *v, unsigned lost, struct err *e)
{
	static const enum perm vital[] = { PERM_SYSTEM, PERM_USERS };

	for (size_t i = 0; i < 2; i++) {
		size_t n;

		if ((lost & vital[i]) == 0)
			continue;
		if (v->holders(v->arg, vital[i], &n, e) < 0)
			return -1;
		if (n <= 1)
			return err_set(e, ERR_NO, "nobody would be left with "
			    "permission \"%s\"", perm_name(vital[i]));
	}
	return 0;
}

int
rules_role_define(const struct rules_view *v, const struct tx *tx,
    struct err *e)
{
	unsigned old = 0;

	if (rules_need(v, tx->author, PERM_SYSTEM, e) != 0 ||
	    v->role(v->arg, tx->role, &old, e) < 0)
		return -1;
	/* Its members all lose these at once, so a role never loses them. */
	if ((old & ~tx->perms & (PERM_SYSTEM | PERM_USERS)) != 0)
		return rules_refuse(e, "a role cannot lose a managing "
		    "permission; revoke the role instead");
	return need_managing(v, tx, tx->perms & ~old, e);
}

int
rules_role_change(const struct rules_view *v, const struct tx *tx,
    struct err *e)
{
	unsigned perms;
	int r;

	if (rules_need(v, tx->author, PERM_USERS, e) != 0 ||
	    check_role(v, tx->role, &perms, e) != 0 ||
	    need_managing(v, tx, perms, e) != 0)
		return -1;
	r = v->perms(v->arg, tx->user, NULL, e);
	if (r == 0)
		err_set(e, ERR_NO, "%.*s is not a user of this ledger",
		    SPAN_FMT(tx->user));
	if (r <= 0)
		return -1;
	r = v->member(v->arg, tx->user, tx->role, e);
	if (r < 0)
		return -1;
	if (tx->kind == TX_ROLE_GRANT)
		return r == 0 ? 0 : rules_refuse(e, "the user has the role");
	if (r == 0)
		return rules_refuse(e, "the user does not have the role");
	return keep_managers(v, perms, e);
}

int
rules_role_key(const struct rules_view *v, const struct tx *tx,
    struct err *e)
{
	struct seal_pub pub;
	uint64_t generation, changes;
	unsigned perms;
	bool same;
	int r;

	if (check_role(v, tx->role, &perms, e) != 0)
		return -1;
	if ((perms & PERM_LIBRARY) == 0)
		return rules_refuse(e, "the role has no library, so no key");
	r = v->member(v->arg, tx->author, tx->role, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return rules_refuse(e, "only a member makes a role's key");
	if (v->role_key(v->arg, tx->role, &generation, &pub, &changes, e) < 0)
		return -1;
	if (tx->members > changes)
		return rules_refuse(e, "it counts members to come");
	if (rules_new_object(v, &tx->object, e) != 0)
		return -1;
	same = generation > 0 && memcmp(&pub, &tx->seal, sizeof(pub)) == 0;
	if (tx->generation == generation && same)
		return 0;	/* sealed anew, for its members of today */
	if (tx->generation != generation + 1)
		return rules_refuse(e, "the role has another key by now");
	return !same ? 0 : rules_refuse(e,
	    "a new generation needs a new key");
}

int
rules_node_change(const struct rules_view *v, const struct tx *tx,
    struct err *e)
{
	size_t n;
	int r;

	if (rules_need(v, tx->author, PERM_SYSTEM, e) != 0)
		return -1;
	if ((r = v->node(v->arg, tx->node, e)) < 0 ||
	    v->node_count(v->arg, &n, e) < 0)
		return -1;
	if (tx->kind == TX_NODE_REMOVE) {
		if (r == 0)
			return rules_refuse(e, "there is no such node");
		return n > 1 ? 0 : rules_refuse(e, "it is the last node");
	}
	if (r > 0)
		return rules_refuse(e, "a node of that name exists");
	if (n >= GENESIS_NODES_MAX)
		return rules_refuse(e, "the ledger is full of nodes");
	/* A name that was ever used keeps its keys on the ledger. */
	r = v->key(v->arg, tx->node, NULL, e);
	if (r < 0)
		return -1;
	if (r > 0)
		return rules_refuse(e, "that name is taken");
	return check_new_key(v, tx, e);
}

int
rules_vote(const struct rules_view *v, const struct tx *tx, struct err *e)
{
	int r = v->node(v->arg, tx->author, e);

	if (r == 0)
		return rules_refuse(e, "only a node votes");
	for (size_t i = 0; r > 0 && i < tx->nreaders; i++) {
		r = v->node(v->arg, tx->reader[i], e);
		if (r == 0)
			return err_set(e, ERR_NO, "there is no node %.*s",
			    SPAN_FMT(tx->reader[i]));
	}
	return r < 0 ? -1 : 0;
}
