/*
 * checked: what the last check of this node has found right, as the file
 * "checked" of the ledger directory says (ehr-repository(5)), so that the next
 * one need not verify it again while its bytes are the same.
 *
 * The text ends in an HMAC.  Without the key nobody can write one; but an old
 * one is as good as it ever was: all that it says is about the bytes that it
 * names.
 */
#ifndef LOG_CHECKED_H
#define LOG_CHECKED_H

#include "base/buf.h"
#include "crypto/hash.h"

#define CHECKED_PATH "checked"
#define CHECKED_DB "checked.db"
#define CHECKED_MAX (4u << 20)	/* bytes */
#define CHECKED_NAME_MAX 32	/* of a group, NUL included */

/* Files that were right together, at a time: what is in digest hangs on what
 * they are. */
struct checked_group {
	char name[CHECKED_NAME_MAX];	/* of their folder, or a part of it */
	int64_t time_ms;
	struct hash digest;
};

struct checked_groups {
	struct checked_group *v;	/* in the order of the names; owned */
	size_t n;
};

/* Logs from the first on: those of the hours before end_ms. */
struct checked_logs {
	int64_t end_ms;
	struct hash root;	/* of the last of them */
	struct hash digest;	/* of their bytes */
};

struct checked {
	int64_t full_ms;	/* when all was checked, bit by bit */
	uint64_t height;	/* of the last block */
	struct hash blocks;	/* digest of their files' bytes */
	struct hash state;	/* of the file CHECKED_DB: what they give */
	struct checked_logs logs;
	struct checked_groups groups;
};

/* A digest over things in their order: what it was before them is all zeros. */
void checked_bind(struct hash *digest, struct span bytes);

/* The group of that name, or NULL. */
const struct checked_group *checked_find(const struct checked_groups *g,
    const char *name);

/* Add one, whose name comes after all that are there.  -1: no memory. */
int checked_add(struct checked_groups *g, const char *name, int64_t time_ms,
    const struct hash *digest, struct err *e);

/* Append the text. */
void checked_format(struct buf *out, const struct checked *c,
    const struct hash *ledger, const struct hash *key);

/*
 * Read it.  ERR_BAD: another ledger's, damaged, or not made with this key.  c
 * is to be freed in either case.
 */
int checked_parse(struct checked *c, struct span whole,
    const struct hash *ledger, const struct hash *key, struct err *e);

void checked_free(struct checked *c);

#endif
