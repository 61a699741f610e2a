/* rules_user: users, roles and nodes: each rule, kept and broken. */
#include "check.h"
#include "world.h"

static struct world w;

/* A fresh transaction of a kind about Kun, the doctor's role, hospital-e. */
static void
make(struct tx *tx, enum tx_kind kind)
{
	little_kind(tx, &w.l, kind);
	tx->reader[0] = tx->reader[1] = span_of(NULL, 0);
	tx->nreaders = 0;
}

static void
enroll(void)
{
	const struct identity *ruth = &w.l.ruth;
	struct tx tx;

	make(&tx, TX_ENROLL);
	tx.user = span_str(w.l.other.name);
	little_keys(&tx.sign, &tx.seal, &w.l.other);
	tx.role = span_str("patient");
	ALLOWED(&w, &tx, ruth);
	ALLOWED(&w, &tx, &w.clerk);
	REFUSED(&w, &tx, &w.engineer, "\"manage-users\" is missing");
	REFUSED(&w, &tx, &w.l.kun, "\"manage-users\" is missing");
	REFUSED(&w, &tx, &w.l.other, "not a user of this ledger");
	tx.has_email = false;
	ALLOWED(&w, &tx, ruth);
	tx.has_profile = true;
	ALLOWED(&w, &tx, ruth);
	w.object = tx.profile;
	REFUSED(&w, &tx, ruth, "named before");
	tx.has_profile = false;
	ALLOWED(&w, &tx, ruth);
	memset(&w.object, 1, sizeof(w.object));

	/* The handle is the key's, the key is new, the role is there. */
	tx.user = span_str("u0123456789abcdef");
	REFUSED(&w, &tx, ruth, "handle is not that of the key");
	tx.user = span_str(w.l.bill.name);
	little_keys(&tx.sign, &tx.seal, &w.l.bill);
	REFUSED(&w, &tx, ruth, "is enrolled already");
	tx.user = span_str(w.l.other.name);
	little_keys(&tx.sign, &tx.seal, &w.l.other);
	w.old_key = tx.sign;
	REFUSED(&w, &tx, ruth, "key is on the ledger already");
	memset(&w.old_key, 1, sizeof(w.old_key));
	tx.role = span_str("surgeon");
	REFUSED(&w, &tx, ruth, "there is no role \"surgeon\"");

	/* One address, one user. */
	tx.role = span_str("patient");
	tx.has_email = true;
	w.email = tx.email;
	REFUSED(&w, &tx, ruth, "address is taken");
	tx.has_email = false;
	ALLOWED(&w, &tx, ruth);

	/* Nobody gives more power than he has. */
	tx.role = span_str("administrator");
	ALLOWED(&w, &tx, ruth);
	REFUSED(&w, &tx, &w.clerk, "\"manage-system\" is missing");
	tx.role = span_str("engineer");
	REFUSED(&w, &tx, &w.clerk, "\"manage-system\" is missing");
	tx.role = span_str("clerk");
	ALLOWED(&w, &tx, &w.clerk);
}

static void
rekey(void)
{
	const struct identity *ruth = &w.l.ruth;
	struct tx tx;

	make(&tx, TX_REKEY);
	tx.user = span_str(w.l.bill.name);
	ALLOWED(&w, &tx, &w.l.bill);		/* oneself */
	ALLOWED(&w, &tx, ruth);
	ALLOWED(&w, &tx, &w.clerk);
	REFUSED(&w, &tx, &w.l.anne, "\"manage-users\" is missing");
	REFUSED(&w, &tx, &w.engineer, "\"manage-users\" is missing");
	REFUSED(&w, &tx, &w.l.node[0], "not a user of this ledger");
	tx.user = span_str("u0123456789abcdef");
	REFUSED(&w, &tx, ruth, "not known to this ledger");

	/* To take over who has more power would be to get it. */
	tx.user = span_str(ruth->name);
	REFUSED(&w, &tx, &w.clerk, "\"manage-system\" is missing");
	ALLOWED(&w, &tx, ruth);
	tx.user = span_str(w.engineer.name);
	REFUSED(&w, &tx, &w.clerk, "\"manage-system\" is missing");
	ALLOWED(&w, &tx, ruth);
	ALLOWED(&w, &tx, &w.engineer);

	/* Nodes: themselves, and who manages the system. */
	tx.user = span_str("hospital-b");
	ALLOWED(&w, &tx, &w.l.node[1]);
	ALLOWED(&w, &tx, ruth);
	ALLOWED(&w, &tx, &w.engineer);
	REFUSED(&w, &tx, &w.clerk, "\"manage-system\" is missing");
	REFUSED(&w, &tx, &w.l.node[0], "not a user of this ledger");
	tx.user = span_str("hospital-e");
	REFUSED(&w, &tx, ruth, "not known to this ledger");
	tx.user = span_str("hospital-x");	/* removed */
	REFUSED(&w, &tx, &w.gone, "not known to this ledger");
	REFUSED(&w, &tx, ruth, "not known to this ledger");

	/* Keys that are new. */
	tx.user = span_str(w.l.bill.name);
	sign_public(&tx.sign, w.l.bill.sign);
	REFUSED(&w, &tx, &w.l.bill, "key is on the ledger already");
	sign_public(&tx.sign, w.l.node[2].sign);
	REFUSED(&w, &tx, &w.l.bill, "key is on the ledger already");
}

