/* sign_key: what is inside a struct sign_key; only for key.c, pem.c and
 * checker.c. */
#ifndef CRYPTO_SIGN_KEY_H
#define CRYPTO_SIGN_KEY_H

#include <openssl/evp.h>

#include "crypto/key.h"

struct sign_key {
	EVP_PKEY *key;
	struct sign_pub pub;
};

/*
 * Make a struct sign_key that owns key, an Ed25519 or RSA secret key; key is
 * freed when that fails.
 */
int sign_key_wrap(struct sign_key **out, EVP_PKEY *key, struct err *e);

/* A context that is ready to verify with the key, once; NULL when libcrypto
 * does not take the key.  Owned by the caller. */
EVP_MD_CTX *sign_verify_ctx(const struct sign_pub *pub);

#endif
