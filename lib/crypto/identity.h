/*
 * identity: the key file of a user or a node (ehr-key(5)).
 *
 *	ehr.v1 identity
 *	name NAME
 *	PEM block of the signature key
 *	PEM block of the sealing key
 *	[PEM blocks of earlier sealing keys]
 *
 * NAME signs notes: a user's handle or a node's name.  Stock openssl pkey
 * passes over the first lines and reads the signature key.
 */
#ifndef CRYPTO_IDENTITY_H
#define CRYPTO_IDENTITY_H

#include "crypto/key.h"
#include "crypto/note.h"

#define IDENTITY_SEALS_MAX 16
#define IDENTITY_FILE_MAX 65536		/* bytes */

struct identity {
	char name[NOTE_NAME_MAX + 1];
	struct sign_key *sign;
	struct seal_secret seal[IDENTITY_SEALS_MAX]; /* the current one first */
	size_t nseals;
};

/* Does any key of this file need a passphrase? */
bool identity_is_encrypted(struct span file);

/* The name in a key file, without opening its keys. */
int identity_name(struct span *name, struct span file, struct err *e);

/*
 * Read a key file.  pass is empty for one that is not encrypted.  ERR_NO:
 * wrong passphrase; ERR_BAD: malformed.  Release with identity_wipe.
 */
int identity_parse(struct identity *id, struct span file, struct span pass,
    struct err *e);

/* Append the file that identity_parse reads. */
int identity_format(struct buf *out, const struct identity *id,
    struct span pass, struct err *e);

/* New keys; the name is set by the caller. */
int identity_generate(struct identity *id, enum sign_alg alg, struct err *e);

/* A copy that is wiped on its own. */
int identity_copy(struct identity *out, const struct identity *id,
    struct err *e);

/* Wipe and release; an all-zero identity is fine. */
void identity_wipe(struct identity *id);

/* Sign text as id->name: append the whole note to out. */
int identity_sign(struct buf *out, struct span text, const struct identity *id,
    struct err *e);

#endif