static void
role_define(void)
{
	const struct identity *ruth = &w.l.ruth;
	struct tx tx;

	make(&tx, TX_ROLE_DEFINE);
	ALLOWED(&w, &tx, ruth);			/* doctors get view-own */
	ALLOWED(&w, &tx, &w.engineer);
	REFUSED(&w, &tx, &w.clerk, "\"manage-system\" is missing");
	REFUSED(&w, &tx, &w.l.kun, "\"manage-system\" is missing");
	tx.role = span_str("surgeon");
	ALLOWED(&w, &tx, ruth);			/* a new one */
	tx.role = span_str("patient");
	tx.perms = 0;
	ALLOWED(&w, &tx, ruth);

	/* A managing permission is not lost by definition. */
	tx.role = span_str("administrator");
	tx.perms = PERM_SYSTEM | PERM_USERS | PERM_FILL;
	ALLOWED(&w, &tx, ruth);
	tx.perms = PERM_SYSTEM;
	REFUSED(&w, &tx, ruth, "cannot lose a managing permission");
	tx.perms = PERM_USERS;
	REFUSED(&w, &tx, ruth, "cannot lose a managing permission");
	tx.perms = 0;
	REFUSED(&w, &tx, ruth, "cannot lose a managing permission");

	/* Nor given by who lacks it. */
	tx.role = span_str("engineer");
	tx.perms = PERM_SYSTEM | PERM_USERS;
	REFUSED(&w, &tx, &w.engineer, "\"manage-users\" is missing");
	ALLOWED(&w, &tx, ruth);
	tx.role = span_str("surgeon");
	tx.perms = PERM_USERS;
	REFUSED(&w, &tx, &w.engineer, "\"manage-users\" is missing");
	tx.perms = PERM_SYSTEM;
	ALLOWED(&w, &tx, &w.engineer);
	/* What is there already, it does not give. */
	tx.role = span_str("administrator");
	tx.perms = PERM_SYSTEM | PERM_USERS;
	ALLOWED(&w, &tx, &w.engineer);
}

static void
role_grant(void)
{
	const struct identity *ruth = &w.l.ruth;
	struct tx tx;

	make(&tx, TX_ROLE_GRANT);
	tx.user = span_str(w.l.anne.name);
	ALLOWED(&w, &tx, ruth);
	ALLOWED(&w, &tx, &w.clerk);
	REFUSED(&w, &tx, &w.engineer, "\"manage-users\" is missing");
	REFUSED(&w, &tx, &w.l.kun, "\"manage-users\" is missing");
	tx.user = span_str(w.l.other.name);
	REFUSED(&w, &tx, ruth, "not a user of this ledger");
	tx.user = span_str(w.l.kun.name);
	REFUSED(&w, &tx, ruth, "the user has the role");
	tx.role = span_str("surgeon");
	REFUSED(&w, &tx, ruth, "there is no role");

	tx.role = span_str("administrator");
	ALLOWED(&w, &tx, ruth);
	REFUSED(&w, &tx, &w.clerk, "\"manage-system\" is missing");
	tx.user = span_str(w.clerk.name);	/* to himself */
	REFUSED(&w, &tx, &w.clerk, "\"manage-system\" is missing");
	ALLOWED(&w, &tx, ruth);
}

