/* aead: ChaCha20-Poly1305 (RFC 8439) without additional data. */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include "base/span.h"

#define AEAD_KEY 32		/* bytes */
#define AEAD_NONCE 12		/* bytes */
#define AEAD_TAG 16		/* bytes that a ciphertext is longer */
#define AEAD_MAX (1u << 20)	/* bytes of plaintext in one call */

/*
 * A key made ready, to seal or to open.  One thread may use it at a time.
 * libcrypto cannot fail here short of memory exhaustion, which ends the
 * process.  aead_free wipes; NULL does nothing.
 */
struct aead;
struct aead *aead_sealer(const unsigned char key[AEAD_KEY]);
struct aead *aead_opener(const unsigned char key[AEAD_KEY]);
void aead_free(struct aead *a);

/* Write in.n + AEAD_TAG bytes to out, which may be in.p. */
void aead_seal(struct aead *a, unsigned char *out,
    const unsigned char nonce[AEAD_NONCE], struct span in);

/*
 * Write in.n - AEAD_TAG bytes to out, which may be in.p.  Returns 0, or -1
 * when in is too short or was altered; out then holds zeros.
 */
int aead_open(struct aead *a, unsigned char *out,
    const unsigned char nonce[AEAD_NONCE], struct span in);

#endif
