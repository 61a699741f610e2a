#include "crypto/x25519.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"

static const unsigned char base_point[X25519_LEN] = { 9 };

/*
 * A secret key with a public half that nobody looks at.  Given none, libcrypto
 * would compute it, on a way that is slower than its X25519; who wants it asks
 * x25519_public.
 */
struct x25519 *
x25519_new(const unsigned char secret[X25519_LEN])
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY,
		    (void *)(uintptr_t)secret, X25519_LEN),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
		    (void *)(uintptr_t)base_point, X25519_LEN),
		OSSL_PARAM_construct_end()
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL);
	EVP_PKEY *key = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		abort();
	EVP_PKEY_CTX_free(ctx);
	return (struct x25519 *)key;
}

void
x25519_free(struct x25519 *x)
{
	EVP_PKEY_free((EVP_PKEY *)x);
}

/* The base point as a peer, made once, as hash.c does with algorithms. */
static EVP_PKEY *
base_peer(void)
{
	static _Atomic(EVP_PKEY *) kept;
	EVP_PKEY *seen = atomic_load(&kept), *mine;

	if (seen != NULL)
		return seen;
	mine = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, base_point,
	    X25519_LEN);
	if (mine == NULL)
		abort();
	if (atomic_compare_exchange_strong(&kept, &seen, mine))
		return mine;
	EVP_PKEY_free(mine);
	return seen;
}

static int
multiply(unsigned char out[X25519_LEN], const struct x25519 *x,
    EVP_PKEY *point)
{
	static const unsigned char zero[X25519_LEN];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new((EVP_PKEY *)(uintptr_t)x, NULL);
	size_t n = X25519_LEN;
	int r = -1;

	if (ctx == NULL || EVP_PKEY_derive_init(ctx) != 1 ||
	    EVP_PKEY_derive_set_peer_ex(ctx, point, 0) != 1)
		abort();
	if (EVP_PKEY_derive(ctx, out, &n) == 1 && n == X25519_LEN &&
	    !hash_secret_eq(out, zero, X25519_LEN))
		r = 0;
	else
		ERR_clear_error();
	EVP_PKEY_CTX_free(ctx);
	return r;
}

void
x25519_public(unsigned char out[X25519_LEN], const struct x25519 *x)
{
	if (multiply(out, x, base_peer()) != 0)
		abort();
}

int
x25519_shared(unsigned char out[X25519_LEN], const struct x25519 *x,
    const unsigned char theirs[X25519_LEN])
{
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL,
	    theirs, X25519_LEN);
	int r;

	if (peer == NULL)
		abort();
	r = multiply(out, x, peer);
	EVP_PKEY_free(peer);
	return r;
}
