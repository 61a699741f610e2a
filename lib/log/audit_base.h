/* audit_base: what the parts of an audit share: counts and findings. */
#ifndef LOG_AUDIT_BASE_H
#define LOG_AUDIT_BASE_H

#include "ledger/policy.h"
#include "log/hourly.h"

enum audit_class {
	AUDIT_GENESIS,
	AUDIT_BLOCKS,
	AUDIT_TRANSACTIONS,
	AUDIT_SIGNATURES,
	AUDIT_OBJECTS,
	AUDIT_LOGS,
	AUDIT_TILES,
	AUDIT_CHECKPOINTS,
	AUDIT_STAGED,
	AUDIT_PENDING,
	AUDIT_STATE,
	AUDIT_NODE,		/* the files that only this node has */
	AUDIT_BUNDLE,		/* only when there is one */
	AUDIT_CLASSES
};

/* What an audit could not check. */
enum audit_gap {
	AUDIT_GAP_OUTSIDE,	/* nothing was given to compare with */
	AUDIT_GAP_AFTER,	/* what follows a broken block */
	AUDIT_GAP_LOGS,		/* for the same reason */
	AUDIT_GAP_WAITING,	/* rules, and keys, of what waits */
	AUDIT_GAP_SEALED,	/* what is in sealed files */
	AUDIT_GAP_NODE,		/* of the node's files, what nothing binds */
	AUDIT_GAP_STRANGER,	/* a node that the ledger does not know yet */
	AUDIT_GAP_NO_KEY,	/* no node.key in the directory */
	AUDIT_GAP_LOCKED,	/* it has a passphrase, which is not at hand */
	AUDIT_GAP_SECRET,	/* the secret has no check */
	AUDIT_GAP_JOURNAL,	/* the vote journal has no entry */
	AUDIT_GAP_TORN,		/* it ends in a part of a line */
	AUDIT_GAP_SIGNED,	/* what was signed of the tree is not known */
	AUDIT_GAPS
};

const char *audit_class_name(enum audit_class c);
const char *audit_gap_text(enum audit_gap g);

struct audit_count {
	uint64_t checked, failed;
	uint64_t absent;	/* named by the ledger, not here */
	uint64_t erased;	/* by authority: the ledger says by whose */
};

/* One finding: failed, or absent; where is a file or what it is about. */
struct audit_finding {
	enum audit_class class;
	bool absent;
	const char *where;
	const char *what;
};

/* A block in whose certificate this node stands; height 0: none. */
struct audit_voted {
	uint64_t height;
	struct hash id;
};

struct audit {
	struct repo *repo;
	/* Called for each finding; -1 ends the audit. */
	int (*finding)(void *arg, const struct audit_finding *f,
	    struct err *e);
	/* Called now and then: so many blocks are done, of so many; may be
	 * NULL. */
	void (*progress)(void *arg, uint64_t blocks, uint64_t of);
	/* Called for each block that holds, with the delegates of its height
	 * and the bit set of those that signed it; may be NULL. */
	void (*block)(void *arg, const struct block_header *h,
	    const struct delegates *set, uint64_t signers);
	void *arg;
	/* From outside: a checkpoint's note, or empty; a policy, or NULL. */
	struct span checkpoint;
	const struct policy *policy;
	unsigned gaps;		/* a bit for each audit_gap */
	struct audit_count count[AUDIT_CLASSES];
	struct head head;	/* the last block that holds */
	struct audit_voted voted;	/* the last such block */
	uint64_t verified;	/* up to this block, all signatures do, too */
	struct db *db;		/* the state that the blocks gave */
};

/* Did it check something, and find nothing wrong or absent? */
bool audit_clean(const struct audit *a);

/* Count and report a finding; what audit's caller returned. */
int audit_report(struct audit *a, enum audit_class class, bool absent,
    const char *where, const char *what, struct err *e);

/* The same for an error, unless the system refused: that ends the audit. */
int audit_failed(struct audit *a, enum audit_class class, const char *where,
    const struct err *why, struct err *e);

#endif