static void
role_revoke(void)
{
	const struct identity *ruth = &w.l.ruth;
	struct tx tx;

	make(&tx, TX_ROLE_REVOKE);
	ALLOWED(&w, &tx, ruth);
	ALLOWED(&w, &tx, &w.clerk);
	REFUSED(&w, &tx, &w.engineer, "\"manage-users\" is missing");
	REFUSED(&w, &tx, &w.l.bill, "\"manage-users\" is missing");
	tx.user = span_str(w.l.anne.name);
	REFUSED(&w, &tx, ruth, "does not have the role");
	tx.user = span_str(w.l.other.name);
	REFUSED(&w, &tx, ruth, "not a user of this ledger");

	/* Somebody must be left to manage users, and the system. */
	tx.role = span_str("administrator");
	tx.user = span_str(ruth->name);
	ALLOWED(&w, &tx, ruth);		/* there are clerk and engineer */
	REFUSED(&w, &tx, &w.clerk, "\"manage-system\" is missing");
	w.user[5].roles = "";
	REFUSED(&w, &tx, ruth, "nobody would be left with permission "
	    "\"manage-system\"");
	w.user[5].roles = "engineer ";
	w.user[4].roles = "";
	REFUSED(&w, &tx, ruth, "nobody would be left with permission "
	    "\"manage-users\"");
	tx.role = span_str("engineer");
	tx.user = span_str(w.engineer.name);
	ALLOWED(&w, &tx, ruth);
	/* Two such roles of one user: one of them may go. */
	w.user[0].roles = "administrator clerk ";
	w.user[5].roles = "";
	tx.role = span_str("clerk");
	tx.user = span_str(ruth->name);
	ALLOWED(&w, &tx, ruth);
	tx.role = span_str("administrator");
	REFUSED(&w, &tx, ruth, "\"manage-system\"");
	/* The last doctor may go. */
	tx.role = span_str("doctor");
	tx.user = span_str(w.l.kun.name);
	ALLOWED(&w, &tx, ruth);
	w.user[0].roles = "administrator ";
	w.user[4].roles = "clerk ";
	w.user[5].roles = "engineer ";
}

static void
role_key(void)
{
	const struct identity *kun = &w.l.kun;
	struct world_role *doctor = &w.role[1];
	struct seal_pub old;
	struct tx tx;

	/* The first key, by a member, for the members of today. */
	make(&tx, TX_ROLE_KEY);
	doctor->changes = 2;
	tx.members = 2;
	ALLOWED(&w, &tx, kun);
	tx.members = 0;
	ALLOWED(&w, &tx, kun);
	tx.members = 3;
	REFUSED(&w, &tx, kun, "members to come");
	tx.members = 2;
	w.object = tx.object;
	REFUSED(&w, &tx, kun, "named before");
	memset(&w.object, 1, sizeof(w.object));
	REFUSED(&w, &tx, &w.l.bill, "only a member");
	REFUSED(&w, &tx, &w.l.ruth, "only a member");
	tx.generation = 2;
	REFUSED(&w, &tx, kun, "another key by now");
	tx.generation = 1;
	tx.role = span_str("patient");
	REFUSED(&w, &tx, &w.l.bill, "no library");
	tx.role = span_str("surgeon");
	REFUSED(&w, &tx, kun, "there is no role");

	/* The next: the same key sealed anew, or a new one, in turn. */
	tx.role = span_str("doctor");
	doctor->generation = 4;
	doctor->seal = old = tx.seal;
	tx.generation = 4;
	ALLOWED(&w, &tx, kun);
	tx.generation = 5;
	REFUSED(&w, &tx, kun, "needs a new key");
	little_keys(&tx.sign, &tx.seal, &w.l.anne);
	ALLOWED(&w, &tx, kun);
	tx.generation = 4;
	REFUSED(&w, &tx, kun, "another key by now");
	tx.generation = 3;
	tx.seal = old;
	REFUSED(&w, &tx, kun, "another key by now");
	tx.generation = 6;
	REFUSED(&w, &tx, kun, "another key by now");
	doctor->generation = 0;
}

