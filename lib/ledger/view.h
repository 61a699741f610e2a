/* view: the state as the rules see it, whoever keeps it. */
#ifndef LEDGER_VIEW_H
#define LEDGER_VIEW_H

#include "ledger/perm.h"
#include "ledger/tx.h"

enum record_status {
	RECORD_UNKNOWN = 0,
	RECORD_AUTHORIZED,
	RECORD_REJECTED,
	RECORD_ERASED
};

/* What the rules need to know of a record. */
struct rules_record {
	enum record_status status;
	char patient[18];	/* handle; of a rejected one: who rejected it */
	char author[18];
};

/*
 * Each function returns 1 (yes, found), 0
 * (no), or -1 with *e set when the state cannot be read.  Out parameters may
 * be NULL.
 */
struct rules_view {
	void *arg;
	const struct hash *ledger;
	uint32_t skew_ms;

	/*
	 * The current signature key of a user or node.  A removed node has
	 * none, but its name stays taken: 1 when out is NULL.
	 */
	int (*key)(void *arg, struct span name, struct sign_pub *out,
	    struct err *e);
	/* Was this signature key ever used by anybody? */
	int (*key_used)(void *arg, const struct sign_pub *pub, struct err *e);
	/* A user's permissions: those of all roles together; 0: no user. */
	int (*perms)(void *arg, struct span handle, unsigned *perms,
	    struct err *e);
	int (*node)(void *arg, struct span name, struct err *e);
	int (*node_count)(void *arg, size_t *n, struct err *e);
	int (*role)(void *arg, struct span name, unsigned *perms,
	    struct err *e);
	/* Has the user the role? */
	int (*member)(void *arg, struct span handle, struct span role,
	    struct err *e);
	/*
	 * How many memberships give a permission: pairs of a user and a role.
	 * Who loses one of two has the permission still.
	 */
	int (*holders)(void *arg, enum perm perm, size_t *n, struct err *e);
	/*
	 * The current key of a role, generation 0 and 0 when none; and how
	 * often its membership has changed (a user got, lost or rekeyed it).
	 */
	int (*role_key)(void *arg, struct span role, uint64_t *generation,
	    struct seal_pub *pub, uint64_t *changes, struct err *e);
	int (*email)(void *arg, const struct hash *digest, struct err *e);
	/* Was this object ever named on the ledger, for whatever? */
	int (*object)(void *arg, const struct hash *id, struct err *e);
	int (*tx)(void *arg, const struct hash *id, struct err *e);
	int (*record)(void *arg, const struct hash *id,
	    struct rules_record *out, struct err *e);
	/*
	 * Is this reader (a handle or role:NAME) admitted to the record by
	 * that name?
	 */
	int (*reader)(void *arg, const struct hash *record,
	    struct span reader, struct err *e);
	/*
	 * May the user open the record: admitted by handle, or through a
	 * role with a library that the user has?
	 */
	int (*opens)(void *arg, const struct hash *record,
	    struct span handle, struct err *e);
	/*
	 * The same, counting those who were admitted, and who had the role,
	 * at any time before.
	 */
	int (*opened)(void *arg, const struct hash *record,
	    struct span handle, struct err *e);
	/*
	 * Check a signature line.  A caller that verifies many at once may
	 * remember it, return 1 and verify later.
	 */
	int (*verify)(void *arg, const struct note *n, struct span name,
	    const struct sign_pub *pub, struct err *e);
};

#endif
