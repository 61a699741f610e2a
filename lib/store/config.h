/*
 * config: settings of one node or user, in git's ini format (ehr-config(5)).
 *
 *	[node]
 *		name = hospital-a
 *	[peer "hospital-b"]
 *		command = ssh ehr@hospital-b ehr-serve
 *
 * Read, in rising priority, from /etc/ehr/config, ~/.config/ehr/config and
 * the ledger directory's own file.  Keys are written "node.name" and
 * "peer.hospital-b.command"; the part between the dots is case-sensitive.
 */
#ifndef STORE_CONFIG_H
#define STORE_CONFIG_H

#include "base/buf.h"

#define CONFIG_MAX 65536	/* bytes of a file */

struct config_entry {
	char *key;		/* "section.name" or "section.sub.name" */
	char *value;
};

struct config {
	struct config_entry *entry;	/* in the order read */
	size_t n;
};

/* Append the entries of one file's text.  ERR_BAD names the line. */
int config_parse(struct config *c, struct span text, const char *what,
    struct err *e);

/* All scopes; dirfd is the ledger directory or -1. */
int config_load(struct config *c, int dirfd, struct err *e);

/* The last value of a key, or NULL. */
const char *config_get(const struct config *c, const char *key);

/* A number with a default; ERR_BAD when the value is not one up to max. */
int config_number(const struct config *c, const char *key, uint64_t def,
    uint64_t max, uint64_t *out, struct err *e);

/*
 * The next "section.SUB.name" after *at (start with 0): its SUB, which
 * borrows from c, and its value; false at the end.  Only the entry that is in
 * force for each SUB is given.
 */
bool config_next(const struct config *c, const char *section,
    const char *name, size_t *at, struct span *sub, const char **value);

/*
 * Set (value not NULL) or remove a key in the ledger directory's own file,
 * durably; the rest of the file, comments included, stays as it is.
 * ERR_USAGE: not a key, or a value with control characters.  The caller holds
 * the lock of the directory.  config_edit appends the new text to out, an
 * empty buffer, instead.
 */
int config_set(int dirfd, const char *key, const char *value, struct err *e);
int config_edit(struct buf *out, struct span text, const char *key,
    const char *value, struct err *e);

void config_free(struct config *c);

#endif
