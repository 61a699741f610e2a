/*
 * genesis: the note that a ledger starts from (ehr-genesis(5)).  Its SHA-256
 * is the ledger's id.  Signed by the node that made it, one of its nodes.
 */
#ifndef LEDGER_GENESIS_H
#define LEDGER_GENESIS_H

#include "crypto/note.h"
#include "ledger/head.h"

#define GENESIS_MAX (256u << 10)	/* bytes */
#define GENESIS_NODES_MAX 64
#define GENESIS_ADMINS_MAX 16
#define GENESIS_ROLES_MAX 32
#define LEDGER_NAME_MAX 64		/* bytes of a ledger's name */

/* What all nodes of a ledger have in common and cannot change. */
struct settings {
	uint32_t interval_ms;		/* least time between two blocks */
	uint32_t timeout_ms;		/* of a view, before it doubles */
	uint32_t block_txs;		/* transactions in a block, at most */
	uint32_t block_bytes;		/* of them, framed, at most */
	uint32_t delegates;		/* seats, at least 4 */
	uint32_t skew_ms;		/* how far clocks may be apart */
};

struct genesis_node {
	struct span name;
	struct sign_pub sign;
	struct seal_pub seal;
};

struct genesis_admin {
	struct span handle;
	struct sign_pub sign;
	struct seal_pub seal;
	bool has_email, has_profile;
	struct hash email, profile;
};

struct genesis_role {
	struct span name;
	unsigned perms;
};

struct genesis {
	struct hash id;
	struct span name;
	int64_t time_ms;
	unsigned char nonce[16];
	struct span engine;		/* "dbft" or "pbft" */
	struct settings settings;
	size_t nroles, nnodes, nadmins;
	struct genesis_role role[GENESIS_ROLES_MAX];
	struct genesis_node node[GENESIS_NODES_MAX];	/* sorted by name */
	struct genesis_admin admin[GENESIS_ADMINS_MAX];	/* sorted by handle */
};

/* The defaults of ehr-init. */
void settings_default(struct settings *s);

/*
 * Does every node vote, and tell all others (PBFT)?  Then the ledger has as
 * many seats as there may be nodes.
 */
bool genesis_all_to_all(const struct genesis *g);

/* ERR_USAGE when a value is out of its limits (ehr-genesis(5)). */
int settings_check(const struct settings *s, struct err *e);

/*
 * Read and verify a genesis file; g borrows from whole, is large (about
 * 100 KiB), and names its own id.
 */
int genesis_parse(struct genesis *g, struct span whole, struct err *e);

/*
 * Append the text of g (its id is ignored); nodes and admins are sorted by
 * the caller.  To be signed by one of the nodes.
 */
void genesis_text(struct buf *out, const struct genesis *g);

/* The roles that every ledger starts with; returns how many were written. */
size_t genesis_default_roles(struct genesis_role role[3]);

#endif
