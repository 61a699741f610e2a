/*
 * state_memo: what the state says of people and roles, remembered while the
 * rules ask about many transactions of a few authors.  It is good for as long
 * as the state shows the same users, roles and nodes: within one transaction of
 * the database, up to what is applied of these (tx_names_record).
 */
#ifndef STORE_STATE_MEMO_H
#define STORE_STATE_MEMO_H

#include "crypto/key.h"
#include "ledger/name.h"

/* Of one name; the answers are those of a rules_view (view.h). */
struct state_memo_name {
	char name[NAME_MAX_LEN];
	size_t n;		/* bytes of it; 0: a free place */
	bool has_key, has_perms, has_role;	/* these were asked */
	int key_got, perms_got, role_got;
	struct sign_pub key;
	unsigned perms, role_perms;
};

struct state_memo;

/* NULL when there is no memory; all of these do without. */
struct state_memo *state_memo_open(void);
void state_memo_free(struct state_memo *m);

/* Forget all. */
void state_memo_clear(struct state_memo *m);

/* The place of a name, in which nothing may be known; or NULL. */
struct state_memo_name *state_memo_of(struct state_memo *m, struct span name);

#endif
