/* peers: the peers of a ledger directory's config, and syncing with them. */
#ifndef NET_PEERS_H
#define NET_PEERS_H

#include "net/sync.h"

struct peer {
	char name[NAME_MAX_LEN + 1];
	const char *command;		/* borrowed from the config */
	struct session *s;		/* NULL when it did not answer */
	struct sync_result res;
	struct err e;			/* kind ERR_NONE: all went well */
};

struct peers {
	struct peer *v;			/* owned */
	size_t n;
};

/*
 * The peers with these names (NULL-terminated), or all when there is none.
 * ERR_NO: one is not in the config, or there is none at all.
 */
int peers_of(struct peers *out, const struct repo *r, char *const *names,
    struct err *e);
void peers_free(struct peers *p);

/* Open a session to each; those that fail have it in their e. */
void peers_open(struct peers *p, struct repo *r);

/*
 * Open a session to each and pull from all, then push to all, so that what
 * one has reaches the others at once (flags: sync.h).  What goes wrong with
 * one is in its e.  -1: ours, ERR_SYS; the others did not get their turn.
 */
int peers_sync(struct peers *p, struct repo *r, int flags, struct err *e);

#endif
