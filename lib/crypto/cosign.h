/*
 * cosign: timestamped Ed25519 cosignatures (c2sp.org/tlog-cosignature).
 *
 * A cosignature is a signature line of a checkpoint, whose signature is eight
 * bytes of time (seconds since 1970, big-endian) and 64 bytes of Ed25519 over
 *
 *	cosignature/v1
 *	time SECONDS
 *	<the checkpoint's text>
 *
 * so that none passes for a signature over a text of ours, or back.
 */
#ifndef CRYPTO_COSIGN_H
#define CRYPTO_COSIGN_H

#include "crypto/note.h"

#define COSIGN_TIME_MAX 253402300799	/* 9999-12-31T23:59:59Z */

/* The type of such a key, as note_key_type has those of others. */
struct span cosign_key_type(void);

/* Append the line.  ERR_NO when the key is not Ed25519: there is no such
 * cosignature. */
int cosign_line(struct buf *out, struct span text, struct span name,
    const struct sign_key *k, uint64_t time_s, struct err *e);

/*
 * Is signature line i a cosignature under this name by this key?  *time_s is
 * when.  ERR_NO when not, ERR_BAD when its base64 is not canonical.
 */
int cosign_verify(const struct note *n, size_t i, struct span name,
    const struct sign_pub *pub, uint64_t *time_s, struct err *e);

#endif
