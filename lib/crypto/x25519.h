/* x25519: Diffie-Hellman on Curve25519 (RFC 7748, sections 5 and 6.1). */
#ifndef CRYPTO_X25519_H
#define CRYPTO_X25519_H

#define X25519_LEN 32		/* bytes of a secret, a point, a result */

/*
 * A secret made ready; the secret is copied.  Threads may share it.
 * x25519_free wipes; NULL does nothing.  libcrypto cannot fail here short of
 * memory exhaustion, which ends the process.
 */
struct x25519;
struct x25519 *x25519_new(const unsigned char secret[X25519_LEN]);
void x25519_free(struct x25519 *x);

/* The public key that belongs to the secret. */
void x25519_public(unsigned char out[X25519_LEN], const struct x25519 *x);

/*
 * The secret shared with the owner of a public key.  Returns 0, or -1 when it
 * would be all zeros, because theirs is a point of low order.
 */
int x25519_shared(unsigned char out[X25519_LEN], const struct x25519 *x,
    const unsigned char theirs[X25519_LEN]);

#endif
