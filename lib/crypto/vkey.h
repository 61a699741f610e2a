/*
 * vkey: verifier keys, the one-word form in which C2SP's tools take keys:
 *
 *	NAME+KEYID+BASE64(TYPE || KEY)
 *
 * KEYID is eight lower-case hex digits.  TYPE tells what the key signs: notes
 * (0x01 Ed25519, 0xff... RSA, as note.h) or cosignatures (0x04).
 */
#ifndef CRYPTO_VKEY_H
#define CRYPTO_VKEY_H

#include "crypto/note.h"

struct vkey {
	struct span name;	/* borrows from the text */
	bool cosigns;		/* type 0x04 */
	struct sign_pub pub;
};

/* Append one; a key that cosigns must be Ed25519. */
void vkey_add(struct buf *out, struct span name, const struct sign_pub *pub,
    bool cosigns);

/* ERR_BAD: malformed, of an unknown type, or a key that is refused. */
int vkey_parse(struct vkey *k, struct span text, struct err *e);

#endif
