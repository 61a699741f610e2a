/*
 * name: what things on the ledger are called.
 *
 * A user's handle is 'u' and 16 hex digits, pseudonymous: the start of the
 * hash of the first key.  A node's name is chosen, public and never looks like
 * a handle.  Roles are named like nodes; labels are words of a fixed list, so
 * that no label tells more than the kind of a record.
 */
#ifndef LEDGER_NAME_H
#define LEDGER_NAME_H

#include "crypto/key.h"

#define NAME_MAX_LEN 32		/* bytes of a node's or role's name */
#define HANDLE_LEN 17		/* bytes of a handle */

/* The handle of a user whose first signature key is pub; NUL-terminated. */
void name_handle(char out[HANDLE_LEN + 1], const struct sign_pub *pub);

bool name_is_handle(struct span s);

/* [a-z0-9] then [a-z0-9.-], at most NAME_MAX_LEN bytes, not a handle. */
bool name_is_node(struct span s);
bool name_is_role(struct span s);

/* "HANDLE" or "role:NAME". */
bool name_is_reader(struct span s);

/* If s is "role:NAME", put NAME in *role. */
bool name_reader_role(struct span s, struct span *role);

bool name_is_label(struct span s);
const char *const *name_labels(void);	/* sorted, NULL-terminated */

/* Why a record was erased: a word of a fixed list. */
bool name_is_erase_reason(struct span s);
const char *const *name_erase_reasons(void);

/* local@domain, printable ASCII, at most 254 bytes: RFC 5321, no quoting. */
bool name_is_email(struct span s);

/* Bytewise order, as strcmp: < 0, 0, > 0. */
int name_cmp(struct span a, struct span b);

/*
 * What stands for an e-mail address on the ledger, so that two users cannot
 * have the same: HMAC-SHA256(ledger secret, lower-case address).
 */
void name_email_digest(struct hash *out, const struct hash *secret,
    struct span email);

#endif
