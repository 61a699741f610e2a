/*
 * lookup: questions that commands ask of the state.  They see what the
 * database connection sees: inside a pool_open (pool.h) also what waits.
 */
#ifndef STORE_LOOKUP_H
#define STORE_LOOKUP_H

#include "ledger/name.h"
#include "store/state.h"

struct lookup_user {
	char handle[HANDLE_LEN + 1];
	struct seal_pub seal;
	bool has_profile;
	struct hash profile;
	unsigned perms;
	char roles[128];		/* names, comma-separated, or cut */
};

struct lookup_record {
	struct hash id;
	enum record_status status;
	char patient[HANDLE_LEN + 1], author[HANDLE_LEN + 1];
	char label[NAME_MAX_LEN + 1];
	int64_t time_ms;
	struct hash body, header;
	uint64_t body_size;
	uint64_t height, seq;	/* of the transaction that decided it */
};

struct lookup_role {
	char name[NAME_MAX_LEN + 1];
	unsigned perms;
	uint64_t generation;		/* 0: it has no key */
	struct seal_pub seal;
	struct hash object;
	uint64_t changes;		/* of its membership, so far */
	bool unsealed;			/* members came since it was sealed */
	bool left;			/* a member left since it was made */
};

struct lookup_node {
	char name[NAME_MAX_LEN + 1];
	struct sign_pub sign;
	struct seal_pub seal;
	bool active;
};

/* Each: 1 found, 0 not, -1 error. */
int lookup_user(struct lookup_user *u, struct db *db, struct span handle,
    struct err *e);
int lookup_record(struct lookup_record *r, struct db *db,
    const struct hash *id, struct err *e);
int lookup_role(struct lookup_role *r, struct db *db, struct span name,
    struct err *e);
int lookup_node(struct lookup_node *n, struct db *db, struct span name,
    struct err *e);

/*
 * Who is meant by "HANDLE" or an e-mail address (which needs the ledger
 * secret): the handle.  ERR_NO, "unknown ...".
 */
int lookup_person(char handle[HANDLE_LEN + 1], struct repo *r, struct db *db,
    const char *who, struct err *e);

/* Where a transaction is: 1 and its height, seq and kind, 0, -1. */
struct lookup_tx {
	struct hash id;
	uint64_t height, seq;
	int64_t time_ms;
	char kind[16];
	char author[NAME_MAX_LEN + 1], user[NAME_MAX_LEN + 1];
};
int lookup_tx(struct lookup_tx *t, struct db *db, const struct hash *id,
    struct err *e);

/* Lists: fn returns 0 to go on, 1 to stop, -1 with *e set. */
int lookup_users(struct db *db, int (*fn)(void *arg,
    const struct lookup_user *u, struct err *e), void *arg, struct err *e);
int lookup_roles(struct db *db, int (*fn)(void *arg,
    const struct lookup_role *r, struct err *e), void *arg, struct err *e);
int lookup_nodes(struct db *db, int (*fn)(void *arg,
    const struct lookup_node *n, struct err *e), void *arg, struct err *e);
int lookup_members(struct db *db, struct span role, int (*fn)(void *arg,
    const struct lookup_user *u, struct err *e), void *arg, struct err *e);
int lookup_readers(struct db *db, const struct hash *record,
    int (*fn)(void *arg, struct span reader, struct err *e), void *arg,
    struct err *e);
int lookup_accesses(struct db *db, const struct hash *record,
    int (*fn)(void *arg, const struct lookup_tx *t, struct err *e), void *arg,
    struct err *e);

/*
 * Records, newest first.  Members that are NULL, or 0 and INT64_MAX for
 * times, do not restrict.  by_seq: only those that transactions of a range
 * decided, the last first; no others are looked at.
 */
struct lookup_filter {
	const char *patient, *author;	/* handles */
	const char *label;
	int64_t since_ms, until_ms;	/* until is excluded */
	bool by_seq;
	uint64_t from_seq, until_seq;	/* the same */
	const char *visible_to;		/* handle: patient, author, reader */
	uint64_t limit;			/* 0: no limit */
	const struct lookup_record *after;	/* go on after this one */
};
int lookup_records(struct db *db, const struct lookup_filter *f,
    int (*fn)(void *arg, const struct lookup_record *r, struct err *e),
    void *arg, struct err *e);

/*
 * Verify signature line i with any key that its name ever had on the ledger:
 * old statements outlive a change of keys.  1, 0: no such name, -1 (ERR_NO:
 * with none of its keys).
 */
int lookup_verify(struct db *db, const struct note *n, size_t i,
    struct err *e);

#endif