static void
node_admit(void)
{
	static struct identity many[WORLD_MAX];
	const struct identity *ruth = &w.l.ruth;
	size_t were = w.nnodes;
	struct tx tx;

	make(&tx, TX_NODE_ADMIT);
	ALLOWED(&w, &tx, ruth);
	ALLOWED(&w, &tx, &w.engineer);
	REFUSED(&w, &tx, &w.clerk, "\"manage-system\" is missing");
	REFUSED(&w, &tx, &w.l.kun, "\"manage-system\" is missing");
	tx.node = span_str("hospital-b");
	REFUSED(&w, &tx, ruth, "a node of that name exists");
	tx.node = span_str("hospital-x");
	REFUSED(&w, &tx, ruth, "that name is taken");
	tx.node = span_str("hospital-e");
	sign_public(&tx.sign, w.gone.sign);
	REFUSED(&w, &tx, ruth, "key is on the ledger already");
	sign_public(&tx.sign, w.l.kun.sign);
	REFUSED(&w, &tx, ruth, "key is on the ledger already");

	/* 64 at a time; those that were removed do not count. */
	sign_public(&tx.sign, w.l.other.sign);
	for (; w.nnodes < GENESIS_NODES_MAX; w.nnodes++) {
		char name[16];

		snprintf(name, sizeof(name), "node-%zu", w.nnodes);
		people_node(&many[w.nnodes], name, name);
		w.node[w.nnodes] = (struct world_node){ &many[w.nnodes],
		    false };
	}
	ALLOWED(&w, &tx, ruth);
	people_node(&many[w.nnodes], "the-last", "the-last");
	w.node[w.nnodes] = (struct world_node){ &many[w.nnodes], false };
	w.nnodes++;
	REFUSED(&w, &tx, ruth, "full of nodes");
	while (w.nnodes > were)
		identity_wipe(&many[--w.nnodes]);
}

static void
node_remove(void)
{
	const struct identity *ruth = &w.l.ruth;
	struct tx tx;

	make(&tx, TX_NODE_REMOVE);
	tx.node = span_str("hospital-d");
	ALLOWED(&w, &tx, ruth);
	ALLOWED(&w, &tx, &w.engineer);
	REFUSED(&w, &tx, &w.clerk, "\"manage-system\" is missing");
	REFUSED(&w, &tx, &w.l.bill, "\"manage-system\" is missing");
	tx.node = span_str("hospital-e");
	REFUSED(&w, &tx, ruth, "no such node");
	tx.node = span_str("hospital-x");
	REFUSED(&w, &tx, ruth, "no such node");
	tx.node = span_str("hospital-a");
	for (int i = 1; i < LITTLE_NODES; i++) {
		ALLOWED(&w, &tx, ruth);
		w.node[i].removed = true;
	}
	REFUSED(&w, &tx, ruth, "the last node");
	for (int i = 1; i < LITTLE_NODES; i++)
		w.node[i].removed = false;
}

static void
vote(void)
{
	struct tx tx;

	make(&tx, TX_VOTE);
	ALLOWED(&w, &tx, &w.l.node[0]);		/* for nobody */
	tx.reader[0] = span_str("hospital-a");
	tx.reader[1] = span_str("hospital-d");
	tx.nreaders = 2;
	ALLOWED(&w, &tx, &w.l.node[0]);
	REFUSED(&w, &tx, &w.gone, "only a node votes");
	tx.reader[1] = span_str("hospital-e");
	REFUSED(&w, &tx, &w.l.node[0], "there is no node hospital-e");
	tx.reader[1] = span_str("hospital-x");
	REFUSED(&w, &tx, &w.l.node[0], "there is no node hospital-x");
	tx.reader[0] = span_str("a-clinic");
	tx.reader[1] = span_str("hospital-a");
	REFUSED(&w, &tx, &w.l.node[0], "there is no node a-clinic");
}

int
main(void)
{
	world_open(&w);
	enroll();
	rekey();
	role_define();
	role_grant();
	role_revoke();
	role_key();
	node_admit();
	node_remove();
	vote();
	world_close(&w);
	return check_done("rules_user");
}
