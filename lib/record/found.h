/* found: founding a ledger: genesis, secret, first node and administrators. */
#ifndef RECORD_FOUND_H
#define RECORD_FOUND_H

#include "record/profile.h"

struct found {
	const char *name;		/* of the ledger */
	bool pbft;			/* the engine; else dbft */
	struct settings settings;
	struct span node_key_file;	/* the founder's key file */
	const struct identity *node;	/* the same, opened: signs */
	const struct span *admin;	/* cards */
	size_t nadmins;
	const struct span *other;	/* cards of the other first nodes */
	size_t nothers;
	int64_t now_ms;
};

/*
 * Make DIR/.ehr with a new ledger.  *ledger gets its id.  ERR_NO: there is
 * one already, or cards that do not fit together; ERR_BAD: malformed cards.
 */
int found_ledger(const char *dir, const struct found *f, struct hash *ledger,
    struct err *e);

#endif
